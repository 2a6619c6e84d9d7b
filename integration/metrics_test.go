package integration

import (
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"imgexportfs/integration/xcatsite"
)

// families is a whole answer of metrics, by their names.
type families map[string]*dto.MetricFamily

// metricsOf reads the metrics of a mount with the official parser.
func metricsOf(t *testing.T, m *mount) families {
	t.Helper()
	return parseMetrics(t, run(t, "cat", m.path(".imgexportfs", "metrics")))
}

func parseMetrics(t *testing.T, text string) families {
	t.Helper()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	parsed, err := parser.TextToMetricFamilies(strings.NewReader(text))
	if err != nil {
		t.Fatalf("metrics: %v in %s", err, clip(text))
	}
	return parsed
}

// value is a metric whose only label has the value given, or that has none; the count
// of a histogram or a summary.
func (f families) value(t *testing.T, name, label string) float64 {
	t.Helper()
	for _, m := range f[name].GetMetric() {
		if labels := m.GetLabel(); label != "" && (len(labels) != 1 || labels[0].GetValue() != label) {
			continue
		}
		switch {
		case m.GetHistogram() != nil:
			return float64(m.GetHistogram().GetSampleCount())
		case m.GetSummary() != nil:
			return float64(m.GetSummary().GetSampleCount())
		}
		return m.GetCounter().GetValue() + m.GetGauge().GetValue()
	}
	t.Errorf("there is no metric %s{%s}", name, label)
	return 0
}

// What is read is counted, byte for byte where the reader opens the file anew.
func TestACopyRaisesTheCountersByWhatWasRead(t *testing.T) {
	site := smallSite(t, 3<<20)
	m := mountSite(t, site.Dir(), "--memory", "64MiB")
	before := metricsOf(t, m)
	run(t, "cp", m.path("bar.tgz"), t.TempDir())
	run(t, "cp", m.path("bar", "manifest.xml"), t.TempDir())
	run(t, "cp", m.path("bar", "rootimg.cpio.gz"), t.TempDir())
	after := metricsOf(t, m)
	grown := func(name, label string) float64 {
		return after.value(t, name, label) - before.value(t, name, label)
	}
	for kind, name := range map[string]string{"bundle": "bar.tgz", "text": "bar/manifest.xml", "source": "bar/rootimg.cpio.gz"} {
		if got, want := grown("imgexportfs_read_bytes_total", kind), statOne(t, m.path(name)).size; got != float64(want) {
			t.Errorf("reading %s has counted %v bytes of %s, want %d", name, got, kind, want)
		}
		if grown("imgexportfs_read_duration_seconds", kind) < 1 {
			t.Errorf("reading %s has counted no read of %s", name, kind)
		}
	}
	for _, operation := range []string{"lookup", "open", "read"} {
		if grown("imgexportfs_requests_total", operation) < 1 {
			t.Errorf("a copy has counted no %s", operation)
		}
	}
	if grown("imgexportfs_segments_made_total", "stored") < 1 || after.value(t, "imgexportfs_segments_made_total", "deflated") < 1 {
		t.Error("no segments are counted")
	}
	if after.value(t, "imgexportfs_database_look_duration_seconds", "") < 1 || after.value(t, "imgexportfs_images", "good") != 2 {
		t.Error("no look at the database is counted, or not the two images")
	}
}

// A source that changes under its reader is counted, and is one line in the log.
func TestAChangedSourceIsCountedAndLoggedOnce(t *testing.T) {
	const size = 24 << 20
	site := smallSite(t, size)
	m := mountSite(t, site.Dir(), "--refresh", "100ms", "--memory", "64MiB")
	reader := hold(t, m.path("bar.tgz"), 200_000)
	must(t, os.Truncate(site.Path(xcatsite.ProfileDir("bar")+"/rootimg.cpio.gz"), size/2))
	if hash, _ := reader.rest(); hash != "" {
		t.Fatal("the reader of a changed source got no error")
	}
	if n := metricsOf(t, m).value(t, "imgexportfs_errors_total", "stale"); n < 1 {
		t.Errorf("%v stale answers are counted", n)
	}
	log := run(t, "cat", m.path(".imgexportfs", "log"))
	if n := strings.Count(log, "a source changed"); n != 1 {
		t.Errorf("one changed source has %d lines in the log, want 1:\n%s", n, log)
	}
}

// --metrics-addr serves the same as the file, on this host unless another address is
// given; profiles are served only when asked for.
func TestMetricsAreServedByHTTP(t *testing.T) {
	site := smallSite(t, 1000)
	for _, c := range []struct {
		flags []string
		pprof int
	}{
		{[]string{"--metrics-addr", ":0"}, http.StatusNotFound},
		{[]string{"--metrics-addr", "0", "--pprof"}, http.StatusOK},
	} {
		m := mountSite(t, site.Dir(), c.flags...)
		address := regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+`).FindString(m.log.String())
		if address == "" {
			t.Fatalf("no address of this host alone in the log: %s", m.log)
		}
		code, text := get(t, address+"/metrics")
		if code != http.StatusOK || parseMetrics(t, text).value(t, "imgexportfs_images", "good") != 2 {
			t.Errorf("/metrics: %d: %s", code, clip(text))
		}
		if code, _ := get(t, address+"/debug/pprof/goroutine?debug=1"); code != c.pprof {
			t.Errorf("%q: profiles have code %d, want %d", c.flags, code, c.pprof)
		}
		m.stop(t)
	}
}

func get(t *testing.T, url string) (code int, text string) {
	t.Helper()
	r, err := http.Get(url)
	must(t, err)
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(r.Body)
	must(t, err)
	return r.StatusCode, string(body)
}

func TestMetricsFlagsThatCannotBeServed(t *testing.T) {
	site := smallSite(t, 1000)
	for _, c := range []struct {
		code  int
		want  string
		flags []string
	}{
		{2, "--pprof needs --metrics-addr", []string{"--pprof"}},
		{2, "of this host only", []string{"--pprof", "--metrics-addr", "0.0.0.0:0"}},
		{2, "not HOST:PORT", []string{"--metrics-addr", "a:b:c"}},
		{4, "--metrics-addr :1000000", []string{"--metrics-addr", ":1000000"}},
		{2, "text and json", []string{"--log-format", "xml"}},
		{2, "debug, info, warn and error", []string{"--log-level", "loud"}},
	} {
		r := program(t, "", append(append([]string{"mount", "--root", site.Dir()}, c.flags...), t.TempDir())...)
		expectCode(t, r, c.code)
		expectContains(t, "stderr", r.stderr, c.want)
	}
}
