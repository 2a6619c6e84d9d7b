package bundle

import "testing"

func TestASizeThatSomebodyWaitsForOvertakesOthers(t *testing.T) {
	p, err := newWorkers(1, Codec{Level: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	started, gate, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	p.submit(&job{run: func(*worker) { close(started); <-gate }}, demanded)
	<-started
	var order []string
	note := func(s string) *job { return &job{run: func(*worker) { order = append(order, s) }} }
	other, pass := &measuring{at: idle}, &measuring{at: idle}
	other.submit(p, note("other"))
	pass.submit(p, note("before"))
	pass.hurry(p, sizing)
	pass.submit(p, note("after"))
	p.submit(&job{run: func(*worker) { close(done) }}, idle)
	close(gate)
	<-done
	if len(order) != 3 || order[0] != "before" || order[1] != "after" {
		t.Errorf("order %q", order)
	}
}
