package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"time"

	"imgexportfs/bundle/source"
)

// tableFiles is a directory that holds a file for each table of a site.
type tableFiles struct {
	root   *source.Root
	dir    string
	kind   Kind // SQLite or CSV
	now    func() time.Time
	serial uint64 // makes the versions of unsettled states differ
}

func newTableFiles(root *source.Root, dir string, kind Kind) tableFiles {
	return tableFiles{root: root, dir: strings.TrimRight(dir, "/"), kind: kind, now: time.Now}
}

// Close has nothing to release: files are open only while they are read.
func (f *tableFiles) Close() error { return nil }

// Version identifies the state of all files.
func (f *tableFiles) Version(context.Context) (Version, error) {
	states, err := f.look()
	if err != nil {
		return "", err
	}
	return f.version(states), nil
}

// maxReads is how often tables are read at most when they change meanwhile.
const maxReads = 5

// readAtRest reads the tables, again if a file changes meanwhile, so that all are of one
// moment. If files change each time, rested is false. The states are those after the
// last reading.
func (f *tableFiles) readAtRest(ctx context.Context, read func(context.Context, map[string]fileState) (Tables, error)) (tables Tables, states map[string]fileState, rested bool, err error) {
	for range maxReads {
		before, lookErr := f.look()
		if lookErr != nil {
			return nil, nil, false, lookErr
		}
		tables, err = read(ctx, before)
		if ctx.Err() != nil {
			return nil, nil, false, ctx.Err()
		}
		if states, lookErr = f.look(); lookErr != nil {
			return nil, nil, false, lookErr
		}
		if maps.Equal(before, states) {
			return tables, states, true, err
		}
	}
	return tables, states, false, err
}

// fileState identifies the state of one table's files. The zero value is a
// table without a file.
type fileState struct {
	main, wal, journal source.Identity // the last two are zero if absent or empty
}

// look returns the state of the files of every table that has one.
func (f *tableFiles) look() (map[string]fileState, error) {
	states := make(map[string]fileState, len(schema))
	for _, t := range schema {
		state, err := f.state(f.file(t.name))
		if errors.Is(err, fs.ErrNotExist) {
			if t.required {
				return nil, f.missing(t.name)
			}
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("table %s: %w", t.name, hint(err))
		}
		states[t.name] = state
	}
	return states, nil
}

// hint adds to an error what to do about it.
func hint(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w: run this as root, as xCAT's own commands", err)
	}
	return err
}

func (f *tableFiles) file(table string) string {
	return f.dir + "/" + table + "." + strings.ToLower(string(f.kind))
}

func (f *tableFiles) missing(table string) error {
	if _, err := f.root.Stat(f.dir); err != nil {
		return fmt.Errorf("directory of the site's %s tables: %w: name the right one by --cfgloc", f.kind, err)
	}
	return fmt.Errorf("table %s: there is no file %s: name the directory of the site's tables by --cfgloc", table, f.file(table))
}

func (f *tableFiles) state(file string) (fileState, error) {
	main, err := f.root.Stat(file)
	if err != nil {
		return fileState{}, err
	}
	if f.kind == CSV {
		return fileState{main: main.Identity}, nil
	}
	real, err := f.real(file)
	if err != nil {
		return fileState{}, err
	}
	wal, err := f.sidecar(real + "-wal")
	if err != nil {
		return fileState{}, err
	}
	journal, err := f.sidecar(real + "-journal")
	if err != nil {
		return fileState{}, err
	}
	if _, err := f.sidecar(real + "-shm"); err != nil {
		return fileState{}, err
	}
	return fileState{main: main.Identity, wal: wal, journal: journal}, nil
}

// real returns the path without links of a table file, counted from the root. SQLite looks
// for the table's other files beside that.
func (f *tableFiles) real(file string) (string, error) {
	top, err := f.root.RealPath("/")
	if err != nil {
		return "", err
	}
	real, err := f.root.RealPath(file)
	return strings.TrimPrefix(real, strings.TrimSuffix(top, "/")), err
}

// sidecar identifies a file beside a table's. An empty one holds nothing, and
// comes and goes with readers. SQLite opens these files by itself, and would follow a link
// out of the root.
func (f *tableFiles) sidecar(file string) (source.Identity, error) {
	st, err := f.root.Lstat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return source.Identity{}, nil
	case err != nil:
		return source.Identity{}, err
	case !st.IsRegular():
		return source.Identity{}, fmt.Errorf("%s is a %s, where SQLite keeps a file of its own: remove it, or put the file itself there", file, st.TypeName())
	case st.Size == 0:
		return source.Identity{}, nil
	}
	return st.Identity, nil
}

// version turns the states of all files into a version.
func (f *tableFiles) version(states map[string]fileState) Version {
	var s strings.Builder
	now := f.now()
	for _, t := range schema {
		state, found := states[t.name]
		if found && !isSettled(state, now) {
			return f.unique("fresh")
		}
		fmt.Fprintf(&s, "%s %v %v\n", t.name, found, state)
	}
	return Version(s.String())
}

// unique returns a version that equals no other.
func (f *tableFiles) unique(why string) Version {
	f.serial++
	return Version(fmt.Sprintf("%s %d", why, f.serial))
}

// isSettled reports whether another change of the files would show in their
// times. The clock of a file system ticks every few milliseconds, on old ones
// every second or two: two changes within one tick look like one.
func isSettled(state fileState, now time.Time) bool {
	for _, id := range []source.Identity{state.main, state.wal, state.journal} {
		latest := max(id.MtimeNs, id.CtimeNs)
		tick := 100 * time.Millisecond
		if id.MtimeNs%int64(time.Second) == 0 && id.CtimeNs%int64(time.Second) == 0 {
			tick = 3 * time.Second
		}
		if age := now.Sub(time.Unix(0, latest)); age >= 0 && age < tick {
			return false
		}
	}
	return true
}
