package fs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"github.com/moby/sys/mountinfo"
	"golang.org/x/sys/unix"

	"imgexportfs/bundle"
	"imgexportfs/fs/metrics"
	"imgexportfs/xcat"
)

// fsName is the second half of the type of a mount.
const fsName = "imgexportfs"

// Owner is who owns the files of a mount.
type Owner struct{ UID, GID uint32 }

// Options are the choices of a mount.
type Options struct {
	Source     string                          // what the table of mounts has as source; "" = the program's name
	Request    func(image string) xcat.Request // what the bundle of an image holds; nil = what imgexport packs
	Owner      *Owner                          // nil = the user who mounts
	Umask      uint32                          // permission bits that nobody gets; 0 to 0777
	AllowOther bool                            // let other users in as far as the umask does
	Refresh    time.Duration                   // for how long what was seen of the site is shown; 0 = look every time
	Debug      bool                            // log every FUSE request
	Log        *slog.Logger                    // nil = the default logger
	Journal    *Journal                        // what .imgexportfs/log shows; nil = nothing
	Version    string                          // of the program, for the status and the metrics

	// Passthrough lets the kernel read the sources of members by itself
	// where it can. A change under an open member then fails close(2)
	// instead of read(2).
	Passthrough bool

	// NonEmpty allows a mount point that has files of its own, which the mount
	// then hides.
	NonEmpty bool

	NoExec   bool     // let no program be started from the mount
	Contexts []string // options of SELinux, as context=...; ignored where the kernel has none
}

// mount is what all nodes of a mount share.
type mount struct {
	opts     Options
	log      *slog.Logger
	owner    fuse.Owner
	started  time.Time
	engine   *bundle.Engine
	versions *versions
	reads    *sourceReads
	metrics  *metrics.Metrics
	changes  changes
	server   *fuse.Server
}

// Mounted is a site that is being shown.
type Mounted struct {
	mount      *mount
	server     *fuse.Server
	dir        string
	connection int // the kernel's number of it
}

// Mount shows the site at dir and returns when it can be used.
func Mount(ctx context.Context, dir string, site *xcat.Site, engine *bundle.Engine, opts Options) (*Mounted, error) {
	if opts.Umask&^0o777 != 0 {
		return nil, fmt.Errorf("umask %#o is not between 0 and 0777", opts.Umask)
	}
	if opts.Owner == nil {
		opts.Owner = &Owner{uint32(os.Geteuid()), uint32(os.Getegid())}
	}
	if opts.Log == nil {
		opts.Log = slog.Default()
	}
	if err := checkFUSE(); err != nil {
		return nil, err
	}
	real, err := checkMountPoint(ctx, dir, site, opts.NonEmpty)
	if err != nil {
		return nil, err
	}
	life, stop := context.WithCancel(context.Background())
	m := &mount{
		opts:     opts,
		log:      opts.Log,
		owner:    fuse.Owner{Uid: opts.Owner.UID, Gid: opts.Owner.GID},
		started:  time.Now(),
		engine:   engine,
		versions: newVersions(life, site, engine, opts),
		reads:    newSourceReads(),
	}
	m.metrics = metrics.New(opts.Version, m.metricsState)
	if err := m.serve(real); err != nil {
		stop()
		return nil, fmt.Errorf("mount %s: %w", dir, err)
	}
	mounted := &Mounted{mount: m, server: m.server, dir: real}
	if at, ok, err := findMount(real); err == nil && ok {
		mounted.connection = at.Minor
		if err := readFurtherAhead(at); err != nil {
			m.log.Debug("the kernel reads ahead as it likes", "error", err)
		}
	}
	go m.versions.warmer.run(life)
	go func() {
		m.server.Wait()
		stop()
	}()
	return mounted, nil
}

// serve mounts and answers requests. It does what go-fuse's Mount does, apart
// from the first request being answered only when the nodes know the server.
func (m *mount) serve(dir string) (err error) {
	options := m.fuseOptions()
	nodes := requests{gofs.NewNodeFS(&folder{mount: m}, options), m.metrics}
	err = withFusermountsWords(func() error {
		m.server, err = fuse.NewServer(nodes, dir, &options.MountOptions)
		return err
	})
	if err != nil {
		return err
	}
	go m.server.Serve()
	return m.server.WaitMount()
}

// checkFUSE explains what the kernel would only hint at.
func checkFUSE() error {
	const device = "/dev/fuse"
	st, err := os.Stat(device)
	if err == nil && st.Mode()&os.ModeCharDevice == 0 {
		err = fmt.Errorf("%s is not a device", device)
	}
	if err == nil {
		var f *os.File
		if f, err = os.OpenFile(device, os.O_RDWR, 0); err == nil {
			_ = f.Close()
		} else if errors.Is(err, unix.EACCES) {
			err = nil // fusermount may open it for the user
		}
	}
	if err != nil {
		return fmt.Errorf("this host has no FUSE: %w (modprobe fuse; a container needs the device, as by --device %s)", err, device)
	}
	return nil
}

func (m *mount) fuseOptions() *gofs.Options {
	options := []string{"ro"}
	if m.opts.AllowOther {
		options = append(options, "default_permissions")
	}
	if m.opts.NoExec {
		options = append(options, "noexec")
	}
	if _, err := os.Stat("/sys/fs/selinux"); err == nil { // without it the kernel refuses them
		options = append(options, m.opts.Contexts...)
	}
	return &gofs.Options{
		MountOptions: fuse.MountOptions{
			FsName:     cmp.Or(m.opts.Source, fsName),
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

// Metrics serves the metrics by HTTP.
func (m *Mounted) Metrics() http.Handler { return m.mount.metrics.Handler(m.mount.freshen) }

// Wait returns when nothing is shown any more.
func (m *Mounted) Wait() { m.server.Wait() }

// Unmount takes the site away. If files are still open it is detached, so the
// directory is free at once, and End is needed for the readers to get errors. It is no
// error if somebody else has taken it away.
func (m *Mounted) Unmount() error {
	at, err := ownMount(m.dir)
	if err == nil {
		err = unmount(at.Mountpoint, func() {})
	}
	if err != nil && !isMounted(m.connection, m.dir) {
		return nil
	}
	return err
}

// End ends the connection to the kernel: requests that wait for an answer get an
// error. It is for the end of the program, after Unmount.
func (m *Mounted) End() error { return abort(m.connection) }

// readSize is how much the kernel asks for at once, and how far it reads
// ahead: one segment.
const readSize = 1 << 20

// readFurtherAhead lets the kernel read ahead of sequential readers by more
// than its default of 128 KiB. Only root may.
func readFurtherAhead(m *mountinfo.Info) error {
	path := fmt.Sprintf("/sys/class/bdi/%d:%d/read_ahead_kb", m.Major, m.Minor)
	return os.WriteFile(path, fmt.Appendf(nil, "%d\n", readSize>>10), 0)
}
