package integration

import (
	"bufio"
	"context"
	"strings"
	"testing"
	"time"
)

// inotify tells of what programs of this host do on the mount. A change of the site below
// is told to nobody: who waits for one has to look.
func TestInotifyTellsNothingOfChangesBelow(t *testing.T) {
	needTools(t, "inotifywait")
	logVersion(t, "inotifywait", "--help")
	site := newClientSite(t, smallSite(t, 100_000))
	m := site.mount(t)
	run(t, "ls", "-l", m.dir)

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := process{args: []string{"inotifywait", "-m", "-q", "-r", "-e", "modify,attrib,create,delete,move,delete_self,move_self,open", "--format", "%e %f", m.dir}}.command(ctx)
	out, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	events := make(chan string, 1000)
	go func() {
		for lines := bufio.NewScanner(out); lines.Scan(); {
			events <- lines.Text()
		}
		close(events)
	}()
	t.Cleanup(func() {
		_ = cmd.Cancel()
		_ = cmd.Wait() // the signal is how it ends
	})
	eventually(t, "inotifywait watches", func() bool {
		run(t, "cat", m.path("foo.tgz"))
		return len(events) > 0
	})

	site.changeBar(t, m, "changed", 100_000)       // another bundle and another member
	must(t, site.AddStateful("another", nil, nil)) // new names
	eventually(t, "the new image shows", func() bool { return strings.Contains(run(t, "ls", m.dir), "another.tgz") })
	run(t, "cat", m.path("bar.tgz"))
	time.Sleep(300 * time.Millisecond)
	must(t, cmd.Cancel())
	for e := range events {
		if !strings.HasPrefix(e, "OPEN") { // also of directories: OPEN,ISDIR
			t.Errorf("inotifywait tells of %q", e)
		}
	}
}
