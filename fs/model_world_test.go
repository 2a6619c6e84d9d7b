package fs

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// world is the site that the model's mount shows, and all states it was ever in. Each state
// of a source or of the rows has a number of its own, which stands in its bytes, and in the
// time of a file. So what is shown says which state it is of.
//
// Three images are shown: "foo" is installed from a template and never refused, "lite" has
// a tree, and "late" comes and goes with the rows.
type world struct {
	root string // of the site, which has the directory "mnt" where any file is an I/O error
	name string // of the directory below it that holds everything else

	turn sync.Mutex // of changes; guards serial
	last int        // the number that was given out last

	mu      sync.Mutex // guards what follows
	moments []moment   // begins with the first state
	made    int        // the last moment whose change of the disk is done
}

// moment is a state of the site.
type moment struct {
	at   time.Time // when it began; the bubble's time stands still while files are written
	rows int
	late bool // the image "late" has a row

	tmpl, list int  // of "foo"; tmpl is 0 while it is gone
	kernel     int  // of "lite"; 0 while it is gone, which refuses the image
	tree       int  // of "lite"
	huge       bool // the tree has a file that refuses the image

	listFails, kernelFails, walkFails bool // with an I/O error
	rowsFail                          bool // a table is not there
}

// serialTime is the modification time of the state with a number. It is later than that of
// any file whose time is left as it is.
func serialTime(serial int) time.Time { return time.Unix(2_500_000_000+int64(serial), 0) }

