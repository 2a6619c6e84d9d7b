package integration

import (
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imgexportfs/integration/xcatsite"
)

const (
	loadImages   = 16
	loadChanging = 6 // of the images change, the last ones; the others stay as they are
	// In how many states the files and the row of a changing image may be. Each pair of
	// them is a bundle of its own.
	loadFileStates, loadRowStates = 3, 2
)

// loadState is a state of the files and of the row of an image.
type loadState struct{ Files, Row int }

func loadImage(i int) string { return fmt.Sprintf("image%02d", i) }

// shiftingSite is a site whose images go to and fro between a few states, so that every
// bundle that there can be is known beforehand.
type shiftingSite struct {
	*xcatsite.Site
	content map[string]func(seed string, n int) []byte // of the root image, by image
	present map[string]loadState
	trees   map[string]string // by "IMAGE STATE": where a tree is that is not in its place
}

// newShiftingSite has images that are stored, deflated, trees, and of many parts.
func newShiftingSite(t *testing.T) *shiftingSite {
	t.Helper()
	s := &shiftingSite{newSite(t), map[string]func(string, int) []byte{}, map[string]loadState{}, map[string]string{}}
	for i := range loadImages {
		name, size := loadImage(i), 4<<20+i*12_345
		s.content[name] = xcatsite.Text
		if i%4 == 0 {
			s.content[name] = xcatsite.Noise
		}
		changes := i >= loadImages-loadChanging
		if changes {
			s.present[name], size = loadState{}, size/4
		}
		switch i % 4 {
		case 0, 1:
			must(t, s.AddStateless(name, xcatsite.Stateless{Kernel: []byte("k"), Ramdisk: []byte("r"), Rootimg: s.content[name](name, size)}))
		case 2:
			must(t, s.AddStatelite(name, []byte("kernel"), xcatsite.Text(name, 100_000)))
			s.makeTree(t, s.TreeDir(name), name+" 0", size)
		default:
			must(t, s.AddStateless(name, xcatsite.Stateless{
				Kernel: xcatsite.Text(name, size/3), Ramdisk: xcatsite.Noise(name, size/3), Rootimg: xcatsite.Text(name+"r", size/3),
			}))
		}
		for state := 1; changes && i%4 == 2 && state < loadFileStates; state++ {
			id := fmt.Sprint(name, " ", state)
			s.trees[id] = filepath.Join("/waiting", id)
			s.makeTree(t, s.trees[id], id, size+state)
		}
	}
	must(t, s.Exec("osimage", "UPDATE osimage SET description = 'row 0'"))
	return s
}

// makeTree makes a tree of about so many bytes whose directories have fixed times.
func (s *shiftingSite) makeTree(t *testing.T, dir, seed string, size int) {
	t.Helper()
	const files = 40
	for i := range files {
		content := xcatsite.Text
		if i%2 == 0 {
			content = xcatsite.Noise
		}
		must(t, s.WriteFile(fmt.Sprintf("%s/d%d/file%02d", dir, i%5, i), 0o644, content(fmt.Sprint(seed, i), size/files+i)))
	}
	for i := range 5 {
		must(t, s.Touch(fmt.Sprintf("%s/d%d", dir, i), xcatsite.Epoch))
	}
	must(t, s.Touch(dir, xcatsite.Epoch))
}

// setFiles brings the files of a changing image into a state, by one system call.
func (s *shiftingSite) setFiles(image string, state int) error {
	before := s.present[image].Files
	if before == state {
		return nil
	}
	s.present[image] = loadState{state, s.present[image].Row}
	tree := s.TreeDir(image)
	if _, err := os.Stat(s.Path(tree)); err == nil {
		waiting := s.trees[fmt.Sprint(image, " ", state)]
		delete(s.trees, fmt.Sprint(image, " ", state))
		s.trees[fmt.Sprint(image, " ", before)] = waiting // the two change places
		return unix.Renameat2(unix.AT_FDCWD, s.Path(waiting), unix.AT_FDCWD, s.Path(tree), unix.RENAME_EXCHANGE)
	}
	file, stage := s.Path(xcatsite.ProfileDir(image)+"/rootimg.cpio.gz"), s.Path("/stage")
	if err := os.WriteFile(stage, s.content[image](fmt.Sprint(image, state), 1<<20+state*777), 0o600); err != nil {
		return err
	}
	at := xcatsite.Epoch.Add(time.Duration(state) * time.Hour)
	if err := os.Chtimes(stage, at, at); err != nil {
		return err
	}
	return os.Rename(stage, file)
}

// loadReference is one bundle that an image may have.
type loadReference struct {
	State loadState
	path  string
	size  int64
	sum   string
}

// references exports every bundle that there can be into a directory.
func (s *shiftingSite) references(t *testing.T, dir string) {
	t.Helper()
	export := func(state loadState, images ...string) {
		to := filepath.Join(dir, "to")
		must(t, os.MkdirAll(to, 0o755))
		args := append([]string{"export", "--root", s.Dir()}, images...)
		expectCode(t, program(t, dir, append(args, "to/")...), 0)
		for _, image := range images {
			name := fmt.Sprintf("%s.%d.%d", image, state.Files, state.Row)
			must(t, os.Rename(filepath.Join(to, image+".tgz"), filepath.Join(dir, name)))
		}
		must(t, os.Remove(to))
	}
	var fixed, changing []string
	for i := range loadImages {
		if _, changes := s.present[loadImage(i)]; changes {
			changing = append(changing, loadImage(i))
		} else {
			fixed = append(fixed, loadImage(i))
		}
	}
	export(loadState{}, fixed...)
	for row := loadRowStates - 1; row >= 0; row-- {
		must(t, s.Exec("osimage", "UPDATE osimage SET description = ?", fmt.Sprint("row ", row)))
		for files := loadFileStates - 1; files >= 0; files-- { // that of 0 is the last one
			for _, image := range changing {
				must(t, s.setFiles(image, files))
			}
			export(loadState{files, row}, changing...)
		}
	}
}

// findReferences are the references in a directory, by image.
func findReferences(dir string) (map[string][]loadReference, error) {
	all := map[string][]loadReference{}
	paths, err := filepath.Glob(filepath.Join(dir, "image*"))
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		r := loadReference{path: path}
		var image string
		if _, err := fmt.Sscanf(filepath.Base(path), "%7s.%d.%d", &image, &r.State.Files, &r.State.Row); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		hash := sha256.New()
		if r.size, err = io.Copy(hash, f); err != nil {
			return nil, err
		}
		r.sum = fmt.Sprintf("%x", hash.Sum(nil))
		_ = f.Close() // only read
		all[image] = append(all[image], r)
	}
	return all, nil
}

// change brings a random image into another state, in its files or in its row.
func (l *load) change(t *testing.T, random *rand.Rand) {
	t.Helper()
	image := loadImage(loadImages - 1 - random.IntN(loadChanging))
	state := l.site.present[image]
	if random.IntN(3) > 0 {
		next := (state.Files + 1 + random.IntN(loadFileStates-1)) % loadFileStates
		l.history.change(image, partFiles, next, func() { must(t, l.site.setFiles(image, next)) })
		return
	}
	state.Row = (state.Row + 1) % loadRowStates
	statement := fmt.Sprintf("UPDATE osimage SET description = %s WHERE imagename = %s", l.db.mark(1), l.db.mark(2))
	l.history.change(image, partRow, state.Row, func() {
		l.db.exec(t, loadDatabase, statement, fmt.Append(nil, "row ", state.Row), []byte(image))
	})
	l.site.present[image] = state
}
