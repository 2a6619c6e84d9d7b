package main

import (
	"fmt"
	"time"
)

// memory measures how much the server takes while many bundles are read.
func (b *bench) memory() error {
	site, err := b.readersSite()
	if err != nil {
		return err
	}
	b.table.title("%d readers at once, each of a bundle of %s", b.scale.readers, mebibytes(int64(b.scale.each)))
	for _, budget := range []int64{64, 256} {
		peak := int64(0) // the largest of all runs
		s, err := b.inTurn(fmt.Sprintf("memory, budget %d MiB", budget), way{"readers", "", func() (time.Duration, error) {
			return b.onMount(site, []string{fmt.Sprintf("--memory=%dMiB", budget)}, func(s *server) (time.Duration, error) {
				took, err := timed(`for bundle in "$1"/*.tgz; do cat "$bundle" > /dev/null & done; wait`, s.dir)
				if err != nil {
					return 0, err
				}
				now, err := s.peakMemory()
				peak = max(peak, now)
				return took, err
			})
		}})
		if err != nil {
			return err
		}
		work := fmt.Sprintf("most memory with `--memory %dMiB`, read in %s", budget, show(s["readers"].median()))
		b.table.line(work, mebibytes(peak), "", "", b.table.verdict(fmt.Sprintf("≤ %d MiB", budget+64), peak <= (budget+64)<<20))
	}
	return nil
}
