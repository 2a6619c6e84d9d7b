package integration

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"testing"
	"time"

	"imgexportfs/bundle"
	"imgexportfs/fs"
	"imgexportfs/xcat"
)

func init() { helpers["mounts"] = helperMounts }

// helperMounts ROOT DIR COUNT mounts a site, has it read, and unmounts it, again and again.
// Each time it says how many goroutines and descriptors there are then.
func helperMounts(args []string) error {
	count, err := strconv.Atoi(args[2])
	if err != nil {
		return err
	}
	goroutines := 1 << 20
	for i := range count {
		if err := mountOnce(args[0], args[1]); err != nil {
			return fmt.Errorf("mount %d: %w", i, err)
		}
		// What has been told to end may take its time.
		for began := time.Now(); runtime.NumGoroutine() > goroutines && time.Since(began) < 10*time.Second; {
			time.Sleep(time.Millisecond)
		}
		if runtime.NumGoroutine() > goroutines {
			return pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
		}
		if i == 0 {
			time.Sleep(time.Second)
			goroutines = runtime.NumGoroutine()
		}
		descriptors, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			return err
		}
		fmt.Println(runtime.NumGoroutine(), len(descriptors))
	}
	return nil
}

// mountOnce mounts a site, has it read by another process, and unmounts it.
func mountOnce(root, dir string) (err error) {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	site, err := xcat.OpenSite(context.Background(), xcat.Config{Root: root, Log: log})
	if err != nil {
		return err
	}
	defer func() { _ = site.Close() }()
	engine, err := bundle.NewEngine(bundle.EngineOptions{Memory: 16 << 20, Log: log})
	if err != nil {
		return err
	}
	defer engine.Close()
	mounted, err := fs.Mount(context.Background(), dir, site, engine, fs.Options{Log: log})
	if err != nil {
		return err
	}
	const script = `cd "$1"; ls -l . foo bar .imgexportfs > /dev/null; cat *.tgz bar/* > /dev/null; tail -c 1000 bar.tgz > /dev/null
		exec 3< bar.tgz; head -c 1000 <&3 > /dev/null; timeout -s KILL 0.01 sha256sum bar.tgz; true`
	out, err := exec.Command("bash", "-c", script, "bash", dir).CombinedOutput()
	if err != nil || len(out) > 0 && !strings.Contains(string(out), "Killed") && !strings.Contains(string(out), "bar.tgz") {
		fmt.Fprintf(os.Stderr, "reading: %v: %s\n", err, out)
	}
	err = mounted.Unmount()
	mounted.Wait()
	return err
}

// A process that mounts and unmounts many times has no more goroutines and descriptors than
// after the first time.
func TestMountsAndUnmountsLeaveNothing(t *testing.T) {
	needFUSE(t)
	mounts := 20
	if soaking() {
		mounts = 200
	}
	dir := t.TempDir()
	unmountAtEnd(t, dir)
	p := helperProcess(t, "mounts", smallSite(t, 3<<20).Dir(), dir, strconv.Itoa(mounts))
	p.limit = 5 * time.Minute
	r := p.run(t)
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	if len(lines) != mounts || r.stderr != "" {
		t.Fatalf("after %d mounts of %d there were more goroutines than after the first, or something went wrong: %s", len(lines), mounts, clip(r.stderr))
	}
	t.Logf("goroutines and descriptors: %s after the first mount, %s after %d", lines[0], lines[mounts-1], mounts)
	first, last := strings.Fields(lines[0])[1], strings.Fields(lines[mounts-1])[1]
	expectText(t, "descriptors after the last mount", last, first)
}

// A server whose files were opened, read, left in the middle and closed many times has no
// more goroutines and descriptors than before.
func TestOpensAndClosesLeaveNothing(t *testing.T) {
	t.Parallel()
	m := mountWatched(t, smallSite(t, 3<<20).Dir(), "--refresh", "50ms")
	rounds := 100
	if soaking() {
		rounds = 2000
	}
	const script = `cd "$1"; for i in $(seq "$2"); do
			ls . foo bar > /dev/null; cat foo.tgz bar/manifest.xml .imgexportfs/status.json > /dev/null
			head -c 100000 bar.tgz > /dev/null; tail -c 1000 bar/rootimg.cpio.gz > /dev/null; stat *.tgz foo/* > /dev/null
			cat nothing 2> /dev/null || true; timeout -s KILL 0.005 cat bar.tgz bar.tgz.sha256 > /dev/null || true
		done`
	shell(t, "", script, m.dir, "5")
	before := m.atRest(t)
	process{args: []string{"bash", "-euo", "pipefail", "-c", script, "bash", m.dir, strconv.Itoa(rounds)}, limit: 10 * time.Minute}.run(t)
	m.expectRest(t, before)
}
