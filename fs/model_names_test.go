package fs

import (
	"fmt"
	"maps"
	"slices"
	"syscall"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// What listings show of files is within the refresh interval too, but may be older than what
// a lookup has shown: a look for a listing that began before may end behind one for a lookup.

// judgeNames says what is wrong with a listing, or "".
func (m *model) judgeNames(s, lite *sight, names map[string]bool) string {
	for _, wrong := range []string{m.judgeLate(s, names), m.judgeFoo(s, names), m.judgeLite(lite, names)} {
		if wrong != "" {
			return fmt.Sprintf("%s: %q", wrong, slices.Sorted(maps.Keys(names)))
		}
	}
	return ""
}

// judgeLate looks at the image that comes and goes with the rows.
func (m *model) judgeLate(s *sight, names map[string]bool) string {
	if names["late"] != names["late.tgz"] {
		return "late is listed in part"
	}
	if !m.sees(s, ofRows, func(a *moment) bool { return a.late == names["late"] }) {
		return "the rows of another time"
	}
	return ""
}

// judgeFoo looks at an image that is never refused: it has its bundle also while it cannot
// be read, and it has errors while its template is gone.
func (m *model) judgeFoo(s *sight, names map[string]bool) string {
	of := *s
	of.of.image, of.hung, of.looked = "foo", m.hung("foo", s.began), false
	if !names["foo"] || !names["foo.tgz"] || !names["foo.tgz.sha256"] {
		return "an image that is not refused has lost its name"
	}
	if of.hung || m.any(&of, ofFiles, func(a *moment) bool { return a.listFails }) {
		return "" // what was known last
	}
	if !m.any(&of, ofFiles, func(a *moment) bool { return (a.tmpl == 0) == names["foo.errors"] }) {
		return "the errors of another time"
	}
	return ""
}

// judgeLite looks at the image with a tree. What the last walk has found counts until the
// next one, and no walk is made for a listing.
func (m *model) judgeLite(s *sight, names map[string]bool) string {
	has := names["lite.tgz"]
	if !names["lite"] || has != names["lite.tgz.sha256"] || !has && !names["lite.errors"] {
		return "lite is listed in part"
	}
	if m.wasAlways(func(a *moment) bool { return a.kernel != 0 && !a.huge }) && !has {
		return "an image that was never refused has lost its bundle"
	}
	if s.hung || m.any(s, ofFiles, func(a *moment) bool { return a.kernelFails }) {
		return "" // what was known last
	}
	refused := m.any(s, ofFiles, func(a *moment) bool { return a.kernel == 0 })
	good := m.any(s, ofFiles, func(a *moment) bool { return a.kernel != 0 })
	walked := *s
	walked.looked, walked.hung = true, true // since the last walk that is known of
	found := m.any(&walked, ofTree, func(a *moment) bool { return a.huge })
	clear := m.any(&walked, ofTree, func(a *moment) bool { return !a.huge || a.kernel == 0 })
	switch {
	case !has && !refused && !found:
		return "a bundle has lost its name"
	case has && (!good || !clear):
		return "a bundle that is refused is listed"
	}
	return ""
}

// wasAlways reports whether all states were so.
func (m *model) wasAlways(is func(*moment) bool) bool {
	m.world.mu.Lock()
	defer m.world.mu.Unlock()
	for i := range m.moments {
		if !is(&m.moments[i]) {
			return false
		}
	}
	return true
}

// statImage looks at the directory NAME, whose time is that of the newest file outside of
// trees.
func (m *model) statImage(o *op) string {
	s := m.begin(o.of)
	n, looked, st := m.kernel.stat(o.cancel, pathOf(o.of, o.of.image))
	m.end(s, looked)
	s.looked = false
	switch image := o.of.image; {
	case st == fuse.Status(syscall.EIO), st == fuse.Status(syscall.ETIMEDOUT):
		return "an image that cannot be read has lost its directory"
	case st != fuse.OK:
		return m.explain(s, st, o.isCancelled(), false)
	case s.hung || image == "late" || m.any(s, ofFiles, func(a *moment) bool { return a.fails(image) || a.isRefused(image) }):
		return "" // the time that was known last
	case m.any(s, ofFiles, func(a *moment) bool { return a.newestFile(image) == int(n.mtime)-serialBegin }):
		return ""
	}
	return fmt.Sprintf("a directory of the time %d", int(n.mtime)-serialBegin)
}
