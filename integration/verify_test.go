package integration

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

// exportTo writes the bundle of an image to dir/name.
func exportTo(t *testing.T, site *xcatsite.Site, dir, name string, args ...string) string {
	t.Helper()
	r := program(t, dir, append([]string{"export", "--root", site.Dir()}, args...)...)
	if !strings.Contains(r.stdout, "Done!") {
		t.Fatalf("export %q: %s%s", args, r.stdout, r.stderr)
	}
	if name != "" {
		must(t, os.Rename(filepath.Join(dir, args[0]+".tgz"), filepath.Join(dir, name)))
	}
	return filepath.Join(dir, name)
}

// verifySite is smallSite with a statelite image and an image with kits.
func verifySite(t *testing.T) *xcatsite.Site {
	t.Helper()
	site := smallSite(t, 1_300_000)
	must(t, site.AddStatelite("lite", xcatsite.Noise("k", 1000), xcatsite.Noise("r", 1000)))
	for i := range 40 {
		must(t, site.WriteFile(fmt.Sprintf("%s/usr/f%d", site.TreeDir("lite"), i), 0o644, xcatsite.Text("f", 60_000)))
	}
	_, err := site.AddKit("hpc", "hpc-comp")
	must(t, err)
	must(t, site.WriteFile("/install/kits/hpc/kit.conf", 0o644, []byte("kit")))
	must(t, site.WriteFile("/install/kits/hpc/link2", 0o644, []byte("kit")))
	must(t, os.Link(site.Path("/install/kits/hpc/kit.conf"), site.Path("/install/kits/hpc/other")))
	must(t, site.AddStateful("kits", xcatsite.Row{"kitcomponents": "hpc-comp"}, nil))
	return site
}

// linesOf are the lines of text by what stands before the first colon, as base name.
func linesOf(text string) map[string]string {
	lines := map[string]string{}
	for line := range strings.Lines(text) {
		file, verdict, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		lines[filepath.Base(file)] = verdict
	}
	return lines
}

// A directory of backups says in one line for each whether it is good and still the same.
func TestVerifyOfADirectoryOfBundles(t *testing.T) {
	site, dir := verifySite(t), t.TempDir()
	for _, image := range []string{"foo", "bar", "lite", "kits"} {
		exportTo(t, site, dir, "", image)
	}
	good := program(t, "/", "verify", "--root", site.Dir(), dir)
	expectCode(t, good, 0)
	for file, verdict := range linesOf(good.stdout) {
		if verdict != "current" && file != "4 bundles" {
			t.Errorf("%s: %s", file, verdict)
		}
	}
	expectContains(t, "summary", good.stdout, "4 bundles: 4 current\n")
	expectCode(t, program(t, "/", "verify", "--root", site.Dir(), "--quick", dir), 0)

	must(t, site.Exec("osimage", `UPDATE osimage SET description = 'new', serverrole = NULL WHERE imagename = 'foo'`))
	must(t, site.Exec("osimage", `DELETE FROM osimage WHERE imagename = 'kits'`))
	must(t, site.WriteFile(site.TreeDir("lite")+"/usr/f20", 0o644, bytes.Repeat([]byte("x"), 60_000))) // same size, same time
	must(t, site.Exec("litefile", `UPDATE litefile SET options = 'rw' WHERE file = '/etc/hostname'`))
	data, err := os.ReadFile(filepath.Join(dir, "bar.tgz"))
	must(t, err)
	data[len(data)-30_000] ^= 4
	must(t, os.WriteFile(filepath.Join(dir, "bar.tgz"), data, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "empty.tgz"), nil, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, ".tmp.tgz"), nil, 0o600))
	must(t, os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600))
	must(t, syscall.Mkfifo(filepath.Join(dir, "fifo.tgz"), 0o600))
	r := program(t, "/", "verify", "--root", site.Dir(), dir)
	expectCode(t, r, 1)
	lines := linesOf(r.stdout)
	for file, want := range map[string]string{
		"foo.tgz":   "outdated: rows osimage.description",
		"lite.tgz":  "outdated: rows litefile[/etc/hostname]; members rootimgtree.gz (content)",
		"kits.tgz":  "no such image kits",
		"bar.tgz":   "damaged at member rootimg.cpio.gz, offset ",
		"empty.tgz": "damaged at offset 0: the file is cut off here",
	} {
		if !strings.HasPrefix(lines[file], want) {
			t.Errorf("%s: %q, want %q", file, lines[file], want)
		}
	}
	if len(lines) != 6 {
		t.Errorf("%d lines, want 5 and a summary: %s", len(lines), r.stdout)
	}
	expectContains(t, "summary", r.stdout, "5 bundles: 2 outdated, 1 no such image, 2 damaged\n")
}