// newWorld makes a site below root.
func newWorld(t *testing.T, root, name string) *world {
	t.Helper()
	w := &world{root: root, name: name}
	first := moment{at: time.Now(), late: true}
	for _, serial := range []*int{&first.rows, &first.tmpl, &first.list, &first.kernel, &first.tree} {
		w.last++
		*serial = w.last
	}
	for file, text := range map[string]string{
		"linuximage.csv": "#imagename,template,pkglist,exlist,rootimgdir\n" +
			fmt.Sprintf("\"foo\",\"/%s/foo.tmpl\",,\"/%s/foo.list\",\n", name, name) +
			fmt.Sprintf("\"lite\",,\"/%s/lite.pkglist\",,\"/%s/lite\"\n", name, name) +
			fmt.Sprintf("\"late\",\"/%s/late.tmpl\",,,\n", name),
		"nodelist.csv":                 "#node,groups\n\"n1\",\"all\"\n",
		"postscripts.csv":              "#node,postscripts\n\"n1\",\"script\"\n",
		"lite.pkglist":                 "bash\n",
		"late.tmpl":                    "%packages\n",
		"lite/initrd-statelite.gz":     "initrd",
		"lite/rootimg/etc/hosts":       "127.0.0.1 localhost\n",
		"lite/rootimg/bin/of/them/all": "#!/bin/sh\n",
	} {
		write(t, filepath.Join(root, name), file, text)
	}
	for _, err := range []error{
		w.putRows(first), w.put("foo.tmpl", first.tmpl), w.putList(first), w.put("lite/kernel", first.kernel),
		w.put("lite/rootimg/etc/state", first.tree),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	w.moments = []moment{first}
	return w
}

func (w *world) path(file string) string { return filepath.Join(w.root, w.name, file) }

// put replaces a file as a whole by its state with a number.
func (w *world) put(file string, serial int) error {
	return w.putText(file, fmt.Sprintf("serial %d\n", serial), serial)
}

func (w *world) putText(file, text string, serial int) error {
	temp := w.path(fmt.Sprintf("temp.%d", serial))
	if err := os.WriteFile(temp, []byte(text), 0o644); err != nil {
		return err
	}
	if err := os.Chtimes(temp, serialTime(serial), serialTime(serial)); err != nil {
		return err
	}
	return os.Rename(temp, w.path(file))
}

// putLink replaces a file by a link.
func (w *world) putLink(file, target string) error {
	temp := w.path("temp.link")
	if err := os.Symlink(target, temp); err != nil {
		return err
	}
	return os.Rename(temp, w.path(file))
}

func (w *world) putRows(m moment) error {
	text := "#imagename,profile,provmethod,osvers,osarch,imagetype,rootfstype\n" +
		fmt.Sprintf("\"foo\",\"p%d\",\"install\",\"rhels9\",\"x86_64\",\"linux\",\n", m.rows) +
		fmt.Sprintf("\"lite\",\"p%d\",\"statelite\",\"rhels9\",\"x86_64\",\"linux\",\"nfs\"\n", m.rows)
	if m.late {
		text += fmt.Sprintf("\"late\",\"p%d\",\"install\",\"rhels9\",\"x86_64\",\"linux\",\n", m.rows)
	}
	return w.putText("osimage.csv", text, m.rows)
}

// putList has foo.list lead to its present state, or to an I/O error.
func (w *world) putList(m moment) error {
	if m.listFails {
		return w.putLink("foo.list", "/mnt/list")
	}
	file := fmt.Sprintf("foo.list.%d", m.list)
	if _, err := os.Lstat(w.path(file)); err != nil {
		if err := w.put(file, m.list); err != nil {
			return err
		}
	}
	return w.putLink("foo.list", file)
}

// worldChanges are what a script may change. Each gets the present state and a new number,
// makes the next state of it, and returns what has to be done for that.
var worldChanges = []struct {
	name string
	make func(w *world, m *moment, serial int) func() error
}{
	{"rows", func(w *world, m *moment, serial int) func() error {
		m.rows, m.rowsFail = serial, false
		return func() error { return w.putRows(*m) }
	}},
	{"the rows of late", func(w *world, m *moment, serial int) func() error {
		m.rows, m.rowsFail, m.late = serial, false, !m.late
		return func() error { return w.putRows(*m) }
	}},
	{"no rows", func(w *world, m *moment, _ int) func() error {
		if m.rowsFail {
			return nil
		}
		m.rowsFail = true
		return func() error { return os.Remove(w.path("osimage.csv")) }
	}},
	{"foo.tmpl", func(w *world, m *moment, serial int) func() error {
		m.tmpl = serial
		return func() error { return w.put("foo.tmpl", serial) }
	}},
	{"no foo.tmpl", func(w *world, m *moment, _ int) func() error {
		if m.tmpl == 0 {
			return nil
		}
		m.tmpl = 0
		return func() error { return os.Remove(w.path("foo.tmpl")) }
	}},
	{"foo.list", func(w *world, m *moment, serial int) func() error {
		m.list, m.listFails = serial, false
		return func() error { return w.putList(*m) }
	}},
	{"errors of foo.list", func(w *world, m *moment, _ int) func() error {
		m.listFails = !m.listFails
		return func() error { return w.putList(*m) }
	}},
	{"kernel", func(w *world, m *moment, serial int) func() error {
		m.kernel, m.kernelFails = serial, false
		return func() error { return w.put("lite/kernel", serial) }
	}},
	{"no kernel", func(w *world, m *moment, _ int) func() error {
		if m.kernel == 0 {
			return nil
		}
		m.kernel, m.kernelFails = 0, false
		return func() error { return os.Remove(w.path("lite/kernel")) }
	}},
	{"errors of kernel", func(w *world, m *moment, serial int) func() error {
		m.kernel, m.kernelFails = serial, true
		return func() error { return w.putLink("lite/kernel", "/mnt/kernel") }
	}},
	{"tree", func(w *world, m *moment, serial int) func() error {
		m.tree = serial
		return func() error { return w.put("lite/rootimg/etc/state", serial) }
	}},
	{"a huge file", func(w *world, m *moment, serial int) func() error {
		if m.huge {
			m.tree, m.huge = serial, false
			return func() error { // the image is refused until the second step
				if err := w.put("lite/rootimg/etc/state", serial); err != nil {
					return err
				}
				return os.Remove(w.path("lite/rootimg/core"))
			}
		}
		m.huge = true
		return func() error { return w.putHuge(serial) }
	}},
	{"errors of a walk", func(_ *world, m *moment, _ int) func() error {
		m.walkFails = !m.walkFails
		return func() error { return nil }
	}},
}

// putHuge puts a file into the tree that no archive can hold.
func (w *world) putHuge(serial int) error {
	temp := w.path(fmt.Sprintf("temp.%d", serial))
	if err := os.WriteFile(temp, nil, 0o644); err != nil {
		return err
	}
	if err := os.Truncate(temp, 4<<30); err != nil {
		return err
	}
	return os.Rename(temp, w.path("lite/rootimg/core"))
}

// change makes the change with an index in worldChanges. The new state counts from before the
// disk changes: what finds it may end before this returns.
func (w *world) change(i int) error {
	w.turn.Lock()
	defer w.turn.Unlock()
	w.last++
	next := w.moments[len(w.moments)-1]
	do := worldChanges[i].make(w, &next, w.last)
	if do == nil {
		return nil
	}
	w.mu.Lock()
	next.at = time.Now()
	w.moments = append(w.moments, next)
	w.mu.Unlock()
	err := do()
	w.mu.Lock()
	w.made = len(w.moments) - 1
	w.mu.Unlock()
	return err
}

// since returns the first state that there still was at a time.
func (w *world) since(t time.Time) int {
	i := len(w.moments) - 1
	for i > 0 && !w.moments[i].at.Before(t) {
		i--
	}
	return i
}

// rowsFailed reports whether the rows could not be read at some time from then on.
func (w *world) rowsFailed(since time.Time) bool {
	for _, m := range w.moments[w.since(since):] {
		if m.rowsFail {
			return true
		}
	}
	return false
}

// present is the state now.
func (w *world) present() moment {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.moments[len(w.moments)-1]
}

// count is how many states there were, and the first of those that there may be now.
func (w *world) count() (states, present int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.moments), w.made
}
