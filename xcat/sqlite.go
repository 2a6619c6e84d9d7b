package xcat

import (
	"context"
	"fmt"
	"time"

	"imgexportfs/bundle/source"
)

// sqliteBackend reads a site as xCAT lays it out for SQLite: a directory with
// one file TABLE.sqlite for each table. Files are open only while they are
// read, read-only, and under SQLite's own locks, so xcatd can write at any
// time.
type sqliteBackend struct {
	tableFiles
	lockWait time.Duration        // how long to wait for a lock that somebody else holds
	read     map[string]readTable // what Load has read, by table
}

// readTable is a table and the state of its files before it was read.
type readTable struct {
	table   Table
	absent  bool // the file holds no such table
	state   fileState
	settled bool
	unsafe  bool // read without locks: worthless if the files changed meanwhile
}

// defaultLockWait is longer than xcatd holds a lock for any change of its own.
const defaultLockWait = 5 * time.Second

func newSQLiteBackend(root *source.Root, dir string) *sqliteBackend {
	return &sqliteBackend{
		tableFiles: newTableFiles(root, dir, SQLite),
		lockWait:   defaultLockWait,
		read:       map[string]readTable{},
	}
}

// Load reads the tables whose files have changed since the last time, and
// again those that change while it reads, so that all are of one moment. On a
// site that never rests it gives up on that after a few times: every table is
// consistent in itself, which is all that imgexport has, and the version says
// that there is more to read.
func (b *sqliteBackend) Load(ctx context.Context) (Tables, Version, error) {
	tables, states, rested, err := b.readAtRest(ctx, b.readAll)
	if err != nil {
		return nil, "", err
	}
	if rested {
		return tables, b.version(states), nil
	}
	for name, state := range states {
		if b.read[name].unsafe && b.read[name].state != state {
			return nil, "", fmt.Errorf("%s changes all the time while it is read without locks: try again when no one writes to it", b.file(name))
		}
	}
	return tables, b.unique("unsettled"), nil
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
