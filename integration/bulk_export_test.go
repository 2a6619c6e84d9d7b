package integration

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"imgexportfs/integration/xcatsite"
)

// bulkExport exports from a site into the directory "to" below work.
func bulkExport(t *testing.T, work string, site *xcatsite.Site, args ...string) result {
	t.Helper()
	return program(t, work, append([]string{"export", "--root", site.Dir()}, args...)...)
}

// destination makes a working directory with a directory "to" in it.
func destination(t *testing.T) (work, to string) {
	t.Helper()
	work = t.TempDir()
	to = filepath.Join(work, "to")
	must(t, os.Mkdir(to, 0o755))
	return work, to
}

// A bulk export writes what single exports write, of the images that are named, once each.
func TestBulkExportWritesWhatSingleExportsWrite(t *testing.T) {
	site := smallSite(t, 100_000)
	addPlain(t, site, "p1", "p2", "odd [x]", "odd *")
	for _, c := range []struct {
		args  string
		files string
	}{
		{"--all to", "bar foo odd_* odd_[x] p1 p2"},
		{"--all to/", "bar foo odd_* odd_[x] p1 p2"},
		{"foo bar to/", "bar foo"},
		{"p1 p? p1 to", "p1 p2"},
		{"p* to", "p1 p2"},
		{"[bf]* to/ -v", "bar foo"},
	} {
		work, to := destination(t)
		r := bulkExport(t, work, site, strings.Fields(c.args)...)
		expectCode(t, r, 0)
		var want []string
		for file := range strings.FieldsSeq(c.files) {
			want = append(want, file+".tgz")
		}
		expectLines(t, c.args, listing(t, to), want)
		expectContains(t, "stdout", r.stdout, counted(len(want), "image")+": ", " written, 0 current, 0 failed\n")
		expectText(t, "modes", shell(t, to, `find . -type f ! -perm 600`), "")
		single := t.TempDir()
		expectCode(t, bulkExport(t, single, site, "p1"), 0)
		if strings.Contains(c.files, "p1") {
			run(t, "cmp", single+"/p1.tgz", to+"/p1.tgz")
		}
	}
	work, to := destination(t)
	r := bulkExport(t, work, site, "odd *", "to") // the name of an image is no glob
	expectCode(t, r, 0)
	expectLines(t, "one image", listing(t, to), []string{"odd_*.tgz"})
	expectContains(t, "stdout of imgexport's form", r.stdout, "Exporting odd * to ", "Done!\n")
}

// What is current stays untouched; what has another plan or another length is written.
func TestBulkExportSkipsWhatIsCurrent(t *testing.T) {
	site := smallSite(t, 3<<20)
	addPlain(t, site, "plain")
	work, to := destination(t)
	all := func() string {
		r := bulkExport(t, work, site, "--all", "to/")
		expectCode(t, r, 0)
		return r.stdout
	}
	expectContains(t, "first", all(), "bar: written, ", "3 images: 3 written, 0 current, 0 failed")
	shell(t, to, `cp -p bar.tgz ../good; touch -d 2001-01-01 *`)
	expectContains(t, "second", all(), "bar: current\n", "3 images: 0 written, 3 current, 0 failed")
	expectText(t, "touched files", shell(t, to, `find . -type f -newermt 2001-01-02`), "")

	must(t, site.Exec("osimage", `UPDATE osimage SET description = 'bbbb' WHERE imagename = 'foo'`))
	shell(t, to, `truncate -s -1 bar.tgz; echo nonsense > plain.tgz`)
	expectContains(t, "after changes", all(), "3 images: 3 written, 0 current, 0 failed")
	run(t, "cmp", work+"/good", to+"/bar.tgz")
	expectContains(t, "the manifest", string(mustReadTarball(t, to+"/foo.tgz").manifest), "bbbb")
	shell(t, to, `cat bar.tgz bar.tgz > twice; mv twice bar.tgz`)
	expectContains(t, "longer", all(), "1 written, 2 current")
	run(t, "cmp", work+"/good", to+"/bar.tgz")
	expectContains(t, "with other contents", bulkExport(t, work, site, "--all", "to", "-e", site.Path("/etc/xcat")[len(site.Dir()):]).stdout, "3 written")
}

// A failure is named and does not keep the others; the highest exit code counts, and
// nothing but bundles is left.
func TestBulkExportContinuesAfterFailures(t *testing.T) {
	site := smallSite(t, 1000)
	must(t, site.AddImage("bad", "netboot", nil, nil))
	addPlain(t, site, "a b", "a_b", "-x", "zz")
	work, to := destination(t)
	r := bulkExport(t, work, site, "--all", "to")
	expectCode(t, r, 1)
	expectLines(t, "files", listing(t, to), []string{"a_b.tgz", "bar.tgz", "foo.tgz", "zz.tgz"})
	expectContains(t, "stdout", r.stdout, "7 images: 4 written, 0 current, 3 failed\n")
	expectContains(t, "stderr", r.stderr, "bad: Error: ", `a_b: Error: image "a_b" cannot be shown`, "-x: Error: ")

	must(t, os.Remove(to+"/foo.tgz"))
	must(t, os.Mkdir(to+"/foo.tgz", 0o755))
	r = bulkExport(t, work, site, "foo", "nosuch", "bar", "q*", "to/")
	expectCode(t, r, exitWrite)
	expectContains(t, "stdout", r.stdout, "4 images: 0 written, 1 current, 3 failed\n")
	expectContains(t, "stderr", r.stderr, "foo: Error: ", "is a directory",
		"nosuch: Error: Cannot find image 'nosuch' from the osimage table.\n", "q*: Error: Cannot find image 'q*'")
	expectLines(t, "files", listing(t, to), []string{"a_b.tgz", "bar.tgz", "foo.tgz", "zz.tgz"})
}

