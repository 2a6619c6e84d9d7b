package fs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"imgexportfs/bundle"
	"imgexportfs/bundle/blocks"
	"imgexportfs/bundle/source"
	"imgexportfs/fs/metrics"
	"imgexportfs/xcat"
)

// siteDir is a site of stateful images with a template each, and of one
// statelite image "lite" whose tree has so many files.
func siteDir(t testing.TB, files int, images ...string) string {
	t.Helper()
	dir := t.TempDir()
	osimage := "#imagename,profile,provmethod,osvers,osarch,imagetype,rootfstype\n"
	linuximage := "#imagename,template,pkglist,rootimgdir\n"
	for _, image := range images {
		osimage += fmt.Sprintf("%q,\"p\",\"install\",\"rhels9\",\"x86_64\",\"linux\",\n", image)
		linuximage += fmt.Sprintf("%q,\"/%s.tmpl\",,\n", image, image)
		write(t, dir, image+".tmpl", "%packages\n")
	}
	if files > 0 {
		osimage += "\"lite\",\"p\",\"statelite\",\"rhels9\",\"x86_64\",\"linux\",\"nfs\"\n"
		linuximage += "\"lite\",,\"/lite.pkglist\",\"/lite\"\n"
		write(t, dir, "lite.pkglist", "bash\n")
		for _, name := range []string{"kernel", "initrd-statelite.gz"} {
			write(t, dir, "lite/"+name, name)
		}
		for i := range files {
			write(t, dir, fmt.Sprintf("lite/rootimg/d%03d/file%05d", i/100, i), "x")
		}
	}
	write(t, dir, "osimage.csv", osimage)
	write(t, dir, "linuximage.csv", linuximage)
	nodes, scripts := "#node,groups\n", "#node,postscripts\n"
	for i := range 300 {
		nodes += fmt.Sprintf("\"n%d\",\"all\"\n", i)
		scripts += fmt.Sprintf("\"n%d\",\"script%d\"\n", i, i)
	}
	write(t, dir, "nodelist.csv", nodes)
	write(t, dir, "postscripts.csv", scripts)
	return dir
}

func write(t testing.TB, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// open makes the versions of a site.
func open(t testing.TB, dir string, memory int64, refresh time.Duration) *versions {
	t.Helper()
	site, err := xcat.OpenSite(context.Background(), xcat.Config{Root: dir, Cfgloc: "CSV:/", Refresh: refresh})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = site.Close() })
	engine, err := bundle.NewEngine(bundle.EngineOptions{Memory: memory})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Close)
	return newVersions(t.Context(), site, engine, Options{Refresh: refresh, Log: slog.New(slog.DiscardHandler)})
}

