package main

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"
)

// inOrder applies f to every item, as many at a time as there are cores, and
// hands each result to each in the order of the items as soon as those
// before it are there. The first error ends it all.
func inOrder[T, R any](ctx context.Context, items []T, f func(context.Context, T) (R, error), each func(R)) error {
	results := make([]chan R, len(items))
	for i := range results {
		results[i] = make(chan R, 1)
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0) + 1) // and the next one
	group.Go(func() error {
		for _, result := range results {
			select {
			case r := <-result:
				each(r)
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for i, item := range items {
		group.Go(func() error {
			r, err := f(ctx, item)
			if err == nil {
				results[i] <- r
			}
			return err
		})
	}
	return group.Wait()
}
