package main

import (
	"strings"
	"testing"

	"github.com/spf13/pflag"
)

func TestExportHelpNamesEveryOption(t *testing.T) {
	usage := exportUsage("export")
	parsed := &exportArgs{site: newSiteFlags()}
	parsed.options().VisitAll(func(f *pflag.Flag) {
		if f.Name != "?" && strings.Count(usage, "--"+f.Name) == 0 {
			t.Errorf("--%s is not in\n%s", f.Name, usage)
		}
	})
}
