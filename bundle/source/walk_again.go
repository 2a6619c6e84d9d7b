package source

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// again looks a second time at every directory of a tree that has been walked, and at
// the empty files, which are never read. If none has changed since the first time, all
// names were there together when the second time began. Otherwise the walk may hold one
// directory as it was before a change of two, and the other one as it was after it:
// ErrChanged. Other files are looked at again when they are read.
func (w *walk) again(ctx context.Context, top *found) error {
	list := unread(nil, top)
	var looks errgroup.Group
	for first := range walkersMax {
		looks.Go(func() error {
			for i := first; i < len(list); i += walkersMax {
				if err := w.compare(ctx, list[i], list[i] != top); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return looks.Wait()
}

// unread adds to list what has no bytes to be read, of f and those below it.
func unread(list []*found, f *found) []*found {
	switch {
	case f.node.IsRegular() && f.node.Size == 0:
		return append(list, f)
	case f.below == nil || f.below.left != "": // a mount is not looked at
		return list
	}
	list = append(list, f)
	for i := range f.below.files {
		list = unread(list, &f.below.files[i])
	}
	return list
}

// compare returns ErrChanged unless f is as it was found.
func (w *walk) compare(ctx context.Context, f *found, below bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	flags := 0
	if below {
		flags = unix.O_NOFOLLOW // a link in a directory's place is no directory
	}
	st, err := w.root.stat(w.dir+"/"+f.node.Name, flags)
	switch {
	case err != nil:
		return changedSince(fmt.Errorf("%s: %w", f.node.Name, err), flags)
	case st.Identity != f.node.Identity:
		return fmt.Errorf("%s: %w", f.node.Name, ErrChanged)
	}
	return nil
}
