package integration

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The metrics and the values of labels that the alert rules and the dashboard name are
// among those that a mount shows.
func TestDashboardAndAlertsNameMetricsThatExist(t *testing.T) {
	live := metricsOf(t, mountSite(t, smallSite(t, 1000).Dir()))
	for file, expressions := range map[string][]string{
		"prometheus/alerts.yml":    alertExpressions(t, packaging("prometheus/alerts.yml")),
		"grafana/imgexportfs.json": dashboardExpressions(t, packaging("grafana/imgexportfs.json")),
	} {
		if len(expressions) < 5 {
			t.Errorf("only %d expressions are found in %s", len(expressions), file)
		}
		for _, expression := range expressions {
			if err := live.lacks(expression); err != "" {
				t.Errorf("%s: %s: there is no %s", file, expression, err)
			}
		}
	}
}

func packaging(name string) string { return filepath.Join("..", "packaging", filepath.FromSlash(name)) }

func alertExpressions(t *testing.T, file string) (list []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	for _, found := range regexp.MustCompile(`(?m)^\s+expr: (.*)$`).FindAllStringSubmatch(string(text), -1) {
		list = append(list, found[1])
	}
	return list
}

func dashboardExpressions(t *testing.T, file string) (list []string) {
	t.Helper()
	text, err := os.ReadFile(file)
	must(t, err)
	var dashboard struct {
		Panels []struct{ Targets []struct{ Expr string } }
	}
	must(t, json.Unmarshal(text, &dashboard))
	for _, panel := range dashboard.Panels {
		for _, target := range panel.Targets {
			list = append(list, target.Expr)
		}
	}
	return list
}

var (
	selector = regexp.MustCompile(`\b((?:imgexportfs|process|go)_[a-z0-9_]+)(\{[^}]*\})?`)
	matcher  = regexp.MustCompile(`([a-z]+)!?="([^"]*)"`)
)

// lacks returns a metric, or a label of one, that an expression names and f has not.
func (f families) lacks(expression string) string {
	for _, s := range selector.FindAllStringSubmatch(expression, -1) {
		family := f[s[1]]
		for _, suffix := range []string{"_bucket", "_sum", "_count"} {
			if base, found := strings.CutSuffix(s[1], suffix); found && family == nil {
				family = f[base]
			}
		}
		if family == nil {
			return s[1]
		}
		var values []string
		for _, m := range family.GetMetric() {
			for _, l := range m.GetLabel() {
				values = append(values, l.GetName()+"="+l.GetValue())
			}
		}
		all := " " + strings.Join(values, " ") + " "
		for _, m := range matcher.FindAllStringSubmatch(s[2], -1) {
			if m[1] != "job" && !strings.Contains(all, " "+m[1]+"="+m[2]+" ") {
				return s[0]
			}
		}
	}
	return ""
}

func TestLacksFindsWhatIsNotThere(t *testing.T) {
	live := parseMetrics(t, "# TYPE imgexportfs_a counter\nimgexportfs_a{kind=\"x\"} 1\n# TYPE imgexportfs_h histogram\nimgexportfs_h_bucket{le=\"+Inf\"} 1\nimgexportfs_h_sum 1\nimgexportfs_h_count 1\n")
	for expression, want := range map[string]string{
		`rate(imgexportfs_a{kind="x",instance=~"$i"}[5m])`: "",
		`imgexportfs_h_bucket / imgexportfs_h_count`:       "",
		`imgexportfs_a + imgexportfs_b`:                    "imgexportfs_b",
		`imgexportfs_a{kind!="y"}`:                         `imgexportfs_a{kind!="y"}`,
	} {
		if got := live.lacks(expression); got != want {
			t.Errorf("%s lacks %q, want %q", expression, got, want)
		}
	}
}

// promtool, where it is installed, finds nothing to say about the metrics and the rules.
func TestPromtoolAcceptsMetricsAndAlerts(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Log("promtool is not installed; other tests look at names and syntax")
		return
	}
	for _, args := range [][]string{{"check", "rules", packaging("prometheus/alerts.yml")}, {"test", "rules", packaging("prometheus/alerts_test.yml")}} {
		run(t, append([]string{promtool}, args...)...)
	}
	m := mountSite(t, smallSite(t, 1000).Dir())
	if said := shell(t, "", `"$1" check metrics <"$2" 2>&1`, promtool, m.path(".imgexportfs", "metrics")); said != "" {
		t.Errorf("promtool check metrics: %s", said)
	}
}
