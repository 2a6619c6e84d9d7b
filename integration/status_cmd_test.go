package integration

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// mountStatus is an object of status --json, as far as the tests read it.
type mountStatus struct {
	Mount  string
	State  string
	Error  string
	Status struct {
		PID      int
		Database string
		Images   int
		Refused  []string `json:"images_refused"`
		Problems []string `json:"images_with_problems"`
		Unknown  int      `json:"images_unknown"`
		Memory   struct {
			Resident int64 `json:"resident_bytes"`
		}
		Cache struct{ Directory string }
	}
}

// askStatus runs `imgexportfs status --json` for a mount.
func askStatus(t *testing.T, dir string, code int) mountStatus {
	t.Helper()
	r := program(t, "", "status", "--json", dir)
	expectCode(t, r, code)
	var all []mountStatus
	if err := json.Unmarshal([]byte(r.stdout), &all); err != nil || len(all) != 1 {
		t.Fatalf("status --json: %v: %s%s", err, r.stdout, r.stderr)
	}
	return all[0]
}

// The status command says what is mounted, and by its exit code how it is doing.
func TestStatusCommandTellsServingFromFailing(t *testing.T) {
	site := smallSite(t, 1000)
	must(t, site.AddStateful("lost", nil, nil))
	must(t, site.Exec("linuximage", `UPDATE linuximage SET template = '/no/such/template' WHERE imagename = 'lost'`))
	cache := filepath.Join(t.TempDir(), "cache")
	m := mountSite(t, site.Dir(), "--refresh", "50ms", "--cache-dir", cache)

	good := askStatus(t, m.dir, 0)
	if s := good.Status; good.State != "serving" || s.PID != m.cmd.Process.Pid || s.Images != 3 || s.Unknown != 0 ||
		s.Memory.Resident < 1<<20 || !strings.HasPrefix(s.Cache.Directory, cache) {
		t.Errorf("status of a good site: %+v", good)
	}
	if named := append(good.Status.Refused, good.Status.Problems...); len(named) != 1 || named[0] != "lost" {
		t.Errorf("refused %q, with problems %q; want the image lost alone", good.Status.Refused, good.Status.Problems)
	}
	text := program(t, "", "status", m.dir)
	expectCode(t, text, 0)
	expectContains(t, "status", text.stdout, m.dir+": serving\n", "  images    3: 2 good", "  memory    ", "  cache     ", "lost; see their .errors files")
	if all := program(t, "", "status"); !strings.Contains(all.stdout, m.dir+": serving\n") {
		t.Errorf("the status of all mounts: %s", all.stdout)
	}

	must(t, os.Rename(site.TableFile("osimage"), site.TableFile("osimage")+".away"))
	time.Sleep(100 * time.Millisecond) // the refresh interval
	lost := askStatus(t, m.dir, 1)
	if lost.State != "database failing" || lost.Status.Images != 3 {
		t.Errorf("status after the loss: %+v", lost)
	}
	text = program(t, "", "status", m.dir)
	expectCode(t, text, 1)
	expectContains(t, "status", text.stdout, m.dir+": database failing\n", "osimage.sqlite", "the next look is in")
}

// A mount whose server is dead or stopped holds up no status.
func TestStatusCommandDoesNotHang(t *testing.T) {
	for name, c := range map[string]struct {
		signal syscall.Signal
		state  string
	}{
		"killed":  {syscall.SIGKILL, "dead"},
		"stopped": {syscall.SIGSTOP, "hanging"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := mountSite(t, smallSite(t, 1000).Dir())
			m.signal(t, c.signal)
			if c.signal == syscall.SIGKILL {
				<-m.done
				t.Cleanup(func() { expectCode(t, program(t, "", "umount", m.dir), 0) })
			} else {
				t.Cleanup(func() { m.signal(t, syscall.SIGCONT) })
			}
			r := program(t, "", "status", m.dir)
			expectCode(t, r, 4)
			expectContains(t, "status", r.stdout, m.dir+": "+c.state+"\n", "umount "+m.dir)
			if r.took > 20*time.Second {
				t.Errorf("status took %v", r.took)
			}
		})
	}
}

func TestStatusCommandNamesWhatIsNoMount(t *testing.T) {
	dir := t.TempDir()
	r := program(t, "", "status", dir)
	expectCode(t, r, 4)
	expectContains(t, "stderr", r.stderr, dir+" is not a mount of imgexportfs")
	expectCode(t, program(t, "", "status", dir, dir), 2)
}
