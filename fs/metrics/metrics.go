package metrics

import (
	"bytes"
	"context"
	"fmt"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/prometheus/common/expfmt"
)

// prefix begins the names of all metrics that are not those of any Go process.
const prefix = "imgexportfs_"

// Metrics are the metrics of one mount. They are safe for use by several goroutines.
type Metrics struct {
	registry *prometheus.Registry
	requests
}

// New returns the metrics of a program of the given version. state is asked for
// what is not counted here, each time that the metrics are shown.
func New(version string, state func() State) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), requests: newRequests()}
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		stateCollector{version, state},
	)
	m.registry.MustRegister(m.collectors()...)
	return m
}

// Text returns the metrics in the text format of Prometheus.
func (m *Metrics) Text() []byte {
	var b bytes.Buffer
	families, err := m.registry.Gather()
	if err != nil {
		fmt.Fprintf(&b, "# %q\n", err.Error()) // the others are there all the same
	}
	encoder := expfmt.NewEncoder(&b, expfmt.NewFormat(expfmt.TypeTextPlain))
	for _, family := range families {
		if err := encoder.Encode(family); err != nil {
			fmt.Fprintf(&b, "# %q\n", err.Error())
		}
	}
	return b.Bytes()
}

// Handler serves the metrics by HTTP. before is called first, for each request.
func (m *Metrics) Handler(before func(context.Context)) http.Handler {
	show := promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		before(r.Context())
		show.ServeHTTP(w, r)
	})
}
