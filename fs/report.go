package fs

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"imgexportfs/bundle"
	"imgexportfs/xcat"
)

// Report is .imgexportfs/status.json. Times are those of this host, in RFC 3339.
type Report struct {
	Version  string     `json:"version"`
	PID      int        `json:"pid"`
	Format   int        `json:"bundle_format"`
	Mounted  time.Time  `json:"mounted"`
	Database string     `json:"database"`
	Root     string     `json:"root"`
	Images   int        `json:"images"`
	Refused  []string   `json:"images_refused"`           // which have no bundle
	Problems []string   `json:"images_with_problems"`     // which have a bundle, and problems in NAME.errors
	Unknown  int        `json:"images_unknown"`           // whose files have not answered yet
	Read     time.Time  `json:"rows_read"`                // when the rows that are shown were read
	Looked   time.Time  `json:"rows_checked"`             // when they were last found to be right
	Error    string     `json:"database_error,omitempty"` // why that is not so now
	Since    *time.Time `json:"database_error_since,omitempty"`
	Retry    *time.Time `json:"database_retry,omitempty"`
	Memory   Memory     `json:"memory"`
	Cache    Cache      `json:"cache"`
	Readers  int64      `json:"readers"`
	Sizing   []Sizing   `json:"sizing"`        // bundles whose size is being found
	Queued   int        `json:"sizing_queued"` // bundles whose size will be
}

// Sizing is the search for the size of one bundle.
type Sizing struct {
	Bundle string  `json:"bundle"`
	Done   int64   `json:"bytes_done"`
	Total  int64   `json:"bytes_total"`
	Left   float64 `json:"seconds_left"` // about; 0 if not known
}

// Memory is what is kept in memory.
type Memory struct {
	Budget   int64 `json:"budget_bytes"`
	Used     int64 `json:"used_bytes"`
	Resident int64 `json:"resident_bytes"` // of the process, with its program and shared pages
}

// Cache is the cache of segments on disk.
type Cache struct {
	Directory string `json:"directory"` // "" if nothing is cached on disk
	Limit     int64  `json:"limit_bytes"`
	Used      int64  `json:"used_bytes"`
	Failed    int64  `json:"failed_writes"`
}

func newReport(site xcat.Status, engine bundle.Stats, mounted time.Time) Report {
	r := Report{
		PID: os.Getpid(), Format: bundle.FormatVersion, Mounted: mounted,
		Database: site.Database, Images: site.Images, Read: site.Read, Looked: site.Looked,
		Memory: Memory{engine.Budget, engine.Used, resident()}, Readers: engine.Readers,
		Cache:  Cache{engine.Disk.Dir, engine.Disk.Limit, engine.Disk.Used, engine.Disk.Failed},
		Sizing: make([]Sizing, 0, len(engine.Passes)),
	}
	for _, p := range engine.Passes {
		r.Sizing = append(r.Sizing, Sizing{p.Name, p.Done, p.Total, p.Left(time.Now()).Seconds()})
	}
	if site.Err != nil {
		r.Error, r.Since, r.Retry = site.Err.Error(), &site.Since, &site.Retry
	}
	return r
}

// resident is how many bytes of this process are in memory; 0 if that is not known.
func resident() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// report is what status.json says at present.
func (m *mount) report() Report {
	r := newReport(m.versions.site.Status(), m.engine.Stats(), m.started)
	images := m.versions.states()
	r.Version, r.Root = m.opts.Version, m.versions.site.Root().Dir()
	r.Refused, r.Problems, r.Unknown = images.refused, images.problems, images.unknown
	r.Queued = m.versions.warmer.queued()
	return r
}

// imageStates says which images are not as they should be.
type imageStates struct {
	refused, problems []string // sorted; never nil, for they become arrays of JSON
	good, unknown     int
}

// states returns what was last found of each image.
func (vs *versions) states() imageStates {
	s := imageStates{refused: []string{}, problems: []string{}}
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if vs.rows.names == nil {
		return s
	}
	for i := range vs.rows.names.offers {
		o := &vs.rows.names.offers[i]
		var found summary
		if k := vs.known[view{image: o.Image}]; k != nil {
			found = k.shown()
		}
		switch {
		case o.Clash != nil || found.refused:
			s.refused = append(s.refused, printable(o.Image))
		case found.faults:
			s.problems = append(s.problems, printable(o.Image))
		case found.at.IsZero():
			s.unknown++
		default:
			s.good++
		}
	}
	slices.Sort(s.refused)
	slices.Sort(s.problems)
	return s
}
