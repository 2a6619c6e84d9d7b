package integration

import (
	"strconv"
	"testing"
	"time"
)

// watched is a mount whose metrics are served by HTTP, so that looking at them is no
// request to the mount.
type watched struct {
	*mount
	url string
}

// mountWatched mounts a site. Only errors are logged; there should be none.
func mountWatched(t *testing.T, root string, flags ...string) *watched {
	t.Helper()
	port := strconv.Itoa(freePort(t))
	flags = append([]string{"--metrics-addr", port, "--log-level", "error"}, flags...)
	return &watched{mountSiteEnv(t, root, []string{"GOMAXPROCS=2"}, flags...), "http://127.0.0.1:" + port + "/metrics"}
}

func (w *watched) metrics(t *testing.T) families {
	t.Helper()
	_, text := get(t, w.url)
	return parseMetrics(t, text)
}

// figures are what a server has of what it must give back.
type figures struct {
	resident                int64
	goroutines, descriptors int
}

// most is the larger one of each figure.
func (f figures) most(g figures) figures {
	return figures{max(f.resident, g.resident), max(f.goroutines, g.goroutines), max(f.descriptors, g.descriptors)}
}

// figures are what the server has now.
func (w *watched) figures(t *testing.T) figures {
	t.Helper()
	m := w.metrics(t)
	return figures{
		resident:    w.memory(t),
		goroutines:  int(m.value(t, "go_goroutines", "")),
		descriptors: int(m.value(t, "process_open_fds", "")),
	}
}

// atRest are the most figures of a server that nothing uses, apart from its looks at the
// database.
func (w *watched) atRest(t *testing.T) (most figures) {
	t.Helper()
	time.Sleep(time.Second)
	for range 20 {
		time.Sleep(50 * time.Millisecond)
		most = most.most(w.figures(t))
	}
	return most
}

// expectRest waits until goroutines and descriptors are back to where they were. There may
// be a few more: the goroutines that wait for the kernel's next request, and a connection
// to the database.
func (w *watched) expectRest(t *testing.T, before figures) {
	t.Helper()
	const slack = 6
	now, deadline := w.figures(t), time.Now().Add(patience)
	for now.goroutines > before.goroutines+slack || now.descriptors > before.descriptors+slack {
		if time.Now().After(deadline) {
			t.Errorf("the server has %d goroutines and %d descriptors afterwards, %d and %d before",
				now.goroutines, now.descriptors, before.goroutines, before.descriptors)
			break
		}
		time.Sleep(200 * time.Millisecond)
		now = w.figures(t)
	}
	t.Logf("at rest: %d goroutines and %d descriptors before, %d and %d afterwards; %d MiB resident at most",
		before.goroutines, before.descriptors, now.goroutines, now.descriptors, w.peakMemory(t)>>20)
}
