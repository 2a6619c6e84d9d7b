package xcat

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"strings"
	"time"

	"imgexportfs/bundle"
)

// sqliteBackend reads a site as xCAT lays it out for SQLite: a directory with
// one file TABLE.sqlite for each table. Files are open only while they are
// read, read-only, and under SQLite's own locks, so xcatd can write at any
// time.
type sqliteBackend struct {
	root     *bundle.Root
	dir      string
	lockWait time.Duration // how long to wait for a lock that somebody else holds
	now      func() time.Time

	read   map[string]readTable // what Load has read, by table
	serial uint64               // makes the versions of unsettled states differ
}

// readTable is a table and the state of its files before it was read.
type readTable struct {
	table   Table
	absent  bool // the file holds no such table
	state   fileState
	settled bool
	unsafe  bool // read without locks: worthless if the files changed meanwhile
}

// fileState identifies the state of one table's files. The zero value is a
// table without a file.
type fileState struct {
	main, wal, journal bundle.Identity // the last two are zero if absent or empty
}

// defaultLockWait is longer than xcatd holds a lock for any change of its own.
const defaultLockWait = 5 * time.Second

// maxReads is how often Load reads again because tables changed under it.
const maxReads = 5

func newSQLiteBackend(root *bundle.Root, dir string) *sqliteBackend {
	return &sqliteBackend{
		root: root, dir: strings.TrimRight(dir, "/"),
		lockWait: defaultLockWait, now: time.Now,
		read: map[string]readTable{},
	}
}

// Close has nothing to release.
func (b *sqliteBackend) Close() error { return nil }

// Version identifies the state of all files.
func (b *sqliteBackend) Version(context.Context) (Version, error) {
	states, err := b.look()
	if err != nil {
		return "", err
	}
	return b.version(states), nil
}

// Load reads the tables whose files have changed since the last time, and
// again those that change while it reads, so that all are of one moment. On a
// site that never rests it gives up on that after a few times: every table is
// consistent in itself, which is all that imgexport has, and the version says
// that there is more to read.
func (b *sqliteBackend) Load(ctx context.Context) (Tables, Version, error) {
	for try := 1; ; try++ {
		before, err := b.look()
		if err != nil {
			return nil, "", err
		}
		tables, readErr := b.readAll(ctx, before)
		if ctx.Err() != nil {
			return nil, "", ctx.Err()
		}
		after, err := b.look()
		switch {
		case err != nil:
			return nil, "", err
		case maps.Equal(before, after):
			return tables, b.version(after), readErr
		case try < maxReads:
			continue
		case readErr != nil:
			return nil, "", readErr
		}
		for name, state := range after {
			if b.read[name].unsafe && b.read[name].state != state {
				return nil, "", fmt.Errorf("%s changes all the time while it is read without locks: try again when no one writes to it", b.file(name))
			}
		}
		return tables, b.unique("unsettled"), nil
	}
}

// look returns the state of the files of every table that has one.
func (b *sqliteBackend) look() (map[string]fileState, error) {
	states := make(map[string]fileState, len(schema))
	for _, t := range schema {
		state, err := b.state(b.file(t.name))
		if errors.Is(err, fs.ErrNotExist) {
			if t.required {
				return nil, b.missing(t.name)
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

func (b *sqliteBackend) file(table string) string { return b.dir + "/" + table + ".sqlite" }

func (b *sqliteBackend) missing(table string) error {
	if _, err := b.root.Stat(b.dir); err != nil {
		return fmt.Errorf("directory of the site's SQLite tables: %w: name the right one by --cfgloc", err)
	}
	return fmt.Errorf("table %s: there is no file %s: name the directory of the site's tables by --cfgloc", table, b.file(table))
}

func (b *sqliteBackend) state(file string) (fileState, error) {
	main, err := b.root.Stat(file)
	if err != nil {
		return fileState{}, err
	}
	wal, err := b.sidecar(file + "-wal")
	if err != nil {
		return fileState{}, err
	}
	journal, err := b.sidecar(file + "-journal")
	if err != nil {
		return fileState{}, err
	}
	return fileState{main: main.Identity, wal: wal, journal: journal}, nil
}

// sidecar identifies a file beside a table's. An empty one holds nothing, and
// comes and goes with readers.
func (b *sqliteBackend) sidecar(file string) (bundle.Identity, error) {
	st, err := b.root.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return bundle.Identity{}, nil
	case err != nil || st.Size == 0:
		return bundle.Identity{}, err
	}
	return st.Identity, nil
}

// readAll returns the tables in the given states, reading those that are not
// known yet.
func (b *sqliteBackend) readAll(ctx context.Context, states map[string]fileState) (Tables, error) {
	tables := make(Tables, len(schema))
	for _, t := range schema {
		state, found := states[t.name]
		if !found {
			delete(b.read, t.name)
			continue
		}
		have, known := b.read[t.name]
		if !known || have.state != state || !have.settled {
			settled := isSettled(state, b.now())
			var err error
			if have, err = b.readTable(ctx, t, state); err != nil {
				return nil, fmt.Errorf("table %s: %w", t.name, err)
			}
			have.settled = settled
			b.read[t.name] = have
		}
		if !have.absent {
			tables[t.name] = have.table
		}
	}
	return tables, nil
}

// version turns the states of all files into a version.
func (b *sqliteBackend) version(states map[string]fileState) Version {
	var s strings.Builder
	now := b.now()
	for _, t := range schema {
		state, found := states[t.name]
		if found && !isSettled(state, now) {
			return b.unique("fresh")
		}
		fmt.Fprintf(&s, "%s %v %v\n", t.name, found, state)
	}
	return Version(s.String())
}

// unique returns a version that equals no other.
func (b *sqliteBackend) unique(why string) Version {
	b.serial++
	return Version(fmt.Sprintf("%s %d", why, b.serial))
}

// isSettled reports whether another change of the files would show in their
// times. The clock of a file system ticks every few milliseconds, on old ones
// every second or two: two changes within one tick look like one.
func isSettled(state fileState, now time.Time) bool {
	for _, id := range []bundle.Identity{state.main, state.wal, state.journal} {
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
