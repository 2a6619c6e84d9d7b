package integration

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

func init() { helpers["poll"], helpers["look"] = helperPoll, helperLook }

// helperLook KIND PATH prints a hash of what a look shows.
func helperLook(args []string) error {
	state, err := looks[args[0]](args[1])
	if err == nil {
		fmt.Println(hashOf(state))
	}
	return err
}

func hashOf(state string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(state))) }

// helperPoll KIND PATH OLD looks at PATH in the way that KIND says, over and
// over. For each state that differs from the one before, the first from that
// with the hash OLD, it prints the time in nanoseconds. Errors are no state.
func helperPoll(args []string) error {
	look := looks[args[0]]
	for last := args[2]; ; time.Sleep(50 * time.Millisecond) {
		state, err := look(args[1])
		if err != nil || hashOf(state) == last {
			continue
		}
		last = hashOf(state)
		if _, err := fmt.Println(time.Now().UnixNano()); err != nil {
			return nil // the test has seen enough
		}
	}
}

// looks are the ways to look at something of a mount.
var looks = map[string]func(path string) (string, error){
	"list": func(path string) (string, error) {
		names, err := readNames(path)
		return fmt.Sprint(names), err
	},
	"stat": func(path string) (string, error) {
		info, err := os.Stat(path)
		if err != nil {
			return "", err
		}
		return fmt.Sprint(info.Size(), info.ModTime()), nil
	},
	"read": func(path string) (string, error) {
		text, err := os.ReadFile(path)
		return string(text), err
	},
}

// poller is a child that tells what changes.
type poller struct {
	t       *testing.T
	changes chan time.Time // when something new was seen
}

func startPoller(t *testing.T, kind, path, old string) *poller {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := helperProcess(t, "poll", kind, path, old).command(ctx)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	p := &poller{t: t, changes: make(chan time.Time, 100)}
	go func() {
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var at int64
			if _, err := fmt.Sscan(lines.Text(), &at); err == nil {
				p.changes <- time.Unix(0, at)
			}
		}
	}()
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait() // it was killed
	})
	return p
}

// next waits until something new is seen after a moment, and says when it was.
func (p *poller) next(after time.Time) time.Time {
	p.t.Helper()
	deadline := time.After(15 * time.Second)
	for {
		select {
		case at := <-p.changes:
			if at.After(after) {
				return at
			}
		case <-deadline:
			p.t.Fatal("no change shows within 15 s")
		}
	}
}

// staleRefresh is the refresh interval of the tests of this file, and
// staleAtMost how long a change of a row may take to show.
const (
	staleRefresh = 2 * time.Second
	staleAtMost  = staleRefresh + time.Second
)

// staleKind is a kind of file that follows the tables. Each kind has an image
// of its own, whose name stands for IMAGE in paths.
type staleKind struct {
	name, kind, path string
	sibling          string // another name that shows the same version; "" for path itself
	table, change    string // a statement that changes a row of the image
	values           [3]string
}

var staleKinds = func() []staleKind {
	const (
		description = `UPDATE osimage SET description = ? WHERE imagename = ?`
		packages    = `UPDATE linuximage SET pkglist = ? WHERE imagename = ?`
		method      = `UPDATE osimage SET provmethod = ? WHERE imagename = ?`
		scripts     = `UPDATE postscripts SET postscripts = ? WHERE node = ?`
	)
	texts, missing := [3]string{"x", "xx", "xxx"}, [3]string{"/missing/1", "/missing/2", "/missing/3"}
	return []staleKind{
		{"listing", "list", "", "", "osimage", method, [3]string{"install", "unknown", "install"}},
		{"bundle", "stat", "IMAGE.tgz", "IMAGE.tgz.sha256", "osimage", description, texts},
		{"bytes of the bundle", "read", "IMAGE.tgz", "IMAGE.tgz.sha256", "osimage", description, texts},
		{"manifest", "read", "IMAGE/manifest.xml", "IMAGE.tgz", "osimage", description, texts},
		{"errors", "read", "IMAGE.errors", "IMAGE.tgz", "linuximage", packages, missing},
		{"checksum", "read", "IMAGE.tgz.sha256", "IMAGE.tgz", "osimage", description, texts},
		{"bundle of a node", "stat", "@IMAGE/IMAGE.tgz", "@IMAGE/IMAGE.tgz.sha256", "postscripts", scripts, texts},
		{"manifest of a node", "read", "@IMAGE/IMAGE/manifest.xml", "@IMAGE/IMAGE.tgz", "postscripts", scripts, texts},
	}
}()