// What -e and -p put into a bundle is known from its manifest, so it is compared with what
// the site would export with the same options.
func TestVerifyOfBundlesWithExtrasAndPostscripts(t *testing.T) {
	site, dir := verifySite(t), t.TempDir()
	must(t, site.Insert("nodelist", xcatsite.Row{"node": "n1", "groups": "all"}))
	must(t, site.Insert("postscripts", xcatsite.Row{"node": "n1", "postscripts": "setup", "postbootscripts": "boot"}))
	must(t, site.WriteFile("/opt/extra/one", 0o640, []byte("one")))
	must(t, site.WriteFile("/opt/file", 0o644, []byte("file")))
	exportTo(t, site, dir, "foo.tgz", "foo", "-p", "n1", "-e", "/opt/extra:/opt/dest", "-e", "/opt/file")
	for _, flags := range [][]string{nil, {"--quick"}} {
		r := program(t, dir, append(append([]string{"verify", "--root", site.Dir()}, flags...), "foo.tgz")...)
		expectCode(t, r, 0)
		expectContains(t, "verdict", r.stdout, "foo.tgz: current")
	}
	must(t, site.WriteFile("/opt/extra/one", 0o640, []byte("two")))
	must(t, os.Remove(site.Path("/opt/file")))
	r := program(t, dir, "verify", "--root", site.Dir(), "foo.tgz")
	expectCode(t, r, 1)
	expectContains(t, "verdict", r.stdout, "rows extra[/opt/file].dest, extra[/opt/file].src", "extra/opt/extra/one (content)", "extra/file (gone)")
}

// The bundles of other programs are read as well, and compared as far as they can be.
func TestVerifyOfBundlesOfOtherPrograms(t *testing.T) {
	t.Parallel()
	site, dir := verifySite(t), t.TempDir()
	for _, image := range []string{"bar", "lite", "kits"} {
		exportTo(t, site, dir, "", image)
		shell(t, dir, `mkdir un && tar xzf "$1.tgz" -C un && (cd un && touch "$1"/* && tar czf "../$1.tgz" . && tar cf - . | pigz -c > "../$1-pigz.tgz"); rm -r un`, image)
	}
	r := program(t, dir, "verify", "--root", site.Dir(), ".")
	for file, verdict := range linesOf(r.stdout) {
		if !strings.HasPrefix(verdict, "current; not made by imgexportfs") && file != "6 bundles" {
			t.Errorf("%s: %s", file, verdict)
		}
	}
	expectCode(t, r, 0)
	must(t, site.WriteFile(xcatsite.ProfileDir("bar")+"/kernel", 0o755, xcatsite.Text("other", 100_000)))
	expectContains(t, "verdict", program(t, dir, "verify", "--root", site.Dir(), "bar.tgz").stdout, "bar.tgz: outdated: members kernel (content); not made by imgexportfs")
	quick := program(t, dir, "verify", "--root", site.Dir(), "--quick", "bar.tgz")
	expectCode(t, quick, 1)
	expectContains(t, "verdict", quick.stdout, "not compared: it has no plan hash")
}

