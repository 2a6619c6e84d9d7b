package integration

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The documents and a mount have the same metrics, with the same labels, and the same
// lines of a status.
func TestMetricsAndStatusAreThoseOfDocuments(t *testing.T) {
	m := mountSite(t, smallSite(t, 1000).Dir())
	live := metricsOf(t, m)
	documented := []string{}
	for _, d := range documents(t) {
		var names []string
		for _, cell := range d.rows("metric, after `imgexportfs_`") {
			for _, span := range codeSpan.FindAllStringSubmatch(cell, -1) {
				names = append(names, "imgexportfs_"+span[1])
			}
		}
		for _, name := range append(names, regexp.MustCompile(`\b(?:imgexportfs|process)_[a-z_]+[a-z]\b`).FindAllString(d.code(), -1)...) {
			base, labels, _ := strings.Cut(strings.TrimSuffix(name, "}"), "{")
			documented = append(documented, base)
			family := live[base]
			if family == nil {
				t.Errorf("%s names the metric %s, and a mount has none", d.name, base)
				continue
			}
			for _, metric := range family.GetMetric() {
				var has []string
				for _, l := range metric.GetLabel() {
					has = append(has, l.GetName())
				}
				if base != "imgexportfs_build_info" && labels != "" && labels != strings.Join(has, ",") {
					t.Errorf("%s says that %s has the labels %q; it has %q", d.name, base, labels, has)
				}
			}
		}
	}
	for name := range live {
		if strings.HasPrefix(name, "imgexportfs_") && !slices.Contains(documented, name) {
			t.Errorf("no document names the metric %s", name)
		}
	}

	var lines []string
	for _, d := range documents(t) {
		for _, cell := range d.rows("line") {
			for _, span := range codeSpan.FindAllStringSubmatch(cell, -1) {
				lines = append(lines, span[1])
			}
		}
	}
	for _, found := range regexp.MustCompile(`(?m)^  ([a-z]+) `).FindAllStringSubmatch(program(t, "", "status", m.dir).stdout, -1) {
		if !slices.Contains(lines, found[1]) {
			t.Errorf("no document names the line %s of the status", found[1])
		}
	}
}
