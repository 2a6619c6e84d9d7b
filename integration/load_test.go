package integration

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

const (
	loadRefresh  = 200 * time.Millisecond
	loadDatabase = "loaded"
	// Of 64 readers half read at random places and half from the beginning to the end.
	loadRandom, loadSequential = 32, 32
	loadMemory                 = 64 << 20
)

// load is a mount under load.
type load struct {
	site       *shiftingSite
	db         dbServer
	mount      *watched
	references string // directory
	history    loadHistory
	table      loadTable

	life context.Context // of the readers
	mu   sync.Mutex      // guards what follows
	bad  []string        // what is wrong
	sums map[string]loadReference
}

// newLoad starts a database server and a mount.
func newLoad(t *testing.T, random *rand.Rand) *load {
	t.Helper()
	l := &load{site: newShiftingSite(t), references: emptyDir(t, "references"), history: loadHistory{spans: map[string][]loadSpan{}}}
	l.site.references(t, l.references)
	all, err := findReferences(l.references)
	must(t, err)
	l.sums = map[string]loadReference{}
	for _, list := range all {
		for _, r := range list {
			l.sums[r.sum] = r
		}
	}
	if want := loadImages + loadChanging*(loadFileStates*loadRowStates-1); len(l.sums) != want {
		t.Fatalf("there are %d different bundles, want %d", len(l.sums), want)
	}
	certificates := makeCertificates(t)
	if random.IntN(2) == 0 {
		l.db = running(t, newMariaDB(t, certificates))
	} else {
		l.db = running(t, newPostgres(t, certificates))
	}
	loadSite(t, l.db, loadDatabase, l.site.Dir())
	l.mount = mountWatched(t, l.site.Dir(), "--cfgloc", l.db.cfgloc(loadDatabase), "--refresh", loadRefresh.String(),
		"--memory", "64MiB", "--cache-dir", privateDir(t), "--cache-size", "48MiB")
	return l
}

// wrong notes what must not be. A hundred of them are enough.
func (l *load) wrong(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.bad) < 100 {
		l.bad = append(l.bad, fmt.Sprintf(format, args...))
	}
}

func (l *load) isRight() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.bad) == 0
}

// take judges what a reader has read.
func (l *load) take(r loadReading) {
	l.table.add(r)
	switch {
	case r.Wrong != "":
		l.wrong("%s", r.Wrong)
	case r.Errno == syscall.ESTALE && l.history.changed(r.Image, r.From, r.To):
	case r.Errno != 0:
		l.wrong("%s: %v, changed meanwhile: %v", r.Image, r.Errno, l.history.changed(r.Image, r.From, r.To))
	default:
		if what := l.history.check(r.Image, r.States, r.From, r.To); what != "" {
			l.wrong("%s", what)
		}
	}
}

// startHelper starts a helper that writes loadReadings until the readers' life ends. The
// readers compete with the server for the processors, which elsewhere they would not: all
// but the probe have a lower priority.
func (l *load) startHelper(t *testing.T, wait *sync.WaitGroup, name string, seed uint64, args ...string) {
	t.Helper()
	p := helperProcess(t, name, append([]string{l.mount.dir, l.references, strconv.FormatUint(seed, 10)}, args...)...)
	if name != "loadprobe" {
		p.args = append([]string{"nice", "-n", "10"}, p.args...)
	}
	cmd := p.command(l.life)
	cmd.Stderr = os.Stderr
	_, err := cmd.StdinPipe() // which ends with this process
	must(t, err)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	wait.Go(func() {
		lines := bufio.NewReader(out)
		for {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				break
			}
			var r loadReading
			if err := json.Unmarshal(line, &r); err != nil {
				l.wrong("a reader says %q: %v", line, err)
			}
			l.take(r)
		}
		if err := cmd.Wait(); l.life.Err() == nil {
			l.wrong("a reader has ended: %v", err)
		}
	})
}

// loadTools write a file to their output.
var loadTools = []string{
	`cat "$1"`,
	`dd if="$1" bs=4K status=none`,
	`dd if="$1" bs=7777 status=none`,
	`dd if="$1" bs=128K iflag=nocache status=none`,
	`dd if="$1" bs=1M iflag=direct status=none`,
	`tail -c +1 "$1"`,
	`cp "$1" /dev/stdout`,
	`timeout -s KILL 0.1 cat "$1"`, // which is not to be compared
}

