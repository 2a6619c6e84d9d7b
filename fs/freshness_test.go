package fs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imgexportfs/bundle/source"
	"imgexportfs/xcat"
)

// What is known of a view is shown only by rows and files that are young enough.
func TestAVersionIsFreshByItsRowsAndItsFiles(t *testing.T) {
	vs := open(t, siteDir(t, 0, "foo"), 0, time.Hour)
	of := view{"", "foo"}
	r := vs.mustLook(t)
	v := vs.mustPresent(t, of)
	if _, err := vs.summary(t.Context(), r, of); err != nil {
		t.Fatal(err)
	}
	newer := r
	newer.serial++
	for _, c := range []struct {
		name  string
		rows  rows
		age   time.Duration
		fresh bool
	}{
		{"young", r, 0, true}, {"other rows", newer, 0, false}, {"old files", r, 2 * time.Hour, false},
	} {
		vs.mu.Lock()
		vs.known[of].at = time.Now().Add(-c.age)
		vs.known[of].summary.at = time.Now().Add(-c.age)
		vs.mu.Unlock()
		if got := vs.fresh(c.rows, of); (got == v) != c.fresh {
			t.Errorf("%s: the version is fresh: %v", c.name, got == v)
		}
		if _, _, ok := vs.brief(c.rows, of, false); ok != c.fresh {
			t.Errorf("%s: the summary is fresh: %v", c.name, ok)
		}
	}
}

// While files hang the last version is shown, unless it is known to be wrong.
func TestOnlyHangingFilesShowTheLastVersion(t *testing.T) {
	vs := open(t, siteDir(t, 0, "foo"), 0, time.Hour)
	of := view{"", "foo"}
	v := vs.mustPresent(t, of)
	if got, err := vs.lastKnown(of, errTimeout); got != v || err != nil {
		t.Errorf("files that hang: %v, %v", got, err)
	}
	if got, err := vs.lastKnown(of, os.ErrPermission); got != nil || !errors.Is(err, os.ErrPermission) {
		t.Errorf("another error: %v, %v", got, err)
	}
	if got, err := vs.lastKnown(view{"", "bar"}, errTimeout); got != nil || !errors.Is(err, errTimeout) {
		t.Errorf("an image of which nothing is known: %v, %v", got, err)
	}
	vs.distrust(v, source.ErrChanged)
	if got, err := vs.lastKnown(of, errTimeout); got != nil || !errors.Is(err, errTimeout) {
		t.Errorf("a version that is known to be wrong: %v, %v", got, err)
	}
}

// A source that changes while a size is found is looked at again, and the reader gets the
// new version.
func TestASourceThatChangesBeforeItsSizeIsKnownIsNoError(t *testing.T) {
	dir := siteDir(t, 0, "foo")
	vs := open(t, dir, 0, time.Hour)
	of := view{"", "foo"}
	before := vs.mustPresent(t, of)
	write(t, dir, "foo.tmpl", "%packages\nanother and longer one\n")
	v, err := vs.sized(t.Context(), vs.mustLook(t), of)
	if err != nil || v.isSame(before) || v.size.Load() < 0 {
		t.Errorf("the same %v, %v", v != nil && v.isSame(before), err)
	}
}

// What belongs to images that are gone is forgotten with them.
func TestImagesThatAreGoneAreForgotten(t *testing.T) {
	dir := siteDir(t, 0, "foo", "bar")
	vs := open(t, dir, 0, 0)
	before := vs.mustLook(t)
	for _, of := range []view{{"", "foo"}, {"", "bar"}, {"n1", "bar"}} {
		vs.mustPresent(t, of)
	}
	text, err := os.ReadFile(siteDir(t, 0, "foo") + "/osimage.csv")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "osimage.csv", string(text))
	if after := vs.mustLook(t); after.serial <= before.serial {
		t.Errorf("other rows have the number %d behind %d", after.serial, before.serial)
	}
	if len(vs.known) != 1 || vs.known[view{"", "foo"}] == nil || vs.ofNodes.Len() != 0 {
		t.Errorf("known are %v, and %d of nodes", vs.known, vs.ofNodes.Len())
	}
}

