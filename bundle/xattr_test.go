package bundle

import (
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestBothWaysToListAttributesAreTheSame(t *testing.T) {
	if !hasListxattrat() {
		t.Skip("this kernel has no listxattrat(2)")
	}
	dir := t.TempDir()
	writeFile(t, dir+"/none", nil)
	writeFile(t, dir+"/some", nil)
	writeFile(t, dir+"/sub/dir", nil)
	for _, name := range []string{"some", "sub"} {
		for _, attr := range []string{"user.one", "user.another"} {
			if err := unix.Setxattr(dir+"/"+name, attr, []byte("x"), 0); err != nil {
				t.Skipf("no extended attributes here: %v", err)
			}
		}
	}
	if err := os.Symlink("some", dir+"/link"); err != nil {
		t.Fatal(err)
	}
	fd, err := unix.Open(dir, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Close(fd) }()
	for _, c := range []struct {
		base  string
		size  int
		names bool // of user attributes are to be listed
		err   error
	}{
		{"none", 1024, false, nil},
		{"some", 1024, true, nil},
		{"some", 10, false, unix.ERANGE},
		{"sub", 1024, true, nil},
		{"link", 1024, false, nil},
		{"absent", 1024, false, unix.ENOENT},
	} {
		for way, list := range map[string]func(int, string, []byte) (int, error){
			"in use": listxattr, "/proc": listxattrByProc,
		} {
			buf := make([]byte, c.size)
			n, err := list(fd, c.base, buf)
			if err != c.err {
				t.Errorf("%s: %s in %d bytes: %v", way, c.base, c.size, err)
			}
			if err != nil {
				continue
			}
			if names := strings.Contains(string(buf[:n]), "user.one\x00user.another\x00"); names != c.names {
				t.Errorf("%s: %s has %q", way, c.base, buf[:n])
			}
		}
	}
}
