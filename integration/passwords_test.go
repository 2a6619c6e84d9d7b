package integration

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// silentServer is a database server that accepts and says nothing, so that a program
// that wants to read it can be looked at. accepted is told of each connection.
func silentServer(t *testing.T) (port int, accepted chan struct{}) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	accepted = make(chan struct{}, 1)
	var held []net.Conn
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			held = append(held, c)
			select {
			case accepted <- struct{}{}:
			default: // one more try
			}
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
		for _, c := range held {
			_ = c.Close()
		}
	})
	return l.Addr().(*net.TCPAddr).Port, accepted
}

// whoShows returns the processes that have a text in their command lines, or in their
// environments if they are not this one or one of its direct children, which have what
// the test gives them.
func whoShows(t *testing.T, secret string) (found []string) {
	t.Helper()
	processes, err := filepath.Glob("/proc/[0-9]*")
	must(t, err)
	for _, dir := range processes {
		line, _ := os.ReadFile(dir + "/cmdline") // which may end meanwhile
		if bytes.Contains(line, []byte(secret)) {
			found = append(found, fmt.Sprintf("%s/cmdline: %q", dir, line))
		}
		status, _ := os.ReadFile(dir + "/status")
		ours := bytes.Contains(status, fmt.Appendf(nil, "\nPPid:\t%d\n", os.Getpid())) || dir == fmt.Sprint("/proc/", os.Getpid())
		if env, _ := os.ReadFile(dir + "/environ"); !ours && bytes.Contains(env, []byte(secret)) {
			found = append(found, fmt.Sprintf("%s/environ of %q", dir, line))
		}
	}
	return found
}

// spellings are the ways to give a program the location of its database: its arguments
// and variables, with %s for the location, or for a file that holds it.
var spellings = map[string]struct {
	args, env []string
	file      bool
}{
	"two words":               {args: []string{"list", "--cfgloc", "%s"}},
	"one word":                {args: []string{"check", "--cfgloc=%s"}},
	"one dash":                {args: []string{"list", "-cfgloc=%s"}},
	"of mount":                {args: []string{"mount", "--cfgloc", "%s", "/nosuch"}},
	"of a daemon":             {args: []string{"mount", "/nosuch", "--daemon", "--cfgloc", "%s"}},
	"environment of a daemon": {args: []string{"mount", "/nosuch", "--daemon"}, env: []string{"XCATCFG=%s"}},
	"of dump":                 {args: []string{"dump", "--cfgloc", "%s", "/nosuch"}},
	"of export":               {args: []string{"export", "foo", "--cfgloc", "%s"}},
	"abbreviated":             {args: []string{"export", "foo", "--cfg", "%s"}},
	"abbreviated, one word":   {args: []string{"export", "--cfg=%s", "foo"}},
	"abbreviated to the most": {args: []string{"export", "--cf=%s", "foo"}},
	"environment":             {args: []string{"list"}, env: []string{"XCATCFG=%s"}},
	"file":                    {args: []string{"list", "--cfgloc", "%s"}, file: true},
	"file of environment":     {args: []string{"list"}, env: []string{"XCATCFG=%s"}, file: true},
}

// However the location of the database is given, its password is in no list of
// processes while the program runs, and in nothing that it says.
func TestPasswordIsShownNowhere(t *testing.T) {
	needRoot(t) // to look at every process
	port, accepted := silentServer(t)
	closed := freePort(t)
	secret := fmt.Sprintf("s3cret%x|pass=x,'\"y", rand.Uint64())
	for kind, format := range map[string]string{
		"mysql":       "mysql:dbname=x;host=127.0.0.1;port=%d|reader|%s",
		"Pg":          "Pg:dbname=x;host=127.0.0.1;port=%d|reader|%s",
		"a parameter": "mysql:dbname=x;host=127.0.0.1;port=%d;password=%s",
	} {
		for name, spelling := range spellings {
			// filled is the program's call for a server at a port.
			filled := func(t *testing.T, port int) process {
				location := fmt.Sprintf(format, port, secret)
				if spelling.file {
					file := filepath.Join(t.TempDir(), "location")
					must(t, os.WriteFile(file, []byte(location+"\n"), 0o600))
					location = file
				}
				p := process{args: []string{programFile}, mayFail: true}
				for _, arg := range spelling.args {
					p.args = append(p.args, strings.ReplaceAll(arg, "%s", location))
				}
				for _, variable := range spelling.env {
					p.env = append(p.env, strings.ReplaceAll(variable, "%s", location))
				}
				return p
			}
			t.Run(kind+" "+name, func(t *testing.T) {
				lookAt(t, filled(t, port), accepted, secret[:20])
				r := filled(t, closed).run(t)
				expectCode(t, r, 3)
				expectNot(t, r.stdout+r.stderr, secret[:20])
			})
		}
	}
}

// lookAt starts a program, looks for a secret when it waits for its database, ends it
// and looks at what it has said.
func lookAt(t *testing.T, p process, accepted chan struct{}, secret string) {
	t.Helper()
	select {
	case <-accepted: // of the program before
	default:
	}
	var out syncBuffer
	cmd := p.command(context.Background())
	cmd.Stdout, cmd.Stderr = &out, &out
	must(t, cmd.Start())
	select {
	case <-accepted:
	case <-time.After(patience):
		t.Errorf("it does not ask its database")
	}
	for _, shown := range whoShows(t, secret) {
		t.Errorf("the password is in %s", shown)
	}
	must(t, cmd.Process.Signal(syscall.SIGTERM))
	_ = cmd.Wait() // the state says how it ended
	if code := exitCode(cmd.ProcessState); code != 143 {
		t.Errorf("exit code %d: %s", code, &out)
	}
	expectNot(t, out.String(), secret)
}

func expectNot(t *testing.T, text, part string) {
	t.Helper()
	if strings.Contains(text, part) {
		t.Errorf("%q is in %s", part, clip(text))
	}
}

// Programs that this one starts get no XCATCFG, and the mount's own files show nothing.
func TestChildrenDoNotInheritTheLocation(t *testing.T) {
	needRoot(t)
	site := smallSite(t, 1000)
	secret := fmt.Sprintf("s3cret%x", rand.Uint64())
	env := []string{"XCATCFG=mysql:dbname=x;host=127.0.0.1|reader|" + secret}
	bin, seen := t.TempDir(), filepath.Join(t.TempDir(), "seen")
	must(t, os.WriteFile(bin+"/ssh", []byte("#!/bin/sh\ntr '\\0' '\\n' < /proc/$$/environ > '"+seen+"'\nexit 255\n"), 0o755))
	path := "PATH=" + bin + ":" + os.Getenv("PATH")
	r := process{
		args: []string{programFile, "export", "--root", site.Dir(), "--cfgloc", "SQLite:/etc/xcat", "-R", "root@mn2", "foo"},
		env:  append(env, path), dir: t.TempDir(), mayFail: true,
	}.run(t)
	expectCode(t, r, exitWrite)
	environ, err := os.ReadFile(seen)
	must(t, err)
	expectContains(t, "the environment of ssh", string(environ), path)
	expectNot(t, string(environ), "XCATCFG")
	expectNot(t, string(environ), secret)

	m := mountSiteEnv(t, site.Dir(), env, "--cfgloc", "SQLite:/etc/xcat", "--debug")
	for _, name := range []string{"status.json", "metrics", "log"} {
		expectNot(t, run(t, "cat", m.path(".imgexportfs", name)), secret)
	}
	expectNot(t, m.log.String(), secret)
}