func (vs *versions) mustLook(t testing.TB) rows {
	t.Helper()
	r, err := vs.look(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (vs *versions) mustPresent(t testing.TB, of view) *version {
	t.Helper()
	v, err := vs.present(t.Context(), vs.mustLook(t), of)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAVersionStaysTheSameUntilASourceChanges(t *testing.T) {
	dir := siteDir(t, 0, "foo")
	vs := open(t, dir, 0, 0)
	of := view{"", "foo"}
	first := vs.mustPresent(t, of)
	if again := vs.mustPresent(t, of); again != first {
		t.Error("another version of the same sources")
	}
	write(t, dir, "foo.tmpl", "%packages\nchanged\n")
	if after := vs.mustPresent(t, of); after == first || after.isSame(first) {
		t.Error("the same version of other sources")
	}
	if _, err := vs.planOf(t.Context(), first); err != nil && !errors.Is(err, source.ErrChanged) {
		t.Error(err)
	}
}

// A node whose plan was dropped gets one again as long as nothing has changed,
// and source.ErrChanged after that.
func TestADroppedPlanIsMadeAgainForTheSameVersionOnly(t *testing.T) {
	dir := siteDir(t, 0, "foo")
	vs := open(t, dir, 1, time.Hour) // no room for anything
	v := vs.mustPresent(t, view{"", "foo"})
	if v.use() != nil {
		t.Fatal("the plan is still there")
	}
	p, err := vs.planOf(t.Context(), v)
	if err != nil || p.fingerprint != v.fingerprint {
		t.Fatal(err)
	}
	p.release()
	write(t, dir, "foo.tmpl", "%packages\nchanged\n")
	if _, err := vs.planOf(t.Context(), v); !errors.Is(err, source.ErrChanged) {
		t.Errorf("after a change: %v", err)
	}
	if after := vs.mustPresent(t, view{"", "foo"}); after.isSame(v) {
		t.Error("the next lookup finds the old version")
	}
}

// What reading has shown to be old is not the present version, however long
// the refresh interval is; also what a shared tree is made from.
func TestADistrustedVersionIsLookedForAgain(t *testing.T) {
	dir := siteDir(t, 3, "foo")
	vs := open(t, dir, 0, time.Hour)
	for image, file := range map[string]string{"foo": "foo.tmpl", "lite": "lite/rootimg/d000/file00001"} {
		of := view{"", image}
		before := vs.mustPresent(t, of)
		write(t, dir, file, "changed")
		if vs.mustPresent(t, of) != before {
			t.Errorf("%s: a look although what is known is fresh", image)
		}
		vs.distrust(before, source.ErrChanged)
		if _, err := vs.planOf(t.Context(), before); !errors.Is(err, source.ErrChanged) {
			t.Errorf("%s: the plan of a distrusted version: %v", image, err)
		}
		after := vs.mustPresent(t, of)
		if after.isSame(before) {
			t.Errorf("%s: the old version again", image)
		}
		vs.distrust(after, source.ErrChanged) // without a reason
		if again := vs.mustPresent(t, of); again != after {
			t.Errorf("%s: another version of the same sources", image)
		}
		if p, err := vs.planOf(t.Context(), after); err != nil {
			t.Errorf("%s: %v", image, err)
		} else {
			p.release()
		}
	}
}

// Views of an image share its tree, and what nobody uses stays in the budget.
func TestManyViewsShareATreeAndStayInTheBudget(t *testing.T) {
	const memory = 4 << 20
	vs := open(t, siteDir(t, 2000), memory, time.Hour)
	var trees []*tree
	stamps := map[[32]byte]bool{}
	for i := range 300 {
		v, p, err := vs.renew(t.Context(), vs.mustLook(t), view{fmt.Sprintf("n%d", i), "lite"})
		if err != nil {
			t.Fatal(err)
		}
		stamps[v.fingerprint] = true
		trees = append(trees, p.tree)
		p.release()
		if used := vs.engine.Budget().Used(); used > memory {
			t.Fatalf("%d bytes of %d are used after %d views", used, memory, i)
		}
	}
	if slices.ContainsFunc(trees, func(other *tree) bool { return other != trees[0] }) {
		t.Error("views do not share the tree")
	}
	if len(stamps) != 300 {
		t.Errorf("%d fingerprints for 300 nodes with scripts of their own", len(stamps))
	}
}

// The tree object stays when a walk finds the same again.
func TestAnUnchangedTreeStaysTheSameObject(t *testing.T) {
	vs := open(t, siteDir(t, 10), 0, time.Hour)
	first, at, err := vs.trees.get("/lite", "rootimg", time.Now().Add(-time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	again, later, err := vs.trees.get("/lite", "rootimg", time.Now())
	if err != nil || again != first || !later.After(at) {
		t.Errorf("walked again: the same %v, later %v, %v", again == first, later.After(at), err)
	}
}

func TestViewsOfNodesAreForgotten(t *testing.T) {
	vs := open(t, siteDir(t, 0, "foo"), 0, time.Hour)
	vs.mu.Lock()
	defer vs.mu.Unlock()
	vs.entry(view{"", "foo"})
	for i := range nodeViewsMax + 10 {
		vs.entry(view{fmt.Sprint(i), "foo"})
		vs.entry(view{"0", "foo"}) // in use
	}
	if len(vs.known) != nodeViewsMax+1 || vs.ofNodes.Len() != nodeViewsMax {
		t.Errorf("%d views are known, %d of nodes", len(vs.known), vs.ofNodes.Len())
	}
	for _, of := range []view{{"", "foo"}, {"0", "foo"}} {
		if vs.known[of] == nil {
			t.Errorf("%v is forgotten", of)
		}
	}
	if vs.known[view{"1", "foo"}] != nil {
		t.Error("the one that was not used longest is known")
	}
}

// Rows that were got before others were taken up do not replace them.
func TestOlderRowsNeverReplaceNewerOnes(t *testing.T) {
	dir := siteDir(t, 0, "foo")
	vs := open(t, dir, 0, 0)
	vs.mustLook(t)
	write(t, dir, "nodelist.csv", "#node,groups\n\"n1\",\"other\"\n")
	slow, err := vs.site.Catalog(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "nodelist.csv", "#node,groups\n\"n1\",\"third\"\n")
	now := vs.mustLook(t)
	if _, ok := vs.takeUp(slow); ok {
		t.Error("older rows are taken up")
	}
	if vs.rows.catalog != now.catalog {
		t.Error("the newest rows have gone")
	}
}

// What the kernel may keep counts from when rows and files were looked at.
func TestTheKernelKeepsNothingLongerThanTheRefreshInterval(t *testing.T) {
	vs := open(t, siteDir(t, 0, "foo"), 0, time.Hour)
	v := vs.mustPresent(t, view{"", "foo"})
	for _, c := range []struct{ rows, files, want time.Duration }{
		{0, 0, time.Hour}, {10 * time.Minute, 0, 50 * time.Minute},
		{0, 20 * time.Minute, 40 * time.Minute}, {2 * time.Hour, 0, 0}, {0, 2 * time.Hour, 0},
	} {
		vs.known[v.view].at = time.Now().Add(-c.files)
		got := vs.validFor(rows{seen: time.Now().Add(-c.rows)}, v)
		if got > c.want || got < c.want-time.Minute {
			t.Errorf("rows %v old, files %v old: valid for %v, want %v", c.rows, c.files, got, c.want)
		}
	}
	if got := vs.validFor(rows{seen: time.Now()}, newVersion(v.view, &plan{}, 0)); got != 0 {
		t.Errorf("what is not the present version is valid for %v", got)
	}
	vs.known[v.view].at = time.Now()
	if got := vs.validFor(rows{serial: vs.rows.serial + 1, seen: time.Now()}, v); got != 0 {
		t.Errorf("what was found by older rows is valid for %v", got)
	}
}

// What the last walk has found counts in listings until another walk.
func TestSummariesKeepTheFindingsOfATree(t *testing.T) {
	dir := siteDir(t, 3)
	of := view{"", "lite"}
	vs := open(t, dir, 0, 0)
	huge := filepath.Join(dir, "lite/rootimg/core")
	write(t, dir, "lite/rootimg/core", "")
	if err := os.Truncate(huge, 4<<30); err != nil {
		t.Fatal(err)
	}
	expect := func(when string, refused bool) {
		t.Helper()
		if s, err := vs.summary(t.Context(), vs.mustLook(t), of); err != nil || s.refused != refused || s.faults != refused {
			t.Errorf("%s: %+v, %v", when, s, err)
		}
	}
	expect("before any walk", false)
	if v := vs.mustPresent(t, of); !v.refused || !strings.Contains(v.errors, "4 GiB") {
		t.Errorf("the walk finds %+v", v)
	}
	expect("after the walk", true)
	if err := os.Remove(huge); err != nil {
		t.Fatal(err)
	}
	expect("before another walk", true)
	vs.mustPresent(t, of)
	expect("after it", false)
}

// hang holds up what looks at a file below a directory until the test ends.
func hang(t *testing.T, vs *versions, of view) (release func()) {
	t.Helper()
	vs.mu.Lock()
	defer vs.mu.Unlock()
	k := vs.entry(of)
	var once sync.Once
	vs.stuck = func(time.Duration) []source.Call { return []source.Call{{Path: "/hangs", Since: time.Now()}} }
	k.brief = &look{of: of, rows: vs.rows, began: time.Now(), done: make(chan struct{})}
	k.full = &look{of: of, rows: vs.rows, began: time.Now(), done: make(chan struct{})}
	return func() {
		once.Do(func() {
			vs.mu.Lock()
			defer vs.mu.Unlock()
			k.brief, k.full = nil, nil
		})
	}
}

// A look that hangs costs its own image: a listing waits for it a moment, once,
// and shows what was known last; the others go on.
func TestALookThatHangsCostsItsOwnImage(t *testing.T) {
	vs := open(t, siteDir(t, 0, "foo", "bar", "new"), 0, 0)
	foo, fresh := view{"", "foo"}, view{"", "new"}
	before := vs.mustPresent(t, foo)
	hang(t, vs, foo)
	hang(t, vs, fresh)
	for _, atMost := range []time.Duration{briefPatience + time.Second, 500 * time.Millisecond} {
		began := time.Now()
		list, err := vs.summaries(t.Context(), vs.mustLook(t), "")
		if took := time.Since(began); err != nil || took > atMost {
			t.Errorf("the listing takes %v, %v", took, err)
		}
		if slices.ContainsFunc(list, func(s summary) bool { return s.refused }) {
			t.Errorf("an image has lost its bundle: %+v", list)
		}
	}
	began := time.Now()
	vs.mustPresent(t, view{"", "bar"})
	if took := time.Since(began); took > time.Second {
		t.Errorf("another image takes %v", took)
	}
	if v, err := vs.present(t.Context(), vs.mustLook(t), foo); err != nil || v != before {
		t.Errorf("the image that hangs is not shown as it was: %v", err)
	}
	_, err := vs.present(t.Context(), vs.mustLook(t), fresh)
	if (&mount{log: vs.log, metrics: metrics.New("", nil)}).errno(err) != syscall.ETIMEDOUT {
		t.Errorf("an image of which nothing is known: %v", err)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if _, _, err := vs.renew(ctx, vs.mustLook(t), fresh); err == nil {
		t.Error("waiting cannot be interrupted")
	}
}

// A panic in a goroutine of ours is an error for the one that waits.
func TestAPanicIsAnError(t *testing.T) {
	var log Journal
	m := &mount{log: slog.New(slog.NewTextHandler(&log, nil)), metrics: metrics.New("", nil)}
	err := blocks.Guarded(m.log, "look at image foo", func() error { panic("oops") })
	if errno := m.errno(err); errno != syscall.EIO {
		t.Errorf("%v is %v", err, errno)
	}
	if text := string(log.Text()); !strings.Contains(text, "oops") || !strings.Contains(text, "versions_test.go") {
		t.Errorf("the log has no stack: %s", text)
	}
}

// No error of a source says that a name is not there.
func TestOnlyWhatIsNotOfferedIsMissing(t *testing.T) {
	m := &mount{log: slog.New(slog.DiscardHandler), metrics: metrics.New("", nil)}
	for err, want := range map[error]syscall.Errno{
		errNotOffered:     syscall.ENOENT,
		os.ErrNotExist:    syscall.EIO,
		syscall.ENOENT:    syscall.EIO,
		syscall.EMFILE:    syscall.EMFILE,
		syscall.ESTALE:    syscall.ESTALE,
		syscall.EIO:       syscall.EIO,
		errTimeout:        syscall.ETIMEDOUT,
		os.ErrPermission:  syscall.EACCES,
		context.Canceled:  syscall.EINTR,
		source.ErrChanged: syscall.ESTALE,
	} {
		if got := m.errno(fmt.Errorf("image foo: %w", err)); got != want {
			t.Errorf("%v is %v, want %v", err, got, want)
		}
	}
}

// Requests, looks and drops of plans at the same time: for the race detector.
func TestVersionsUnderUse(t *testing.T) {
	dir := siteDir(t, 50, "foo", "bar")
	vs := open(t, dir, 20_000, 0)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 30 {
				of := view{fmt.Sprintf("n%d", n%3), []string{"foo", "bar", "lite"}[(i+n)%3]}
				r, err := vs.look(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := vs.summaries(t.Context(), r, of.node); err != nil {
					t.Error(err)
				}
				v, p, _, err := vs.presentPlan(t.Context(), of)
				if err != nil {
					t.Error(err)
					continue
				}
				if _, err := vs.size(t.Context(), v); err != nil && !errors.Is(err, source.ErrChanged) {
					t.Error(err)
				}
				p.release()
				if i == 0 && n%7 == 0 {
					vs.distrust(v, source.ErrChanged)
				}
			}
		})
	}
	all.Wait()
	if used := vs.engine.Budget().Used(); used > 20_000 {
		t.Errorf("%d bytes are used when all is idle", used)
	}
}
