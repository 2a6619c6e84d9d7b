package blocks

import (
	"testing"
	"testing/synctest"
	"time"
)

// What does not answer is waited for once, and then left alone for a while.
func TestPatienceEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p Patience
		began, answers, undone := time.Now(), make(chan struct{}), false
		if p.Try(func() { <-answers }, func() { undone = true }) {
			t.Error("a call that hangs has returned")
		}
		if waited := time.Since(began); waited != patienceMax {
			t.Errorf("waited %v", waited)
		}
		if p.Try(func() { t.Error("tried again at once") }, nil) {
			t.Error("what is not tried has returned")
		}
		close(answers)
		synctest.Wait()
		if !undone {
			t.Error("what came late is not undone")
		}
		time.Sleep(pauseMin)
		if tried := false; !p.Try(func() { tried = true }, nil) || !tried {
			t.Error("not tried again later")
		}
	})
}
