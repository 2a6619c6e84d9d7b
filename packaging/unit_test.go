package packaging

import (
	"os"
	"regexp"
	"slices"
	"testing"
)

// The service calls only programs that the smallest system has; procps, which has /bin/kill,
// is not there on a small Debian.
func TestUnitNeedsNoOtherPackage(t *testing.T) {
	unit, err := os.ReadFile("systemd/imgexportfs@.service")
	if err != nil {
		t.Fatal(err)
	}
	calls := regexp.MustCompile(`(?m)^Exec\w+=(\S+)`).FindAllStringSubmatch(string(unit), -1)
	if len(calls) < 4 {
		t.Errorf("only %d programs are called", len(calls))
	}
	for _, call := range calls {
		if !slices.Contains([]string{"/bin/sh", "/usr/bin/mkdir", "/usr/bin/imgexportfs"}, call[1]) {
			t.Errorf("%s need not be there", call[0])
		}
	}
}
