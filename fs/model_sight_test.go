package fs

import (
	"fmt"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// component is a part of a version. Those of one version may be of different moments, but
// each of them is one that there was within the refresh interval (docs/reliability.md).
type component uint8

const (
	ofRows component = iota
	ofFiles
	ofTree
	components
)

// sight is what a request may show: the state of each component at some time from the
// refresh interval before it began until it has ended. A name that the kernel remembers was
// found so much earlier.
//
// What was looked up is not older than what was looked up before. While files hang, that is
// all that is promised.
type sight struct {
	of     view
	began  time.Time
	low    [components]int // the oldest state that may be shown if the name is looked up
	rows   int             // the same for rows, of all images together
	made   int             // the last state that was there when it began
	looked bool            // the name was looked up

	last int // state when it ended
	hung bool
}

// rowsPause is how long rows that could not be read are not looked at again, at most.
const rowsPause = 16 * time.Second

// begin begins a sight.
func (m *model) begin(of view) *sight {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, made := m.count()
	return &sight{of: of, began: time.Now(), low: m.low[of], rows: m.lowRows, made: made}
}

// end is called when the answer is there.
func (m *model) end(s *sight, looked bool) {
	states, _ := m.count()
	s.looked, s.last, s.hung = looked, states-1, m.hung(s.of.image, s.began)
}

// from is the oldest state of a component that may be shown. The world is locked.
func (m *model) from(s *sight, c component) int {
	from := m.since(s.began.Add(-m.refresh))
	if c == ofRows && m.rowsFailed(s.began.Add(-m.refresh-rowsPause)) {
		from = 0 // those that were read last
	}
	switch {
	case s.looked && s.hung:
		return s.low[c]
	case s.looked && c == ofRows:
		return max(from, s.low[c], s.rows)
	case s.looked:
		return max(from, s.low[c])
	}
	return from
}

// sees reports whether a component is shown as in one of the states that may be shown, and
// notes that no older one may be shown after that.
func (m *model) sees(s *sight, c component, is func(*moment) bool) bool {
	i, found := m.find(s, c, is)
	if !found || !s.looked {
		return found
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	low := m.low[s.of]
	low[c] = max(low[c], i)
	m.low[s.of] = low
	if c == ofRows && !s.hung {
		m.lowRows = max(m.lowRows, i)
	}
	return true
}

// find returns the first state that may be shown for which is holds.
func (m *model) find(s *sight, c component, is func(*moment) bool) (int, bool) {
	m.world.mu.Lock()
	defer m.world.mu.Unlock()
	for i := m.from(s, c); i <= s.last; i++ {
		if is(&m.moments[i]) {
			return i, true
		}
	}
	return 0, false
}

// any reports whether a state that may be shown is so.
func (m *model) any(s *sight, c component, is func(*moment) bool) bool {
	_, found := m.find(s, c, is)
	return found
}

// hasChanged reports whether something that an image is made from has changed since the
// oldest state that a sight may show.
func (m *model) hasChanged(s *sight) bool {
	m.world.mu.Lock()
	defer m.world.mu.Unlock()
	from := min(m.from(s, ofRows), m.from(s, ofFiles), m.from(s, ofTree))
	for i := from + 1; i < len(m.moments); i++ {
		if a, b := m.moments[i-1], m.moments[i]; a.differs(&b, s.of.image) {
			return true
		}
	}
	return false
}

// differs reports whether an image is another one in another state.
func (a *moment) differs(b *moment, image string) bool {
	switch {
	case a.rows != b.rows:
		return true
	case image == "foo":
		return a.tmpl != b.tmpl || a.list != b.list || a.listFails != b.listFails
	case image == "lite":
		return a.kernel != b.kernel || a.kernelFails != b.kernelFails || a.tree != b.tree || a.huge != b.huge || a.walkFails != b.walkFails
	}
	return false
}

// fails reports whether an image cannot be read at the moment.
func (a *moment) fails(image string) bool {
	return a.fileFails(image) || image == "lite" && a.walkFails
}

// fileFails is fails without the tree.
func (a *moment) fileFails(image string) bool {
	return image == "foo" && a.listFails || image == "lite" && a.kernelFails
}

// isRefused reports whether there is no bundle of an image.
func (a *moment) isRefused(image string) bool {
	return image == "late" && !a.late || image == "lite" && (a.kernel == 0 || a.huge)
}

// newestFile is the number of the newest file of an image outside of its tree.
func (a *moment) newestFile(image string) int {
	if image == "foo" {
		return max(a.tmpl, a.list)
	}
	return a.kernel
}

// explain says what is wrong with an error, or "".
func (m *model) explain(s *sight, st fuse.Status, cancelled, reading bool) string {
	image := s.of.image
	if reading { // perhaps long after the opening
		late := *s
		states, _ := m.count()
		late.last, s = states-1, &late
	}
	switch errno := syscall.Errno(st); errno {
	case 0:
		return ""
	case syscall.EINTR:
		if cancelled {
			return ""
		}
	case syscall.ETIMEDOUT:
		if s.hung && !reading {
			return ""
		}
	case syscall.ESTALE:
		if m.hasChanged(s) || m.doubted(s.of, s.began) {
			return ""
		}
	case syscall.EIO:
		if m.any(s, ofFiles, func(a *moment) bool { return a.fails(image) }) {
			return ""
		}
	case syscall.ENOENT:
		missing := func(a *moment) bool { return a.isRefused(image) }
		if m.any(s, ofRows, missing) || m.any(s, ofFiles, missing) || m.any(s, ofTree, missing) {
			return ""
		}
	}
	return fmt.Sprintf("the error %v without a reason", st)
}
