package integration

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

// manySite has n stateful images, which are rows and one template.
func manySite(t *testing.T, n int) *xcatsite.Site {
	t.Helper()
	site := newSite(t)
	must(t, site.WriteFile("/install/t.tmpl", 0o644, []byte("t")))
	for table, columns := range map[string]string{
		"osimage":    `imagename, provmethod, profile, osvers, osarch) SELECT 'image' || i, 'install', 'p', 'rhels9', 'x86_64'`,
		"linuximage": `imagename, template) SELECT 'image' || i, '/install/t.tmpl'`,
	} {
		must(t, site.Exec(table, fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < %d)
			INSERT INTO %s (%s FROM n`, n, table, columns)))
	}
	return site
}

// A plain ls asks for names and for what costs little: the kernel looks up no
// file, nothing is sized for it, and it does not wait for sizes that are being
// found out.
func TestListingLooksUpNothing(t *testing.T) {
	site := manySite(t, 2000)
	must(t, site.AddImage("slow", "raw", xcatsite.Row{"osarch": "s390x", "osvers": "sles15", "profile": "z"}, nil))
	must(t, site.WriteFile("/install/raw/sles15/s390x/z/a.img", 0o644, xcatsite.Text("slow", 20<<20)))
	m := mountSiteEnv(t, site.Dir(), slowlyEnv, append([]string{"--debug"}, slowlyFlags...)...)
	r := process{args: []string{"ls", "-U", m.dir}}.run(t)
	if names := strings.Count(r.stdout, "\n"); names != 3*2001 {
		t.Errorf("ls shows %d names, want %d", names, 3*2001)
	}
	log := m.wholeLog()
	if !strings.Contains(log, ": READDIR") {
		t.Fatalf("the log does not show what the kernel asks for: %s", clip(log))
	}
	// Of the first names of a listing the kernel wants attributes too, before
	// it can know whether anybody does; those of directories cost nothing.
	withAttributes := 0
	for line := range strings.Lines(log) {
		if strings.Contains(line, ": READDIRPLUS ") {
			withAttributes++
		}
		if strings.Contains(line, ": LOOKUP ") && !strings.Contains(line, "go-fuse") {
			t.Errorf("ls has the kernel ask: %s", line)
		}
	}
	if withAttributes > 1 {
		t.Errorf("ls has the kernel ask %d times for attributes", withAttributes)
	}
}

// wholeLog is all that the server has said.
func (m *mount) wholeLog() string {
	m.log.mu.Lock()
	defer m.log.mu.Unlock()
	return m.log.buf.String()
}

// ls -l of many stateful images needs their sizes, which are small work.
func TestLongListingOfManyImagesIsQuick(t *testing.T) {
	const images = 2000
	m := mountSite(t, manySite(t, images).Dir(), "--refresh", "60s")
	for _, look := range []string{"first", "second"} {
		r := process{args: []string{"bash", "-euo", "pipefail", "-c", `ls -l "$1" | wc -l`, "bash", m.dir}}.run(t)
		t.Logf("%s ls -l of %d images: %v", look, images, r.took)
		expectText(t, "number of lines", strings.TrimSpace(r.stdout), strconv.Itoa(1+3*images))
		if r.took > 10*time.Second {
			t.Errorf("the %s ls -l of %d images takes %v", look, images, r.took)
		}
	}
}

// Within the refresh interval a tree is walked once, however often something
// is looked at or looked for in its image.
func TestLooksWithinTheRefreshIntervalDoNotWalkTheTree(t *testing.T) {
	site := newSite(t)
	must(t, site.AddStatelite("big", []byte("kernel"), []byte("ramdisk")))
	const dirs, perDir = 60, 99
	for d := range dirs {
		makeCrowd(t, fmt.Sprintf("%s/d%03d", site.Path(site.TreeDir("big")), d), d, perDir)
	}
	m := mountSite(t, site.Dir(), "--refresh", "60s")
	started := m.cpu(t)
	statOne(t, m.path("big.tgz"))
	first := m.cpu(t) - started
	const looks = 100
	started = m.cpu(t)
	// A name that is not there is asked for anew each time.
	r := process{args: []string{"bash", "-c", `
		for ((i = 0; i < $2; i++)); do
			[ -e "$1/big/nothing-$i" ] && exit 1
			[ -s "$1/big.tgz" ] || exit 1
		done`, "bash", m.dir, strconv.Itoa(looks)}}.run(t)
	later := m.cpu(t) - started
	t.Logf("the first stat takes the server %v, %d looks then %v of processor time and %v in all", first, 2*looks, later, r.took)
	if r.took > 5*time.Second {
		t.Errorf("%d looks take %v, want a few milliseconds each at most", 2*looks, r.took)
	}
	if first > 0 && later > looks*first/10 {
		t.Errorf("%d looks take %v of processor time where one walk takes %v", 2*looks, later, first)
	}
}