// What is wrong with an image is part of its state, although its bundle is the same.
func TestOtherProblemsAreAnotherVersion(t *testing.T) {
	dir := siteDir(t, 0, "foo")
	write(t, dir, "linuximage.csv", "#imagename,template,exlist\n\"foo\",\"/foo.tmpl\",\"/odd\"\n")
	vs := open(t, dir, 0, 0)
	of := view{"", "foo"}
	missing := vs.mustPresent(t, of)
	if err := unix.Mkfifo(filepath.Join(dir, "odd"), 0o644); err != nil {
		t.Fatal(err)
	}
	if fifo := vs.mustPresent(t, of); fifo.isSame(missing) || fifo.errors == missing.errors {
		t.Errorf("%q and %q are of one version", fifo.errors, missing.errors)
	}
}

// A view that shares a tree is as old as the walk.
func TestAViewIsAsOldAsItsTree(t *testing.T) {
	vs := open(t, siteDir(t, 3), 0, time.Hour)
	vs.mustPresent(t, view{"", "lite"})
	walked := time.Now()
	time.Sleep(2 * time.Millisecond)
	vs.mustPresent(t, view{"n1", "lite"})
	if at := vs.known[view{"n1", "lite"}].at; at.After(walked) {
		t.Errorf("it counts from %v behind the walk", at.Sub(walked))
	}
}

func TestAPlanKnowsItsFiles(t *testing.T) {
	vs := open(t, siteDir(t, 3), 0, time.Hour)
	_, p, err := vs.renew(t.Context(), vs.mustLook(t), view{"", "lite"})
	if err != nil {
		t.Fatal(err)
	}
	defer p.release()
	for path, want := range map[string]bool{
		"/lite/kernel": true, "/lite.pkglist": true, "/lite/rootimg": true, "/lite/rootimg/d000/file00001": true,
		"/lite/rootimg2": false, "/lite": false, "/other/kernel": false,
	} {
		if got := p.holds(source.Call{Path: path}); got != want {
			t.Errorf("%s: %v", path, got)
		}
	}
}

// A walk that finds the same files and other attributes shows them.
func TestOtherFindingsOfATreeShow(t *testing.T) {
	dir := siteDir(t, 3)
	vs := open(t, dir, 0, 0)
	of := view{"", "lite"}
	vs.mustPresent(t, of)
	if err := unix.Setxattr(filepath.Join(dir, "lite/rootimg/d000"), "user.note", []byte("x"), 0); err != nil {
		t.Skipf("no extended attributes here: %v", err)
	}
	if v := vs.mustPresent(t, of); v.errors == "" {
		t.Error("a new attribute does not show")
	}
}

