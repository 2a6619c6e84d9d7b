package noderange

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// A site may have hundreds of thousands of nodes, all in one group. What an administrator
// writes is answered there too; what would look at every name again and again is not. What
// takes seconds is tried if SOAK is set.
func TestLimitsGrowWithTheSite(t *testing.T) {
	const n = 600_000
	groups := make(map[string]string, n)
	for i := range n {
		groups[fmt.Sprintf("rack%03dn%04d", i/1000, i%1000)] = fmt.Sprintf("all,rack%03d", i/1000)
	}
	site := NewNodes(groups)
	soaking := os.Getenv("SOAK") != ""
	for _, test := range []struct {
		noderange string
		want      int
		slow      bool
	}{
		{"all", n, false}, {"all,-rack000", n - 1000, false}, {"all@rack007", 1000, false}, {"all@all", n, false},
		{"rack000-rack599,-rack001", n - 1000, false}, {"rack005n0000-rack005n0999", 1000, false},
		{"rack001n0001,rack001n0000", 2, false}, {strings.Repeat("all,", 50) + "rack001", n, false},
		{"groups==all,rack599", 1000, true}, {"rack[000-599]", n, true}, {"rack[001-003,005]n[0010-0019]", 40, true},
		{"groups=~rack00[1-3]$", 3000, true}, {"/rack(000|100|200)n0*[1-9][05]", 3 * 18, true},
		{"/(rack[0-4][0-9]{2}n(00|99)(1|2|[5-9])[0-9],?)", 500 * 70, true},
	} {
		if test.slow && !soaking {
			continue
		}
		began := time.Now()
		got, _, err := site.Expand(test.noderange, Site{})
		if err != nil || len(got) != test.want {
			t.Errorf("%.60s: %d nodes, %v; want %d", test.noderange, len(got), err, test.want)
		}
		t.Logf("%.60s: %v", test.noderange, time.Since(began))
	}
	for _, test := range []struct {
		noderange string
		slow      bool
	}{
		{"/" + strings.Repeat("(r?.{0,100})", 500), false}, {strings.Repeat("all@", 20_000) + "all", true},
		{strings.Repeat("rack000-rack599,", 8000), true}, {strings.Repeat("/rack.*1.*,", 1000), true},
	} {
		if test.slow && !soaking {
			continue
		}
		began := time.Now()
		if got, _, err := site.Expand(test.noderange, Site{}); err == nil || !strings.Contains(err.Error(), "too long") {
			t.Errorf("%.60s...: %d nodes, %.200v", test.noderange, len(got), err)
		}
		t.Logf("%.60s: refused after %v", test.noderange, time.Since(began))
	}
}