// A bundle says the same with any level, and --quick knows it.
func TestVerifyKnowsEveryCompression(t *testing.T) {
	site, dir := smallSite(t, 700_000), t.TempDir()
	for i, flags := range [][]string{{"--level", "1"}, {"--compression", "store"}, {"--compression", "deflate", "--level", "9"}} {
		exportTo(t, site, dir, fmt.Sprintf("bar-%d.tgz", i), append([]string{"bar"}, flags...)...)
	}
	for _, flag := range []string{"--quick", "--json"} {
		expectCode(t, program(t, dir, "verify", "--root", site.Dir(), flag, dir), 0)
	}
	must(t, site.Touch(xcatsite.ProfileDir("bar")+"/kernel", xcatsite.Epoch.Add(time.Hour)))
	quick := program(t, dir, "verify", "--root", site.Dir(), "--quick", dir)
	expectCode(t, quick, 1)
	expectContains(t, "summary", quick.stdout, "3 bundles: 3 outdated")
	expectContains(t, "verdict", program(t, dir, "verify", "--root", site.Dir(), dir).stdout, "bar-0.tgz: outdated: members kernel (time)\n")
}

// Without a site, and for a bundle that is not in a file, soundness is checked.
func TestVerifyWithoutASiteAndFromStandardInput(t *testing.T) {
	site, dir := smallSite(t, 700_000), t.TempDir()
	exportTo(t, site, dir, "", "bar")
	exportTo(t, site, dir, "", "foo")
	env := []string{"XCATCFG=SQLite:" + dir + "/nothing"}
	r := process{args: []string{programFile, "verify", "bar.tgz", "foo.tgz"}, dir: dir, env: env, mayFail: true}.run(t)
	expectCode(t, r, 0)
	expectText(t, "stdout", r.stdout, "bar.tgz: sound\nfoo.tgz: sound\n2 bundles: 2 sound\n")
	if n := strings.Count(r.stderr, "there is no site to compare with"); n != 1 {
		t.Errorf("it is said %d times that there is no site: %s", n, r.stderr)
	}
	for _, args := range [][]string{{"--against", "bar"}, {"--against", "auto"}, {"--quick"}, {"--root", dir}} {
		p := process{args: append(append([]string{programFile, "verify"}, args...), "bar.tgz"), dir: dir, env: env, mayFail: true}
		expectCode(t, p.run(t), 3)
	}
	data, err := os.ReadFile(filepath.Join(dir, "bar.tgz"))
	must(t, err)
	in := process{args: []string{programFile, "verify", "--root", site.Dir(), "-"}, stdin: bytes.NewReader(data), mayFail: true}.run(t)
	expectText(t, "stdout", in.stdout, "-: current\n")
	in = process{args: []string{programFile, "verify", "--against", "none", "-"}, stdin: bytes.NewReader(data[:len(data)-1]), mayFail: true}.run(t)
	expectCode(t, in, 1)
	expectContains(t, "stdout", in.stdout, "-: damaged at ", "the file is cut off here")
	other := program(t, dir, "verify", "--root", site.Dir(), "--against", "foo", "bar.tgz")
	expectContains(t, "stdout", other.stdout, "bar.tgz: outdated: rows kernel, linuximage.imagename")
}

