package xcat

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"imgexportfs/bundle"
	"imgexportfs/bundle/source"
)

func TestErrorsAreSortedByWhatTheyMean(t *testing.T) {
	lookup := func(err error) error { return fmt.Errorf("file: %w", &os.PathError{Op: "stat", Path: "/x", Err: err}) }
	for want, errs := range map[access][]error{
		readable: {nil},
		absent:   {lookup(syscall.ENOENT), syscall.ENOTDIR, syscall.ELOOP, syscall.ENAMETOOLONG, syscall.EINVAL},
		barred:   {lookup(syscall.EACCES), syscall.EPERM, lookup(source.ErrNotRegular), errors.New("it is a fifo")},
		passing: {
			lookup(syscall.EIO), syscall.ESTALE, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.ETIMEDOUT, syscall.ENOTCONN,
			syscall.EAGAIN, syscall.EINTR, syscall.EHOSTDOWN, os.ErrDeadlineExceeded, context.Canceled, context.DeadlineExceeded,
			source.ErrChanged, fmt.Errorf("%w: %w", syscall.ENOENT, source.ErrChanged),
		},
	} {
		for _, err := range errs {
			if got := accessOf(err); got != want {
				t.Errorf("%v is %d, want %d", err, got, want)
			}
		}
	}
}

// faulty is a directory of a file system on which one kind of call fails. It holds
// "file", "link" and "dir", which is faulty as well.
type faulty struct {
	fs.Inode
	call  string // "look", "open", "list" or "link"
	errno syscall.Errno
}

func (f *faulty) fail(call string) syscall.Errno {
	if f.call == call {
		return f.errno
	}
	return 0
}

func (f *faulty) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*fs.Inode, syscall.Errno) {
	switch name {
	case "dir":
		return f.NewInode(ctx, &faulty{call: f.call, errno: f.errno}, fs.StableAttr{Mode: syscall.S_IFDIR}), 0
	case "link":
		out.Mode = syscall.S_IFLNK | 0o777
		return f.NewInode(ctx, &faulty{call: f.call, errno: f.errno}, fs.StableAttr{Mode: syscall.S_IFLNK}), 0
	case "file":
		out.Mode = syscall.S_IFREG | 0o400 // not for everybody, so it is opened
		return f.NewInode(ctx, &faulty{call: f.call, errno: f.errno}, fs.StableAttr{Mode: syscall.S_IFREG}), f.fail("look")
	}
	return nil, syscall.ENOENT
}

func (f *faulty) Getattr(_ context.Context, _ fs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	out.Mode = f.Mode() | 0o400
	return 0
}

func (f *faulty) Open(context.Context, uint32) (fs.FileHandle, uint32, syscall.Errno) {
	return nil, 0, f.fail("open")
}

func (f *faulty) Readdir(context.Context) (fs.DirStream, syscall.Errno) {
	return fs.NewListDirStream([]fuse.DirEntry{{Name: "file", Mode: syscall.S_IFREG}, {Name: "link", Mode: syscall.S_IFLNK}}), f.fail("list")
}

func (f *faulty) Readlink(context.Context) ([]byte, syscall.Errno) {
	return []byte("file"), f.fail("link")
}

// mountFaulty mounts a faulty directory as /mnt of the site.
func (s *testSite) mountFaulty(call string, errno syscall.Errno) {
	s.t.Helper()
	mkdir(s.t, s.root, "mnt")
	server, err := fs.Mount(s.path("mnt"), &faulty{call: call, errno: errno}, &fs.Options{MountOptions: fuse.MountOptions{DirectMount: true, Name: "faulty"}})
	must(s.t, err)
	s.t.Cleanup(func() { must(s.t, server.Unmount()) })
}

