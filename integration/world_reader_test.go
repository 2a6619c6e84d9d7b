package integration

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func init() { helpers["scatter"], helpers["mapcopy"] = helperScatter, helperMapCopy }

// helperScatter FILE COPY SEED copies FILE in pieces, in a random order.
func helperScatter(args []string) error {
	seed, err := strconv.ParseUint(args[2], 10, 64)
	if err != nil {
		return err
	}
	const piece = 40_000
	from, err := os.Open(args[0])
	if err != nil {
		return err
	}
	st, err := from.Stat()
	if err != nil {
		return err
	}
	data := make([]byte, st.Size())
	for _, i := range rand.New(rand.NewPCG(seed, 0)).Perm((len(data) + piece - 1) / piece) {
		part := data[i*piece : min((i+1)*piece, len(data))]
		if _, err := from.ReadAt(part, int64(i*piece)); err != nil {
			return err
		}
	}
	return errors.Join(os.WriteFile(args[1], data, 0o600), from.Close())
}

// helperMapCopy FILE COPY copies what is mapped of FILE.
func helperMapCopy(args []string) error {
	debug.SetPanicOnFault(true) // an error ends the process by SIGBUS
	from, err := os.Open(args[0])
	if err != nil {
		return err
	}
	st, err := from.Stat()
	if err != nil {
		return err
	}
	data, err := unix.Mmap(int(from.Fd()), 0, int(st.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return err
	}
	return os.WriteFile(args[1], slices.Clone(data), 0o600)
}

// worldReaders are the ways to copy $1 to $2.
var worldReaders = []string{
	`cat "$1" > "$2"`,
	`cp "$1" "$2"`,
	`dd status=none bs=7777 if="$1" of="$2"`,
	`dd status=none bs=64K iflag=direct if="$1" of="$2"`,
	`rsync --whole-file "$1" "$2"`,
	"scatter",
	"mapcopy",
}

// copyWorld copies a bundle in a random way, and reports whether that went well.
func copyWorld(t *testing.T, random *rand.Rand, from, to string) bool {
	t.Helper()
	_ = os.Remove(to)
	how := worldReaders[random.IntN(len(worldReaders))]
	p := process{args: []string{"bash", "-c", how, "bash", from, to}}
	if !strings.Contains(how, "$1") {
		p = helperProcess(t, how, from, to, strconv.FormatUint(random.Uint64(), 10))
	}
	p.mayFail = true
	return p.run(t).code == 0
}

// bundleParts are the parts of a copy, as worldState.parts has them.
func bundleParts(copied, image string) (map[string]string, error) {
	b, err := readTarball(copied)
	if err != nil {
		return nil, err
	}
	_, rest, _ := strings.Cut(string(b.manifest), "<description>")
	description, _, _ := strings.Cut(rest, "</description>")
	var lines []string
	for _, m := range worldMembers[image] {
		name := " ./" + image + "/" + filepath.Base(m) + " "
		for _, line := range b.members {
			if strings.Contains(line, name) {
				lines = append(lines, line)
			}
		}
	}
	slices.Sort(lines)
	parts := map[string]string{partRow + " " + image: description, partFiles + " " + image: strings.Join(lines, "\n")}
	if image == "tree" {
		parts[partTree+" tree"] = strings.Join(b.tree, "\n")
	}
	return parts, nil
}

// read copies bundles and lists names until the world ends, and returns what it has
// seen that never was.
func (w *world) read(t *testing.T, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, 1))
	images := []string{"plain", "packed", "tree"}
	copied := filepath.Join(w.scratch, fmt.Sprint("copy-", seed))
	for w.alive() {
		from := time.Now().Add(-worldRefresh)
		if random.IntN(5) == 0 {
			names, ok := w.names(t)
			if wrong := w.history.check(partNames, names, from, time.Now()); ok && wrong != "" {
				return errors.New(wrong)
			}
			continue
		}
		image, dir := images[random.IntN(len(images))], w.mount.dir
		if random.IntN(4) == 0 {
			dir = filepath.Join(dir, "@n1")
		}
		if !copyWorld(t, random, filepath.Join(dir, image+".tgz"), copied) {
			w.failed.Add(1)
			continue
		}
		to := time.Now()
		w.copied.Add(1)
		parts, err := bundleParts(copied, image)
		if err != nil {
			return fmt.Errorf("a copy without an error is no bundle: %w", err)
		}
		for part, value := range parts {
			if wrong := w.history.check(part, value, from, to); wrong != "" {
				return errors.New(wrong)
			}
		}
	}
	return nil
}

// names are the images in the listing of the mount that have a bundle.
func (w *world) names(t *testing.T) (string, bool) {
	r := process{args: []string{"ls", w.mount.dir}, mayFail: true}.run(t)
	var names []string
	for _, name := range strings.Fields(r.stdout) {
		if image, isBundle := strings.CutSuffix(name, ".tgz"); isBundle {
			names = append(names, image)
		}
	}
	return strings.Join(names, " "), r.code == 0
}
