package xcat

import (
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	"imgexportfs/bundle"
	"imgexportfs/bundle/source"
	"imgexportfs/tablesdump"
)

// extra is one argument of -e: a file or a directory, and the directory that
// imgimport puts it into.
type extra struct {
	src     string
	st      source.Stat
	content bundle.Content // of a file
	inner   []treeMember   // of a directory: what is in it
}

// findExtras reads the arguments of -e.
func (x *exporter) findExtras() {
	for _, arg := range x.req.Extras {
		parts := splitList(arg, ":")
		src, dest := "", ""
		if len(parts) > 0 {
			src = parts[0]
		}
		if len(parts) > 1 {
			dest = parts[1]
		}
		x.findExtra(src, dest)
	}
}

// findExtra finds one extra. The manifest keeps the spelling of the path.
func (x *exporter) findExtra(given, dest string) {
	src, err := x.extraPath(given)
	if err != nil {
		x.refuse(fmt.Sprintf("Extra file %s of %s: %v", given, x.name, err))
		return
	}
	st, err := x.stat(src)
	switch {
	case accessOf(err) == absent:
		x.error("Can not find Extra file " + given + ".  Argument will be ignored")
		return
	case err != nil:
		x.skipUnreadable(src, err)
		return
	}
	e := extra{src: src, st: st}
	home := src
	if st.IsDir() {
		if !x.readExtraDir(&e) {
			return
		}
	} else {
		if e.content, err = x.content(src, st); err != nil {
			x.skipUnreadable(src, err)
			return
		}
		home = path.Dir(src)
	}
	if strings.TrimSpace(dest) == "" || !isSet(dest) {
		dest = home
	}
	if !x.checkExtra(src, dest) {
		return
	}
	x.extras = append(x.extras, e)
	x.elements = append(x.elements, tablesdump.Group(extraName, tablesdump.Value("src", src), tablesdump.Value("dest", dest)))
}

// readExtraDir lists what is in an extra directory. imgimport copies DIR/*, and fails if
// that matches nothing.
func (x *exporter) readExtraDir(e *extra) bool {
	name := extraMember(e.src)
	if name == extraName {
		x.refuse(fmt.Sprintf("Extra directory %s of %s is the whole system; name a directory below it", e.src, x.name))
		return false
	}
	tree := &treeCopy{x: x, asIs: true}
	tree.below(e.src, name)
	visible := false
	for _, m := range tree.list {
		if path.Dir(m.Name) == name && path.Base(m.Name)[0] != '.' {
			visible = true
		}
	}
	if !visible {
		x.warn(fmt.Sprintf("Extra directory %s of %s is left out: it holds nothing that imgimport would copy, and imgimport fails on such a directory", e.src, x.name))
		return false
	}
	e.inner = tree.list
	return true
}

// extraPath makes the path of an extra absolute. With the root "/" it is relative to the
// working directory, with another root to that root. imgimport looks below extra/ for the
// path as it is spelled, so "." and ".." are removed; the rest of the spelling stays.
func (x *exporter) extraPath(given string) (string, error) {
	if given == "" {
		return "", nil
	}
	src := given
	if !strings.HasPrefix(src, "/") {
		dir := "/"
		if x.root.Dir() == "/" {
			var err error
			if dir, err = os.Getwd(); err != nil {
				return "", err
			}
		}
		src = strings.TrimRight(dir, "/") + "/" + src
	}
	return x.withoutDots(src)
}

// withoutDots removes the parts "." and ".." from an absolute path.
func (x *exporter) withoutDots(src string) (string, error) {
	var parts []string
	up := false
	for part := range strings.SplitSeq(src, "/") {
		switch part {
		case ".":
		case "..":
			up = true
			for len(parts) > 1 && parts[len(parts)-1] == "" {
				parts = parts[:len(parts)-1]
			}
			parts = parts[:max(1, len(parts)-1)]
		default:
			parts = append(parts, part)
		}
	}
	plain := strings.Join(parts, "/")
	if plain == "" {
		plain = "/"
	}
	if !up {
		return plain, nil
	}
	// After a symbolic link ".." is not the directory that stands before it.
	a, errA := x.stat(src)
	b, errB := x.stat(plain)
	if errA == nil && (errB != nil || a.Identity != b.Identity) {
		return "", fmt.Errorf("the path leads through a symbolic link and then up; name it without %q", "..")
	}
	return plain, nil
}

// extraMember returns the name of the member that holds an extra directory:
// the whole path of the source, below extra.
func extraMember(src string) string {
	return strings.TrimSuffix(extraName+path.Clean(src), "/")
}

// copyExtras lists the extras. A file is extra/BASENAME; a directory is
// extra/PATH/OF/DIRECTORY, where the directories that lead to it are root's,
// and what is inside keeps owner, mode and time (docs/rules.md, section 4).
func (x *exporter) copyExtras() {
	if len(x.extras) == 0 {
		return
	}
	// A directory inside one extra directory may lead to another extra: it comes
	// first and keeps its mode.
	x.addDir(extraName)
	for _, e := range x.extras {
		x.addTree(e.inner)
	}
	for _, e := range x.extras {
		if e.st.IsDir() {
			x.addLeading(extraMember(e.src))
		}
	}
	owners := map[string]string{}
	for _, e := range x.extras {
		if !e.st.IsDir() {
			x.copyExtraFile(e, owners)
		}
	}
}

// copyExtraFile lists an extra file, unless owners or a directory has its name.
func (x *exporter) copyExtraFile(e extra, owners map[string]string) {
	src := e.src
	name := extraName + "/" + path.Base(src)
	if other, taken := owners[name]; taken {
		if path.Clean(other) != path.Clean(src) {
			x.refuse(fmt.Sprintf("Extra files %s and %s have one base name, and the bundle of %s can hold one; rename one of them", other, src, x.name))
		}
		return
	}
	owners[name] = src
	if _, taken := x.members[name]; taken {
		x.refuse(fmt.Sprintf("Extra file %s has the name of a directory that leads to an extra directory in the bundle of %s; rename it", src, x.name))
		return
	}
	x.add(bundle.NewRegular(name, e.st.Perm()&permMask, e.st.ModTime(), e.content))
}

// addLeading lists a directory and those that lead to it from extra on.
func (x *exporter) addLeading(name string) {
	for i := len(extraName) + 1; i < len(name); i++ {
		if name[i] == '/' {
			x.addDir(name[:i])
		}
	}
	x.addDir(name)
}

// leadingPerm is the mode of directories that imgexport makes in a bundle.
const leadingPerm = 0o755

func (x *exporter) addDir(name string) {
	x.add(bundle.NewDirectory(name, leadingPerm, time.Time{}))
}
