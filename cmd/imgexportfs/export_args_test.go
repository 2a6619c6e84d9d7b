package main

import (
	"reflect"
	"strings"
	"testing"
)

func TestExportArgsReadWhatImgexportReads(t *testing.T) {
	plain := func(change func(*exportArgs)) exportArgs {
		a := exportArgs{image: "foo", site: newSiteFlags()}
		change(&a)
		return a
	}
	for _, test := range []struct {
		line string
		want exportArgs
	}{
		{"foo", plain(func(*exportArgs) {})},
		{"foo /backup/foo.tgz", plain(func(a *exportArgs) { a.destination = "/backup/foo.tgz" })},
		{"foo d -v", plain(func(a *exportArgs) { a.destination, a.verbose = "d", true })},
		{"-v foo -p n1 d", plain(func(a *exportArgs) { a.verbose, a.node, a.destination = true, "n1", "d" })},
		{"-vpn1 foo", plain(func(a *exportArgs) { a.verbose, a.node = true, "n1" })},
		{"-vp n1 foo", plain(func(a *exportArgs) { a.verbose, a.node = true, "n1" })},
		{"foo -pn1", plain(func(a *exportArgs) { a.node = "n1" })},
		{"foo --post n1", plain(func(a *exportArgs) { a.node = "n1" })},
		{"foo --p=n1", plain(func(a *exportArgs) { a.node = "n1" })},
		{"foo --postscripts=n[1-4]", plain(func(a *exportArgs) { a.node = "n[1-4]" })},
		{"foo -p n1 -p n2", plain(func(a *exportArgs) { a.node = "n2" })},
		{"foo -p -- -v", plain(func(a *exportArgs) { a.node, a.verbose = "--", true })},
		{"foo -p -c69dash", plain(func(a *exportArgs) { a.node = "-c69dash" })},
		{"-e /a,b foo --ex /b:/c:d -e/e", plain(func(a *exportArgs) { a.extras = []string{"/a,b", "/b:/c:d", "/e"} })},
		{"foo -R root@mn2", plain(func(a *exportArgs) { a.remote = "root@mn2" })},
		{"foo --r root@mn2", plain(func(a *exportArgs) { a.remote = "root@mn2" })},
		{"foo --root /mnt/old", plain(func(a *exportArgs) { a.site.root = "/mnt/old" })},
		{"foo --roo=/mnt/old --cfg SQLite:/x --mem 1G", plain(func(a *exportArgs) {
			a.site.root, a.site.cfgloc, a.site.memory = "/mnt/old", "SQLite:/x", 1<<30
		})},
		{"foo --cache-d=/c --com=store", plain(func(a *exportArgs) { a.site.cacheDir, a.site.compression = "/c", "store" })},
		{"-- foo -v", plain(func(a *exportArgs) { a.destination = "-v" })},
		{"-v -- -c69dash", plain(func(a *exportArgs) { a.verbose, a.image = true, "-c69dash" })},
		{"-c69dash", plain(func(a *exportArgs) { a.image, a.looksLikeOption = "-c69dash", true })},
		{"-p -c69dash -c69dash d -v", plain(func(a *exportArgs) {
			a.image, a.looksLikeOption, a.node, a.destination, a.verbose = "-c69dash", true, "-c69dash", "d", true
		})},
		{"-- --c", plain(func(a *exportArgs) { a.image = "--c" })},
		{"--c69dash", plain(func(a *exportArgs) { a.image, a.looksLikeOption = "--c69dash", true })},
		{"-", plain(func(a *exportArgs) { a.image = "-" })},
		{"-h", exportArgs{help: true, site: newSiteFlags()}},
		{"-?", exportArgs{help: true, site: newSiteFlags()}},
		{"--help", exportArgs{help: true, site: newSiteFlags()}},
		{"a b --he c", exportArgs{help: true, site: newSiteFlags()}},
	} {
		got, err := parseExportArgs(strings.Fields(test.line), false)
		if err != nil {
			t.Errorf("%s: %v", test.line, err)
		} else if !reflect.DeepEqual(*got, test.want) {
			t.Errorf("%s:\n got %+v\nwant %+v", test.line, *got, test.want)
		}
	}
}

func TestExportArgsKeepEmptyAndBlankNames(t *testing.T) {
	got, err := parseExportArgs([]string{" c20 sp\n", ""}, false)
	if err != nil || got.image != " c20 sp\n" || got.destination != "" {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestExportArgsErrorsNameWhatIsWrong(t *testing.T) {
	for line, want := range map[string]string{
		"-v":                "no image is named",
		"--":                "no image is named",
		"a b c":             `"c" is one operand too many`,
		"foo -x":            "unknown option -x; put -- before names",
		"foo -vx":           "unknown option -vx",
		"foo --bogus=1":     "unknown option --bogus=1",
		"-x foo -y":         "unknown option -y",
		"foo -p":            "option -p needs a value",
		"foo -vp":           "option -vp needs a value",
		"foo --extra":       "option --extra needs a value",
		"foo --memory much": `"much" for "--memory" flag: invalid size; for example 256MiB`,
		"foo --verbose=who": "--verbose",
		"foo ---":           "---",
		"foo --c x":         "option --c is ambiguous (--cache-dir, --cache-size, --cfgloc, --compression, --config)",
		"foo --c=x":         "option --c is ambiguous (--cache-dir, --cache-size, --cfgloc, --compression, --config)",
		"--c foo":           "option --c is ambiguous",
	} {
		_, err := parseExportArgs(strings.Fields(line), false)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want it to hold %q", line, err, want)
		}
	}
}

func TestExportArgsOfABulkExport(t *testing.T) {
	for line, want := range map[string]struct {
		images      string
		all         bool
		destination string
	}{
		"a b c/":            {"a b", false, "c/"},
		"a -v b* c":         {"a b*", false, "c"},
		"--all c/":          {"", true, "c/"},
		"c/ -v --all":       {"", true, "c/"},
		"-- --all a c/":     {"--all a", false, "c/"},
		"-x a --level=1 c/": {"-x a", false, "c/"},
	} {
		got, err := parseExportArgs(strings.Fields(line), true)
		if err != nil || !got.isBulk() || got.image != "" || strings.Join(got.images, " ") != want.images ||
			got.all != want.all || got.destination != want.destination {
			t.Errorf("%s: %+v, %v", line, got, err)
		}
	}
	for _, line := range []string{"a", "a b", "a b/", "a*", "a* b", "-"} { // the database decides about a*
		if got, err := parseExportArgs(strings.Fields(line), true); err != nil || got.isBulk() || got.image == "" {
			t.Errorf("%s: %+v, %v", line, got, err)
		}
	}
	for _, line := range []string{"--all", "--all a b/"} {
		if _, err := parseExportArgs(strings.Fields(line), true); err == nil || !strings.Contains(err.Error(), "one operand") {
			t.Errorf("%s: %v", line, err)
		}
	}
}
