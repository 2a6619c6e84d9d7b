package fs

import (
	"path"
	"slices"
	"testing"
	"time"

	"imgexportfs/bundle"
)

func TestDirectoriesAreFoundInASortedList(t *testing.T) {
	names := []string{"a", "a.b", "a/x", "a/x/y", "a/x-", "a/z", "a0", "b", "manifest.xml", "kits", "kits/k/deep", "kits/k"}
	var members []bundle.Member
	for _, name := range names {
		m, err := bundle.NewDirectory(name, 0o755, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, m)
	}
	list := newMemberList(members)
	for _, dir := range append(names, "", "none", "a/none") {
		var want, got []string
		for _, name := range names {
			if parent := path.Dir(name); parent == dir || dir == "" && parent == "." {
				want = append(want, name)
			}
		}
		for _, m := range list.in(dir) {
			got = append(got, m.Name)
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("in %q: %q, want %q", dir, got, want)
		}
	}
	for _, name := range names {
		if m, found := list.find(name); !found || m.Name != name {
			t.Errorf("%s is not found", name)
		}
	}
	if _, found := list.find("a/"); found {
		t.Error("a name that is not there is found")
	}
}
