package fs

import (
	"bytes"
	"context"
	"fmt"
	"runtime/debug"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// op is something that a program does with the mount. It goes on while the script does.
type op struct {
	what      string
	of        view
	cancel    chan struct{}
	cancelled atomic.Int64 // when, in the bubble's time; 0 if it was not
	began     time.Time
	ended     atomic.Bool
}

// How long an op may take in the bubble's time, in which looks at files that do not hang
// take none, but for the pauses after a file that has changed meanwhile.
const (
	opMax       = 5 * time.Second
	hungMax     = 40 * time.Second
	cancelMax   = 100 * time.Millisecond
	serialBegin = 2_500_000_000
)

// start has an op begin.
func (m *model) start(what string, of view, do func(o *op) string) {
	o := &op{what: fmt.Sprintf("%s %v", what, of), of: of, cancel: make(chan struct{}), began: time.Now()}
	m.pending = append(m.pending, o)
	m.script = append(m.script, o.what)
	go func() {
		defer o.ended.Store(true)
		defer func() {
			if v := recover(); v != nil {
				m.fault("%s: panic: %v\n%s", o.what, v, debug.Stack())
			}
		}()
		if wrong := do(o); wrong != "" {
			m.fault("%s, begun at %v: %s", o.what, o.began.Sub(m.started), wrong)
		}
		m.checkTime(o)
	}()
}

// checkTime looks how long an op has taken.
func (m *model) checkTime(o *op) {
	took, limit := time.Since(o.began), opMax
	if o.of.image != "" && m.hung(o.of.image, o.began) {
		limit = hungMax
	}
	if took > limit {
		m.fault("%s takes %v", o.what, took)
	}
	if at := o.cancelled.Load(); at != 0 && time.Since(time.Unix(0, at)) > cancelMax {
		m.fault("%s goes on for %v after it was interrupted", o.what, time.Since(time.Unix(0, at)))
	}
}

// interrupt interrupts an op.
func (o *op) interrupt() {
	if o.cancelled.CompareAndSwap(0, time.Now().UnixNano()) {
		close(o.cancel)
	}
}

func (o *op) isCancelled() bool { return o.cancelled.Load() != 0 }

// pathOf is where a file of a view is.
func pathOf(of view, file string) string {
	if of.node != "" {
		return "@" + of.node + "/" + file
	}
	return file
}

// statBundle looks at NAME.tgz.
func (m *model) statBundle(o *op) string {
	s := m.begin(o.of)
	n, looked, st := m.kernel.stat(o.cancel, pathOf(o.of, o.of.image+".tgz"))
	m.end(s, looked)
	if st != fuse.OK {
		return m.explain(s, st, o.isCancelled(), false)
	}
	if wrong := m.sameSize(n.ino, n.gen, n.size); wrong != "" {
		return wrong
	}
	return m.judgeTime(s, n.mtime)
}

// judgeTime says what is wrong with the time of a bundle, or "".
func (m *model) judgeTime(s *sight, mtime uint64) string {
	image := s.of.image
	if image == "late" {
		return ""
	}
	n := int(mtime) - serialBegin
	if m.any(s, ofFiles, func(a *moment) bool { return a.newestFile(image) == n && !a.fileFails(image) }) ||
		image == "lite" && m.any(s, ofTree, func(a *moment) bool { return a.tree == n && !a.walkFails }) {
		return ""
	}
	return fmt.Sprintf("a bundle of the time %d", n)
}

// openBundle opens NAME.tgz. There is no handle if that fails, with a reason or not.
func (m *model) openBundle(o *op) (h *handle, s *sight, wrong string) {
	s = m.begin(o.of)
	h, looked, st := m.kernel.open(o.cancel, pathOf(o.of, o.of.image+".tgz"))
	m.end(s, looked)
	if st == fuse.OK {
		return h, s, ""
	}
	if wrong = m.explain(s, st, o.isCancelled(), false); wrong == "" && st == fuse.Status(syscall.ESTALE) {
		wrong = m.noteStale(s)
	}
	return nil, s, wrong
}

// stales are the ESTALE that programs have got of a view without any change meanwhile.
type stales struct {
	states int // when it was got
	at     time.Time
	count  int
}

// noteStale is told of an ESTALE that was the answer to a program. The next open must give
// what there is now. It says so if it does not, which may happen once: a name that the
// kernel remembers may be that of an older version than the last one.
func (m *model) noteStale(s *sight) string {
	states, _ := m.count()
	m.mu.Lock()
	defer m.mu.Unlock()
	last := m.stales[s.of]
	now := stales{states, time.Now(), 1}
	if last.states == states && last.states == s.made+1 && s.began.After(last.at) {
		now.count = last.count + 1
	}
	m.stales[s.of] = now
	if now.count > 2 {
		return fmt.Sprintf("%d times ESTALE although nothing changes any more", now.count)
	}
	return ""
}

// readBundle reads NAME.tgz as a whole.
func (m *model) readBundle(o *op) string {
	h, s, wrong := m.openBundle(o)
	if h == nil {
		return wrong
	}
	defer m.kernel.release(h)
	return m.readAll(o, h, s, true)
}

// readAll reads an open bundle to its end.
func (m *model) readAll(o *op, h *handle, s *sight, isNew bool) string {
	var all []byte
	for {
		data, st := m.kernel.read(o.cancel, h, len(all), 700)
		if st != fuse.OK {
			wrong := m.explain(s, st, o.isCancelled(), true)
			if wrong == "" && isNew && st == fuse.Status(syscall.ESTALE) {
				wrong = m.noteStale(s)
			}
			return wrong
		}
		if len(data) == 0 {
			break
		}
		all = append(all, data...)
	}
	if len(all) != int(h.size) {
		return fmt.Sprintf("%d bytes are read of %d", len(all), h.size)
	}
	if wrong := m.sameBytes(h.ino, h.gen, all); wrong != "" {
		return wrong
	}
	return m.judge(s, all)
}

// holdBundle opens NAME.tgz and leaves it open.
func (m *model) holdBundle(o *op) string {
	h, s, wrong := m.openBundle(o)
	if h != nil {
		m.mu.Lock()
		m.held = append(m.held, &holding{h, s})
		m.mu.Unlock()
	}
	return wrong
}

// holding is a bundle that is open for longer.
type holding struct {
	*handle
	sight *sight
}

// inodeOf names an inode for good.
type inodeOf struct{ ino, gen uint64 }

// sameBytes says so if the file of an inode had other bytes before.
func (m *model) sameBytes(ino, gen uint64, data []byte) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	before, known := m.contents[inodeOf{ino, gen}]
	if known && !bytes.Equal(before, data) {
		return "other bytes under the same inode"
	}
	m.contents[inodeOf{ino, gen}] = data
	return ""
}

