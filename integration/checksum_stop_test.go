package integration

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

// A checksum is made for its readers: when the last one has been killed, the
// server stops, and the next reader gets the right sum.
func TestChecksumStopsWithItsReader(t *testing.T) {
	site := newSite(t)
	must(t, site.AddImage("huge", "raw", xcatsite.Row{"osarch": "s390x", "osvers": "sles15", "profile": "z"}, nil))
	must(t, site.WriteFile("/install/raw/sles15/s390x/z/a.img", 0o644, nil))
	must(t, makeSparse(site.Path("/install/raw/sles15/s390x/z/a.img"), 2<<30))
	// Stored, the size takes no time, and all that is left is the sum.
	m := mountSiteEnv(t, site.Dir(), []string{"GOMAXPROCS=1"}, "--compression", "store", "--memory", "32MiB")
	statOne(t, m.path("huge.tgz"))
	const half = 500 * time.Millisecond
	cpu := func() int64 { return int64(m.cpu(t)) }
	expectResting(t, "the processor time after the size was found", cpu, int64(half/10), 5*time.Second)

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	started := cpu()
	reader := process{args: []string{"cat", m.path("huge.tgz.sha256")}}.command(ctx)
	must(t, reader.Start())
	ended := make(chan struct{})
	go func() {
		_ = reader.Wait() // the state says how it ended
		close(ended)
	}()
	eventually(t, "the server makes the sum", func() bool { return cpu()-started > int64(200*time.Millisecond) })
	select {
	case <-ended:
		t.Skip("the sum was made before the reader could be killed")
	default:
	}
	killed := time.Now()
	must(t, reader.Process.Signal(syscall.SIGKILL))
	expectResting(t, "the processor time after the reader was killed", cpu, int64(half/5), time.Second)
	<-ended
	if took := time.Since(killed); took > 3*time.Second {
		t.Errorf("the reader ended %v after SIGKILL", took)
	}
	sums := strings.Fields(shell(t, "", `cat "$1.sha256" & sum=$!; sha256sum "$1"; wait $sum`, m.path("huge.tgz")))
	expectText(t, "the sum of the next reader", sums[0], sums[2])
}

// A reader of a checksum that is being made may come and go while another one
// waits: the other one gets the sum.
func TestChecksumGoesOnForTheOtherReader(t *testing.T) {
	t.Parallel()
	site := slowSite(t)
	m := mountSite(t, site.Dir(), "--level", "1")
	out := shell(t, "", `
		cat "$1/slow.tgz.sha256" > "$2/killed" 2> /dev/null & killed=$!
		cat "$1/slow.tgz.sha256" > "$2/other" & other=$!
		sleep 0.3
		kill -KILL $killed 2> /dev/null || true
		wait $other
		cut -d ' ' -f 1 "$2/other"
		sha256sum < "$1/slow.tgz" | cut -d ' ' -f 1`, m.dir, t.TempDir())
	sums := strings.Fields(out)
	if len(sums) != 2 || sums[0] != sums[1] {
		t.Errorf("the sums are %q, want two that are equal", sums)
	}
}
