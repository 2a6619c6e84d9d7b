package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"imgexportfs/integration/xcatsite"
)

// littleMemory makes random reads of a large bundle show what it costs to
// make segments, not to find them made.
const littleMemory = "--memory=32MiB"

// raw measures single reads at random places of a large bundle, and how long
// its size takes.
func (b *bench) raw() error {
	site, err := b.rawSite()
	if err != nil {
		return err
	}
	const bundle = "image.tgz"
	cache := "--cache-dir=" + filepath.Join(b.work, "cache")
	if _, err := b.firstStat("fill the cache", site, bundle, cache).do(); err != nil {
		return err
	}
	stored, deflated := b.newRandomReads(), b.newRandomReads()
	s, err := b.inTurn("raw",
		b.firstStat("stat", site, bundle),
		b.firstStat("warm stat", site, bundle, cache),
		way{"stored", "", func() (time.Duration, error) { return stored.run(b, site, "--compression=store", littleMemory) }},
		way{"deflated", "", func() (time.Duration, error) { return deflated.run(b, site, cache, littleMemory) }},
	)
	if err != nil {
		return err
	}
	t := &b.table
	t.title("raw image of %s, %d MiB of data between holes", mebibytes(b.scale.raw), b.scale.islands)
	t.limit("first `stat` after the mount, cold", s["stat"].median(), 0)
	t.limit("first `stat` after the mount, sizes remembered", s["warm stat"].median(), 0)
	stored.report(t, "stored")
	deflated.report(t, "deflated")
	return nil
}

// randomReads are single reads in the first and the last quarter of a bundle.
type randomReads struct {
	random *rand.Rand
	count  int // in each quarter
	size   int64
	took   [2]samples
}

func (b *bench) newRandomReads() *randomReads {
	return &randomReads{random: rand.New(rand.NewPCG(1, 2)), count: b.scale.reads}
}

// run reads from a new mount.
func (r *randomReads) run(b *bench, site *xcatsite.Site, flags ...string) (time.Duration, error) {
	return b.onMount(site, flags, func(s *server) (time.Duration, error) {
		started := time.Now()
		f, err := os.Open(filepath.Join(s.dir, "image.tgz"))
		if err != nil {
			return 0, err
		}
		defer func() { _ = f.Close() }() // only read
		info, err := f.Stat()
		if err != nil {
			return 0, err
		}
		r.size = info.Size()
		for range r.count {
			for i, quarter := range []int64{0, 3} {
				if err := r.one(f, i, r.size/4*quarter); err != nil {
					return 0, err
				}
			}
		}
		return time.Since(started), nil
	})
}

// one reads 4 KiB somewhere in the quarter that starts at from.
func (r *randomReads) one(f *os.File, i int, from int64) error {
	started := time.Now()
	_, err := f.ReadAt(make([]byte, 4096), from+r.random.Int64N(r.size/4-4096))
	r.took[i] = append(r.took[i], time.Since(started))
	return err
}

func (r *randomReads) report(t *table, how string) {
	work := fmt.Sprintf("random 4 KiB reads, bundle of %s, %s: ", mebibytes(r.size), how)
	both := append(append(samples(nil), r.took[0]...), r.took[1]...)
	t.limit(work+"half take at most", both.median(), 0)
	t.limit(work+"99 of 100 take at most", both.percentile(99), 15*time.Millisecond)
	t.race("... half of those in the last quarter", r.took[1], "in the first quarter", r.took[0], 0.8)
}
