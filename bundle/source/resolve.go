package source

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// OwnMountError reports that a path leads into a mount of imgexportfs. An image
// cannot be made of what is made from images: a look there would wait for itself.
type OwnMountError struct{ Mount string }

func (e OwnMountError) Error() string {
	return "lies on " + e.Mount + ", which is a mount of imgexportfs: an image cannot hold images"
}

// resolver finds out where paths lead before anything is looked at, one name after
// the other, and stops at the mounts of imgexportfs. All paths count from the root.
type resolver struct {
	mounts   *mounts
	top      string // the host's path of the root, without links and slash at the end
	readlink func(name string) (string, error)
	isPlain  func(name string) bool // whether no link is on the whole way, by one call

	mu   sync.Mutex        // guards what follows
	dirs map[string]string // where directories lead, as of since
	turn int               // of mounts, at that time
	when time.Time
}

// way is one resolution of a path.
type way struct {
	links int // that may still lead on
	// dirs is where it remembers directories. If the table of mounts changes meanwhile,
	// other resolutions have another map: what was found before must not count after.
	dirs map[string]string
}

const (
	// dirsAge is for how long it is remembered where directories lead: a listing
	// asks for thousands of files in few directories.
	dirsAge = time.Second
	// dirsMax bounds how many are.
	dirsMax = 10_000
	// linksMax is how many links lead to a file at most (path_resolution(7)).
	linksMax = 40
)

// resolve returns the path without symbolic links of what name leads to; the
// last name's own link is followed if asked for. What is not there is an error,
// apart from the last name itself.
func (r *resolver) resolve(name string, follow bool) (string, error) {
	turn, err := r.mounts.refresh()
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	if turn != r.turn || time.Since(r.when) > dirsAge || len(r.dirs) > dirsMax {
		r.dirs, r.turn, r.when = map[string]string{}, turn, time.Now()
	}
	w := &way{linksMax, r.dirs}
	r.mu.Unlock()
	return r.walk("/"+name, follow, w)
}

// walk is resolve for a path that begins with a slash.
func (r *resolver) walk(name string, follow bool, w *way) (string, error) {
	slash := strings.LastIndexByte(name, '/')
	if slash < 0 {
		return "/", nil // the root itself
	}
	dir, err := r.dir(name[:slash], w)
	if err != nil {
		return "", err
	}
	return r.next(strings.TrimSuffix(dir, "/"), name[slash+1:], follow, w)
}

// next returns where base leads in a directory without links, and without a slash at the
// end.
func (r *resolver) next(dir, base string, follow bool, w *way) (string, error) {
	switch base {
	case "", ".":
		return dir + "/", nil // the slash asks the kernel for a directory
	case "..":
		if _, err := r.readlink(dir + "/."); !errors.Is(err, unix.EINVAL) {
			return "", err // not a directory
		}
		return path.Dir("/" + dir), nil
	default:
		return r.step(dir+"/"+base, follow, w)
	}
}

// dir is walk for a directory on the way to something.
func (r *resolver) dir(name string, w *way) (string, error) {
	if name == "" {
		return "/", nil
	}
	if found, ok := r.known(name, w); ok {
		return found, nil
	}
	// Most often the directory above was asked for before.
	above := strings.LastIndexByte(name, '/')
	at, ok := r.known(name[:above], w)
	if !ok {
		above = 0
	}
	return r.ahead(name, above, len(name), strings.TrimSuffix(at, "/"), w)
}

// known returns where a directory leads, if that is remembered.
func (r *resolver) known(name string, w *way) (found string, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, ok = w.dirs[name]
	return found, ok
}

// ahead returns where name[:to] leads if name[:from] leads to at, which has no slash at the
// end, and remembers it. It asks first whether there is no link at all between, and then
// for either half: to ask for one name after the other would take 2,000 calls for a path
// of as many names, each of which takes the longer the deeper it is.
func (r *resolver) ahead(name string, from, to int, at string, w *way) (found string, err error) {
	middle := middleSlash(name, from, to)
	switch {
	case middle == from:
		found, err = r.next(at, name[from+1:to], true, w)
	case r.isPlainBelow(at, name[from:to]):
		found = at + name[from:to]
	default:
		if found, err = r.ahead(name, from, middle, at, w); err == nil {
			return r.ahead(name, middle, to, strings.TrimSuffix(found, "/"), w)
		}
	}
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	w.dirs[name[:to]] = found
	return found, nil
}

// middleSlash returns where a slash is in about the middle of name[from:to], or from if
// that is one name with a slash before it.
func middleSlash(name string, from, to int) int {
	half := from + 1 + (to-from-1)/2
	if i := strings.IndexByte(name[half:to], '/'); i >= 0 {
		return half + i
	}
	return from + strings.LastIndexByte(name[from:half], '/')
}

// isPlainBelow reports whether rest leads to itself below at, without a link or a mount of
// imgexportfs on the way. It looks at nothing if there is such a mount.
func (r *resolver) isPlainBelow(at, rest string) bool {
	for base := range strings.SplitSeq(rest[1:], "/") {
		if base == "" || base == "." || base == ".." {
			return false
		}
	}
	return !r.mounts.isOwnBelow(r.top+at, rest) && r.isPlain(at+rest)
}

// step returns where a name leads in a directory without links.
func (r *resolver) step(name string, follow bool, w *way) (string, error) {
	if host := r.top + name; r.mounts.isOwn(host) {
		return "", OwnMountError{host}
	}
	if !follow {
		return name, nil
	}
	target, err := r.readlink(name)
	if errors.Is(err, unix.EINVAL) {
		return name, nil // not a link
	}
	if err != nil {
		return "", err
	}
	if w.links--; w.links < 0 {
		return "", unix.ELOOP
	}
	if !strings.HasPrefix(target, "/") {
		target = path.Dir(name) + "/" + target
	}
	return r.walk(target, true, w)
}

// within reports as an error whether path, or what it counts from, is below a mount of
// imgexportfs: the root of a site may lie there itself.
func (r *resolver) within() error {
	for dir := r.top; dir != "" && dir != "/"; dir = path.Dir(dir) {
		if r.mounts.isOwn(dir) {
			return fmt.Errorf("root directory %s %w", r.top, OwnMountError{dir})
		}
	}
	return nil
}