// A request that stops waiting for a look leaves nothing in use.
func TestARequestThatStopsWaitingKeepsNoPlan(t *testing.T) {
	for _, late := range []bool{false, true} {
		vs := open(t, siteDir(t, 0, "foo"), 1, 0)
		l, err := vs.joinFull(vs.mustLook(t), view{"", "foo"}, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if late {
			<-l.done
		}
		vs.leave(l)
		<-l.done
		if l.version.use() != nil {
			t.Errorf("late %v: the plan is in use for ever", late)
		}
	}
}

// A look by older rows that is in progress is no answer for newer ones.
func TestALookByOlderRowsIsNotTakenForOneByNewer(t *testing.T) {
	vs := open(t, siteDir(t, 0, "foo"), 0, time.Hour)
	of := view{"", "foo"}
	r := vs.mustLook(t)
	old, p, err := vs.renew(t.Context(), r, of)
	if err != nil {
		t.Fatal(err)
	}
	stale := &look{of: of, rows: r, began: time.Now(), done: make(chan struct{}), version: newVersion(of, p, 7), plan: p}
	vs.mu.Lock()
	vs.known[of].full = stale
	vs.mu.Unlock()
	go func() {
		for {
			vs.mu.Lock()
			if stale.waiters > 0 {
				vs.known[of].full, stale.finished = nil, true
				close(stale.done)
				vs.mu.Unlock()
				return
			}
			vs.mu.Unlock()
			time.Sleep(time.Millisecond)
		}
	}()
	newer := r
	newer.serial++
	v, q, err := vs.renew(t.Context(), newer, of)
	if err != nil || v != old {
		t.Errorf("got the version of the older look: %v, %v", v == stale.version, err)
	}
	q.release()
}

// A look that was in progress when a version was distrusted does not make it fresh.
func TestALookThatBeganBeforeADoubtDoesNotEndIt(t *testing.T) {
	vs := open(t, siteDir(t, 0, "foo"), 0, time.Hour)
	of := view{"", "foo"}
	r, v := vs.mustLook(t), vs.mustPresent(t, of)
	vs.distrust(v, source.ErrChanged)
	vs.mu.Lock()
	vs.known[of].at = v.distrusted.Add(-1) // as such a look leaves it
	vs.mu.Unlock()
	if vs.fresh(r, of) != nil {
		t.Error("a distrusted version needs no look")
	}
	p, err := vs.planOf(t.Context(), vs.mustPresent(t, of))
	if err != nil {
		t.Fatalf("after another look: %v", err)
	}
	p.release()
}

// Several programs open the same old file: each is told that it is distrusted. That is no
// second doubt, or who looks first would be told once more.
func TestWhoIsToldOfADoubtHasNoOther(t *testing.T) {
	vs := open(t, siteDir(t, 0, "foo"), 0, time.Hour)
	of := view{"", "foo"}
	v := vs.mustPresent(t, of)
	vs.distrust(v, source.ErrChanged)
	_, told := vs.planOf(t.Context(), v)
	if !errors.Is(told, errDistrusted) || !errors.Is(told, source.ErrChanged) {
		t.Fatalf("a distrusted version: %v", told)
	}
	vs.mustPresent(t, of)
	vs.distrust(v, told)
	p, err := vs.planOf(t.Context(), v)
	if err != nil {
		t.Fatalf("after a look: %v", err)
	}
	p.release()
}

// Rows that change and change back give the same version a second time, and the kernel keeps
// the inode of the first one. What is known of the second must not be older than the doubt
// of the first, or that inode gives ESTALE until the refresh interval is over.
func TestADoubtCountsForEveryVersionOfTheSameState(t *testing.T) {
	vs := open(t, siteDir(t, 0, "foo"), 0, time.Hour)
	of := view{"", "foo"}
	v := vs.mustPresent(t, of)
	p := v.use()
	defer p.release()
	first := newVersion(of, p, v.attempt)
	first.distrusted = time.Now()
	if _, err := vs.planOf(t.Context(), first); !errors.Is(err, errDistrusted) {
		t.Errorf("the first open: %v", err)
	}
	vs.mustPresent(t, of)
	again, err := vs.planOf(t.Context(), first)
	if err != nil {
		t.Fatalf("the open after a look: %v", err)
	}
	again.release()
}

// holdLooks has looks wait when they have begun, until goOn is called.
func (vs *versions) holdLooks() (begun <-chan struct{}, goOn func()) {
	first, held := make(chan struct{}), make(chan struct{})
	begin := sync.OnceFunc(func() { close(first) })
	vs.request = func(image string) xcat.Request {
		begin()
		<-held
		return xcat.Request{Image: image}
	}
	return first, func() { close(held) }
}

// waitForTwo waits until two wait for the full look at a view.
func (vs *versions) waitForTwo(of view) {
	for joined := false; !joined; time.Sleep(time.Millisecond) {
		vs.mu.Lock()
		joined = vs.known[of].full.waiters == 2
		vs.mu.Unlock()
	}
}

// Who asks after a doubt gets what a look has found after it, also if one is in progress
// that began before, and finds another version.
func TestALookThatBeganBeforeADoubtIsNotEnough(t *testing.T) {
	for image, change := range map[string]string{"foo": "", "lite": "lite/kernel"} {
		dir := siteDir(t, 3, "foo")
		vs := open(t, dir, 0, time.Hour)
		of := view{"", image}
		r, v := vs.mustLook(t), vs.mustPresent(t, of)
		begun, goOn := vs.holdLooks()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var all sync.WaitGroup
		ask := func() {
			_, p, err := vs.renew(ctx, r, of)
			if err != nil {
				t.Errorf("%s: %v", image, err)
				return
			}
			p.release()
		}
		all.Go(ask)
		<-begun
		vs.distrust(v, source.ErrChanged)
		all.Go(ask)
		vs.waitForTwo(of)
		if change != "" {
			write(t, dir, change, "changed")
		}
		goOn()
		all.Wait()
		if at := vs.known[of].at; at.Before(v.distrusted) {
			t.Errorf("%s: the last look was %v before the doubt", image, v.distrusted.Sub(at))
		}
	}
}

// Who asks while a look is in progress that began longer ago than the refresh interval gets
// what the next one finds.
func TestALookOlderThanTheRefreshIntervalIsNotEnough(t *testing.T) {
	const refresh = 10 * time.Millisecond
	vs := open(t, siteDir(t, 3, "foo"), 0, refresh)
	of := view{"", "lite"}
	r := vs.mustLook(t)
	begun, goOn := vs.holdLooks()
	var all sync.WaitGroup
	ask := func() {
		asked := time.Now()
		_, p, err := vs.renew(t.Context(), r, of)
		if err != nil {
			t.Error(err)
			return
		}
		p.release()
		vs.mu.Lock()
		defer vs.mu.Unlock()
		if at := vs.known[of].at; at.Before(asked.Add(-refresh)) {
			t.Errorf("what is shown is %v older than the question", asked.Sub(at))
		}
	}
	all.Go(ask)
	<-begun
	time.Sleep(5 * refresh)
	all.Go(ask)
	vs.waitForTwo(of)
	goOn()
	all.Wait()
}

// Who still has an inode of an image that is gone may look at it. What is found, that there
// is no row, is not what is shown of an image that has come back, while its files hang.
func TestNothingIsKnownOfAnImageWithoutARow(t *testing.T) {
	vs := open(t, siteDir(t, 0, "foo"), 0, time.Hour)
	r, gone := vs.mustLook(t), view{"", "gone"}
	expectUnknown := func(after string) {
		vs.mu.Lock()
		defer vs.mu.Unlock()
		if vs.known[gone] != nil {
			t.Errorf("the view is remembered after %s", after)
		}
	}
	if s, err := vs.summary(t.Context(), r, gone); err != nil || !s.refused {
		t.Errorf("a brief look: refused %v, %v", s.refused, err)
	}
	expectUnknown("a brief look")
	if v, err := vs.present(t.Context(), r, gone); err != nil || !v.refused {
		t.Errorf("a full look: %v", err)
	}
	expectUnknown("a full look")
}

// A view that was sized can be queued again.
func TestAViewIsSizedAgainWhenItIsNews(t *testing.T) {
	w := newWarmer(nil)
	of := view{"", "foo"}
	for range 2 {
		w.add([]view{of})
		if got, ok := w.pop(); !ok || got != of {
			t.Fatalf("%v, %v", got, ok)
		}
		w.hurry(of) // is not there
	}
}

// What is known of a view that is in use outlasts that of others.
func TestAViewInUseKeepsWhatIsKnownOfIt(t *testing.T) {
	vs := open(t, siteDir(t, 0, "foo"), 0, time.Hour)
	vs.mu.Lock()
	defer vs.mu.Unlock()
	used := vs.entry(view{"n0", "foo"})
	for i := range nodeViewsMax + 10 {
		vs.entry(view{fmt.Sprint("other", i), "foo"})
		if vs.entry(view{"n0", "foo"}) != used {
			t.Fatalf("forgotten behind %d others", i)
		}
	}
}

// A look that finds nothing new leaves the plan as it is.
func TestAPlanOfTheSameStateIsNotMadeAgain(t *testing.T) {
	vs := open(t, siteDir(t, 0, "foo"), 0, 0)
	var plans []*plan
	for range 2 {
		_, p, err := vs.renew(t.Context(), vs.mustLook(t), view{"", "foo"})
		if err != nil {
			t.Fatal(err)
		}
		p.release()
		plans = append(plans, p)
	}
	if plans[0] != plans[1] {
		t.Error("another plan of the same state")
	}
}
