package fs

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// A request waits for as long as work goes on, and not for files that hang.
func TestARequestIsPatientUntilFilesHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		var hanging atomic.Bool
		ctx, stop := patient(t.Context(), time.Minute, hanging.Load)
		time.Sleep(time.Hour)
		synctest.Wait()
		if ctx.Err() != nil {
			t.Fatalf("given up after %v although nothing hangs: %v", time.Since(began), context.Cause(ctx))
		}
		hanging.Store(true)
		time.Sleep(2 * stuckPoll)
		synctest.Wait()
		if !isTimeout(context.Cause(ctx)) {
			t.Errorf("files hang, and the wait ends with %v", context.Cause(ctx))
		}
		stop()

		ctx, stop = patient(t.Context(), time.Minute, func() bool { return true })
		time.Sleep(time.Second)
		stop()
		time.Sleep(time.Hour)
		if ctx.Err() == nil || isTimeout(context.Cause(ctx)) {
			t.Errorf("a wait that was over ends with %v", context.Cause(ctx))
		}
	})
}