// What cannot be looked at, opened, listed or followed at the moment neither refuses
// the image nor leaves anything out of the bundle.
func TestWhatMayPassMakesAnImageUnreadable(t *testing.T) {
	type place struct {
		call, path string
		prepare    func(s *testSite)
		extras     []string
	}
	list := func(column, value string) func(*testSite) {
		return func(s *testSite) { s.image("i", Row{column: value}) }
	}
	kit := func(s *testSite) { s.kitImage("dir", "/mnt/dir") }
	for _, p := range []place{
		{"look", "/mnt/file", list("pkglist", "/mnt/file"), nil},
		{"look", "/mnt/file", list("postinstall", "/mnt/file -x"), nil},
		{"look", "/mnt/file", list("template", "/mnt/file"), nil},
		{"look", "/mnt/dir/file", kit, nil},
		{"look", "/mnt/file", func(s *testSite) { s.kitImage("file", "/mnt/file") }, nil},
		{"look", "/mnt/file", list("", ""), []string{"/mnt/file"}},
		{"look", "/mnt/dir/../file", list("", ""), []string{"/mnt/dir/../file"}},
		{"open", "/mnt/file", list("exlist", "/mnt/file"), nil},
		{"open", "/mnt/dir/file", kit, nil},
		{"open", "/mnt/file", list("", ""), []string{"/mnt/file"}},
		{"list", "/mnt/dir", kit, nil},
		{"list", "/mnt/dir", list("", ""), []string{"/mnt/dir"}},
		{"list", "/install/raw/sles15/s390x/p", func(s *testSite) {
			s.insert("osimage", Row{"imagename": "i", "provmethod": "raw", "profile": "p", "osvers": "sles15", "osarch": "s390x"})
			s.insert("linuximage", Row{"imagename": "i"})
			mkdir(s.t, s.root, "install/raw/sles15/s390x")
			must(s.t, os.Symlink("/mnt/dir", s.path("install/raw/sles15/s390x/p")))
		}, nil},
		{"link", "/mnt/dir/link", kit, nil},
		{"link", "/mnt/dir/link", list("", ""), []string{"/mnt/dir"}},
	} {
		for _, errno := range []syscall.Errno{syscall.EIO, syscall.EMFILE, syscall.ETIMEDOUT} {
			t.Run(fmt.Sprintf("%s %s %v", p.call, p.path, errno), func(t *testing.T) {
				s := newTestSite(t)
				p.prepare(s)
				s.mountFaulty(p.call, errno)
				e := s.export(Request{Image: "i", Extras: p.extras})
				if e.Refused || len(e.Problems()) != 0 {
					t.Errorf("refused %v, %q", e.Refused, texts(e.Problems()))
				}
				if !errors.Is(e.Unreadable, errno) || !strings.HasPrefix(e.Unreadable.Error(), "image i: "+p.path+" cannot be read at the moment: ") {
					t.Errorf("unreadable: %v", e.Unreadable)
				}
			})
		}
		t.Run(fmt.Sprintf("%s %s denied", p.call, p.path), func(t *testing.T) {
			s := newTestSite(t)
			p.prepare(s)
			s.mountFaulty(p.call, syscall.EACCES)
			e := s.export(Request{Image: "i", Extras: p.extras})
			if e.Unreadable != nil || len(e.Problems()) == 0 {
				t.Errorf("unreadable %v, %q", e.Unreadable, texts(e.Problems()))
			}
		})
	}
}

func TestALookThatIsNotAllowedSaysWhoMayLook(t *testing.T) {
	s := newTestSite(t)
	s.image("i", Row{"postinstall": "/mnt/file -x"})
	s.mountFaulty("look", syscall.EACCES)
	e := s.export(Request{Image: "i"})
	expectProblems(t, e, "Error: Couldn't look at /mnt/file for i: permission denied. Run this as root, as imgexport.",
		"Error: Couldn't find file /mnt/file -x for i. Skip.")
}

// A refusal is for good, so it outweighs what may pass.
func TestARefusedImageIsNeverUnreadable(t *testing.T) {
	s := newTestSite(t)
	s.image("i", Row{"pkglist": "/mnt/file", "exlist": "/x/extra,/mnt/file"})
	s.write("x/extra", "x", 0o644)
	s.mountFaulty("look", syscall.EIO)
	s.set("osimage", "comments", "\x01")
	if e := s.export(Request{Image: "i"}); !e.Refused || e.Unreadable != nil {
		t.Errorf("refused %v, unreadable %v", e.Refused, e.Unreadable)
	}
}

// treeThat is a request whose tree cannot be had the first times.
func (s *testSite) treeThat(fails int, because error) (req Request, calls *int) {
	calls = new(int)
	root := s.openRoot()
	tree := func(ctx context.Context, dir, name string) (*bundle.Tree, source.Findings, error) {
		if *calls++; *calls <= fails {
			return nil, nil, because
		}
		return bundle.NewTree(ctx, root, dir, name)
	}
	return Request{Image: "i", Tree: tree}, calls
}