// The checksum beside a bundle is checked, also the one that a mount shows.
func TestVerifyChecksTheChecksumBesideABundle(t *testing.T) {
	site, dir := smallSite(t, 100_000), t.TempDir()
	exportTo(t, site, dir, "", "bar")
	sum := run(t, "sha256sum", filepath.Join(dir, "bar.tgz"))
	for _, test := range []struct {
		sum, want string
		code      int
	}{
		{sum, "bar.tgz: current\n", 0},
		{strings.Repeat("0", 64) + "  other.tgz\n" + sum, "bar.tgz: current\n", 0},
		{strings.Repeat("0", 64) + "  bar.tgz\n", "damaged: its SHA-256 is not that in bar.tgz.sha256\n", 1},
		{"", "damaged: bar.tgz.sha256: holds no SHA-256 of the bundle\n", 1},
	} {
		must(t, os.WriteFile(filepath.Join(dir, "bar.tgz.sha256"), []byte(test.sum), 0o644))
		r := program(t, dir, "verify", "--root", site.Dir(), "bar.tgz")
		expectCode(t, r, test.code)
		expectContains(t, "verdict", r.stdout, test.want)
	}
	m := mountSite(t, site.Dir())
	r := program(t, dir, "verify", "--root", site.Dir(), m.dir)
	expectCode(t, r, 0)
	expectContains(t, "verdicts", r.stdout, "2 bundles: 2 current")
}

// verify --json is for programs, and holds what a name may hold.
func TestVerifyAsJSON(t *testing.T) {
	site, dir := smallSite(t, 700_000), t.TempDir()
	exportTo(t, site, dir, "odd\x1b\xff.tgz", "bar")
	data, err := os.ReadFile(filepath.Join(dir, "odd\x1b\xff.tgz"))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "a.tgz"), data[:100_000], 0o600))
	text := program(t, dir, "verify", "--root", site.Dir(), dir)
	if strings.Contains(text.stdout, "\x1b") || strings.Contains(text.stdout, "\xff") {
		t.Errorf("a control byte is printed: %q", text.stdout)
	}
	r := program(t, dir, "verify", "--root", site.Dir(), "--json", dir)
	expectCode(t, r, 1)
	var list []struct {
		File, Verdict, Image, Reason, Member string
		Offset                               *int64
		Rows, Notes                          []string
		Members                              []map[string]string
	}
	if err := json.Unmarshal([]byte(r.stdout), &list); err != nil || len(list) != 2 {
		t.Fatalf("%v: %s", err, r.stdout)
	}
	if v := list[0]; v.Verdict != "damaged" || v.Member == "" || v.Offset == nil || v.Reason == "" || v.Image != "bar" {
		t.Errorf("%+v", v)
	}
	if v := list[1]; v.Verdict != "current" || !strings.HasSuffix(v.File, `odd\x1b\xff.tgz`) || v.Offset != nil || v.Rows == nil {
		t.Errorf("%+v", v)
	}
}

func TestVerifyOfWhatCannotBeRead(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{}, 2, "verify takes its flags and then bundles"},
		{[]string{"--quick", "--against", "none", "x"}, 2, "leave one of them out"},
		{[]string{"--against", "none", "gone.tgz"}, 1, "gone.tgz: unreadable: no such file"},
		{[]string{"--against", "none", dir}, 1, dir + ": unreadable: there is no *.tgz in this directory"},
		{[]string{"--against", "none", "/dev/zero"}, 1, "/dev/zero: unreadable: is not a file"},
	} {
		r := program(t, dir, append([]string{"verify"}, test.args...)...)
		expectCode(t, r, test.code)
		expectContains(t, "output", r.stdout+r.stderr, test.want)
	}
}

// Ctrl-C ends at once, whatever verify waits for.
func TestVerifyEndsAtOnce(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	reader, writer, err := os.Pipe()
	must(t, err)
	defer func() { _, _ = reader.Close(), writer.Close() }()
	cmd := process{args: []string{programFile, "verify", "--against", "none", "-"}, stdin: reader}.command(ctx)
	must(t, cmd.Start())
	time.Sleep(200 * time.Millisecond)
	start := time.Now()
	must(t, cmd.Process.Signal(syscall.SIGINT))
	_ = cmd.Wait()
	if code, took := exitCode(cmd.ProcessState), time.Since(start); code != 130 || took > 2*time.Second {
		t.Errorf("exit code %d after %v", code, took)
	}
}
