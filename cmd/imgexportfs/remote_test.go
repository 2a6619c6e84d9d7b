package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// fakeSSH puts an ssh into PATH that runs the command on this host, in the
// directory home, with its input going through the given filter.
func fakeSSH(t *testing.T, home, filter string) {
	t.Helper()
	bin := t.TempDir()
	script := "#!/bin/sh\n" +
		`[ "$1 $2 $3 $4 $5 $6 $7 $8 $9 ${10} $#" = "-o BatchMode=yes -o ConnectTimeout=30 -o ServerAliveInterval=15 -o ServerAliveCountMax=3 -- root@mn2 11" ] || { echo "called with $*" >&2; exit 99; }` + "\n" +
		"cd '" + home + "' || exit 98\n" +
		filter + ` | sh -c "${11}"` + "\n"
	if err := os.WriteFile(filepath.Join(bin, "ssh"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":"+os.Getenv("PATH"))
}

// sendTo writes b to path on the host of fakeSSH.
func sendTo(ctx context.Context, t *testing.T, path string, b fakeBundle) (said string, err error) {
	t.Helper()
	var stderr bytes.Buffer
	place, err := newRemotePlace("root@mn2", path, &stderr)
	if err != nil {
		t.Fatal(err)
	}
	send, err := place.writer("c60 it's")
	if err != nil {
		t.Fatal(err)
	}
	_, err = send(ctx, b, ignore)
	return stderr.String(), err
}

func TestRemotePlaceGetsOneCompletePrivateFile(t *testing.T) {
	for path, want := range map[string]string{
		"":                    "c60 it's.tgz",
		"dir":                 "dir/c60 it's.tgz",
		"dir/":                "dir/c60 it's.tgz",
		"out":                 "out",
		"dir/out":             "dir/out",
		"old.tgz":             "old.tgz",
		"-dash":               "-dash",
		"-d ir/-x":            "-d ir/-x",
		`a b$(touch x)"'*;|&`: `a b$(touch x)"'*;|&`,
		"back\\slash!":        "back\\slash!",
		"dir/nl\n":            "dir/nl\n",
		"filelink":            "dir/aimed\n",
		"dirlink":             "dir/c60 it's.tgz",
		"dirlink/":            "dir/c60 it's.tgz",
		"dirlink/../up":       "up",
	} {
		t.Run(path, func(t *testing.T) {
			home := t.TempDir()
			mkdir(t, filepath.Join(home, "dir"))
			mkdir(t, filepath.Join(home, "-d ir"))
			write(t, filepath.Join(home, "old.tgz"), "old")
			write(t, filepath.Join(home, "dir/aimed\n"), "old")
			symlink(t, "dir/aimed\n", filepath.Join(home, "filelink"))
			symlink(t, "dir", filepath.Join(home, "dirlink"))
			fakeSSH(t, home, "cat")
			b := healthy()
			if said, err := sendTo(t.Context(), t, path, b); err != nil || said != "" {
				t.Fatalf("%v, said %q", err, said)
			}
			got, err := os.ReadFile(filepath.Join(home, want))
			if err != nil || !bytes.Equal(got, b.content) {
				t.Errorf("%s holds %d bytes, %v", want, len(got), err)
			}
			if st, err := os.Stat(filepath.Join(home, want)); err == nil && st.Mode() != 0o600 {
				t.Errorf("mode %v, want 0600", st.Mode())
			}
			noLeftovers(t, home)
			if _, err := os.Stat(filepath.Join(home, "x")); err == nil {
				t.Error("the remote shell ran what is in the name")
			}
		})
	}
}

func TestRemotePlaceTakesAnAbsolutePath(t *testing.T) {
	home, away := t.TempDir(), t.TempDir()
	fakeSSH(t, home, "cat")
	if said, err := sendTo(t.Context(), t, away, healthy()); err != nil {
		t.Fatalf("%v, said %q", err, said)
	}
	onlyFile(t, away, "c60 it's.tgz")
	onlyFile(t, home)
}

// The rules are those of TestLocalPlaceRefusesWhatIsNoFile.
func TestRemotePlaceRefusesWhatIsNoFile(t *testing.T) {
	home := t.TempDir()
	write(t, filepath.Join(home, "file"), "x")
	mkdir(t, filepath.Join(home, "taken", "c60 it's.tgz"))
	symlink(t, "nowhere", filepath.Join(home, "dangling"))
	symlink(t, "/dev/null", filepath.Join(home, "null"))
	symlink(t, "/dev/shm/../", filepath.Join(home, "devices"))
	if err := unix.Mkfifo(filepath.Join(home, "fifo"), 0o600); err != nil {
		t.Fatal(err)
	}
	symlink(t, "fifo", filepath.Join(home, "fifolink"))
	before := names(t, home)
	fakeSSH(t, home, "cat")
	for path, want := range map[string]string{
		"missing/":               "there is no directory",
		"missing/out":            "there is no directory",
		"file/":                  "there is no directory",
		"file/out":               "there is no directory",
		"taken":                  "c60 it's.tgz: is a directory",
		"taken/":                 "c60 it's.tgz: is a directory",
		"dangling":               "symbolic link to nothing",
		"fifo":                   "is a fifo",
		"fifolink":               "is a fifo",
		"/dev/null":              "is a device",
		"null":                   "is a device",
		"devices/null":           "is a device",
		"devices/x":              "is a device",
		"/dev/stdout":            "is a device",
		"/proc/self/fd/1":        "is a device",
		strings.Repeat("x", 256): "was not written",
	} {
		said, err := sendTo(t.Context(), t, path, healthy())
		if err == nil || !strings.Contains(err.Error(), "copy to root@mn2: nothing was written there") || strings.Contains(err.Error(), "pipe") || !strings.Contains(said, want) {
			t.Errorf("%q: error %v; the host said %q, want %q", path, err, said, want)
		}
	}
	if got := names(t, home); got != before {
		t.Errorf("there was %q, and now there is %q", before, got)
	}
	if st, err := os.Stat("/dev/null"); err != nil || st.Mode().IsRegular() {
		t.Errorf("/dev/null is now %v, %v", st.Mode(), err)
	}
}

// names are all names below dir.
func names(t *testing.T, dir string) string {
	t.Helper()
	found, err := exec.Command("find", dir).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(found)
}

func TestRemotePlaceWantsAReceipt(t *testing.T) {
	home := t.TempDir()
	fakeSSH(t, home, "cat >/dev/null; echo welcome; exit 0; cat")
	said, err := sendTo(t.Context(), t, "", healthy())
	if err == nil || !strings.Contains(err.Error(), "limited to one") || said != "welcome\n" {
		t.Errorf("error %v, said %q", err, said)
	}
}

func TestRemotePlaceKeepsTheOldFileWhateverFails(t *testing.T) {
	broken := errors.New("broken source")
	failing, late := healthy(), healthy()
	failing.failAt, failing.err = 17_000, broken
	late.err, late.late = broken, true
	for _, test := range []struct {
		name, filter, path string
		bundle             fakeBundle
		says               string
	}{
		{"connection breaks", "head -c 20000", "old.tgz", healthy(), "ends after 20000 bytes"},
		{"no such directory", "cat", "nodir/x", healthy(), "nodir"},
		{"end missing", "head -c 35000", "old.tgz", healthy(), "the sender has failed"},
		{"last byte missing", "head -c 35019", "old.tgz", healthy(), "the sender has failed"},
		{"nothing comes", "head -c 5", "old.tgz", healthy(), "ends after 5 bytes"},
		{"source fails at the end", "cat", "old.tgz", late, "the sender has failed"},
		{"source fails", "cat", "old.tgz", failing, "ends after 17000 bytes"},
		{"no connection", "exit 255; cat", "old.tgz", healthy(), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			home := t.TempDir()
			write(t, filepath.Join(home, "old.tgz"), "old")
			fakeSSH(t, home, test.filter)
			said, err := sendTo(t.Context(), t, test.path, test.bundle)
			if err == nil || !strings.Contains(err.Error(), "copy to root@mn2") {
				t.Errorf("error %v", err)
			}
			if test.bundle.err != nil && !errors.Is(err, broken) {
				t.Errorf("error %v, want %v in it", err, broken)
			}
			if !strings.Contains(said, test.says) {
				t.Errorf("the host said %q, want %q", said, test.says)
			}
			if got, _ := os.ReadFile(filepath.Join(home, "old.tgz")); string(got) != "old" {
				t.Errorf("the old file now holds %d bytes", len(got))
			}
			noLeftovers(t, home)
		})
	}
}

func TestRemotePlaceWithoutSSHSaysSo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := sendTo(t.Context(), t, "", healthy()); err == nil || !strings.Contains(err.Error(), `"ssh"`) {
		t.Errorf("error %v", err)
	}
}

func TestRemotePlaceRefusesWhatIsNoHost(t *testing.T) {
	for _, host := range []string{"-oProxyCommand=id", "a b", "host/path", "host\nx"} {
		if _, err := newRemotePlace(host, "", nil); errorCode(t, err) != exitUsage {
			t.Errorf("%q: error %v", host, err)
		}
	}
}

func noLeftovers(t *testing.T, dir string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, ".imgexport-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %q, %v", left, err)
	}
}

func errorCode(t *testing.T, err error) int {
	t.Helper()
	code, _ := exitStatus(t.Context(), err)
	return code
}
