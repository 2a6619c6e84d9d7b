package source

import (
	"testing"
	"testing/synctest"
	"time"
)

// What is read of a file in the tick of its change may be from before another change in
// that tick. How long a tick is shows in the time: some file systems have whole seconds.
func TestReadingWaitsForTheEndOfTheTick(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			fraction time.Duration // of the second of the change
			now      time.Duration // after the change
			want     time.Duration
		}{
			{0, 0, wholeTicks},
			{0, 400 * time.Millisecond, 600 * time.Millisecond},
			{0, time.Second, 0},
			{0, time.Hour, 0},
			{123 * time.Millisecond, 0, tick},
			{123 * time.Millisecond, 4 * time.Millisecond, 6 * time.Millisecond},
			{123 * time.Millisecond, time.Second, 0},
			{0, -time.Minute, 0}, // the clock of another host
		} {
			changed := time.Now().Truncate(time.Second).Add(time.Hour + c.fraction)
			time.Sleep(time.Until(changed.Add(c.now)))
			began := time.Now()
			Identity{CtimeNs: changed.UnixNano()}.settle()
			if took := time.Since(began); took != c.want {
				t.Errorf("%v after a change at a second and %v: waited %v, want %v", c.now, c.fraction, took, c.want)
			}
		}
	})
}

// Reads and the search for holes begin behind the tick.
func TestReadsOfAFileBeginBehindItsTick(t *testing.T) {
	root := siteRoot(t, t.TempDir())
	writeFile(t, root.Dir()+"/file", make([]byte, 100))
	synctest.Test(t, func(t *testing.T) {
		for name, read := range map[string]func(f *File){
			"read":  func(f *File) { _, _ = f.ReadAt(make([]byte, 10), 0) },
			"holes": func(f *File) { f.findData() },
		} {
			f := &File{root: root, path: "/file", identity: Identity{Size: 100, CtimeNs: time.Now().UnixNano()}}
			began := time.Now()
			if read(f); time.Since(began) < tick {
				t.Errorf("%s: began %v after the change", name, time.Since(began))
			}
			time.Sleep(time.Hour)
			began = time.Now()
			if read(f); time.Since(began) != 0 {
				t.Errorf("%s: an old file is waited for %v", name, time.Since(began))
			}
		}
	})
}
