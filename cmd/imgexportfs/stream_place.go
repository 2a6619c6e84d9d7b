package main

import (
	"context"
	"fmt"
	"io"
)

// streamPlace is standard output. Half a bundle may have gone there when an error comes.
type streamPlace struct{ w io.Writer }

func (streamPlace) String() string { return "standard output" }

// writer returns what writes the bundle. It does not wait for a reader that has stopped
// reading when ctx ends: the program is about to end then.
func (p streamPlace) writer(string) (bundleWriter, error) {
	return func(ctx context.Context, b exportable, progress func(int64)) (int64, error) {
		type result struct {
			size int64
			err  error
		}
		ended := make(chan result, 1)
		go func() {
			size, err := copyExactly(ctx, p.w, b, progress)
			ended <- result{size, err}
		}()
		select {
		case r := <-ended:
			if r.err != nil {
				return 0, fmt.Errorf("standard output: %w", reason(r.err))
			}
			return r.size, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}, nil
}
