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
	dir = strings.TrimSuffix(dir, "/")
	switch base := name[slash+1:]; base {
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
	r.mu.Lock()
	known, ok := w.dirs[name]
	r.mu.Unlock()
	if ok {
		return known, nil
	}
	found, err := r.walk(name, true, w)
	if err != nil {
		return "", err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	w.dirs[name] = found
	return found, nil
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
