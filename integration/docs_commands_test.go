package integration

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// ownCommand finds calls of the program in a script or a sentence.
var ownCommand = regexp.MustCompile(`(?m)(?:^|[;&|(!\s])imgexportfs +([a-z-][^;&|<>#)\n]*)`)

// ownCommands are the arguments of each call of the program that a document shows.
func (d document) ownCommands() (calls [][]string) {
	for _, found := range ownCommand.FindAllStringSubmatch(d.code(), -1) {
		calls = append(calls, strings.Fields(strings.NewReplacer("[", "", "]", "", "'", "", `"`, "").Replace(found[1])))
	}
	for _, row := range d.rows("command") { // the table of README leaves the program's name out
		for _, span := range codeSpan.FindAllStringSubmatch(row, -1) {
			usage := strings.NewReplacer("[", "", "]", "", `\|`, " ").Replace(span[1])
			calls = append(calls, strings.Fields(usage))
		}
	}
	return calls
}

// rows are the first cells of the table whose first column has a heading.
func (d document) rows(heading string) (cells []string) {
	for _, table := range regexp.MustCompile(`(?m)^\| `+regexp.QuoteMeta(heading)+` \|.*\n\|[-|]*\n((?:\|.*\n)+)`).FindAllStringSubmatch(d.text, -1) {
		for line := range strings.Lines(table[1]) {
			cell, _, _ := strings.Cut(strings.ReplaceAll(line[1:], `\|`, "\x00"), "|")
			cells = append(cells, strings.ReplaceAll(cell, "\x00", `\|`))
		}
	}
	return cells
}

// refuses is what the program says of a call with a command or a flag that it does not
// have. With --help behind them, it reads the flags and does nothing.
func refuses(t *testing.T, args []string) string {
	t.Helper()
	for i, arg := range args {
		if arg == "COMMAND" {
			args[i] = "mount"
		}
	}
	if args[0] != "help" {
		args = append(slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return arg == "--" }), "--help")
	}
	r := program(t, t.TempDir(), args...)
	if r.code != 0 {
		return r.stderr
	}
	return ""
}

// Every command line of the program in the documents has a command and flags that exist.
func TestCommandsOfDocumentsExist(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range documents(t) {
		for _, args := range d.ownCommands() {
			call := strings.Join(args, " ")
			if seen[call] {
				continue
			}
			seen[call] = true
			if why := refuses(t, args); why != "" {
				t.Errorf("%s has imgexportfs %s: %s", d.name, call, why)
			}
		}
	}
	if len(seen) < 25 {
		t.Errorf("only %d commands are found", len(seen))
	}
	t.Logf("%d commands", len(seen))
}

func TestRefusesFindsWrongCommands(t *testing.T) {
	for call, wrong := range map[string]bool{
		"mount --daemon DIR": false, "status DIR --json": false, "export IMAGE... DIR/": false, "help COMMAND": false,
		"mout DIR": true, "mount --demon DIR": true, "status DIR --jsno": true, "export IMAGE --nosuch": true, "verify --quick --nosuch F": true,
	} {
		if got := refuses(t, strings.Fields(call)); (got != "") != wrong {
			t.Errorf("imgexportfs %s is refused with %q", call, got)
		}
	}
	text := "```\nif imgexportfs a --b; then x && imgexportfs c | y; fi\n# no imgexportfsx d\n```\nand `imgexportfs e [--f]`.\n"
	var calls []string
	for _, args := range (document{text: text}).ownCommands() {
		calls = append(calls, strings.Join(args, " "))
	}
	expectLines(t, "calls", calls, []string{"a --b", "c", "e --f"})
}

// foreignFlags are those of other programs that the documents name without the program.
const foreignFlags = `--acls --append --append-verify --chmod --delete --etag-save --exclude --files-cache --ignore-inode
	--include --inplace --listed-incremental --no-check-device --no-perms --partial --read-data --reflink --selinux
	--sparse --verify-data --xattrs`

// Flags that the documents name by themselves are the program's.
func TestFlagsOfDocumentsExist(t *testing.T) {
	help := program(t, "", "--help").stdout
	for _, found := range regexp.MustCompile(`(?m)^  ([a-z]+) `).FindAllStringSubmatch(help, -1) {
		help += program(t, "", found[1], "--help").stdout
	}
	own := regexp.MustCompile(`--[a-z0-9-]+`).FindAllString(help, -1)
	if len(own) < 20 {
		t.Fatalf("the program has only the flags %q", own)
	}
	for _, d := range documents(t) {
		for _, span := range d.spans() {
			flag := regexp.MustCompile(`^--[a-z][a-z0-9-]*`).FindString(span)
			if flag != "" && !slices.Contains(own, flag) && !slices.Contains(strings.Fields(foreignFlags), flag) {
				t.Errorf("%s names %s, which is no flag of the program and not known of another one", d.name, span)
			}
		}
	}
}

// Lines of fstab and options of mount(8) in the documents are taken by the helper.
func TestMountOptionsOfDocumentsAreTaken(t *testing.T) {
	helper := filepath.Join(t.TempDir(), "mount.imgexportfs")
	must(t, os.Symlink(programFile, helper))
	dir, taken := t.TempDir(), 0
	try := func(d document, options string) {
		t.Helper()
		options = strings.NewReplacer("=DIR", "=/tmp", "=FILE", "=/dev/null", "=N", "=1", "=CONTEXT", "=system_u:object_r:nfs_t:s0").Replace(options)
		taken++
		r := process{args: []string{helper, "none", dir, "-f", "-o", options}, mayFail: true}.run(t)
		if r.code != 0 {
			t.Errorf("%s has the options %s: %s", d.name, options, r.stderr)
		}
	}
	for _, d := range documents(t) {
		for _, found := range regexp.MustCompile(`(?m)^\S+ +/\S+ +(?:fuse\.)?imgexportfs +(\S+)`).FindAllStringSubmatch(d.code(), -1) {
			try(d, found[1])
		}
		for _, cell := range d.rows("option") {
			for _, span := range codeSpan.FindAllStringSubmatch(cell, -1) {
				if !strings.Contains(span[1], "...") {
					try(d, span[1])
				}
			}
		}
	}
	if taken < 10 {
		t.Errorf("only %d options are found", taken)
	}
}
