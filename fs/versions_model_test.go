package fs

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"imgexportfs/bundle"
	"imgexportfs/fs/metrics"
	"imgexportfs/xcat"
)

// model drives a mount without a kernel, by a script. It knows all states that the site has
// had, and holds each answer to them: see sight.
type model struct {
	*world
	*hangs
	*mount
	kernel *kernel
	random *rand.Rand

	refresh time.Duration
	started time.Time
	life    context.Context
	script  []string
	pending []*op

	mu       sync.Mutex // guards what follows; taken before the world's
	wrong    []string
	low      map[view][components]int // see sight
	lowRows  int
	stales   map[view]stales
	doubts   map[view]time.Time // see doubt
	held     []*holding
	reading  map[*holding]bool
	contents map[inodeOf][]byte
}

func newModel(t *testing.T, root, name string, random *rand.Rand) *model {
	m := &model{
		world: newWorld(t, root, name), kernel: newKernel(), random: random, started: time.Now(),
		low: map[view][components]int{}, stales: map[view]stales{}, doubts: map[view]time.Time{},
		reading: map[*holding]bool{}, contents: map[inodeOf][]byte{},
	}
	m.hangs = newHangs(m.world, m.fault)
	m.refresh = pick(m, []time.Duration{0, 50 * time.Millisecond, 200 * time.Millisecond, 2 * time.Second, time.Hour})
	var end context.CancelFunc
	m.life, end = context.WithCancel(context.Background())
	t.Cleanup(end)
	site, err := xcat.OpenSite(m.life, xcat.Config{Root: root, Cfgloc: "CSV:/" + name, Refresh: m.refresh})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = site.Close() })
	engine, err := bundle.NewEngine(bundle.EngineOptions{Memory: int64(1 + random.IntN(60_000))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Close)
	opts := Options{Refresh: m.refresh, Request: m.request, Journal: &Journal{}}
	opts.Log = slog.New(slog.NewTextHandler(opts.Journal, nil))
	m.mount = &mount{
		opts: opts, log: opts.Log, started: time.Now(), engine: engine,
		versions: newVersions(m.life, site, engine, opts), reads: newSourceReads(),
	}
	m.metrics = metrics.New("", m.metricsState)
	m.versions.stuck, m.versions.trees.walk = m.stuck, m.hangs.walk
	options := m.fuseOptions()
	options.ServerCallbacks = m.kernel
	m.kernel.raw = requests{gofs.NewNodeFS(&folder{mount: m.mount}, options), m.metrics}
	go m.versions.warmer.run(m.life)
	t.Cleanup(end) // before the site is closed
	return m
}

// fault notes a rule that is broken.
func (m *model) fault(format string, args ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wrong = append(m.wrong, fmt.Sprintf(format, args...))
}

// isBroken reports whether a rule is.
func (m *model) isBroken() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.wrong) > 0
}

// isIdle reports whether no program waits for an answer, and no look goes on.
func (m *model) isIdle() bool { return len(m.pending) == 0 && !m.hangsNow() && m.looking() == 0 }

// looking is how many looks go on. One that a program waits for no more pauses for a moment
// if a file has changed meanwhile.
func (m *model) looking() int {
	m.versions.mu.Lock()
	defer m.versions.mu.Unlock()
	return m.versions.looks
}

// pinned is how much memory what is in use may take.
func (m *model) pinned() int64 {
	const plan = 20_000 // with its tree and a segment
	return int64(len(m.held)) * plan
}

// check looks at what must be so when nothing moves.
func (m *model) check() {
	if !m.isIdle() {
		return
	}
	if b := m.engine.Budget(); b.Used() > b.Limit()+m.pinned() {
		m.fault("%d bytes of %d are taken", b.Used(), b.Limit())
	}
	vs := m.versions
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if len(vs.slots) != 0 {
		m.fault("%d slots are taken without a look", len(vs.slots))
	}
	for of, k := range vs.known {
		if k.full != nil || k.brief != nil {
			m.fault("a look goes on at %v", of)
		}
		if v := k.version; v != nil && v.plan.Load() != nil && v.plan.Load().owner != v {
			m.fault("the plan of another version in %v", of)
		}
	}
}

// finish lets everything end, and looks whether anything is left. Programs get an answer
// also while files hang.
func (m *model) finish() {
	time.Sleep(hungMax)
	m.settle()
	for _, o := range m.pending {
		m.fault("%s never ends", o.what)
		o.interrupt()
	}
	m.endAll()
	time.Sleep(hungMax)
	m.settle()
	for _, h := range m.held {
		m.kernel.release(h.handle)
	}
	m.held = nil
	m.kernel.forget(func(string) bool { return true })
	if n := len(m.kernel.nodes); n != 1 {
		m.fault("%d inodes are in use in the end", n-1)
	}
	m.settle()
	if n := m.looking(); n != 0 {
		m.fault("%d looks go on in the end", n)
	}
	m.check()
	m.squeeze()
	if used := m.engine.Budget().Used(); used != 0 {
		m.fault("%d bytes are taken in the end", used)
	}
}

// newFailingDir mounts a directory in which each file is an I/O error.
func newFailingDir(t *testing.T, dir string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	server, err := gofs.Mount(dir, &badDisk{}, &gofs.Options{MountOptions: fuse.MountOptions{DirectMount: true, Name: "bad"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Unmount() })
}

// Whatever changes, hangs, fails, is interrupted, forgotten, or has no room, while programs
// use the mount at the same time: what they are shown is what there was within the refresh
// interval, each of them gets an answer, and nothing is left behind.
func TestVersionsKeepTheirRules(t *testing.T) {
	root := t.TempDir()
	newFailingDir(t, filepath.Join(root, "mnt"))
	forManySeeds(t, func(t *testing.T, seed uint64) {
		name := fmt.Sprint("site", seed)
		defer func() { _ = os.RemoveAll(filepath.Join(root, name)) }()
		m := newModel(t, root, name, rand.New(rand.NewPCG(seed, 0)))
		for range 60 {
			pick(m, modelSteps)(m)
			synctest.Wait()
			m.check()
			if m.isBroken() {
				break
			}
		}
		script := m.script
		m.finish()
		if len(m.wrong) > 0 {
			t.Errorf("with a refresh interval of %v and a budget of %d: %q, after the script\n%sand the log\n%s",
				m.refresh, m.engine.Budget().Limit(), m.wrong, lines(script), m.opts.Journal.Text())
		}
	})
}
