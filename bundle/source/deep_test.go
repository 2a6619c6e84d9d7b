package source

import (
	"os"
	"strings"
	"testing"
	"time"
)

// A path of thousands of names is looked at in few calls, also behind a link and above one,
// whatever was forgotten. Each call takes the kernel the longer the deeper it leads, so as
// many calls as names would take seconds.
func TestAPathOfThousandsOfNamesTakesFewCalls(t *testing.T) {
	const levels = 1800
	dir := t.TempDir()
	writeFile(t, dir+"/real/x/file", nil)
	deep := strings.Repeat("/d", levels)
	if err := os.MkdirAll(dir+"/real/x"+deep, 0o755); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{dir + "/link": "real", dir + "/real/x" + deep + "/up": "/real/x"} {
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { // os.RemoveAll takes minutes
		_ = os.Remove(dir + "/real/x" + deep + "/up")
		for at := dir + "/real/x" + deep; strings.HasSuffix(at, "/d"); at = strings.TrimSuffix(at, "/d") {
			_ = os.Remove(at)
		}
	})
	root := siteRoot(t, dir)
	if !root.isPlain("/real") {
		t.Skip("this kernel has no openat2(2)")
	}
	calls, readlink, isPlain := 0, root.paths.readlink, root.paths.isPlain
	root.paths.readlink = func(name string) (string, error) { calls++; return readlink(name) }
	root.paths.isPlain = func(name string) bool { calls++; return isPlain(name) }
	for _, name := range []string{"/real/x" + deep + "/up/file", "/link/x" + deep + "/up/file", "/link/x/../x" + deep, "/link/x" + deep} {
		root.paths.mu.Lock()
		root.paths.when = time.Time{} // forgets
		root.paths.mu.Unlock()
		calls = 0
		if _, err := root.Stat(name); err != nil {
			t.Errorf("%.20s...: %.100v", name, err)
		}
		if calls > 100 {
			t.Errorf("%.20s... takes %d calls", name, calls)
		}
	}
}
