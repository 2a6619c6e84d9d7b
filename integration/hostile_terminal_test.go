package integration

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"imgexportfs/integration/xcatsite"
)

// hostile is text that clears the screen, sets the title, moves to the start of the line,
// turns the direction of writing round and is no UTF-8.
const hostile = "\x1b[2J\x1b]0;owned\a\r\x9b31m\u009b31m\u202egnp\u2066\xff\x7f"

// newPseudoTerminal returns both ends of a terminal.
func newPseudoTerminal(t *testing.T) (master, terminal *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	need(t, err == nil, fmt.Sprint("needs terminals: ", err))
	t.Cleanup(func() { _ = master.Close() })
	must(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	must(t, err)
	terminal, err = os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	must(t, err)
	return master, terminal
}

// onTerminal runs a child whose standard output and error are a terminal, and returns what
// the terminal was sent, and the exit code.
func onTerminal(t *testing.T, p process) (text string, code int) {
	t.Helper()
	master, terminal := newPseudoTerminal(t)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := p.command(ctx)
	cmd.Stdout, cmd.Stderr = terminal, terminal
	must(t, cmd.Start())
	must(t, terminal.Close())
	sent := make(chan string)
	go func() {
		var all bytes.Buffer
		_, _ = all.ReadFrom(master) // EIO when the other end is closed
		sent <- all.String()
	}()
	_ = cmd.Wait() // the state says how it ended
	if ctx.Err() != nil {
		t.Fatalf("%q hangs", p.args)
	}
	select {
	case text = <-sent:
	case <-time.After(patience): // a child of it holds the terminal
		t.Fatalf("%q: the terminal is not closed", p.args)
	}
	return text, exitCode(cmd.ProcessState)
}

// ownSequences are what the program's progress bar and the terminal itself add: a return to
// the start of a line, and its clearing.
var ownSequences = regexp.MustCompile(`\r\n|\r\x1b\[2K|\x1b\[2K\r|\x1b\[2K|\r|\n`)

// expectHarmless holds text to showing nothing but letters, on lines.
func expectHarmless(t *testing.T, what, text string) {
	t.Helper()
	for line := range strings.SplitSeq(ownSequences.ReplaceAllString(text, "\n"), "\n") {
		for i, r := range line {
			if _, size := utf8.DecodeRuneInString(line[i:]); r == utf8.RuneError && size == 1 || !strconv.IsPrint(r) {
				t.Errorf("%s: %q steers a terminal", what, clip(line))
				break
			}
		}
	}
}

// hostileSite has that text wherever a row or a file can hold it.
func hostileSite(t *testing.T) *xcatsite.Site {
	t.Helper()
	site := newSite(t)
	addPlain(t, site, "evil"+hostile, "twice"+hostile, "twice"+hostile+".tgz", "/"+hostile, "fine")
	gone := "/gone" + hostile
	must(t, site.AddStateful("listed", xcatsite.Row{"synclists": gone, "kitcomponents": "kit" + hostile, "description": hostile}, xcatsite.Row{"pkglist": gone + ",/dir" + hostile, "postinstall": gone}))
	must(t, os.MkdirAll(site.Path("/dir"+hostile), 0o755))
	must(t, site.AddImage("method", hostile, nil, nil))
	must(t, site.AddStatelite("lite", []byte("kernel"), []byte("ramdisk")))
	tree := site.TreeDir("lite")
	must(t, site.WriteFile(tree+"/file"+hostile, 0o644, []byte("x")))
	must(t, makeSocket(site.Path(tree+"/socket"+hostile)))
	must(t, unix.Setxattr(site.Path(tree+"/file"+hostile), "trusted.x", []byte("x"), 0))
	must(t, site.Insert("litefile", xcatsite.Row{"image": "lite", "file": "/etc/\"" + hostile, "options": hostile}))
	must(t, site.Insert("nodelist", xcatsite.Row{"node": "n" + hostile, "groups": hostile}))
	must(t, site.Insert("postscripts", xcatsite.Row{"node": "n" + hostile, "postscripts": hostile}))
	must(t, site.AddStatelite("unreadable"+hostile, []byte("kernel"), []byte("ramdisk")))
	must(t, makeSparse(site.Path(site.TreeDir("unreadable"+hostile)+"/core"+hostile), 4<<30))
	return site
}

// mountUnheard mounts a site, and knows by the table of mounts alone that it is there: the
// log does not say so, or not in these words.
func mountUnheard(t *testing.T, dir, root string, env []string, flags ...string) *mount {
	t.Helper()
	needFUSE(t)
	m := startServer(t, dir, root, env, flags...)
	t.Cleanup(func() { m.stop(t) })
	eventually(t, "the mount is there", func() bool {
		fstype, err := mountedOn(dir)
		return err == nil && fstype != ""
	})
	return m
}

// Whatever rows, files and arguments hold, no command sends it to a terminal.
func TestNoCommandLetsARowSteerTheTerminal(t *testing.T) {
	needRoot(t)
	site := hostileSite(t)
	work := emptyDir(t, "work"+hostile)
	config := filepath.Join(work, "config"+hostile+".yaml")
	must(t, os.WriteFile(config, []byte("cache-dir: \"/nosuch\\e[2J\\u202e\"\nimages:\n  \"x\\e[2J\": {extra: \"/a\\e[2J\"}\n"), 0o600))
	broken := filepath.Join(work, "broken"+hostile+".yaml")
	must(t, os.WriteFile(broken, []byte("\"nosuch\\e[2J\\u202e\": 1\n"), 0o600))
	program(t, work, "export", "--root", site.Dir(), "lite", "./whole"+hostile+".tgz")
	must(t, os.WriteFile(filepath.Join(work, "damaged"+hostile+".tgz"), []byte("x"), 0o600))
	foreign := filepath.Join(work, "foreign"+hostile+".tgz")
	shell(t, work, `mkdir -p "$1/a$2" && echo "$2" > "$1/manifest.xml" && echo x > "$1/a$2/x$2" && tar -czf "$3" "./$1"`, "image"+hostile, hostile, foreign)

	at := []string{"--root", site.Dir()}
	for _, args := range [][]string{
		{"list"}, {"list", "--no-size"}, {"list", "--json"}, {"list", "--bytes"}, {"check"}, {"check", "evil" + hostile}, {"check", "nosuch" + hostile},
		{"export", "evil" + hostile}, {"export", "listed", "-v"}, {"export", "nosuch" + hostile}, {"export", "method"}, {"export", "lite"}, {"export", "unreadable" + hostile},
		{"export", "fine", "-e", "/nosuch" + hostile, "-p", "n" + hostile}, {"export", "fine", "-p", "nosuch" + hostile}, {"export", "fine", "nosuch" + hostile + "/x"}, {"export", "fine", "nosuch" + hostile + "/"},
		{"export", "fine", "-R", "host" + hostile}, {"export", "fine", "--nosuch" + hostile}, {"export", "fine", "--memory", hostile}, {"export", "fine", "-e", "/dir" + hostile + ":/x" + hostile},
		{"export", "--all", work + "/"}, {"export", "--all", "nosuch" + hostile + "/"}, {"export", "evil*", "listed", work + "/"}, {"export", "[" + hostile, "fine", work + "/"},
		{"verify", work}, {"verify", foreign}, {"verify", "nosuch" + hostile}, {"verify", "whole" + hostile + ".tgz"},
		{"config"}, {"config", "--config", config}, {"config", "--config", broken}, {"config", "--config", "nosuch" + hostile},
		{"dump", "nosuch" + hostile + "/x"}, {"dump", site.Path("/dump" + hostile)}, {"export", "lite", "--cache-dir", "/dev/null/" + hostile}, {"mount", "nosuch" + hostile}, {"mount", "-o", "nosuch" + hostile, work}, {"mount", "--cfgloc", hostile, work}, {"umount", "nosuch" + hostile}, {"status", "nosuch" + hostile},
		{"list", "--cfgloc", "SQLite:/nosuch" + hostile}, {"list", "--cfgloc", hostile + ":x"}, {"list", "--cache-dir", "/dev/null/" + hostile}, {"nosuch" + hostile}, {"list", "extra" + hostile}, {"help", hostile}, {"completion", hostile}, {"man", hostile},
	} {
		if slices.Contains([]string{"list", "check", "export", "verify", "config", "dump", "mount"}, args[0]) {
			args = slices.Concat(args[:1], at, args[1:])
		}
		text, code := onTerminal(t, process{args: append([]string{programFile}, args...), dir: work})
		if text == "" && code != 0 {
			t.Errorf("%q: exit code %d without a word", args, code)
		}
		expectHarmless(t, fmt.Sprintf("%.200q", args), text)
	}
}

// The same of a mount that begins and ends.
func TestNoMountPointSteersTheTerminal(t *testing.T) {
	needFUSE(t)
	site := smallSite(t, 1000)
	dir := emptyDir(t, "mount"+hostile)
	unmountAtEnd(t, dir)
	for _, args := range [][]string{{"mount", "--daemon", "--root", site.Dir(), dir}, {"mount", "--root", site.Dir(), dir}, {"umount", dir}, {"umount", dir}} {
		text, _ := onTerminal(t, process{args: append([]string{programFile}, args...)})
		expectHarmless(t, args[0], text)
	}
	if fstype, err := mountedOn(dir); err != nil || fstype != "" {
		t.Errorf("%q is still mounted: %v", dir, err)
	}
}

// The same of a mount: its log in both forms, its status, and its own files.
func TestNoFileOfAMountLetsARowSteerTheTerminal(t *testing.T) {
	site := hostileSite(t)
	for _, format := range []string{"text", "json"} {
		t.Run(format, func(t *testing.T) {
			m := mountUnheard(t, emptyDir(t, "mount"+hostile), site.Dir(), nil, "--log-format", format, "--log-level", "debug", "--debug")
			shell(t, m.dir, `ls -l . ./* >/dev/null; cat -- ./*.tgz >/dev/null || true; stat ./@"n$1" ./@"no$1" "./nosuch$1" >/dev/null 2>&1 || true`, hostile)
			for _, file := range []string{"status.json", "metrics", "log"} {
				expectHarmless(t, file, run(t, "cat", m.path(".imgexportfs", file)))
			}
			errorsFiles := shell(t, m.dir, `cat -- *.errors`)
			if !strings.Contains(errorsFiles, "Error: ") {
				t.Errorf("the .errors files hold %q", errorsFiles)
			}
			expectHarmless(t, ".errors", errorsFiles)
			for _, args := range [][]string{{"status"}, {"status", m.dir}, {"status", "--json"}, {"mount", "--root", site.Dir(), m.dir}} {
				text, _ := onTerminal(t, process{args: append([]string{programFile}, args...)})
				expectHarmless(t, fmt.Sprintf("%.100q", args), text)
			}
			m.stop(t)
			log := strings.Replace(m.log.buf.String(), " mounted on "+m.dir, "", 1) // standard output, where it is no terminal
			expectHarmless(t, "log", log)
		})
	}
}
