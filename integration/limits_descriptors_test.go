package integration

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// limited runs the program in dir below limits that bash's ulimit sets.
func limited(t *testing.T, dir, ulimit string, args ...string) result {
	t.Helper()
	argv := append([]string{"bash", "-c", "ulimit " + ulimit + ` && exec "$@"`, "bash", programFile}, args...)
	return process{args: argv, dir: dir, mayFail: true}.run(t)
}

// manyFilesSite has images with more files, lists and kits than there are descriptors.
func manyFilesSite(t *testing.T) string {
	t.Helper()
	site := mixedSite(t)
	for i := range 100 {
		must(t, site.AddStateful(fmt.Sprintf("more%02d", i), nil, nil))
	}
	for i := range 20 {
		makeCrowd(t, site.Path(fmt.Sprintf("%s/dir-%02d/sub", site.TreeDir("mixed"), i)), i, 100)
	}
	return site.Dir()
}

// Every command does the same with 64 descriptors as without a limit.
func TestEveryCommandNeedsFewDescriptors(t *testing.T) {
	t.Parallel()
	needFUSE(t)
	root := manyFilesSite(t)
	m := mountSite(t, root)
	bundles := t.TempDir()
	expectCode(t, program(t, bundles, "export", "--root", root, "--all", bundles+"/"), 0)
	for name, args := range map[string][]string{
		"export":           {"export", "--root", root, "mixed"},
		"export many":      {"export", "--root", root, "--all", "./"},
		"list":             {"list", "--root", root, "--bytes"},
		"check":            {"check", "--root", root},
		"verify":           {"verify", "--root", root, bundles},
		"verify one":       {"verify", "--root", root, filepath.Join(bundles, "mixed.tgz")},
		"status":           {"status", "--json", m.dir},
		"dump":             {"dump", "--root", root, "."},
		"config":           {"config", "--root", root},
		"umount of nobody": {"umount", bundles},
	} {
		t.Run(name, func(t *testing.T) {
			few, many := emptyDir(t, "work"), emptyDir(t, "work")
			got, want := limited(t, few, "-n 64", args...), program(t, many, args...)
			if name != "status" { // which has times
				took := regexp.MustCompile(` in [0-9.]+m?s\b`)
				expectText(t, "stdout", took.ReplaceAllString(strings.ReplaceAll(got.stdout, few, many), ""), took.ReplaceAllString(want.stdout, ""))
				expectText(t, "stderr", strings.ReplaceAll(got.stderr, few, many), want.stderr)
			}
			expectCode(t, got, want.code)
			run(t, "diff", "-r", few, many)
		})
	}
}

// A mount that has 64 descriptors from its begin on serves many readers of bundles and of
// members with the right bytes.
func TestAMountNeedsFewDescriptors(t *testing.T) {
	t.Parallel()
	root := manyFilesSite(t)
	const sums = `cd "$1"
		printf '%s\0' *.tgz | xargs -0 -n 4 -P 32 sha256sum | sort
		find mixed -type f -print0 | xargs -0 -n 1 -P 32 sha256sum | sort`
	want := shell(t, "", sums, mountSite(t, root).dir)
	dir := t.TempDir()
	expectCode(t, limited(t, "/", "-n 64", "mount", "--daemon", "--root", root, dir), 0)
	unmountAtEnd(t, dir)
	expectText(t, "sums with 64 descriptors", shell(t, "", sums, dir), want)
	expectCode(t, program(t, "/", "umount", dir), 0)
}

// With too few of them the error says so, and nothing is left.
func TestTooFewDescriptorsAreSaid(t *testing.T) {
	root := mixedSite(t).Dir()
	for _, limit := range []int{5, 8, 12, 16, 24} {
		work := t.TempDir()
		r := limited(t, work, fmt.Sprint("-n ", limit), "export", "--root", root, "mixed")
		names, err := readNames(work)
		must(t, err)
		t.Logf("%d descriptors: exit code %d: %s", limit, r.code, strings.TrimSpace(r.stderr))
		switch {
		case r.code == 0:
			run(t, "gzip", "-t", filepath.Join(work, "mixed.tgz"))
		case len(names) > 0 || !strings.Contains(r.stderr, "too many open files"):
			t.Errorf("%d descriptors: exit code %d, files %q: %s", limit, r.code, names, r.stderr)
		}
	}
}
