package fs

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"imgexportfs/bundle/source"
	"imgexportfs/xcat"
)

// counted makes the versions of a site with the images foo and bar, and counts the looks at
// their files.
func counted(t *testing.T, memory int64) (dir string, vs *versions, looks *atomic.Int64) {
	t.Helper()
	dir, looks = siteDir(t, 3, "foo", "bar"), &atomic.Int64{}
	vs = open(t, dir, memory, time.Hour)
	vs.request = func(image string) xcat.Request {
		looks.Add(1)
		return xcat.Request{Image: image}
	}
	return dir, vs, looks
}

func (vs *versions) mustSummarize(t *testing.T, of view) summary {
	t.Helper()
	s, err := vs.summary(t.Context(), vs.mustLook(t), of)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// age has all that is known of a view be older.
func (vs *versions) age(of view, by time.Duration) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	k := vs.known[of]
	k.at, k.summary.at = k.at.Add(-by), k.summary.at.Add(-by)
	if o := k.outline.Load(); o != nil {
		o.at = o.at.Add(-by)
	}
}

// ls -l looks at each bundle after it has listed the names.
func TestWhatAListingHasFoundIsNotLookedForAgain(t *testing.T) {
	_, vs, looks := counted(t, 0)
	of := view{"", "foo"}
	vs.mustSummarize(t, of)
	v, err := vs.sized(t.Context(), vs.mustLook(t), of)
	if err != nil || v.size.Load() <= 0 || looks.Load() != 1 {
		t.Errorf("%d looks, %v", looks.Load(), err)
	}
	used := vs.engine.Budget().Used()
	vs.mustSummarize(t, of)
	if vs.mustPresent(t, of) != v || looks.Load() != 1 || vs.engine.Budget().Used() != used {
		t.Errorf("%d looks, %d bytes are used and not %d", looks.Load(), vs.engine.Budget().Used(), used)
	}
}

// A listing looks at the same files as a plan, unless there is a tree.
func TestAListingSaysWhetherAVersionIsThePresentOne(t *testing.T) {
	for _, test := range []struct {
		name, image, changes string
		same                 bool
		looks                int64 // after the first version
	}{
		{"nothing changes", "foo", "bar.tmpl", true, 1},
		{"a file changes", "foo", "foo.tmpl", false, 1},
		{"there is a tree", "lite", "bar.tmpl", true, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, vs, looks := counted(t, 0)
			of := view{"", test.image}
			before := vs.mustPresent(t, of)
			looks.Store(0)
			write(t, dir, test.changes, "something else")
			vs.age(of, 2*time.Hour)
			vs.mustSummarize(t, of)
			after := vs.mustPresent(t, of)
			if (after == before) != test.same || looks.Load() != test.looks {
				t.Errorf("the same: %v, %d looks", after == before, looks.Load())
			}
		})
	}
}

func TestAnOutlineThatIsTooOldIsNotUsed(t *testing.T) {
	for name, outdate := range map[string]func(*testing.T, string, *versions, view){
		"it is older than the refresh interval": func(_ *testing.T, _ string, vs *versions, of view) { vs.age(of, 2*time.Hour) },
		"the rows are others": func(_ *testing.T, _ string, vs *versions, of view) {
			vs.mu.Lock()
			defer vs.mu.Unlock()
			vs.known[of].outline.Load().serial--
		},
		"a reader has found a change since then": func(t *testing.T, dir string, vs *versions, of view) {
			outline := vs.known[of].outline.Load()
			v := vs.mustPresent(t, of)
			vs.distrust(v, source.ErrChanged)
			vs.mu.Lock()
			defer vs.mu.Unlock()
			vs.takeUpOutline(vs.known[of], outline, v)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir, vs, looks := counted(t, 0)
			of := view{"", "foo"}
			vs.mustSummarize(t, of)
			outdate(t, dir, vs, of)
			vs.mustPresent(t, of)
			if looks.Load() != 2 {
				t.Errorf("%d looks, want two", looks.Load())
			}
		})
	}
}

// Planning reads samples of a large file. One that has changed since the listing has the plan
// made of what there is now.
func TestAFileThatChangesAfterAListingIsLookedAtAgain(t *testing.T) {
	dir, vs, looks := counted(t, 0)
	of := view{"", "foo"}
	write(t, dir, "foo.tmpl", strings.Repeat("before\n", 1<<17))
	vs.mustSummarize(t, of)
	write(t, dir, "foo.tmpl", strings.Repeat("after, and longer\n", 1<<17))
	if v, err := vs.sized(t.Context(), vs.mustLook(t), of); err != nil || v.size.Load() <= 0 || looks.Load() != 2 {
		t.Errorf("%d looks, %v", looks.Load(), err)
	}
}

// Of 10,000 images that are listed, what does not fit into the budget is looked for again.
func TestOutlinesAreInTheBudget(t *testing.T) {
	_, vs, looks := counted(t, 1)
	of := view{"", "foo"}
	vs.mustSummarize(t, of)
	if used := vs.engine.Budget().Used(); used > 1 {
		t.Errorf("%d bytes are used where there is one", used)
	}
	vs.mustPresent(t, of)
	if looks.Load() != 2 {
		t.Errorf("%d looks, want two", looks.Load())
	}

	dir, vs, _ := counted(t, 1<<20)
	before := vs.engine.Budget().Used()
	vs.mustSummarize(t, of)
	if used := vs.engine.Budget().Used(); used <= before {
		t.Errorf("%d bytes are used with an outline, %d without one", used, before)
	}
	vs.mu.Lock()
	vs.forget(of, vs.known[of])
	vs.mu.Unlock()
	if used := vs.engine.Budget().Used(); used != before {
		t.Errorf("%d bytes are used when the image of %s is gone, %d before", used, dir, before)
	}
}
