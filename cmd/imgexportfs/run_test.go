package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

const testSite = "../../integration/testdata/conformance/site.tar.gz"

// unpackSite unpacks the site of the conformance tests and goes into an
// empty directory beside it.
func unpackSite(t *testing.T) (root, cwd string) {
	t.Helper()
	archive, err := filepath.Abs(testSite)
	if err != nil {
		t.Fatal(err)
	}
	root, cwd = t.TempDir(), realTempDir(t)
	tar := exec.Command("tar", "xzf", archive, "-C", root)
	if os.Geteuid() != 0 {
		tar.Args = append(tar.Args, "--exclude=dev/*") // only root makes devices
	}
	if out, err := tar.CombinedOutput(); err != nil {
		t.Fatalf("unpack %s: %v: %s", testSite, err, out)
	}
	t.Chdir(cwd)
	t.Setenv("XCATCFG", "")
	return root, cwd
}

// try runs a command line and returns the exit code and what was printed, to
// each stream and to both.
func try(t *testing.T, args ...string) (code int, stdout, stderr, both string) {
	t.Helper()
	var o, e, b bytes.Buffer
	code = run(t.Context(), args, tee{&o, &b}, tee{&e, &b})
	return code, o.String(), e.String(), b.String()
}

type tee struct{ one, two *bytes.Buffer }

func (w tee) Write(p []byte) (int, error) {
	w.two.Write(p)
	return w.one.Write(p)
}

func TestExportWithoutArgumentsShowsItsUse(t *testing.T) {
	for _, test := range []struct {
		args []string
		code int
		head string
	}{
		{[]string{"imgexportfs", "export"}, 1, "imgexportfs export: Creates a tarball"},
		{[]string{"imgexportfs", "export", "-h"}, 0, "imgexportfs export: Creates a tarball"},
		{[]string{"imgexportfs", "export", "foo", "--help"}, 0, "imgexportfs export: Creates a tarball"},
	} {
		code, stdout, stderr, _ := try(t, test.args...)
		if code != test.code || !strings.HasPrefix(stdout, test.head) || stderr != "" {
			t.Errorf("%q: code %d, stderr %q, stdout %q", test.args, code, stderr, stdout)
		}
	}
	if got := calledAs([]string{"/usr/local/bin/imgexport", "x"}); got != "imgexport" {
		t.Errorf("through the link the command is called %q", got)
	}
}

func TestWrongCommandLinesAreUsageErrors(t *testing.T) {
	root, _ := unpackSite(t)
	for line, want := range map[string]string{
		"imgexportfs nosuch":                    `no command "nosuch"`,
		"imgexportfs --nosuch":                  "nosuch",
		"imgexportfs export a b c":              `"c" is not a directory`,
		"imgexportfs export --all":              "--all takes one operand",
		"imgexportfs export --all a b/":         "--all takes one operand",
		"imgexportfs export a b c/ -R root@mn2": "-R takes one image",
		"imgexportfs export a -x":               "unknown option -x",
		"imgexportfs export a -R -oProxyUseFdp": "not the name of a host",
		"imgexport a -x":                        "unknown option -x",
		"imgexportfs list extra":                `"extra"`,
		"imgexportfs list --nosuch":             "nosuch",
		"imgexportfs list --memory many":        "many",
		"imgexportfs mount":                     "one directory",
		"imgexportfs mount /a -o ro /b":         "one directory",
		"imgexportfs mount -o nosuch /a":        `unknown option "nosuch"`,
		"imgexportfs mount --refresh -1s /a":    "negative",
		"imgexportfs umount":                    "no directory",
		"imgexportfs check --nosuch":            "nosuch",
		"imgexportfs version more":              `"more"`,
	} {
		args := strings.Fields(line)
		if strings.Contains(line, "-R") {
			args = append(args, "--root", root)
		}
		code, stdout, stderr, _ := try(t, args...)
		if code != exitUsage || !strings.HasPrefix(stderr, "Error: ") || !strings.Contains(stderr, want) || stdout != "" {
			t.Errorf("%s: code %d, stdout %q, stderr %q; want code 2 and %q", line, code, stdout, stderr, want)
		}
	}
}