func TestATreeThatChangesUnderTheWalkIsWalkedAgain(t *testing.T) {
	changed := fmt.Errorf("rootimg/etc: %w", source.ErrChanged)
	for _, c := range []struct {
		fails int
		err   error
		calls int
		ok    bool
	}{
		{0, nil, 1, true},
		{4, changed, 5, true},
		{100, changed, 5, false},
		{100, syscall.EIO, 1, false},
		{4, fmt.Errorf("directory rootimg/etc: %w", syscall.ENOENT), 5, true}, // it was there a moment ago
	} {
		s := newTestSite(t)
		s.statelite("i", "")
		req, calls := s.treeThat(c.fails, c.err)
		e := s.export(req)
		if *calls != c.calls || e.Refused || e.TreeRefused || (e.Unreadable == nil) != c.ok || !errors.Is(e.Unreadable, c.err) && !c.ok {
			t.Errorf("%d times %v: %d walks, refused %v, unreadable %v", c.fails, c.err, *calls, e.Refused, e.Unreadable)
		}
		if !c.ok && !strings.HasPrefix(e.Unreadable.Error(), "image i: /boot/rootimg cannot be read at the moment: ") {
			t.Errorf("unreadable: %v", e.Unreadable)
		}
		if len(e.Problems()) != 0 {
			t.Errorf("%q", texts(e.Problems()))
		}
	}
}

func TestATreeThatCannotBePackedRefuses(t *testing.T) {
	s := newTestSite(t)
	s.statelite("i", "")
	req, _ := s.treeThat(1, errors.New("rootimg/big has 5000000000 bytes"))
	e := s.export(req)
	expectProblems(t, e, "Error: Couldn't pack the root image tree /boot/rootimg of i: rootimg/big has 5000000000 bytes")
	if !e.Refused || !e.TreeRefused || e.Unreadable != nil {
		t.Errorf("refused %v, by the tree %v, unreadable %v", e.Refused, e.TreeRefused, e.Unreadable)
	}
}

func TestAnExportDoesNotWaitForATreeWhenItIsToldToStop(t *testing.T) {
	s := newTestSite(t)
	s.statelite("i", "")
	ctx, cancel := context.WithCancel(t.Context())
	req, _ := s.treeThat(100, source.ErrChanged)
	stop := req.Tree
	req.Tree = func(ctx context.Context, dir, name string) (*bundle.Tree, source.Findings, error) {
		cancel()
		return stop(ctx, dir, name)
	}
	start := time.Now()
	if _, err := s.catalog().Export(ctx, s.openRoot(), req); !errors.Is(err, context.Canceled) || time.Since(start) > pauses[0]+time.Second {
		t.Errorf("got %v after %v", err, time.Since(start))
	}
}

// Files come and go in a kit, an extra directory and a tree while they are exported.
// Nothing is left out for that, and nothing is refused.
func TestARaceWithAChangeLeavesNothingOut(t *testing.T) {
	s := newTestSite(t)
	s.statelite("i", "")
	s.set("osimage", "kitcomponents", "c")
	s.insert("kitcomponent", Row{"kitcompname": "c", "kitname": "kit"})
	s.insert("kit", Row{"kitname": "kit", "kitdir": "/kit"})
	dirs := []string{"kit", "more", "boot/rootimg"}
	for _, dir := range dirs {
		s.write(dir+"/stays", "x", 0o600)
	}
	var stop atomic.Bool
	var writers sync.WaitGroup
	for _, dir := range dirs {
		writers.Go(func() {
			for n := 0; !stop.Load(); n++ {
				file := s.path(fmt.Sprintf("%s/a%d", dir, n%3))
				_ = os.WriteFile(file, nil, 0o600)
				_ = os.Rename(file, file+"b")
				_ = os.Remove(file + "b")
				_ = os.Mkdir(file, 0o755)
				_ = os.Remove(file)
				_ = os.Symlink("stays", file)
				_ = os.Remove(file)
			}
		})
	}
	defer writers.Wait()
	defer stop.Store(true)
	unreadable := 0
	for range 40 {
		e := s.export(Request{Image: "i", Extras: []string{"/more"}})
		if e.Refused || len(e.Problems()) != 0 {
			t.Fatalf("refused %v, %q", e.Refused, texts(e.Problems()))
		}
		if e.Unreadable != nil {
			unreadable++
		}
	}
	t.Logf("%d of 40 exports are unreadable", unreadable)
}