// sameSize is sameBytes for the size alone.
func (m *model) sameSize(ino, gen, size uint64) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if before, known := m.contents[inodeOf{ino, gen}]; known && uint64(len(before)) != size {
		return fmt.Sprintf("a size of %d under the inode of %d bytes", size, len(before))
	}
	return ""
}

// readMember reads a file in the directory NAME: foo.tmpl, or the kernel of lite.
func (m *model) readMember(o *op) string {
	file := map[string]string{"foo": "foo.tmpl", "lite": "kernel", "late": "late.tmpl"}[o.of.image]
	s := m.begin(o.of)
	h, looked, st := m.kernel.open(o.cancel, pathOf(o.of, o.of.image+"/"+file))
	m.end(s, looked)
	gone := func(a *moment) bool { return o.of.image == "foo" && a.tmpl == 0 }
	if st != fuse.OK {
		if st == fuse.ENOENT && m.any(s, ofFiles, gone) {
			return ""
		}
		return m.explain(s, st, o.isCancelled(), false)
	}
	defer m.kernel.release(h)
	data, st := m.kernel.read(o.cancel, h, 0, 1000)
	if st != fuse.OK {
		return m.explain(s, st, o.isCancelled(), true)
	}
	if wrong := m.sameBytes(h.ino, h.gen, data); wrong != "" {
		return wrong
	}
	is := map[string]func(*moment) int{
		"foo": func(a *moment) int { return a.tmpl }, "lite": func(a *moment) int { return a.kernel },
		"late": func(*moment) int { return 0 },
	}[o.of.image]
	n := number(serialText, data)
	if !m.sees(s, ofFiles, func(a *moment) bool { return is(a) == n }) {
		return fmt.Sprintf("a file of another time: %q", data)
	}
	return ""
}

// list lists a folder.
func (m *model) list(o *op) string {
	s, lite := m.begin(o.of), m.begin(view{o.of.node, "lite"})
	f := &folder{mount: m.mount, name: pathOf(o.of, ""), node: o.of.node}
	opened, _, errno := f.OpendirHandle(&fuse.Context{Cancel: o.cancel}, 0)
	m.end(s, true)
	m.end(lite, false)
	if errno != 0 {
		return m.explain(s, fuse.Status(errno), o.isCancelled(), false)
	}
	l := opened.(*listing)
	names := map[string]bool{}
	for {
		e, errno := l.Readdirent(context.Background())
		if errno != 0 {
			return fmt.Sprintf("the next name: %v", errno)
		}
		if e == nil {
			break
		}
		names[e.Name] = true
	}
	l.Releasedir(context.Background(), 0)
	return m.judgeNames(s, lite, names)
}