func TestExportSaysWhatImgexportSays(t *testing.T) {
	root, cwd := unpackSite(t)
	for _, test := range []struct {
		image string
		code  int
		want  []string
		file  string
	}{
		{"c02_tmpl_compute", 0, []string{
			"Exporting c02_tmpl_compute to " + cwd + "...",
			"/opt/xcat/share/xcat/install/rh/compute.tmpl",
			"/opt/xcat/share/xcat/install/rh/compute.tmpl",
			"/install/custom/install/rh/c01.otherpkgs.pkglist",
			"Compressing c02_tmpl_compute bundle.  Please be patient.",
			"Done!",
		}, "c02_tmpl_compute.tgz"},
		{"c02_tmpl_missing_on_disk", 1, []string{
			"Exporting c02_tmpl_missing_on_disk to " + cwd + "...",
			"/install/custom/install/rh/gone.tmpl",
			"Error: Couldn't find file /install/custom/install/rh/gone.tmpl for c02_tmpl_missing_on_disk. Skip.",
			"/install/custom/install/rh/gone.pkglist",
			"Error: Couldn't find file /install/custom/install/rh/gone.pkglist for c02_tmpl_missing_on_disk. Skip.",
			"Compressing c02_tmpl_missing_on_disk bundle.  Please be patient.",
			"Done!",
		}, "c02_tmpl_missing_on_disk.tgz"},
		{"c02_tmpl_none", 1, []string{
			"Exporting c02_tmpl_none to " + cwd + "...",
			"Error: Couldn't find install template for c02_tmpl_none",
		}, ""},
		{"nosuchimage", 1, []string{
			"Exporting nosuchimage to " + cwd + "...",
			"Error: Cannot find image 'nosuchimage' from the osimage table.",
		}, ""},
	} {
		code, stdout, stderr, both := try(t, "imgexport", test.image, "--root", root)
		if want := strings.Join(test.want, "\n") + "\n"; code != test.code || both != want {
			t.Errorf("%s: code %d, got\n%swant code %d and\n%s", test.image, code, both, test.code, want)
		}
		if strings.Contains(stdout, "Error: ") || len(stderr) > 0 && strings.Contains(stderr, "Exporting") {
			t.Errorf("%s: on the wrong stream: stdout %q, stderr %q", test.image, stdout, stderr)
		}
		if test.file == "" {
			onlyFile(t, cwd)
			continue
		}
		onlyFile(t, cwd, test.file)
		if st, err := os.Stat(test.file); err != nil || st.Mode() != 0o600 {
			t.Errorf("%s: mode %v, %v", test.file, st.Mode(), err)
		}
		if out, err := exec.Command("tar", "xzf", test.file, "-O", "./"+test.image+"/manifest.xml").CombinedOutput(); err != nil ||
			!bytes.Contains(out, []byte("<imagename>"+test.image+"</imagename>")) {
			t.Errorf("%s: tar: %v: %s", test.file, err, out)
		}
		if err := os.Remove(test.file); err != nil {
			t.Fatal(err)
		}
	}
}

