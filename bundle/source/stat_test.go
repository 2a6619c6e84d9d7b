package source

import (
	"testing"
	"testing/synctest"
	"time"
)

// A file is waited for no longer than a tick of its clock, whatever its time is: the clock
// may have jumped, or be another host's.
func TestAFileIsWaitedForOneTickAtMost(t *testing.T) {
	const fraction = 300 * time.Millisecond
	for name, c := range map[string]struct{ age, want time.Duration }{
		"of this moment":            {0, tick},
		"a millisecond old":         {time.Millisecond, tick - time.Millisecond},
		"old":                       {time.Hour, 0},
		"very old":                  {100 * 365 * 24 * time.Hour, 0},
		"of the next hour":          {-time.Hour, 0},
		"of the next year":          {-365 * 24 * time.Hour, 0},
		"of the next century":       {-100 * 365 * 24 * time.Hour, 0},
		"in whole seconds":          {fraction, wholeTicks - fraction},
		"in whole seconds, old":     {fraction + time.Second, 0},
		"in whole seconds, to come": {fraction - time.Hour, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(fraction) // the bubble's clock begins at a whole second
			began := time.Now()
			Identity{CtimeNs: began.Add(-c.age).UnixNano()}.settle()
			if took := time.Since(began); took != c.want {
				t.Errorf("a file %s is waited for %v, want %v", name, took, c.want)
			}
		})
	}
}
