package source

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
	for _, name := range []string{"none", "some"} {
		if err := os.WriteFile(dir+"/"+name, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(dir+"/sub", 0o700); err != nil {
		t.Fatal(err)
	}
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
		{"a\x00b", 1024, false, unix.EINVAL},
	} {
		for way, list := range map[string]func(int, string, []byte) (int, error){
			"listxattrat": func(fd int, base string, buf []byte) (int, error) {
				return listxattrat(fd, base, unix.AT_SYMLINK_NOFOLLOW, buf)
			},
			"/proc": listxattrByProc,
		} {
			buf := make([]byte, c.size)
			n, err := list(fd, c.base, buf)
			if err != c.err {
				t.Errorf("%s: %q in %d bytes: %v, want %v", way, c.base, c.size, err, c.err)
			}
			if err != nil {
				continue
			}
			got := string(buf[:n])
			if names := strings.Contains(got, "user.one\x00") && strings.Contains(got, "user.another\x00"); names != c.names {
				t.Errorf("%s: %s has %q", way, c.base, got)
			}
		}
	}
}