func TestExportTakesNamesThatLookLikeOptions(t *testing.T) {
	root, cwd := unpackSite(t)
	for _, args := range [][]string{
		{"-c69dash", "one"},
		{"-v", "-c69dash", "one"},
		{"--", "-c69dash", "one"},
	} {
		code, _, _, both := try(t, append([]string{"imgexportfs", "export", "--root", root}, args...)...)
		if code != 0 || !strings.HasSuffix(both, "Done!\n") {
			t.Errorf("%q: code %d: %s", args, code, both)
		}
		onlyFile(t, cwd, "one")
		_ = os.Remove("one")
	}
	code, stdout, stderr, _ := try(t, "imgexportfs", "export", "--root", root, "--nosuch=1")
	if code != exitUsage || stdout != "" || !strings.Contains(stderr, "unknown option --nosuch=1; put -- before") {
		t.Errorf("unknown option: code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	if code, _, stderr, _ := try(t, "imgexportfs", "export", "--root", root, "--", "--nosuch"); code != exitProblems ||
		!strings.Contains(stderr, "Error: Cannot find image '--nosuch' from the osimage table.") {
		t.Errorf("a name behind --: code %d, stderr %q", code, stderr)
	}
}

func TestExportRefusesNamesThatAreNoFiles(t *testing.T) {
	root, cwd := unpackSite(t)
	code, _, stderr, _ := try(t, "imgexport", "--root", root, "c69/slash", "out")
	if code != exitProblems || !strings.HasPrefix(stderr, "Error: ") {
		t.Errorf("code %d, stderr %q", code, stderr)
	}
	onlyFile(t, cwd)
}

func TestExportFailsBeforeItSaysAnythingElse(t *testing.T) {
	root, cwd := unpackSite(t)
	mkdir(t, "c02_tmpl_compute.tgz")
	for dest, want := range map[string]string{
		"":        "is a directory",
		"nodir/":  "no such file or directory",
		"nodir/x": "no such file or directory",
	} {
		code, stdout, stderr, _ := try(t, "imgexport", "--root", root, "c02_tmpl_compute", dest)
		if code != exitWrite || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%q: code %d, stdout %q, stderr %q", dest, code, stdout, stderr)
		}
	}
	onlyFile(t, cwd, "c02_tmpl_compute.tgz")
}

func TestExportVerboseSummary(t *testing.T) {
	root, _ := unpackSite(t)
	code, stdout, stderr, _ := try(t, "imgexport", "-v", "--root", root, "c02_tmpl_compute", "out")
	st, err := os.Stat("out")
	if code != 0 || err != nil {
		t.Fatalf("code %d, %v, stderr %q", code, err, stderr)
	}
	lines := strings.Split(stderr, "\n")
	if len(lines) != 3 || len(lines[0]) != len("plan ")+64 ||
		!strings.HasPrefix(lines[1], fmt.Sprint(st.Size(), " bytes (")) || !strings.HasSuffix(lines[1], "/s") {
		t.Errorf("stderr %q", stderr)
	}
	if strings.Contains(stdout, "plan ") {
		t.Errorf("stdout %q", stdout)
	}
}

func TestExportToARemoteHost(t *testing.T) {
	root, cwd := unpackSite(t)
	home := t.TempDir()
	fakeSSH(t, home, "cat")
	code, _, _, both := try(t, "imgexport", "--root", root, "-R", "root@mn2", "c02_tmpl_compute")
	if code != 0 || !strings.HasPrefix(both, "Exporting c02_tmpl_compute to root@mn2...\n") || !strings.HasSuffix(both, "Done!\n") {
		t.Errorf("code %d: %s", code, both)
	}
	onlyFile(t, cwd)
	onlyFile(t, home, "c02_tmpl_compute.tgz")
}

func TestListShowsEveryVisibleImage(t *testing.T) {
	root, _ := unpackSite(t)
	code, stdout, stderr, _ := try(t, "imgexportfs", "list", "--root", root)
	if code != 0 || stderr != "" {
		t.Fatalf("code %d, stderr %q", code, stderr)
	}
	lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
	var seen int
	for _, line := range lines {
		switch fields := strings.Fields(line); fields[0] {
		case "c01_install_full":
			if len(fields) != 7 || fields[1] != "install" || fields[6] != "ok" {
				t.Errorf("good image: %q", line)
			}
			seen++
		case "c02_tmpl_missing_on_disk":
			if !strings.HasSuffix(line, "  2 problems") {
				t.Errorf("image with problems: %q", line)
			}
			seen++
		case "c02_tmpl_none":
			if !strings.Contains(line, " -  ") || !strings.HasSuffix(line, "  refused: Couldn't find install template for c02_tmpl_none") {
				t.Errorf("refused image: %q", line)
			}
			seen++
		case `c69\ttab\n`:
			seen++
		case "c71_disable_1":
			t.Errorf("disabled image: %q", line)
		}
	}
	if seen != 4 {
		t.Errorf("found %d of 4 images in\n%s", seen, stdout)
	}

	code, stdout, _, _ = try(t, "imgexportfs", "list", "--json", "--root", root)
	var rows []imageReport
	if err := json.Unmarshal([]byte(stdout), &rows); err != nil || code != 0 || len(rows) != len(lines)-1 {
		t.Errorf("--json: code %d, %v, %d rows for %d images", code, err, len(rows), len(lines)-1)
	}
}

func TestCheckNamesEveryProblem(t *testing.T) {
	root, _ := unpackSite(t)
	for _, test := range []struct {
		images []string
		code   int
		want   string
	}{
		{[]string{"c01_install_full", "c02_tmpl_compute"}, 0, "2 images, no problems\n"},
		{[]string{"c01_install_full"}, 0, "1 image, no problems\n"},
		{[]string{"c02_tmpl_missing_on_disk", "c01_install_full", "nosuch"}, 1, `c02_tmpl_missing_on_disk: Error: Couldn't find file /install/custom/install/rh/gone.tmpl for c02_tmpl_missing_on_disk. Skip.
c02_tmpl_missing_on_disk: Error: Couldn't find file /install/custom/install/rh/gone.pkglist for c02_tmpl_missing_on_disk. Skip.
nosuch: Error: Cannot find image 'nosuch' from the osimage table.
3 images, 3 problems in 2 of them
`},
	} {
		code, stdout, stderr, _ := try(t, append([]string{"imgexportfs", "check", "--root", root}, test.images...)...)
		if code != test.code || stdout != test.want || stderr != "" {
			t.Errorf("%q: code %d, stderr %q, stdout\n%swant code %d and\n%s", test.images, code, stderr, stdout, test.code, test.want)
		}
	}
	code, stdout, _, _ := try(t, "imgexportfs", "check", "--root", root)
	if code != exitProblems || strings.Count(stdout, "c69/slash: Error: ") != 1 {
		t.Errorf("check of all: code %d, c69/slash is not named once in\n%s", code, stdout)
	}
}

func TestUnreadableSitesHaveTheirOwnCode(t *testing.T) {
	empty := t.TempDir()
	for _, line := range []string{"list", "check", "export foo", "mount"} {
		for _, flags := range [][]string{{"--root", empty}, {"--root", filepath.Join(empty, "nodir")}, {"--cfgloc", "SQLite:" + empty}, {"--cfgloc", "Nosuch:x"}} {
			args := append(append([]string{"imgexportfs"}, strings.Fields(line)...), flags...)
			if line == "mount" {
				args = append(args, empty)
			}
			code, stdout, stderr, _ := try(t, args...)
			if code != exitSite || !strings.HasPrefix(stderr, "Error: ") || stdout != "" {
				t.Errorf("%q: code %d, stdout %q, stderr %q", args, code, stdout, stderr)
			}
		}
	}
}

func TestMountFailuresHaveTheirOwnCode(t *testing.T) {
	root, _ := unpackSite(t)
	dir := t.TempDir()
	write(t, filepath.Join(dir, "file"), "")
	for _, args := range [][]string{
		{"mount", "--root", root, filepath.Join(dir, "nodir")},
		{"mount", "--root", root, filepath.Join(dir, "file")},
		{"umount", dir, filepath.Join(dir, "nodir")},
	} {
		code, stdout, stderr, _ := try(t, append([]string{"imgexportfs"}, args...)...)
		if code != exitMount || !strings.HasPrefix(stderr, "Error: ") || !strings.Contains(stderr, args[len(args)-1]) || stdout != "" {
			t.Errorf("%q: code %d, stdout %q, stderr %q", args, code, stdout, stderr)
		}
	}
}

func TestVersion(t *testing.T) {
	for _, arg := range []string{"version", "--version"} {
		code, stdout, stderr, _ := try(t, "imgexportfs", arg)
		if code != 0 || stderr != "" || !strings.HasPrefix(stdout, "imgexportfs ") ||
			!strings.Contains(stdout, runtime.Version()) || !strings.Contains(stdout, "bundle format ") {
			t.Errorf("%s: code %d, stdout %q, stderr %q", arg, code, stdout, stderr)
		}
	}
}

func TestHelpListsCommandsAndExitCodes(t *testing.T) {
	code, stdout, _, _ := try(t, "imgexportfs", "--help")
	for _, want := range []string{"mount", "umount", "export", "list", "check", "version", "130"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("code %d, no %q in\n%s", code, want, stdout)
		}
	}
	for _, command := range []string{"mount", "umount", "list", "check", "version"} {
		code, stdout, stderr, _ := try(t, "imgexportfs", command, "--help")
		if code != 0 || !strings.Contains(stdout, "imgexportfs "+command) || stderr != "" {
			t.Errorf("%s --help: code %d, stderr %q, stdout\n%s", command, code, stderr, stdout)
		}
	}
}
