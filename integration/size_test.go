package integration

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// attributes is what stat(1) says of one file.
type attributes struct {
	size, blocks, mtime, inode int64
	mode                       string
	mtimeExact                 string // with nanoseconds
}

// statAll asks for the attributes of every regular file directly in dir, all
// with one child, before anything of them is read. Keys are names.
func statAll(t *testing.T, dir string) map[string]attributes {
	t.Helper()
	out := shell(t, dir, `find . -maxdepth 1 -type f -print0 | sort -z | xargs -0 -r stat --printf '%s %b %Y %i %a %y|%n\0'`)
	all := map[string]attributes{}
	for _, record := range strings.Split(strings.TrimSuffix(out, "\x00"), "\x00") {
		if record == "" {
			continue
		}
		name, a, err := parseAttributes(record)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = a
	}
	return all
}

// statOne asks for the attributes of one file.
func statOne(t *testing.T, path string) attributes {
	t.Helper()
	_, a, err := parseAttributes(run(t, "stat", "--printf", "%s %b %Y %i %a %y|%n", "--", path))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func parseAttributes(record string) (name string, a attributes, err error) {
	values, name, _ := strings.Cut(record, "|")
	fields := strings.SplitN(values, " ", 6)
	if len(fields) != 6 {
		return "", a, fmt.Errorf("stat says %q", record)
	}
	for i, to := range []*int64{&a.size, &a.blocks, &a.mtime, &a.inode} {
		if *to, err = strconv.ParseInt(fields[i], 10, 64); err != nil {
			return "", a, fmt.Errorf("stat says %q: %w", record, err)
		}
	}
	a.mode, a.mtimeExact = fields[4], fields[5]
	return filepath.Base(name), a, nil
}

// The size of every file is known before its first byte is read, and is what
// a reader then gets; blocks are counted from it, for GNU cp takes fewer
// blocks than bytes for holes.
func TestSizeIsExactBeforeTheFirstByte(t *testing.T) {
	t.Parallel()
	for site, root := range map[string]string{"conformance": conformanceSite(t), "bulk": bulkSite(t).Dir()} {
		t.Run(site, func(t *testing.T) {
			m := mountSite(t, root)
			before := statAll(t, m.dir)
			if len(before) < 3 {
				t.Fatalf("only %d files on the mount", len(before))
			}
			copies := t.TempDir()
			shell(t, m.dir, `find . -maxdepth 1 -type f -exec cp -- {} "$1" \;`, copies)
			after := statAll(t, copies)
			for name, a := range before {
				if after[name].size != a.size {
					t.Errorf("%s: stat says %d bytes, cp got %d", name, a.size, after[name].size)
				}
				if want := (a.size + 511) / 512; a.blocks != want {
					t.Errorf("%s: %d blocks for %d bytes, want %d", name, a.blocks, a.size, want)
				}
				if a.mode != "400" {
					t.Errorf("%s: mode %s, want 400", name, a.mode)
				}
			}
		})
	}
}

// The members of a directory have the sizes of what they hold, too.
func TestMembersOfADirectoryHaveExactSizes(t *testing.T) {
	m := mountSite(t, bulkSite(t).Dir())
	for _, image := range bulkImages {
		sizes := shell(t, m.path(image), `find . -type f -printf '%s %b %p\0'`)
		for record := range strings.SplitSeq(strings.TrimSuffix(sizes, "\x00"), "\x00") {
			var size, blocks int64
			var name string
			if _, err := fmt.Sscanf(record, "%d %d %s", &size, &blocks, &name); err != nil {
				t.Fatalf("find says %q: %v", record, err)
			}
			if blocks != (size+511)/512 {
				t.Errorf("%s/%s: %d blocks for %d bytes", image, name, blocks, size)
			}
			if got := shell(t, m.path(image), `wc -c < "$1"`, name); strings.TrimSpace(got) != strconv.FormatInt(size, 10) {
				t.Errorf("%s/%s: stat says %d bytes, reading gives %s", image, name, size, got)
			}
		}
	}
}
