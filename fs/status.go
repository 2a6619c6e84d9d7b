package fs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"syscall"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"imgexportfs/fs/metrics"
)

// statusName is the directory that says how the mount is doing. It is found by
// name and not listed, so that rsync and cp * pass it by.
const statusName = ".imgexportfs"

// statusDir is that directory.
type statusDir struct {
	gofs.Inode
	*mount
}

// statusFiles are the files in it, with what makes their content.
var statusFiles = []struct {
	name string
	text func(*mount) []byte
	site bool // it says how the site is
}{
	{"status.json", (*mount).statusJSON, true},
	{"metrics", func(m *mount) []byte { return m.metrics.Text() }, true},
	{"log", func(m *mount) []byte { return m.opts.Journal.Text() }, false},
}

var _ = (gofs.NodeGetattrer)((*statusDir)(nil))

func (d *statusDir) Getattr(ctx context.Context, _ gofs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return d.getattr(ctx, d, out)
}

func (d *statusDir) attributes(context.Context) (attributes, error) {
	return attributes{key: inodeKey{role: roleStatus}, kind: syscall.S_IFDIR, time: d.started, valid: d.opts.Refresh}, nil
}

var _ = (gofs.NodeReaddirer)((*statusDir)(nil))

func (d *statusDir) Readdir(context.Context) (gofs.DirStream, syscall.Errno) {
	var list []fuse.DirEntry
	for _, f := range statusFiles {
		list = append(list, fuse.DirEntry{Name: f.name, Mode: syscall.S_IFREG})
	}
	return gofs.NewListDirStream(list), 0
}

var _ = (gofs.NodeLookuper)((*statusDir)(nil))

func (d *statusDir) Lookup(ctx context.Context, name string, out *fuse.EntryOut) (*gofs.Inode, syscall.Errno) {
	for _, f := range statusFiles {
		if f.name == name {
			return d.child(ctx, d.EmbeddedInode(), &statusFile{mount: d.mount, name: name, text: f.text, site: f.site}, d.opts.Refresh, out)
		}
	}
	return nil, syscall.ENOENT
}

// statusFile is made anew whenever it is opened.
type statusFile struct {
	gofs.Inode
	*mount
	name string
	text func(*mount) []byte
	site bool

	mu      sync.Mutex // guards what follows
	readers int        // who has it open
	length  int        // of the text of the last one
}

var _ = (gofs.NodeGetattrer)((*statusFile)(nil))

func (f *statusFile) Getattr(ctx context.Context, _ gofs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return f.getattr(ctx, f, out)
}

func (f *statusFile) attributes(context.Context) (attributes, error) {
	key := inodeKey{role: roleStatus, name: f.name}
	return attributes{key: key, kind: syscall.S_IFREG, size: int64(f.size()), time: time.Now()}, nil
}

// size is the length of the text that is read while somebody reads it. With that of a
// newer text, grep takes what lies between both for a hole, and the file for binary.
func (f *statusFile) size() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.readers > 0 {
		return f.length
	}
	return len(f.text(f.mount))
}

var _ = (gofs.NodeOpener)((*statusFile)(nil))

// Open bypasses the kernel's cache, which would hold the reader to the size of
// an earlier look.
func (f *statusFile) Open(ctx context.Context, _ uint32) (gofs.FileHandle, uint32, syscall.Errno) {
	ctx, done := wanted(ctx)
	defer done()
	if f.site {
		f.freshen(ctx)
	}
	text := f.text(f.mount)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.readers++
	f.length = len(text)
	return &statusHandle{textHandle{text: text}, f}, fuse.FOPEN_DIRECT_IO, 0
}

// statusHandle is an open statusFile.
type statusHandle struct {
	textHandle
	file *statusFile
}

var _ = (gofs.FileReleaser)((*statusHandle)(nil))

func (h *statusHandle) Release(context.Context) syscall.Errno {
	h.file.mu.Lock()
	defer h.file.mu.Unlock()
	h.file.readers--
	return 0
}

func (m *mount) statusJSON() []byte {
	text, err := json.MarshalIndent(m.report(), "", "  ")
	if err != nil {
		return fmt.Appendf(nil, "%q\n", err.Error()) // no type of a report can fail
	}
	return append(SafeJSON(text), '\n')
}

// metricsState is what the metrics show that others know.
func (m *mount) metricsState() metrics.State {
	images := m.versions.states()
	return metrics.State{
		Site: m.versions.site.Status(), Engine: m.engine.Stats(), Queued: m.versions.warmer.queued(),
		Images: metrics.Images{
			Good: images.good, Problems: len(images.problems), Refused: len(images.refused), Unknown: images.unknown,
		},
	}
}

// freshen has the site looked at as a listing does, so that what is shown of it is not
// what it was when a listing was last wanted. It waits no longer than a listing may.
func (m *mount) freshen(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, briefPatience)
	defer cancel()
	if r, err := m.versions.look(ctx); err == nil {
		_, _ = m.versions.summaries(ctx, r, "") // states shows what is known
	}
}

// journalMax is how many bytes of log a Journal keeps at most.
const journalMax = 64 << 10

// Journal keeps the last lines that were logged, for .imgexportfs/log: who gets
// an error from a mount that runs in the background wants to know why. It is a
// writer for one line at a time, as slog writes them.
type Journal struct {
	mu   sync.Mutex // guards text
	text []byte
}

// Write appends a line and drops the oldest ones that have no room any more.
func (j *Journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.text = append(j.text, line...)
	if surplus := len(j.text) - journalMax; surplus > 0 {
		if end := bytes.IndexByte(j.text[surplus-1:], '\n'); end >= 0 {
			surplus += end
		}
		j.text = append(j.text[:0], j.text[surplus:]...)
	}
	return len(line), nil
}

// Text is a copy of the lines.
func (j *Journal) Text() []byte {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	return bytes.Clone(j.text)
}
