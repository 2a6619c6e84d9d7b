package fs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"syscall"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"

	"imgexportfs/bundle"
	"imgexportfs/xcat"
)

// fsName is what mount(8) shows as source, and the type's second half.
const fsName = "imgexportfs"

// Options are the choices of a mount.
type Options struct {
	Umask      uint32        // permission bits that nobody gets; 0 to 0777
	AllowOther bool          // let other users in as far as the umask does
	Refresh    time.Duration // for how long what was seen of the site is shown; 0 = look every time
	Debug      bool          // log every FUSE request
	Log        *slog.Logger  // nil = the default logger
	Journal    *Journal      // what .imgexportfs/log shows; nil = nothing

	// Passthrough lets the kernel read the sources of members by itself
	// where it can. A change under an open member then fails close(2)
	// instead of read(2).
	Passthrough bool
}

// mount is what all nodes of a mount share.
type mount struct {
	opts     Options
	log      *slog.Logger
	owner    fuse.Owner
	started  time.Time
	engine   *bundle.Engine
	versions *versions
	server   *fuse.Server
}

// Mounted is a site that is being shown.
type Mounted struct {
	server *fuse.Server
	dir    string
}

// Mount shows the site at dir and returns when it can be used.
func Mount(dir string, site *xcat.Site, engine *bundle.Engine, opts Options) (*Mounted, error) {
	if opts.Umask&^0o777 != 0 {
		return nil, fmt.Errorf("umask %#o is not between 0 and 0777", opts.Umask)
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if err := mountable(dir); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	m := &mount{
		opts:     opts,
		log:      opts.Log,
		owner:    fuse.Owner{Uid: uint32(os.Geteuid()), Gid: uint32(os.Getegid())},
		started:  time.Now(),
		engine:   engine,
		versions: newVersions(ctx, site, engine, opts.Refresh, opts.Log),
	}
	if err := m.serve(dir); err != nil {
		stop()
		return nil, fmt.Errorf("mount %s: %w", dir, err)
	}
	if err := readFurtherAhead(dir); err != nil {
		m.log.Debug("the kernel reads ahead as it likes", "error", err)
	}
	go m.versions.warmer.run(ctx)
	go func() {
		m.server.Wait()
		stop()
	}()
	return &Mounted{server: m.server, dir: dir}, nil
}

// serve mounts and answers requests. It does what go-fuse's Mount does, apart
// from the first request being answered only when the nodes know the server.
func (m *mount) serve(dir string) (err error) {
	options := m.fuseOptions()
	nodes := gofs.NewNodeFS(&folder{mount: m}, options)
	if m.server, err = fuse.NewServer(nodes, dir, &options.MountOptions); err != nil {
		return err
	}
	go m.server.Serve()
	return m.server.WaitMount()
}

// mountable explains what the kernel would only hint at.
func mountable(dir string) error {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, syscall.ENOTCONN):
		return fmt.Errorf("%s is still mounted by a process that is gone: run 'imgexportfs umount %s' first", dir, dir)
	case err != nil:
		return fmt.Errorf("mount point: %w", err)
	case !info.IsDir():
		return fmt.Errorf("mount point %s is not a directory", dir)
	}
	if _, err := os.Stat("/dev/fuse"); err != nil {
		return fmt.Errorf("this host has no FUSE: %w (modprobe fuse)", err)
	}
	return nil
}

func (m *mount) fuseOptions() *gofs.Options {
	options := []string{"ro"}
	if m.opts.AllowOther {
		options = append(options, "default_permissions")
	}
	return &gofs.Options{
		MountOptions: fuse.MountOptions{
			FsName:     fsName,
			Name:       fsName,
			Options:    options,
			AllowOther: m.opts.AllowOther,
			// Root needs no fusermount.
			DirectMount: true,
			// Attributes come with a listing where the reader wants them,
			// and where they cost little: see listing.
			ExtraCapabilities: fuse.CAP_READDIRPLUS_AUTO,
			DisableXAttrs:     true,
			// Large requests and no detour through pipes, which hold no
			// more: docs/performance.md has the measurements.
			MaxWrite:      readSize,
			MaxReadAhead:  readSize,
			DisableSplice: true,
			Debug:         m.opts.Debug,
			PanicHandler:  m.panicked,
		},
		RootStableAttr:  &gofs.StableAttr{Ino: fuse.FUSE_ROOT_ID},
		NullPermissions: true,
	}
}

// panicked turns a bug met by one request into an error for that request.
func (m *mount) panicked(what any) fuse.Status {
	m.log.Error("a request panicked; please report this", "panic", what, "stack", string(debug.Stack()))
	return fuse.EIO
}

// Dir is where the site is shown.
func (m *Mounted) Dir() string { return m.dir }

// Wait returns when nothing is shown any more, whoever has unmounted it.
func (m *Mounted) Wait() { m.server.Wait() }

// Unmount takes the site away. Where files are still open it is detached, so
// the directory is free at once; readers then get errors.
func (m *Mounted) Unmount() error { return Unmount(m.dir) }

// Unmount takes away what an imgexportfs, alive or dead, shows at dir.
func Unmount(dir string) error {
	abs, err := realMountPoint(dir)
	if err != nil {
		return err
	}
	m, ok, err := findMount(abs)
	if err != nil {
		return err
	}
	if !ok || !m.ours {
		return fmt.Errorf("%s is not a mount of %s", dir, fsName)
	}
	err = unix.Unmount(abs, unix.UMOUNT_NOFOLLOW)
	if errors.Is(err, unix.EBUSY) {
		err = unix.Unmount(abs, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW)
	}
	if errors.Is(err, unix.EPERM) {
		return fusermount(abs)
	}
	if err != nil {
		return fmt.Errorf("unmount %s: %w", dir, err)
	}
	return nil
}

// realMountPoint is dir as the table of mounts spells it. The mount point
// itself is not looked at: its server may be gone.
func realMountPoint(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	parent, err := filepath.EvalSymlinks(filepath.Dir(abs))
	if err != nil {
		return "", err
	}
	return filepath.Join(parent, filepath.Base(abs)), nil
}

// fusermount unmounts for a user who is not root.
func fusermount(dir string) error {
	for _, name := range []string{"fusermount3", "fusermount"} {
		if path, err := exec.LookPath(name); err == nil {
			out, err := exec.CommandContext(context.Background(), path, "-u", "-z", dir).CombinedOutput()
			if err != nil {
				return fmt.Errorf("unmount %s: %s: %w: %s", dir, name, err, strings.TrimSpace(string(out)))
			}
			return nil
		}
	}
	return fmt.Errorf("unmount %s: only root can do this here (fusermount3 is not installed)", dir)
}