// A command line that is no bulk export and no imgexport is refused, and nothing is
// written. The name imgexport has no bulk export.
func TestBulkExportWantsADirectory(t *testing.T) {
	site := smallSite(t, 1000)
	work, to := destination(t)
	link := filepath.Join(t.TempDir(), "imgexport")
	must(t, os.Symlink(programFile, link))
	for args, want := range map[string]struct {
		code int
		says string
	}{
		"foo bar x":                 {2, `"x" is not a directory`},
		"f* x":                      {2, `"x" is not a directory`},
		"foo bar missing/":          {exitWrite, "no such file or directory"},
		"--all":                     {2, "--all takes one operand"},
		"foo bar to -R root@nohost": {2, "-R takes one image"},
		"foo b[a to":                {2, "not a valid pattern"},
		"f*":                        {1, "Cannot find image 'f*'"},
	} {
		r := bulkExport(t, work, site, strings.Fields(args)...)
		expectCode(t, r, want.code)
		expectContains(t, args, r.stderr, want.says)
	}
	for _, args := range []string{"foo bar to/", "--all to/"} {
		r := process{args: append([]string{link, "--root", site.Dir()}, strings.Fields(args)...), dir: work, mayFail: true}.run(t)
		expectCode(t, r, 2)
	}
	expectLines(t, "files", listing(t, to), nil)
	expectLines(t, "files", listing(t, work), []string{"to"})
	help := process{args: []string{link, "--help"}}.run(t)
	if strings.Contains(help.stdout, "--all") {
		t.Errorf("imgexport --help speaks of bulk exports: %s", help.stdout)
	}
	expectContains(t, "help", program(t, work, "export", "--help").stdout, "--all <dir>/", "unless the file there is current")
}

// A signal ends a bulk export at once. What is complete stays.
func TestInterruptedBulkExportKeepsWhatIsComplete(t *testing.T) {
	site := slowSite(t)
	addPlain(t, site, "a")
	work, to := destination(t)
	args := append([]string{programFile, "export", "--root", site.Dir(), "--all", "to"}, slowlyFlags...)
	cmd := process{args: args, dir: work, env: slowlyEnv}.command(context.Background())
	must(t, cmd.Start())
	eventually(t, "a.tgz is complete", func() bool { return len(listing(t, to)) == 1 })
	expectWritesIn(t, cmd, to)
	endsSoonAfter(t, cmd, syscall.SIGINT)
	expectLines(t, "files", listing(t, to), []string{"a.tgz"})
}

// To standard output goes the bundle and nothing else.
func TestExportToStandardOutput(t *testing.T) {
	site := smallSite(t, 3<<20)
	work := t.TempDir()
	expectCode(t, bulkExport(t, work, site, "bar", "file"), 0)
	out := shell(t, work, `"$1" export --root "$2" bar - -v 2>words | cmp - file; cat words`, programFile, site.Dir())
	expectContains(t, "stderr", out, "Exporting bar to standard output...\n", "Done!\n", "bytes (")
	expectLines(t, "files", listing(t, work), []string{"file", "words"})

	r := bulkExport(t, work, site, "nosuch", "-")
	expectCode(t, r, 1)
	expectText(t, "stdout", r.stdout, "")

	link := filepath.Join(t.TempDir(), "imgexport")
	must(t, os.Symlink(programFile, link))
	process{args: []string{link, "--root", site.Dir(), "foo", "-"}, dir: work}.run(t)
	mustReadTarball(t, filepath.Join(work, "-")) // as with imgexport
}

// A reader that goes away is an error with the code of a bundle that was not written.
func TestExportToABrokenPipe(t *testing.T) {
	site := smallSite(t, 3<<20)
	out := shell(t, t.TempDir(), `set +e; "$1" export --root "$2" bar - 2>words | head -c 1000 >/dev/null; echo ${PIPESTATUS[0]}; cat words`, programFile, site.Dir())
	expectContains(t, "code and stderr", out, "5\n", "Error: standard output: broken pipe\n")
	if strings.Contains(out, "Done!") {
		t.Error(out)
	}
}

// A reader that has stopped reading does not keep an export that a signal ends.
func TestSignalEndsAnExportThatNobodyReads(t *testing.T) {
	site := smallSite(t, 3<<20)
	read, write, err := os.Pipe()
	must(t, err)
	defer read.Close()
	cmd := process{args: []string{programFile, "export", "--root", site.Dir(), "bar", "-"}}.command(context.Background())
	cmd.Stdout = write
	must(t, cmd.Start())
	must(t, write.Close())
	_, err = io.ReadFull(read, make([]byte, 1000))
	must(t, err)
	time.Sleep(100 * time.Millisecond) // the pipe is full
	endsSoonAfter(t, cmd, syscall.SIGTERM)
}
