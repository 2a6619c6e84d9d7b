package integration

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"imgexportfs/integration/xcatsite"
)

// worldStep is one change of the model and of the real site: one system call, or one
// statement. A step that does not apply in a state is left out, so that any part of a
// script is a script.
type worldStep struct {
	op       string
	path, to string
	text     string // seed of the bytes; a description
	n        int    // bytes, an offset, or a mode
	pause    time.Duration
}

func (s worldStep) String() string {
	return fmt.Sprintf("%s %s %s %q %d, then %v", s.op, s.path, s.to, s.text, s.n, s.pause)
}

// worldScript makes n steps.
func worldScript(random *rand.Rand, n int) (steps []worldStep) {
	pick := func(list ...string) string { return list[random.IntN(len(list))] }
	inTree := func() string {
		return path.Join(worldTree, pick("a", "b", "z"), fmt.Sprint("f", random.IntN(6)))
	}
	member := func() string {
		image := worldMembers[pick("plain", "packed", "tree")]
		return image[random.IntN(len(image))]
	}
	for i := range n {
		text := fmt.Sprint("step ", i)
		s := worldStep{op: pick("put", "put", "remove", "rename", "write", "write", "truncate", "chmod", "swap", "link", "describe", "offer"), text: text}
		s.path, s.to = inTree(), inTree()
		switch s.op {
		case "put", "write", "truncate", "chmod":
			if random.IntN(2) == 0 {
				s.path = member()
			}
			s.n = random.IntN(3) * random.IntN(20_000)
			if s.op == "chmod" {
				s.n = []int{0o644, 0o600, 0o755, 0o700}[random.IntN(4)]
			}
		case "swap":
			s.path = path.Join(worldTree, pick("a", "b", "z"))
		case "describe":
			s.path = pick("plain", "packed", "tree")
			s.text = fmt.Sprintf("%08d", random.IntN(100_000_000)) // of equal length
		}
		s.pause = time.Duration(random.IntN(3000)) * time.Microsecond
		if random.IntN(8) == 0 {
			s.pause = time.Duration(50+random.IntN(200)) * time.Millisecond
		}
		steps = append(steps, s)
	}
	return steps
}

// next is the state after the step; ok is false if the step does not apply.
func (s worldStep) next(before worldState) (after worldState, ok bool) {
	after = before.clone()
	f, there := before.files[s.path]
	switch s.op {
	case "put":
		mode := uint32(0o644)
		if there {
			mode = f.mode
		}
		after.files[s.path] = worldFile{'f', mode, worldData(s)}
		return after, !there || f.kind == 'f'
	case "remove":
		delete(after.files, s.path)
		return after, there
	case "rename":
		delete(after.files, s.path)
		after.files[s.to] = f
		return after, there && s.path != s.to
	case "write": // in place, so the size stays
		if !there || f.kind != 'f' || len(f.data) == 0 {
			return after, false
		}
		off, part := s.patch(len(f.data))
		f.data = f.data[:off] + part + f.data[off+len(part):]
	case "truncate":
		if !there || f.kind != 'f' {
			return after, false
		}
		f.data = f.data[:len(f.data)/2]
		if len(f.data) == 0 {
			return after, false
		}
	case "chmod":
		if !there || f.kind != 'f' {
			return after, false
		}
		f.mode = uint32(s.n)
	case "link":
		f = worldFile{'l', 0o777, s.text}
		after.files[s.path] = f
		return after, !there
	case "swap":
		for _, p := range before.below(s.path) {
			delete(after.files, p)
		}
		for name, f := range s.other() {
			after.files[path.Join(s.path, name)] = f
		}
		return after, true
	case "describe":
		after.descriptions[s.path] = s.text
		return after, true
	case "offer":
		if _, offered := before.descriptions["extra"]; offered {
			delete(after.descriptions, "extra")
		} else {
			after.descriptions["extra"] = "extra"
		}
		return after, true
	}
	after.files[s.path] = f
	return after, true
}

// worldData are the bytes of a new file. A packed root image is large.
func worldData(s worldStep) string {
	switch path.Base(s.path) {
	case "rootimg.cpio.gz":
		return string(xcatsite.Noise(s.text, 1<<20+s.n+1))
	case "kernel":
		return string(xcatsite.Text(s.text, 1<<20+s.n+1))
	}
	return string(xcatsite.Text(s.text, s.n+1))
}

// patch is what is written into a file of a size, and where.
func (s worldStep) patch(size int) (off int, part string) {
	off = s.n % size
	return off, string(xcatsite.Text(s.text, min(size-off, 3000)))
}

// other is the directory that takes another one's place.
func (s worldStep) other() map[string]worldFile {
	dir := map[string]worldFile{".": {'d', 0o755, ""}}
	for i := range 4 {
		dir[fmt.Sprint("f", i)] = worldFile{'f', 0o600, s.text + fmt.Sprint(" file ", i)}
	}
	return dir
}

// apply makes the change of a step in the site.
func (s worldStep) apply(site *xcatsite.Site, before worldState) error {
	file, stage := site.Path(s.path), site.Path("/stage")
	switch s.op {
	case "put":
		mode := uint32(0o644)
		if f, there := before.files[s.path]; there {
			mode = f.mode
		}
		return errors.Join(makeWorldFile(stage, worldFile{'f', mode, worldData(s)}), os.Rename(stage, file))
	case "remove":
		return os.Remove(file)
	case "rename":
		return os.Rename(file, site.Path(s.to))
	case "write":
		f, err := os.OpenFile(file, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		off, part := s.patch(len(before.files[s.path].data))
		_, err = f.WriteAt([]byte(part), int64(off))
		return errors.Join(err, f.Close())
	case "truncate":
		return os.Truncate(file, int64(len(before.files[s.path].data)/2))
	case "chmod":
		return os.Chmod(file, os.FileMode(s.n))
	case "link":
		return os.Symlink(s.text, file)
	case "swap":
		dir := s.other()
		for _, name := range slices.Sorted(maps.Keys(dir)) {
			if err := makeWorldFile(filepath.Join(stage, name), dir[name]); err != nil {
				return err
			}
		}
		err := unix.Renameat2(unix.AT_FDCWD, stage, unix.AT_FDCWD, file, unix.RENAME_EXCHANGE)
		return errors.Join(err, os.RemoveAll(stage))
	case "describe":
		return site.Exec("osimage", "UPDATE osimage SET description = ? WHERE imagename = ?", s.text, s.path)
	}
	if _, offered := before.descriptions["extra"]; offered {
		return site.Exec("osimage", "DELETE FROM osimage WHERE imagename = 'extra'")
	}
	return site.Insert("osimage", xcatsite.Row{
		"imagename": "extra", "provmethod": "install", "imagetype": "linux", "osname": "Linux", "description": "extra",
		"osvers": xcatsite.OSVersion, "osarch": xcatsite.Arch, "profile": xcatsite.Profile,
	})
}

// makeWorldFile makes a file of the model.
func makeWorldFile(path string, f worldFile) error {
	if f.kind == 'd' {
		return os.Mkdir(path, os.FileMode(f.mode))
	}
	return errors.Join(os.WriteFile(path, []byte(f.data), os.FileMode(f.mode)), os.Chmod(path, os.FileMode(f.mode)))
}

// scriptText is a script for the message of a failure.
func scriptText(steps []worldStep) string {
	var b strings.Builder
	for _, s := range steps {
		fmt.Fprintln(&b, s)
	}
	return b.String()
}
