package integration

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// nfs-ganesha exports a mount by NFS 4, by the configuration of docs/operations.md: its
// clients get the bundle, and after a change the new one. File handles live as long as
// the mount: after another mount, a client gets an error and never other bytes, until
// ganesha is started again, too.
func TestGaneshaExportsAMount(t *testing.T) {
	needClients(t, "ganesha.nfsd", "nfs-cp", "nfs-ls")
	logVersion(t, "ganesha.nfsd", "-v")
	site := newClientSite(t, smallSite(t, 10_000_000))
	m := site.mount(t)
	g := newGanesha(t, m.dir)
	g.start(t)
	g.expectBundles(t, site)
	site.changeBar(t, m, "another", 10_000_000)
	eventually(t, "the new bundle shows", func() bool { return g.get("bar.tgz") && g.same(site, "bar.tgz") })

	m.stop(t)
	site.mountOn(t, m.dir)
	if g.get("bar.tgz") && !g.same(site, "bar.tgz") {
		t.Errorf("after another mount, a client gets other bytes")
	}
	g.stop(t)
	g.start(t)
	g.expectBundles(t, site)
}

// ganesha is a server of NFS 4 on loopback.
type ganesha struct {
	daemon
	work, config string
	port         int
}

func newGanesha(t *testing.T, dir string) *ganesha {
	t.Helper()
	g := &ganesha{work: t.TempDir(), port: freePort(t)}
	g.config = filepath.Join(g.work, "ganesha.conf")
	must(t, os.WriteFile(g.config, fmt.Appendf(nil, `
NFS_CORE_PARAM {
	NFS_Port = %[1]d;
	Protocols = 4;
	Bind_addr = 127.0.0.1;
	Enable_NLM = false;
	Enable_RQUOTA = false;
	Enable_UDP = false;
}
NFSv4 { Graceless = true; RecoveryRoot = "%[2]s"; Minor_Versions = 0, 1; }
EXPORT {
	Export_Id = 1;
	Path = "%[3]s";
	Pseudo = "/images";
	Access_Type = RO;
	Squash = No_Root_Squash;
	SecType = sys;
	Protocols = 4;
	Transports = TCP;
	Filesystem_Id = 77.1;
	FSAL { Name = VFS; }
}
`, g.port, g.work, dir), 0o600))
	return g
}

func (g *ganesha) start(t *testing.T) {
	t.Helper()
	g.args = []string{"ganesha.nfsd", "-F", "-f", g.config, "-L", g.work + "/log", "-p", g.work + "/pid"}
	g.launch(t)
	t.Cleanup(func() {
		g.stop(t)
		if t.Failed() {
			log, _ := os.ReadFile(g.work + "/log")
			t.Logf("ganesha: %s", clip(string(log)))
		}
	})
	g.await(t, func() error {
		c, err := net.DialTimeout("tcp", loopback(g.port), time.Second)
		if err != nil {
			return err
		}
		_ = c.Close()
		return exec.Command("nfs-ls", g.url("")).Run()
	})
}

func (g *ganesha) stop(t *testing.T) {
	t.Helper()
	g.end(t, 15)
}

func (g *ganesha) url(name string) string {
	return fmt.Sprintf("nfs://127.0.0.1/images/%s?version=4&nfsport=%d", name, g.port)
}

// get copies a file from the server into g.work, and reports whether that went well.
func (g *ganesha) get(name string) bool {
	to := filepath.Join(g.work, name)
	_ = os.Remove(to)
	return exec.Command("timeout", "60", "nfs-cp", g.url(name), to).Run() == nil
}

// same reports whether the copy of get is the bundle of an export.
func (g *ganesha) same(site *clientSite, name string) bool {
	return exec.Command("cmp", filepath.Join(g.work, name), filepath.Join(site.bundles, name)).Run() == nil
}

func (g *ganesha) expectBundles(t *testing.T, site *clientSite) {
	t.Helper()
	for _, name := range []string{"bar.tgz", "foo.tgz"} {
		if !g.get(name) || !g.same(site, name) {
			t.Errorf("%s by NFS is not that of an export", name)
		}
	}
}
