package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imgexportfs/integration/xcatsite"
)

// The tests in the files clients_*.go run what administrators use on a mount: programs
// that copy, serve, back up and watch. Each gets a mount of its own, so that it reads
// from the server and not from pages that another one has left, and what it wrote is
// compared with what `imgexportfs export` writes. docs/clients.md says what was seen.

// needClients skips the tests of large programs unless they are asked for: `make clients`
// installs what they need.
func needClients(t *testing.T, tools ...string) {
	t.Helper()
	if os.Getenv("CLIENTS") == "" {
		t.Skip("run by make clients")
	}
	needTools(t, tools...)
}

// clientSite is a site, what its bundles and their members have to be, and a cache that
// spares the mounts the same work again.
type clientSite struct {
	*xcatsite.Site
	bundles string // directory with NAME.tgz of every image
	members string // directory with NAME/ of every image, as GNU tar unpacks it
	cache   string
}

func newClientSite(t *testing.T, site *xcatsite.Site) *clientSite {
	t.Helper()
	needFUSE(t)
	c := &clientSite{Site: site, bundles: emptyDir(t, "bundles"), members: emptyDir(t, "members"), cache: privateDir(t)}
	c.export(t)
	return c
}

// export makes the reference of what the site holds now.
func (c *clientSite) export(t *testing.T) {
	t.Helper()
	expectCode(t, program(t, "", "export", "--root", c.Dir(), "--cache-dir", c.cache, "--all", c.bundles), 0)
	shell(t, c.members, `rm -rf -- *; for bundle in "$1"/*.tgz; do tar -xzf "$bundle"; done`, c.bundles)
}

// mount is a new mount of the site.
func (c *clientSite) mount(t *testing.T, flags ...string) *mount {
	t.Helper()
	return mountSite(t, c.Dir(), append([]string{"--cache-dir", c.cache, "--refresh", "100ms"}, flags...)...)
}

// mountOn is a new mount at a place that had one before.
func (c *clientSite) mountOn(t *testing.T, dir string, flags ...string) *mount {
	t.Helper()
	m := startServer(t, dir, c.Dir(), nil, append([]string{"--cache-dir", c.cache, "--refresh", "100ms"}, flags...)...)
	t.Cleanup(func() { m.stop(t) })
	m.waitReady(t)
	return m
}

// bundle is the reference of an image's bundle.
func (c *clientSite) bundle(image string) string { return filepath.Join(c.bundles, image+".tgz") }

// expectBundles compares all bundles in a directory with the reference.
func (c *clientSite) expectBundles(t *testing.T, dir string) {
	t.Helper()
	expectText(t, "bundles in "+dir, checksums(t, dir), checksums(t, c.bundles))
}

// changeBar gives the image "bar" of a small site another root image of n bytes, waits
// until the mount shows it, and makes the reference anew.
func (c *clientSite) changeBar(t *testing.T, m *mount, seed string, n int) {
	t.Helper()
	before := statOne(t, m.path("bar.tgz"))
	must(t, replaceFile(c.Path(xcatsite.ProfileDir("bar")+"/rootimg.cpio.gz"), xcatsite.Noise(seed, n)))
	eventually(t, "the change shows", func() bool { return statOne(t, m.path("bar.tgz")).inode != before.inode })
	c.export(t)
}

// logVersion writes into the log of the test what a program says of itself.
func logVersion(t *testing.T, args ...string) {
	t.Helper()
	r := process{args: args, mayFail: true}.run(t)
	first, _, _ := strings.Cut(strings.TrimSpace(r.stdout+r.stderr), "\n")
	t.Logf("%s: %s", args[0], first)
}
