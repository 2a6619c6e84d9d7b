package integration

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imgexportfs/integration/xcatsite"
)

// deflatingSite has a stateless image whose root image deflates to about a quarter of
// its 48 MiB.
func deflatingSite(t *testing.T) *xcatsite.Site { return deflatingSiteOf(t, 48<<20) }

// deflatingSiteOf is deflatingSite with a root image of n bytes.
func deflatingSiteOf(t *testing.T, n int) *xcatsite.Site {
	t.Helper()
	site := newSite(t)
	must(t, site.AddStateless("image", xcatsite.Stateless{
		Kernel: []byte("kernel"), Ramdisk: []byte("ramdisk"), Rootimg: xcatsite.Text("rootimg", n),
	}))
	return site
}

// segmentFiles are the files of cached segments below a cache directory.
func segmentFiles(t *testing.T, cache string) (paths []string) {
	t.Helper()
	must(t, filepath.WalkDir(filepath.Join(cache, "segments"), func(path string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil
		}
		if err == nil && d.Type().IsRegular() {
			paths = append(paths, path)
		}
		return err
	}))
	return paths
}

// What one server has compressed, the next one does not compress again, and neither
// does export.
func TestSegmentsAreCompressedOnce(t *testing.T) {
	site, cache := deflatingSite(t), t.TempDir()
	must(t, os.Chmod(cache, 0o700))
	flags := []string{"--cache-dir", cache, "--memory", "4MiB"}
	want := ""
	var took []time.Duration
	for range 3 {
		m := mountSite(t, site.Dir(), flags...)
		got := checksums(t, m.dir)
		took = append(took, m.cpu(t))
		m.stop(t)
		if want == "" {
			want = got
		}
		expectText(t, "checksums", got, want)
	}
	t.Logf("processor time of the first server and the next ones: %v", took)
	if len(segmentFiles(t, cache)) < 20 {
		t.Errorf("only %d segments are cached", len(segmentFiles(t, cache)))
	}
	if took[1] > took[0]/2 || took[2] > took[0]/2 {
		t.Errorf("the next servers take %v, the first took %v", took[1:], took[0])
	}
	for _, path := range segmentFiles(t, cache) {
		info, err := os.Stat(path)
		must(t, err)
		if info.Mode().Perm() != 0o600 {
			t.Fatalf("%s has mode %v: others can read what is in a shadow file", path, info.Mode())
		}
	}
	none := t.TempDir()
	m := mountSite(t, site.Dir(), "--cache-dir", none, "--cache-size", "0")
	expectText(t, "checksums without", checksums(t, m.dir), want)
	m.stop(t)
	if files := segmentFiles(t, none); len(files) > 0 {
		t.Errorf("--cache-size 0 caches %d segments", len(files))
	}
}

func TestDamagedSegmentsNeverGiveOtherBytes(t *testing.T) {
	t.Parallel()
	site, cache := deflatingSite(t), t.TempDir()
	must(t, os.Chmod(cache, 0o700))
	filled := mountSite(t, site.Dir(), "--cache-dir", cache)
	want := checksums(t, filled.dir)
	filled.stop(t)
	for name, damage := range map[string]func(i int, path string, data []byte) error{
		"flipped": func(i int, path string, data []byte) error {
			data[i*7919%len(data)] ^= 1
			return os.WriteFile(path, data, 0o600)
		},
		"cut":   func(i int, path string, data []byte) error { return os.Truncate(path, int64(i*7919%len(data))) },
		"fifos": func(_ int, path string, _ []byte) error { must(t, os.Remove(path)); return unix.Mkfifo(path, 0o600) },
		"gone":  func(_ int, path string, _ []byte) error { return os.Remove(path) },
	} {
		t.Run(name, func(t *testing.T) {
			for i, path := range segmentFiles(t, cache) {
				data, err := os.ReadFile(path)
				must(t, err)
				must(t, damage(i, path, data))
			}
			for range 2 {
				m := mountSite(t, site.Dir(), "--cache-dir", cache, "--memory", "4MiB")
				expectText(t, "checksums", checksums(t, m.dir), want)
				m.stop(t)
			}
			if len(segmentFiles(t, cache)) < 20 && name != "fifos" {
				t.Errorf("only %d segments are cached again", len(segmentFiles(t, cache)))
			}
		})
	}
}

func TestACacheThatCannotBeWrittenIsOneWarning(t *testing.T) {
	t.Parallel()
	site, dir := deflatingSite(t), emptyDir(t, "readonly")
	needFUSE(t)
	must(t, unix.Mount("tmpfs", dir, "tmpfs", unix.MS_RDONLY, "mode=0700"))
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	plain := mountSite(t, site.Dir())
	m := mountSite(t, site.Dir(), "--cache-dir", dir, "--memory", "4MiB")
	expectText(t, "checksums", checksums(t, m.dir), checksums(t, plain.dir))
	expectContains(t, "the log of the mount", run(t, "cat", m.path(".imgexportfs", "log")), "segments are not cached on disk")
	if n := strings.Count(m.log.String(), "segments are not cached on disk"); n != 1 {
		t.Errorf("%d warnings: %s", n, m.log)
	}
}

func TestStatusShowsHowFarASizeIs(t *testing.T) {
	t.Parallel()
	const size = 32 << 20 // takes one processor longer than what the log calls long, 2 s
	m := mountSiteEnv(t, deflatingSiteOf(t, size).Dir(), []string{"GOMAXPROCS=1"}, "--level", "9")
	var last int64
	seen := 0
	eventually(t, "the pass is seen to go on", func() bool {
		text, err := os.ReadFile(m.path(".imgexportfs", "status.json"))
		must(t, err)
		var status struct {
			Sizing []struct {
				Bundle string `json:"bundle"`
				Done   int64  `json:"bytes_done"`
				Total  int64  `json:"bytes_total"`
			} `json:"sizing"`
		}
		must(t, json.Unmarshal(text, &status))
		if len(status.Sizing) == 1 {
			s := status.Sizing[0]
			if s.Bundle != "image" || s.Total < size || s.Done < last || s.Done > s.Total {
				t.Fatalf("after %d bytes: %+v", last, s)
			}
			if s.Done > last {
				seen++
			}
			last = s.Done
		}
		return seen >= 3
	})
	metrics, err := os.ReadFile(m.path(".imgexportfs", "metrics"))
	must(t, err)
	if !strings.Contains(string(metrics), "imgexportfs_sizing_total_bytes") {
		t.Errorf("metrics: %s", metrics)
	}
	_, err = os.Stat(m.path("image.tgz"))
	must(t, err)
	expectEventually(t, 5*time.Second, "the log says how long it took", func() bool {
		return strings.Contains(m.log.String(), "finding the size of a bundle took long")
	})
}
