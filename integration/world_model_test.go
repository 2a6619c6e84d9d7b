package integration

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// worldFile is a file of the model.
type worldFile struct {
	kind byte // 'f' of a file, 'd' of a directory, 'l' of a link
	mode uint32
	data string // of a file; the target of a link
}

// worldState is a site as values: what is in the rows and files that change.
type worldState struct {
	descriptions map[string]string    // by image; an image without one has no row
	files        map[string]worldFile // by path, as the site spells it
}

func (s worldState) clone() worldState {
	return worldState{maps.Clone(s.descriptions), maps.Clone(s.files)}
}

// below are the paths of dir and of what is in it, in order.
func (s worldState) below(dir string) (paths []string) {
	for p := range s.files {
		if p == dir || strings.HasPrefix(p, dir+"/") {
			paths = append(paths, p)
		}
	}
	slices.Sort(paths)
	return paths
}

// The parts of a bundle. Each is one state of the model. That all of them are the
// same one is not asked for: rows, single files and trees may each be as old as the
// refresh interval.
const (
	partNames = "names" // of the listing of the mount
	partRow   = "row"
	partFiles = "files"
	partTree  = "tree"
)

// worldMembers are the single files of each image that change.
var worldMembers = map[string][]string{
	"plain":  {"/install/custom/install/rh/plain.tmpl", "/install/custom/install/rh/plain.pkglist"},
	"packed": {"/install/netboot/rhels9.2/x86_64/packed/kernel", "/install/netboot/rhels9.2/x86_64/packed/rootimg.cpio.gz"},
	"tree":   {"/install/netboot/rhels9.2/x86_64/tree/kernel"},
	"extra":  {},
}

// worldTree is the root tree of the image "tree".
const worldTree = "/install/netboot/rhels9.2/x86_64/tree/rootimg"

// parts are the values that a bundle or a listing is compared by.
func (s worldState) parts() map[string]string {
	parts := map[string]string{partNames: strings.Join(slices.Sorted(maps.Keys(s.descriptions)), " ")}
	for image, members := range worldMembers {
		parts[partRow+" "+image] = s.descriptions[image]
		var lines []string
		for _, m := range members {
			f := s.files[m]
			lines = append(lines, fileLine(int64(f.mode&0o755), "./"+image+"/"+path.Base(m), sumOf(f.data), int64(len(f.data))))
		}
		slices.Sort(lines)
		parts[partFiles+" "+image] = strings.Join(lines, "\n")
	}
	parts[partTree+" tree"] = s.tree()
	return parts
}

func sumOf(data string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(data))) }

// tree is the tree as describeNewc writes it.
func (s worldState) tree() string {
	var lines []string
	for _, p := range s.below(worldTree) {
		f, name := s.files[p], "rootimg"+strings.TrimPrefix(p, worldTree)
		switch f.kind {
		case 'd':
			lines = append(lines, fmt.Sprintf("%06o 0:0 '%s' nlink:0 ", 0o040000|f.mode, name))
		case 'l':
			lines = append(lines, fmt.Sprintf("%06o 0:0 '%s' nlink:0 -> %s", 0o120777, name, f.data))
		default:
			lines = append(lines, fmt.Sprintf("%06o 0:0 '%s' nlink:1 sha256:%s size:%d", 0o100000|f.mode, name, sumOf(f.data)[:16], len(f.data)))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// worldHistory knows which values each part has had, and when.
type worldHistory struct {
	mu    sync.Mutex // guards what follows
	parts map[string][]worldValue
}

type worldValue struct {
	value    string
	from, to time.Time // it may have been so from the beginning of a change to the end of the next one
}

// begin adds a state that is about to be made.
func (h *worldHistory) begin(s worldState) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for part, value := range s.parts() {
		list := h.parts[part]
		if n := len(list); n == 0 || list[n-1].value != value {
			h.parts[part] = append(list, worldValue{value: value, from: time.Now()})
		}
	}
}

// end says that the last state has been made: what was before is no more.
func (h *worldHistory) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, list := range h.parts {
		if n := len(list); n > 1 && list[n-2].to.IsZero() {
			list[n-2].to = time.Now()
		}
	}
}

// check says what is wrong with a value that was seen between two times, or "".
func (h *worldHistory) check(part, value string, from, to time.Time) string {
	h.mu.Lock()
	defer h.mu.Unlock()
	age := time.Duration(-1)
	for _, v := range h.parts[part] {
		if v.value != value || v.from.After(to) {
			continue
		}
		if v.to.IsZero() || !v.to.Before(from) {
			return ""
		}
		age = from.Sub(v.to)
	}
	if age >= 0 {
		return fmt.Sprintf("%s is a state that ended %v before:\n%s", part, age, clip(value))
	}
	last := h.parts[part][len(h.parts[part])-1].value
	return fmt.Sprintf("%s was never so:\n%s\nthe last state is:\n%s", part, clip(value), clip(last))
}
