package integration

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Samba shows a mount as a share, by the configuration of docs/operations.md: what its
// clients get is the bundle, also a rest of it, and after a change the new one.
func TestSambaSharesAMount(t *testing.T) {
	needClients(t, "smbd", "smbclient")
	logVersion(t, "smbd", "--version")
	site := newClientSite(t, smallSite(t, 10_000_000))
	m := site.mount(t, "-o", "allow_other,umask=022")
	openTheWay(t, m.dir)
	port := startSamba(t, m.dir)
	work := t.TempDir()
	smb := func(commands string) string {
		t.Helper()
		return process{
			args: []string{"smbclient", "-s", work + "/none", "-p", port, "-N", "-c", commands, "//127.0.0.1/images"}, dir: work,
		}.run(t).stdout
	}
	must(t, os.WriteFile(work+"/none", nil, 0o600))
	expectContains(t, "the listing", smb("ls"), "bar.tgz", "bar.tgz.sha256", "foo")
	smb("prompt off; mget *.tgz")
	site.expectBundles(t, work)
	must(t, os.Truncate(work+"/bar.tgz", 3_000_001))
	smb("reget bar.tgz")
	site.expectBundles(t, work)
	smb(`cd bar; get rootimg.cpio.gz`)
	run(t, "cmp", work+"/rootimg.cpio.gz", filepath.Join(site.members, "bar/rootimg.cpio.gz"))
	site.changeBar(t, m, "another", 10_000_000)
	smb("get bar.tgz")
	site.expectBundles(t, work)
}

// startSamba serves a directory read-only to guests, and returns its port.
func startSamba(t *testing.T, dir string) (port string) {
	t.Helper()
	work := t.TempDir()
	openTheWay(t, work+"/x")
	number := freePort(t)
	config := fmt.Sprintf(`
[global]
	smb ports = %[1]d
	interfaces = 127.0.0.1
	bind interfaces only = yes
	disable netbios = yes
	security = user
	map to guest = bad user
	guest account = nobody
	load printers = no
	printcap name = /dev/null
	pid directory = %[2]s
	lock directory = %[2]s
	state directory = %[2]s
	cache directory = %[2]s
	private dir = %[2]s
	ncalrpc dir = %[2]s/ncalrpc
	log file = %[2]s/log
[images]
	path = %[3]s
	guest ok = yes
	read only = yes
	veto files = /.imgexportfs/
	kernel oplocks = no
	oplocks = no
	level2 oplocks = no
	smb2 leases = no
`, number, work, dir)
	must(t, os.WriteFile(work+"/smb.conf", []byte(config), 0o644))
	d := &daemon{args: []string{"smbd", "--foreground", "--no-process-group", "-s", work + "/smb.conf"}}
	d.launch(t)
	t.Cleanup(func() { d.end(t, 15) })
	d.await(t, func() error {
		c, err := net.DialTimeout("tcp", loopback(number), time.Second)
		if err != nil {
			return err
		}
		return c.Close()
	})
	return fmt.Sprint(number)
}
