package verify

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"imgexportfs/bundle"
)

// extraName is the directory of what -e adds.
const extraName = "extra"

// memberNames are the names of members that a manifest can name: those right below the top
// directory, and those below extra/.
type memberNames struct {
	names map[string]bool // whether it is a directory
	size  int
}

func (n *memberNames) add(name string, isDir bool) error {
	if strings.Contains(name, "/") && !strings.HasPrefix(name, extraName+"/") {
		return nil
	}
	if _, known := n.names[name]; known && !isDir {
		return incomplete("the archive holds %s twice", name)
	}
	if n.size += len(name) + 64; n.size > namesMax { // with the map's own share
		return incomplete("the archive holds more names than any image")
	}
	n.names[name] = isDir
	return nil
}

// check compares the members with those that the manifest names. Missing ones of lists
// were missing when the bundle was made, which export has said, so they are only noted.
func (n *memberNames) check(m *Manifest) (notes []string, err error) {
	named := map[string]bool{bundle.Manifest: true}
	for _, f := range m.needed {
		named[f.member] = true
		if isDir, found := n.names[f.member]; !found || isDir {
			return nil, incomplete("the manifest names %s (%s), and there is no such member", f.member, f.element)
		}
	}
	for _, e := range m.Extras {
		named[extraName] = true
		asFile, asDir := extraName+"/"+path.Base(e.Src), strings.TrimSuffix(extraName+path.Clean("/"+e.Src), "/")
		if _, found := n.names[asFile]; !found && !n.names[asDir] {
			return nil, incomplete("the manifest names the extra file %s, and there is no such member", e.Src)
		}
	}
	for _, f := range m.listed {
		named[f.member] = true
		if _, found := n.names[f.member]; found || n.isScript(f, named) {
			continue
		}
		notes = append(notes, fmt.Sprintf("made without %s of %s", f.value, f.element))
	}
	for _, name := range slices.Sorted(maps.Keys(n.names)) {
		if top, _, _ := strings.Cut(name, "/"); top == name && !named[name] {
			notes = append(notes, fmt.Sprintf("the manifest does not name the member %s", name))
		}
	}
	return notes, nil
}

// isScript reports whether a member is the script of a postinstall that the table lists
// with arguments.
func (n *memberNames) isScript(f namedFile, named map[string]bool) bool {
	if f.element != "linuximage.postinstall" {
		return false
	}
	words := strings.Fields(f.value)
	if len(words) < 2 {
		return false
	}
	script := path.Base(words[0])
	_, found := n.names[script]
	named[script] = named[script] || found
	return found
}
