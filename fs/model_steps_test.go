package fs

import (
	"fmt"
	"slices"
	"testing/synctest"
	"time"

	"imgexportfs/bundle/source"
)

// modelSteps are what a script may do, each as often as it stands here. Each returns when
// nothing moves any more but time.
var modelSteps = []func(m *model){
	(*model).burst, (*model).burst, (*model).burst, (*model).burst, (*model).burst, (*model).burst, (*model).burst, (*model).burst,
	(*model).pass, (*model).pass, (*model).pass,
	(*model).quietChange, (*model).quietChange, (*model).toggle, (*model).interruptOne, (*model).releaseOne,
	(*model).forgetSome, (*model).squeeze, (*model).crowd, (*model).doubt,
}

// modelOps are what a program may do, each as often as it stands here.
var modelOps = []struct {
	name string
	do   func(m *model, o *op) string
}{
	{"stat", (*model).statBundle}, {"stat", (*model).statBundle},
	{"read", (*model).readBundle}, {"read", (*model).readBundle}, {"read", (*model).readBundle},
	{"open", (*model).holdBundle}, {"member", (*model).readMember}, {"directory", (*model).statImage},
}

var (
	modelNodes  = []string{"", "", "n1"}
	modelImages = []string{"foo", "foo", "lite", "lite", "late"}
)

func pick[T any](m *model, list []T) T { return list[m.random.IntN(len(list))] }

func (m *model) view() view { return view{pick(m, modelNodes), pick(m, modelImages)} }

func (m *model) note(format string, args ...any) {
	m.script = append(m.script, fmt.Sprintf("%v: ", time.Since(m.started))+fmt.Sprintf(format, args...))
}

// burst has several programs do something at the same time, and files change meanwhile.
// They often do it to one view.
func (m *model) burst() {
	time.Sleep(time.Nanosecond)
	of := m.view()
	m.note("at the same time:")
	for range 1 + m.random.IntN(5) {
		if m.random.IntN(3) == 0 {
			of = m.view()
		}
		switch m.random.IntN(12) {
		case 0, 1:
			m.start("list", view{of.node, ""}, m.list)
		case 2:
			i := m.random.IntN(len(worldChanges))
			m.start("change "+worldChanges[i].name, view{}, m.changeNow(i))
		case 3:
			m.start("read on", view{}, m.readOn())
		default:
			what := pick(m, modelOps)
			m.start(what.name, of, func(o *op) string { return what.do(m, o) })
		}
	}
	m.settle()
}

// settle lets go on what needs no more than a moment.
func (m *model) settle() {
	synctest.Wait()
	time.Sleep(10 * time.Microsecond)
	synctest.Wait()
	m.pending = slices.DeleteFunc(m.pending, func(o *op) bool { return o.ended.Load() })
}

// changeNow makes a change while others look.
func (m *model) changeNow(i int) func(*op) string {
	return func(o *op) string {
		if err := m.change(i); err != nil {
			return err.Error()
		}
		return ""
	}
}

// quietChange makes a change while nothing moves.
func (m *model) quietChange() {
	time.Sleep(time.Nanosecond)
	i := m.random.IntN(len(worldChanges))
	m.note("change: %s", worldChanges[i].name)
	if err := m.change(i); err != nil {
		m.fault("change %s: %v", worldChanges[i].name, err)
	}
}

// pass lets time pass.
func (m *model) pass() {
	long := m.refresh + 100*time.Millisecond
	if m.random.IntN(3) == 0 {
		long = 6 * time.Second
	}
	long = time.Duration(m.random.Int64N(int64(long)))
	m.note("%v pass", long)
	time.Sleep(long)
	m.settle()
}

// toggle has files hang, or go on.
func (m *model) toggle() {
	time.Sleep(time.Nanosecond)
	gate := pick(m, []string{"foo", "lite", "late", walkGate})
	m.note("%s hangs: %v", gate, m.hangs.toggle(gate))
	m.settle()
}

