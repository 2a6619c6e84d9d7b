package fs

import (
	"context"
	"fmt"
	"sort"
	"sync"
	"syscall"
	"time"

	"imgexportfs/bundle"
	"imgexportfs/bundle/source"
	"imgexportfs/xcat"
)

// hangs has looks at files hang, as those of a file server that does not answer. The files
// themselves always answer at once, and the bubble's time stands still while they do. So
// what hangs is what the mount calls before it looks: the request for an image, and the
// walk through a tree.
type hangs struct {
	world *world

	mu      sync.Mutex // guards what follows
	gates   map[string]chan struct{}
	calls   map[*source.Call]struct{}
	periods map[string][]period // of the gates
	looks   map[string]int      // that have begun, by image
	walks   int                 // in progress
	wrong   func(format string, args ...any)
}

// period is when something hung; until is zero as long as it does.
type period struct{ from, until time.Time }

func newHangs(w *world, wrong func(string, ...any)) *hangs {
	return &hangs{
		world: w, gates: map[string]chan struct{}{}, calls: map[*source.Call]struct{}{},
		periods: map[string][]period{}, looks: map[string]int{}, wrong: wrong,
	}
}

// walkGate is the gate of walks; those of images have their names.
const walkGate = "walk"

// file is one of what a gate is for.
func (h *hangs) file(gate string) string {
	return "/" + h.world.name + map[string]string{
		"foo": "/foo.tmpl", "lite": "/lite/kernel", "late": "/late.tmpl", walkGate: "/lite/rootimg/etc",
	}[gate]
}

// toggle has what a gate is for hang, or go on.
func (h *hangs) toggle(gate string) (hangs bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if open := h.gates[gate]; open != nil {
		close(open)
		delete(h.gates, gate)
		h.periods[gate][len(h.periods[gate])-1].until = time.Now()
		return false
	}
	h.gates[gate] = make(chan struct{})
	h.periods[gate] = append(h.periods[gate], period{from: time.Now()})
	return true
}

// endAll has everything go on.
func (h *hangs) endAll() {
	for _, gate := range []string{"foo", "lite", "late", walkGate} {
		h.mu.Lock()
		hung := h.gates[gate] != nil
		h.mu.Unlock()
		if hung {
			h.toggle(gate)
		}
	}
}

// pass returns when the gate is open.
func (h *hangs) pass(gate string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	open := h.gates[gate]
	if open == nil {
		return
	}
	call := &source.Call{Path: h.file(gate), Since: time.Now()}
	h.calls[call] = struct{}{}
	h.mu.Unlock()
	<-open
	h.mu.Lock()
	delete(h.calls, call)
}

// stuck stands for source.Root.Stuck.
func (h *hangs) stuck(longer time.Duration) (stuck []source.Call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for call := range h.calls {
		if time.Since(call.Since) > longer {
			stuck = append(stuck, *call)
		}
	}
	sort.Slice(stuck, func(i, j int) bool { return stuck[i].Since.Before(stuck[j].Since) })
	return stuck
}

// request stands for Options.Request: each look calls it first.
func (h *hangs) request(image string) xcat.Request {
	h.mu.Lock()
	h.looks[image]++
	h.mu.Unlock()
	h.pass(image)
	return xcat.Request{Image: image}
}

// begun is how many looks at an image have begun.
func (h *hangs) begun(image string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.looks[image]
}

// walk stands for bundle.NewTree.
func (h *hangs) walk(ctx context.Context, root *source.Root, dir, name string) (*bundle.Tree, source.Findings, error) {
	h.mu.Lock()
	if h.walks++; h.walks > 1 {
		h.wrong("%d walks go through one tree at a time", h.walks)
	}
	h.mu.Unlock()
	defer func() {
		h.mu.Lock()
		h.walks--
		h.mu.Unlock()
	}()
	h.pass(walkGate)
	if h.world.present().walkFails {
		return nil, nil, fmt.Errorf("walk through %s: %w", dir, syscall.EIO)
	}
	return bundle.NewTree(ctx, root, dir, name)
}

// hung reports whether the files of an image hung at some time from then on.
func (h *hangs) hung(image string, since time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, gate := range []string{image, walkGate} {
		if gate == walkGate && image != "lite" {
			continue
		}
		for _, p := range h.periods[gate] {
			if p.until.IsZero() || !p.until.Before(since) {
				return true
			}
		}
	}
	return false
}

// hangsNow reports whether anything hangs.
func (h *hangs) hangsNow() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.gates) > 0
}
