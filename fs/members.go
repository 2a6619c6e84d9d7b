package fs

import (
	"slices"
	"strings"

	"imgexportfs/bundle"
)

// memberList is the members of an image in byte order of their names. What is
// below a directory stands in one run, so finding it needs no index.
type memberList []bundle.Member

func newMemberList(members []bundle.Member) memberList {
	l := slices.Clone(members)
	slices.SortFunc(l, func(a, b bundle.Member) int { return strings.Compare(a.Name, b.Name) })
	return l
}

// at returns where name stands in the list, or would stand.
func (l memberList) at(name string) (int, bool) {
	return slices.BinarySearchFunc(l, name, func(m bundle.Member, name string) int { return strings.Compare(m.Name, name) })
}

// find returns the member called name.
func (l memberList) find(name string) (bundle.Member, bool) {
	i, found := l.at(name)
	if !found {
		return bundle.Member{}, false
	}
	return l[i], true
}

// in returns the members directly in the directory dir, which is "" for the
// top.
func (l memberList) in(dir string) []bundle.Member {
	var list []bundle.Member
	prefix := ""
	if dir != "" {
		prefix = dir + "/"
	}
	i, _ := l.at(prefix)
	for i < len(l) && strings.HasPrefix(l[i].Name, prefix) {
		base, _, deeper := strings.Cut(l[i].Name[len(prefix):], "/")
		if !deeper {
			list = append(list, l[i])
			i++
			continue
		}
		i, _ = l.at(prefix + base + "0") // the byte after the slash: behind all that is below
	}
	return list
}