// interruptOne interrupts an op.
func (m *model) interruptOne() {
	if len(m.pending) == 0 {
		return
	}
	o := pick(m, m.pending)
	m.note("interrupt %s", o.what)
	o.interrupt()
	m.settle()
}

// readOn reads a bundle that was open before.
func (m *model) readOn() func(o *op) string {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.held) == 0 {
		return func(*op) string { return "" }
	}
	h := pick(m, m.held)
	if m.reading[h] {
		return func(*op) string { return "" }
	}
	m.reading[h] = true
	return func(o *op) string {
		defer func() {
			m.mu.Lock()
			delete(m.reading, h)
			m.mu.Unlock()
		}()
		return m.readAll(o, h.handle, h.sight, false)
	}
}

// releaseOne closes a bundle.
func (m *model) releaseOne() {
	m.mu.Lock()
	var h *holding
	if len(m.held) > 0 {
		i := m.random.IntN(len(m.held))
		if !m.reading[m.held[i]] {
			h = m.held[i]
			m.held = slices.Delete(m.held, i, i+1)
		}
	}
	m.mu.Unlock()
	if h == nil {
		return
	}
	m.note("close %v", h.sight.of)
	m.kernel.release(h.handle)
	m.settle()
}

// forgetSome has the kernel forget names and inodes.
func (m *model) forgetSome() {
	m.note("forget")
	all := m.random.IntN(3) == 0
	m.kernel.forget(func(string) bool { return all || m.random.IntN(2) == 0 })
	m.settle()
}

// squeeze takes all of the memory, so that what is not in use goes.
func (m *model) squeeze() {
	m.settle()
	m.note("squeeze")
	budget := m.engine.Budget()
	others := budget.Add(budget.Limit(), func() {})
	m.settle()
	if used := budget.Used() - budget.Limit(); m.isIdle() && used > m.pinned() {
		m.fault("%d bytes of memory are in use with %d open bundles", used, len(m.held))
	}
	others.Forget()
}

// crowd has many programs look at one bundle at a time whose files were not looked at for
// long. One look is made for all of them, if there is memory for what it has found.
func (m *model) crowd() {
	m.settle()
	of := m.view()
	if !m.isIdle() || of.image == "late" || m.refresh == 0 || len(m.held) > 0 || m.engine.Budget().Limit() < 30_000 {
		return
	}
	time.Sleep(m.refresh + time.Nanosecond)
	m.kernel.forget(func(string) bool { return true })
	if _, err := m.versions.look(m.life); err != nil { // the warmer goes on with what it finds
		m.fault("look: %v", err)
	}
	m.settle()
	m.note("a crowd")
	before := m.begun(of.image)
	m.hangs.toggle(of.image)
	for range 5 {
		m.start("stat", of, func(o *op) string { return m.statBundle(o) })
	}
	synctest.Wait()
	m.hangs.toggle(of.image)
	m.settle()
	if n := m.begun(of.image) - before; n > 1 && m.isIdle() && !m.isBroken() {
		m.fault("%d looks at %v are made for one crowd", n, of)
	}
}

// doubt has a version distrusted without a reason. It stays the same. An open that goes on
// meanwhile may end with ESTALE, a later one may not.
func (m *model) doubt() {
	m.settle()
	m.versions.mu.Lock()
	k := m.versions.known[m.view()]
	var v *version
	if k != nil {
		v = k.version
	}
	m.versions.mu.Unlock()
	if v == nil {
		return
	}
	m.note("doubt %v", v.view)
	m.mu.Lock()
	m.doubts[v.view] = time.Now()
	m.mu.Unlock()
	m.versions.distrust(v, source.ErrChanged)
	m.settle()
}

// doubted reports whether a version of a view was distrusted without a reason since then.
func (m *model) doubted(of view, since time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.doubts[of].Before(since)
}
