package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Operation is a kind of request of the kernel.
type Operation int

// The operations that are counted.
const (
	Lookup Operation = iota
	Stat
	Open
	List
	Read
	operations
)

// Kind is a kind of file that is read.
type Kind int

// The kinds of files. A source is a member that is a file of the site; Text is all
// that is made in memory: manifest, checksum, .errors.
const (
	Bundle Kind = iota
	Tree
	Source
	Text
	kinds
)

// Failure is a kind of error that a request was answered with.
type Failure int

// The kinds of errors.
const (
	Stale      Failure = iota // a source has changed
	Timeout                   // files did not answer
	Permission                // this process may not read a file
	Other
	failures
)

var (
	operationNames = [operations]string{"lookup", "stat", "open", "list", "read"}
	kindNames      = [kinds]string{"bundle", "tree", "source", "text"}
	failureNames   = [failures]string{"stale", "timeout", "permission", "other"}
)

// requests are the counters that requests add to. What has a label has all its values
// from the beginning, so that a rate sees the first event.
type requests struct {
	operations       [operations]prometheus.Counter
	bytes            [kinds]prometheus.Counter
	seconds          [kinds]prometheus.Observer
	failures         [failures]prometheus.Counter
	all, read, fails *prometheus.CounterVec
	took             *prometheus.HistogramVec
}

// readBuckets reach from a segment that is in memory to a source that hangs.
var readBuckets = []float64{0.0001, 0.0005, 0.002, 0.01, 0.05, 0.2, 1, 5}

func newRequests() requests {
	r := requests{
		all:   newCounters("requests_total", "Requests of the kernel.", "operation"),
		read:  newCounters("read_bytes_total", "Bytes that were read from the mount.", "kind"),
		fails: newCounters("errors_total", "Requests that were answered with an error.", "kind"),
		took: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: prefix + "read_duration_seconds", Help: "How long reads took.", Buckets: readBuckets,
		}, []string{"kind"}),
	}
	for i, name := range operationNames {
		r.operations[i] = r.all.WithLabelValues(name)
	}
	for i, name := range kindNames {
		r.bytes[i], r.seconds[i] = r.read.WithLabelValues(name), r.took.WithLabelValues(name)
	}
	for i, name := range failureNames {
		r.failures[i] = r.fails.WithLabelValues(name)
	}
	return r
}

func newCounters(name, help, label string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Name: prefix + name, Help: help}, []string{label})
}

func (r *requests) collectors() []prometheus.Collector {
	return []prometheus.Collector{r.all, r.read, r.fails, r.took}
}

// Request counts a request.
func (r *requests) Request(o Operation) { r.operations[o].Inc() }

// Failed counts a request that was answered with an error.
func (r *requests) Failed(f Failure) { r.failures[f].Inc() }

// ReadDone counts a read of n bytes that began at a time.
func (r *requests) ReadDone(k Kind, n int, began time.Time) {
	r.bytes[k].Add(float64(n))
	r.seconds[k].Observe(time.Since(began).Seconds())
}
