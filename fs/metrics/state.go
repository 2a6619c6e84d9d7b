package metrics

import (
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"imgexportfs/bundle"
	"imgexportfs/xcat"
)

// State is what others know of a mount.
type State struct {
	Site   xcat.Status
	Engine bundle.Stats
	Images Images
	Queued int // bundles whose size will be looked for
}

// Images are the numbers of images in each state.
type Images struct{ Good, Problems, Refused, Unknown int }

// stateCollector shows a State.
type stateCollector struct {
	version string
	state   func() State
}

// Describe describes nothing: the metrics are not known before they are collected.
func (stateCollector) Describe(chan<- *prometheus.Desc) {}

// Collect sends the metrics of the present state.
func (c stateCollector) Collect(out chan<- prometheus.Metric) {
	s, send := c.state(), sender{out}
	send.gauge("build_info", "The version of the program. The value is always 1.", 1,
		"version", c.version, "goversion", runtime.Version(), "bundle_format", strconv.Itoa(bundle.FormatVersion))
	const images = "Images in the table osimage, by what was last found: problems are in NAME.errors, refused ones have no bundle."
	send.gauge("images", images, s.Images.Good, "state", "good")
	send.gauge("images", images, s.Images.Problems, "state", "problems")
	send.gauge("images", images, s.Images.Refused, "state", "refused")
	send.gauge("images", images, s.Images.Unknown, "state", "unknown")
	send.site(s.Site)
	send.engine(s.Engine)
	send.gauge("sizing_queued_bundles", "Bundles whose size will be looked for.", s.Queued)
}

// sender sends metrics.
type sender struct{ out chan<- prometheus.Metric }

func (s sender) site(site xcat.Status) {
	failing := 0
	if site.Err != nil {
		failing = 1
	}
	s.gauge("database_failing", "1 while the database cannot be read.", failing)
	s.gauge("rows_checked_timestamp_seconds", "When the database was last looked at.", int(site.Looked.Unix()))
	s.gauge("rows_read_timestamp_seconds", "When the rows that are shown were read.", int(site.Read.Unix()))
	s.durations("database_look_duration_seconds", "How long looks at the database took.", site.Looks, site.Looking)
	s.counter("database_look_failures_total", "Looks at the database that failed.", site.Failed)
	s.counter("database_loads_total", "Looks at the database that have read the rows.", site.Loads)
}

func (s sender) engine(e bundle.Stats) {
	s.gauge("memory_budget_bytes", "Memory that made segments may take.", int(e.Budget))
	s.gauge("memory_used_bytes", "Memory that made segments take.", int(e.Used))
	s.gauge("readers", "Open bundles and root trees.", int(e.Readers))

	const made = "Segments of bundles that were compressed or stored, and pieces of rootimgtree.gz."
	s.counter("segments_made_total", made, e.Deflated, "kind", "deflated")
	s.counter("segments_made_total", made, e.Stored, "kind", "stored")
	s.counter("segments_made_total", made, e.Chunks, "kind", "tree")
	const found = "Segments that were wanted and made already."
	s.counter("segments_found_total", found, e.Found, "where", "memory")
	s.counter("segments_found_total", found, e.Disk.Found, "where", "disk")

	s.gauge("cache_limit_bytes", "Disk that cached segments may take.", int(e.Disk.Limit))
	s.gauge("cache_used_bytes", "Disk that cached segments take, as far as this process knows.", int(e.Disk.Used))
	s.counter("cache_writes_total", "Segments that were written to the cache on disk.", e.Disk.Written)
	s.counter("cache_write_failures_total", "Segments that could not be written to the cache on disk.", e.Disk.Failed)

	done, total := int64(0), int64(0)
	for _, p := range e.Passes {
		done, total = done+p.Done, total+p.Total
	}
	s.gauge("sizing_bundles", "Bundles whose size is being found.", len(e.Passes))
	s.gauge("sizing_done_bytes", "Bytes compressed so far to find these sizes.", int(done))
	s.gauge("sizing_total_bytes", "Bytes to be compressed to find these sizes.", int(total))
	s.durations("sizing_duration_seconds", "How long it took to find the sizes of bundles.", e.Sized, e.Sizing)
	s.counter("sizing_failures_total", "Sizes that could not be found.", e.SizingFailed)
}

func (s sender) gauge(name, help string, value int, labels ...string) {
	s.value(prometheus.GaugeValue, name, help, float64(value), labels)
}

func (s sender) counter(name, help string, value int64, labels ...string) {
	s.value(prometheus.CounterValue, name, help, float64(value), labels)
}

// value sends one value. labels are names, each with its value behind.
func (s sender) value(kind prometheus.ValueType, name, help string, value float64, labels []string) {
	var names, values []string
	for i := 0; i+1 < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	s.out <- prometheus.MustNewConstMetric(prometheus.NewDesc(prefix+name, help, names, nil), kind, value, values...)
}

// durations sends how many there were and how long they took together.
func (s sender) durations(name, help string, count int64, took time.Duration) {
	s.out <- prometheus.MustNewConstSummary(prometheus.NewDesc(prefix+name, help, nil, nil), uint64(count), took.Seconds(), nil)
}
