package main

import (
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/urfave/cli/v2"
)

// helps are the help of the program and of each command, by how they are asked for.
func helps(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	lines := []string{"--help", "help"}
	for _, command := range newApp(nil, nil).VisibleCommands() {
		lines = append(lines, command.Name+" --help", "help "+command.Name)
	}
	for _, line := range lines {
		code, stdout, stderr, _ := try(t, append([]string{programName}, strings.Fields(line)...)...)
		if code != 0 || stderr != "" {
			t.Errorf("%s: code %d, stderr %q", line, code, stderr)
		}
		texts[line] = stdout
	}
	code, stdout, _, _ := try(t, imgexportName, "--help")
	if code != 0 {
		t.Errorf("imgexport --help: code %d", code)
	}
	texts[imgexportName] = stdout
	return texts
}

// Help that is asked for at the end of a line is about the command, whatever stands before.
func TestHelpMayFollowOperands(t *testing.T) {
	for line, command := range map[string]string{
		"mount /mnt --help": "mount", "umount /a /b -h": "umount", "verify --quick file --help": "verify", "dump DIR --help --cfgloc x": "dump",
	} {
		code, stdout, stderr, _ := try(t, append([]string{programName}, strings.Fields(line)...)...)
		if code != 0 || stderr != "" || !strings.HasPrefix(stdout, programName+" "+command+": ") {
			t.Errorf("%s: code %d, stdout %q, stderr %q", line, code, stdout, stderr)
		}
	}
	if code, _, stderr, _ := try(t, programName, "mount", "--nosuch", "/mnt", "--help"); code != exitUsage {
		t.Errorf("an unknown flag before --help: code %d, stderr %q", code, stderr)
	}
}

func TestHelpFitsTheScreenAndHasAnExample(t *testing.T) {
	for line, text := range helps(t) {
		if !strings.Contains(text, "\nExample:\n  "+"imgexport") {
			t.Errorf("%s: no example in\n%s", line, text)
		}
		for row := range strings.Lines(text) {
			if utf8.RuneCountInString(strings.TrimSuffix(row, "\n")) > helpWidth {
				t.Errorf("%s: too wide: %s", line, row)
			}
			if fields := strings.Fields(row); len(fields) > 2 && strings.HasPrefix(fields[0], "--") &&
				strings.Trim(fields[1], ":") == strings.Trim(fields[2], ":") {
				t.Errorf("%s: the placeholder is doubled: %s", line, row)
			}
		}
	}
}

func TestHelpNamesOnlyFlagsThatMatter(t *testing.T) {
	texts := helps(t)
	for command, flag := range map[string]string{"dump": "--level", "check": "--compression", "verify": "--memory", "status": "--root"} {
		if strings.Contains(texts["help "+command], flag+" ") {
			t.Errorf("%s has %s", command, flag)
		}
	}
	for _, command := range []string{"mount", "list", exportName} {
		if !strings.Contains(texts["help "+command], "--level N") {
			t.Errorf("%s has no --level", command)
		}
	}
}

// Each example is a command line that the program takes.
func TestExamplesParse(t *testing.T) {
	for name, lines := range examples {
		for _, line := range lines {
			args := strings.Fields(strings.ReplaceAll(line, "'", ""))
			if args[0] != programName {
				continue // cp
			}
			if name == exportName {
				if _, err := parseExportArgs(args[2:], true); err != nil {
					t.Errorf("%s: %v", line, err)
				}
				continue
			}
			app := newApp(nil, nil)
			ran := false
			for _, command := range app.Commands {
				command.Action = func(c *cli.Context) error { ran = true; return nil }
			}
			if err := app.Run(flagsFirst(app, args)); err != nil || !ran {
				t.Errorf("%s: %v, run %t", line, err, ran)
			}
		}
	}
	for _, command := range newApp(nil, nil).VisibleCommands() {
		if len(examples[command.Name]) != 1 {
			t.Errorf("%s has %d examples", command.Name, len(examples[command.Name]))
		}
	}
}

func TestWrongNamesSuggestTheNearest(t *testing.T) {
	for line, want := range map[string]string{
		"imgexportfs mont /x":               "did you mean mount, umount",
		"imgexportfs help chek":             "did you mean check",
		"imgexportfs mount --refesh 5":      "did you mean --refresh",
		"imgexportfs export foo --rooot=/x": "did you mean --root",
		"imgexport foo --postscript5 n1":    "did you mean --postscripts",
		"imgexportfs qqqqq":                 "there is no command \"qqqqq\"; imgexportfs help",
	} {
		code, _, stderr, _ := try(t, strings.Fields(line)...)
		if code != exitUsage || !strings.Contains(stderr, want) {
			t.Errorf("%s: code %d, %q; want %q", line, code, stderr, want)
		}
	}
	images := []string{"rhels9.4-x86_64-netboot-compute", "rhels9.4-x86_64-install-compute", "sles15-x86_64-netboot-login", "foo"}
	if got := nearest("rhels94-x86_64-netboot-compute", images); len(got) == 0 || got[0] != images[0] {
		t.Errorf("nearest: %q", got)
	}
	if got := nearest("bar", images); got != nil {
		t.Errorf("nearest to bar: %q", got)
	}
}

func TestEveryCommandPrintsTheVersion(t *testing.T) {
	lines := []string{"imgexportfs", imgexportName, helperNames[0], helperNames[1]}
	for _, command := range newApp(nil, nil).VisibleCommands() {
		lines = append(lines, programName+" "+command.Name)
	}
	for _, line := range lines {
		code, stdout, _, _ := try(t, append(strings.Fields(line), "--version")...)
		if code != 0 || !strings.Contains(stdout, "bundle format ") {
			t.Errorf("%s --version: code %d, %s", line, code, stdout)
		}
	}
}

// The man pages have no marks of their source left, and programs that read them do not
// complain.
func TestManPagesAreSound(t *testing.T) {
	for _, page := range []string{"imgexportfs.1", "imgexportfs.yaml.5", "mount.imgexportfs.8"} {
		code, stdout, stderr, _ := try(t, programName, "man", page)
		if code != 0 || strings.Contains(stdout, "{{") || strings.Contains(stdout, "**") || !strings.Contains(stdout, ".SH NAME") {
			t.Fatalf("%s: code %d, stderr %q\n%s", page, code, stderr, stdout)
		}
		for _, reader := range [][]string{{"mandoc", "-Tlint", "-Wwarning"}, {"groff", "-man", "-ww", "-z"}} {
			if _, err := exec.LookPath(reader[0]); err != nil {
				t.Logf("%s is not there", reader[0])
				continue
			}
			cmd := exec.Command(reader[0], reader[1:]...)
			cmd.Stdin = strings.NewReader(stdout)
			if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
				t.Errorf("%s: %s: %v: %s", page, reader[0], err, out)
			}
		}
	}
	_, stdout, _, _ := try(t, programName, "man", "imgexportfs.1")
	for _, command := range newApp(nil, nil).VisibleCommands() {
		for _, flag := range visible(command.Flags) {
			if name := flag.names[0]; !strings.Contains(strings.ReplaceAll(stdout, `\-`, "-"), name) && name != "--"+helpName {
				t.Errorf("imgexportfs(1) does not name %s of %s", name, command.Name)
			}
		}
	}
}