// copyAll copies bundles with one tool after the other.
func (l *load) copyAll(t *testing.T, random *rand.Rand) {
	for l.life.Err() == nil {
		image, tool := loadImage(random.IntN(loadImages)), loadTools[random.IntN(len(loadTools))]
		r := loadReading{Image: image, From: monotonic(), Reads: 1}
		args := []string{"nice", "-n", "10", "bash", "-o", "pipefail", "-c", tool + " | sha256sum", "bash", l.mount.path(image + ".tgz")}
		copied := process{args: args, mayFail: true}.run(t)
		r.To = monotonic()
		reference, known := l.sums[strings.TrimSuffix(copied.stdout, "  -\n")]
		switch {
		case strings.HasPrefix(tool, "timeout"):
			continue
		case strings.Contains(copied.stderr, "Stale file handle"),
			strings.Contains(copied.stderr, "replaced while being copied"): // cp compares the inode numbers
			r.Errno = syscall.ESTALE
		case copied.code != 0:
			r.Wrong = fmt.Sprintf("%s of %s: code %d, %s", tool, image, copied.code, copied.stderr)
		case !known || !strings.HasPrefix(filepath.Base(reference.path), image+"."):
			r.Wrong = fmt.Sprintf("%s of %s: the sum %s is that of none of its states", tool, image, copied.stdout)
		default:
			r.States = []loadState{reference.State}
		}
		l.take(r)
	}
}

// restart restarts the database, and waits until the mount has noticed.
func (l *load) restart(t *testing.T, random *rand.Rand) {
	t.Helper()
	l.history.outage(func() {
		[]func(*testing.T){l.db.stop, l.db.kill}[random.IntN(2)](t)
		time.Sleep(time.Duration(200+random.IntN(1500)) * time.Millisecond)
		l.db.start(t)
		eventually(t, "the database can be read again", func() bool {
			return l.mount.metrics(t).value(t, "imgexportfs_database_failing", "") == 0
		})
	})
	l.table.restarts++
}

// run has everything read while everything changes.
func (l *load) run(t *testing.T, random *rand.Rand, seed uint64, limit time.Duration) {
	t.Helper()
	life, stop := context.WithCancel(context.Background())
	l.life = life
	var readers sync.WaitGroup
	defer func() {
		stop()
		readers.Wait()
	}()
	for i := range uint64(4) {
		l.startHelper(t, &readers, "loadread", seed+i, strconv.Itoa(loadRandom/4))
	}
	l.startHelper(t, &readers, "loadprobe", seed)
	for i := range uint64(loadSequential) {
		readers.Go(func() { l.copyAll(t, rand.New(rand.NewPCG(seed, 100+i))) })
	}
	row, restartEvery := time.Minute, 40*time.Second
	if limit < time.Minute {
		row, restartEvery = limit/4, limit/2
	}
	l.table.begin(t, row)
	began := time.Now()
	most := limit + time.Minute // on a busy machine little happens before limit
	for restarted := began; l.isRight(); {
		if took := time.Since(began); took > most || took > limit && l.table.hasSeenChanges() {
			break
		}
		l.change(t, random)
		time.Sleep(time.Duration(random.IntN(800)) * time.Millisecond)
		if time.Since(restarted) > restartEvery {
			l.restart(t, random)
			restarted = time.Now()
		}
		l.table.sample(t, l)
	}
}

// Under load, while sources and rows change and the database restarts, every reader gets
// the bytes of a state that there was meanwhile, or an error if there was a change; and
// the server keeps to its memory, and to few goroutines and descriptors.
func TestNoByteIsWrongUnderLoad(t *testing.T) {
	seed := randomSeed(t)
	random := rand.New(rand.NewPCG(seed, 0))
	l := newLoad(t, random)
	shell(t, l.mount.dir, `cat *.tgz > /dev/null; stat * > /dev/null`) // all sizes are known
	before := l.mount.atRest(t)
	l.run(t, random, seed, soak(t, 10*time.Second))
	l.table.finish(t, l.db.name())
	slices.Sort(l.bad)
	for _, wrong := range slices.Compact(l.bad) {
		t.Error(wrong)
	}
	l.mount.expectRest(t, before)
	l.table.expectFlat(t)
	if !l.table.hasSeenChanges() {
		t.Errorf("only %d bundles were read after a change, and the database was restarted %d times", l.table.later, l.table.restarts)
	}
	if log := l.mount.log.String(); strings.Contains(log, "level=ERROR") {
		t.Errorf("the log has errors: %s", log)
	}
	if raced() {
		return // the race detector takes several times the memory
	}
	if peak := l.mount.peakMemory(t); peak > loadMemory+(64<<20) {
		t.Errorf("the server has had %d bytes resident, want at most the budget of %d and 64 MiB", peak, loadMemory)
	}
}
