package fs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"syscall"
	"time"

	gofs "github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"

	"imgexportfs/bundle"
	"imgexportfs/xcat"
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
}{
	{"status.json", (*mount).statusJSON},
	{"metrics", (*mount).metrics},
	{"log", func(m *mount) []byte { return m.opts.Journal.Text() }},
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
			return d.child(ctx, d.EmbeddedInode(), &statusFile{mount: d.mount, name: name, text: f.text}, d.opts.Refresh, out)
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
}

var _ = (gofs.NodeGetattrer)((*statusFile)(nil))

func (f *statusFile) Getattr(ctx context.Context, _ gofs.FileHandle, out *fuse.AttrOut) syscall.Errno {
	return f.getattr(ctx, f, out)
}

func (f *statusFile) attributes(context.Context) (attributes, error) {
	key := inodeKey{role: roleStatus, name: f.name}
	return attributes{key: key, kind: syscall.S_IFREG, size: int64(len(f.text(f.mount))), time: time.Now()}, nil
}

var _ = (gofs.NodeOpener)((*statusFile)(nil))

// Open bypasses the kernel's cache, which would hold the reader to the size of
// an earlier look.
func (f *statusFile) Open(context.Context, uint32) (gofs.FileHandle, uint32, syscall.Errno) {
	return &textHandle{f.text(f.mount)}, fuse.FOPEN_DIRECT_IO, 0
}

// report is status.json. Times are those of this host, in RFC 3339.
type report struct {
	Format   int        `json:"bundle_format"`
	Mounted  time.Time  `json:"mounted"`
	Database string     `json:"database"`
	Images   int        `json:"images"`
	Read     time.Time  `json:"rows_read"`                // when the rows that are shown were read
	Looked   time.Time  `json:"rows_checked"`             // when they were last found to be right
	Error    string     `json:"database_error,omitempty"` // why that is not so now
	Since    *time.Time `json:"database_error_since,omitempty"`
	Retry    *time.Time `json:"database_retry,omitempty"`
	Memory   memory     `json:"memory"`
	Readers  int64      `json:"readers"`
	Sizing   []sizing   `json:"sizing"` // bundles whose size is being found
}

type sizing struct {
	Bundle string  `json:"bundle"`
	Done   int64   `json:"bytes_done"`
	Total  int64   `json:"bytes_total"`
	Left   float64 `json:"seconds_left"` // about; 0 if not known
}

type memory struct {
	Budget int64 `json:"budget_bytes"`
	Used   int64 `json:"used_bytes"`
}

func newReport(site xcat.Status, engine bundle.Stats, mounted time.Time) report {
	r := report{
		Format: bundle.FormatVersion, Mounted: mounted,
		Database: site.Database, Images: site.Images, Read: site.Read, Looked: site.Looked,
		Memory: memory{engine.Budget, engine.Used}, Readers: engine.Readers,
	}
	r.Sizing = make([]sizing, 0, len(engine.Passes))
	for _, p := range engine.Passes {
		r.Sizing = append(r.Sizing, sizing{p.Name, p.Done, p.Total, p.Left(time.Now()).Seconds()})
	}
	if site.Err != nil {
		r.Error, r.Since, r.Retry = site.Err.Error(), &site.Since, &site.Retry
	}
	return r
}

func (m *mount) statusJSON() []byte {
	text, err := json.MarshalIndent(newReport(m.versions.site.Status(), m.engine.Stats(), m.started), "", "  ")
	if err != nil {
		return fmt.Appendf(nil, "%q\n", err.Error()) // no type of a report can fail
	}
	return append(text, '\n')
}

// metrics is the same in the text format of Prometheus.
func (m *mount) metrics() []byte {
	site, engine := m.versions.site.Status(), m.engine.Stats()
	failing := 0
	if site.Err != nil {
		failing = 1
	}
	var b bytes.Buffer
	gauge := func(name, help string, value any) {
		fmt.Fprintf(&b, "# HELP imgexportfs_%[1]s %[2]s\n# TYPE imgexportfs_%[1]s gauge\nimgexportfs_%[1]s %[3]v\n", name, help, value)
	}
	gauge("images", "Images in the table osimage.", site.Images)
	gauge("rows_checked_timestamp_seconds", "When the rows were last found to be right.", site.Looked.Unix())
	gauge("database_failing", "1 while the database cannot be read.", failing)
	gauge("memory_budget_bytes", "Memory that made segments may take.", engine.Budget)
	gauge("memory_used_bytes", "Memory that made segments take.", engine.Used)
	gauge("readers", "Open bundles and root trees.", engine.Readers)
	done, total := int64(0), int64(0)
	for _, p := range engine.Passes {
		done, total = done+p.Done, total+p.Total
	}
	gauge("sizing_bundles", "Bundles whose size is being found.", len(engine.Passes))
	gauge("sizing_done_bytes", "Bytes compressed so far to find these sizes.", done)
	gauge("sizing_total_bytes", "Bytes to be compressed to find these sizes.", total)
	return b.Bytes()
}