func (k staleKind) image() string { return strings.ReplaceAll(k.name, " ", "-") }

// in is a path below a mount.
func (k staleKind) in(m *mount, path string) string {
	return m.path(strings.ReplaceAll(path, "IMAGE", k.image()))
}

// staleSite is a mounted site with an image, and a node of the same name, for
// each kind.
type staleSite struct {
	*mount
	site *xcatsite.Site
	csv  bool // the tables are a dump, not SQLite
}

// withStaleSites runs a test on SQLite and on a dump.
func withStaleSites(t *testing.T, test func(t *testing.T, s *staleSite)) {
	for _, tables := range []string{"SQLite", "CSV"} {
		t.Run(tables, func(t *testing.T) {
			t.Parallel()
			s := &staleSite{site: smallSite(t, 1000), csv: tables == "CSV"}
			for _, k := range staleKinds {
				must(t, s.site.AddStateful(k.image(), nil, nil))
				must(t, s.site.Insert("nodelist", xcatsite.Row{"node": k.image(), "groups": "all"}))
				must(t, s.site.Insert("postscripts", xcatsite.Row{"node": k.image()}))
			}
			s.change(t, 0)
			flags := []string{"--refresh", staleRefresh.String()}
			if s.csv {
				flags = append(flags, "--cfgloc", "CSV:/backup")
			}
			s.mount = mountSite(t, s.site.Dir(), flags...)
			test(t, s)
		})
	}
}

// change gives the rows of all kinds their value i.
func (s *staleSite) change(t *testing.T, i int) {
	t.Helper()
	for _, k := range staleKinds {
		must(t, s.site.Exec(k.table, k.change, k.values[i], k.image()))
	}
	if s.csv {
		expectCode(t, program(t, s.site.Dir(), "dump", "--root", s.site.Dir(), s.site.Path("/backup")), 0)
	}
}

// A change of a row shows in time to a reader who looks all the time, whenever
// the change comes between two looks at the tables.
func TestChangedRowsShowToAReaderWhoLooksAllTheTime(t *testing.T) {
	withStaleSites(t, func(t *testing.T, s *staleSite) {
		var pollers []*poller
		for _, k := range staleKinds {
			p := startPoller(t, k.kind, k.in(s.mount, k.path), "")
			p.next(time.Time{})
			pollers = append(pollers, p)
		}
		for i, phase := range []time.Duration{staleRefresh / 2, staleRefresh / 20} {
			time.Sleep(phase)
			before := time.Now()
			s.change(t, i+1)
			changed := time.Now()
			for i, k := range staleKinds {
				pollers[i].expectInTime(k.name, before, changed)
			}
		}
	})
}

// A change of a row shows in time although the tables, the image and the name
// were last looked at one after the other: what is remembered at several places
// does not add up.
func TestChangedRowsShowWhateverWasLookedAtBefore(t *testing.T) {
	withStaleSites(t, func(t *testing.T, s *staleSite) {
		look := func(kind, path string) string {
			return strings.TrimSpace(helperProcess(t, "look", kind, path).run(t).stdout)
		}
		var old []string
		for _, k := range staleKinds {
			old = append(old, look(k.kind, k.in(s.mount, k.path)))
		}
		time.Sleep(staleRefresh + staleRefresh/4)
		look("stat", s.path("bar.tgz")) // the tables are read for it
		started := time.Now()
		s.change(t, 1)
		changed := time.Now()
		time.Sleep(staleRefresh*80/100 - time.Since(started))
		for _, k := range staleKinds { // the rows are still fresh
			if k.sibling == "" {
				look(k.kind, k.in(s.mount, k.path))
			} else {
				look("stat", k.in(s.mount, k.sibling))
			}
		}
		time.Sleep(staleRefresh*130/100 - time.Since(started))
		var pollers []*poller
		for i, k := range staleKinds { // the images are still fresh
			pollers = append(pollers, startPoller(t, k.kind, k.in(s.mount, k.path), old[i]))
		}
		for i, k := range staleKinds {
			pollers[i].expectInTime(k.name, started, changed)
		}
	})
}

// expectInTime asks for something new after a moment, within the time that a
// change may take.
func (p *poller) expectInTime(what string, after, changed time.Time) {
	p.t.Helper()
	took := p.next(after).Sub(changed).Round(time.Millisecond)
	if took > staleAtMost+slack {
		p.t.Errorf("%s: a change shows after %v with --refresh %v, want at most %v", what, took, staleRefresh, staleAtMost)
	} else {
		p.t.Logf("%s: a change shows after %v", what, took)
	}
}
