package noderange

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// A site may have hundreds of thousands of nodes, all in one group. What an administrator
// writes is answered there too; what would look at every name again and again is not.
func TestLimitsGrowWithTheSite(t *testing.T) {
	const n = 600_000
	groups := make(map[string]string, n)
	for i := range n {
		groups[fmt.Sprintf("rack%03dn%04d", i/1000, i%1000)] = fmt.Sprintf("all,rack%03d", i/1000)
	}
	site := NewNodes(groups)
	for noderange, want := range map[string]int{
		"all": n, "all,-rack000": n - 1000, "all@rack007": 1000, "all@all": n, "groups==all,rack599": 1000,
		"rack[000-599]": n, "rack000-rack599,-rack001": n - 1000, "rack005n0000-rack005n0999": 1000, "rack[001-003,005]n[0010-0019]": 40,
		"groups=~rack00[1-3]$": 3000, "/rack(000|100|200)n0*[1-9][05]": 3 * 18, "/(rack[0-4][0-9]{2}n(00|99)(1|2|[5-9])[0-9],?)": 500 * 70,
		strings.Repeat("all,", 50) + "rack001": n, "rack001n0001,rack001n0000": 2,
	} {
		began := time.Now()
		got, _, err := site.Expand(noderange, Site{})
		if err != nil || len(got) != want {
			t.Errorf("%.60s: %d nodes, %v; want %d", noderange, len(got), err, want)
		}
		t.Logf("%.60s: %v", noderange, time.Since(began))
	}
	for _, noderange := range []string{
		strings.Repeat("rack000-rack599,", 8000), strings.Repeat("all@", 20_000) + "all", "/" + strings.Repeat("(r?.{0,100})", 500), strings.Repeat("/rack.*1.*,", 1000),
	} {
		began := time.Now()
		if got, _, err := site.Expand(noderange, Site{}); err == nil || !strings.Contains(err.Error(), "too long") {
			t.Errorf("%.60s...: %d nodes, %.200v", noderange, len(got), err)
		}
		t.Logf("%.60s: refused after %v", noderange, time.Since(began))
	}
}
