package fs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"imgexportfs/bundle/source"
	"imgexportfs/xcat"
)

// ErrMountPoint reports that nothing can be mounted on a directory.
var ErrMountPoint = errors.New("cannot mount here")

// mountPointError is an ErrMountPoint, which its text does not repeat.
type mountPointError struct{ error }

func (e mountPointError) Unwrap() error { return e.error }

func (mountPointError) Is(target error) bool { return target == ErrMountPoint }

// checkMountPoint returns the path of dir without links, or an error that is
// ErrMountPoint if the site cannot be mounted there. A mount must neither hide what it
// shows nor lie inside of it.
func checkMountPoint(ctx context.Context, dir string, site *xcat.Site, nonEmpty bool) (real string, err error) {
	real, err = checkDirectory(dir, nonEmpty)
	if err == nil {
		err = checkSources(ctx, dir, real, site)
	}
	if err != nil {
		return "", mountPointError{err}
	}
	return real, nil
}

// checkDirectory returns the path of dir without links.
func checkDirectory(dir string, nonEmpty bool) (string, error) {
	real, err := realMountPoint(dir)
	if err != nil {
		return "", fmt.Errorf("mount point: %w", err)
	}
	if at, ok, err := findMount(real); err != nil {
		return "", err
	} else if ok && at.FSType == source.OwnType { // which is not asked anything: it may be dead
		return "", fmt.Errorf("%s is a mount of %s already, or one whose process is gone: run 'imgexportfs umount %s' first", dir, fsName, dir)
	}
	info, err := os.Stat(real)
	switch {
	case errors.Is(err, syscall.ENOTCONN):
		return "", fmt.Errorf("%s is still mounted by a process that is gone: unmount it first", dir)
	case err != nil:
		return "", fmt.Errorf("mount point: %w", err)
	case !info.IsDir():
		return "", fmt.Errorf("mount point %s is not a directory", dir)
	}
	if err := checkEmpty(real); err != nil && !nonEmpty {
		return "", fmt.Errorf("mount point %s: %w; mount elsewhere, or hide what is there by -o nonempty", dir, err)
	}
	return real, nil
}

// checkEmpty returns an error unless the directory holds nothing.
func checkEmpty(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer func() { _ = d.Close() }()
	names, err := d.Readdirnames(1)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if len(names) > 0 {
		return fmt.Errorf("it is not empty (there is %s)", names[0])
	}
	return nil
}

// checkSources compares the mount point, whose path without links is real, with
// the directories that the site reads.
func checkSources(ctx context.Context, dir, real string, site *xcat.Site) error {
	catalog, err := site.Catalog(ctx)
	if err != nil {
		return err
	}
	sources := catalog.Sources()
	tables := site.TableDir()
	dirs := map[string]bool{tables: true}
	for _, s := range sources {
		dirs[dirOf(s)] = true
	}
	at := realSources(site.Root(), slices.Collect(maps.Keys(dirs)))
	if tables != "" && (isWithin(at[tables], real) || isWithin(real, at[tables])) {
		return fmt.Errorf("mount point %s and the directory of the site's tables, %s, lie inside of each other: mount elsewhere", dir, tables)
	}
	for _, s := range sources {
		switch at := at[dirOf(s)]; {
		case isWithin(at, real):
			return fmt.Errorf("mount point %s would hide %s of image %s: mount elsewhere", dir, s.Path, s.Image)
		case s.Whole && isWithin(real, at):
			return fmt.Errorf("mount point %s lies in %s, which is exported with image %s: mount elsewhere", dir, s.Path, s.Image)
		}
	}
	return nil
}

// dirOf returns the directory that a mount point is compared with.
func dirOf(s xcat.Source) string {
	if s.Whole {
		return s.Path
	}
	return path.Dir(s.Path)
}

const (
	// sourcesPatience is for how long a mount waits for the next directory of the site
	// to answer. A file server that is gone costs its own images, and not the mount.
	sourcesPatience = time.Second
	// sourcesAtOnce is how many of them may hang before the others are kept waiting.
	sourcesAtOnce = 64
)

// realSources returns where directories of the site are on this host. Those that
// do not answer in time are taken to be where their names say.
func realSources(root *source.Root, dirs []string) map[string]string {
	type found struct{ dir, real string }
	answers := make(chan found, len(dirs)) // looks that come late block nowhere
	go func() {
		var looks errgroup.Group
		looks.SetLimit(sourcesAtOnce)
		for _, dir := range dirs {
			looks.Go(func() error {
				answers <- found{dir, realSource(root, dir)}
				return nil
			})
		}
	}()
	at := map[string]string{}
	for _, dir := range dirs {
		at[dir] = filepath.Join(root.Dir(), dir)
	}
	for range dirs {
		select {
		case f := <-answers:
			at[f.dir] = f.real
		case <-time.After(sourcesPatience):
			return at
		}
	}
	return at
}

// realSource returns where a directory of the site is on this host. One that is not
// there now may come later, below the first parent that is there.
func realSource(root *source.Root, dir string) string {
	dir = path.Clean("/" + dir)
	real, err := root.RealPath(dir)
	if err != nil && dir != "/" {
		return filepath.Join(realSource(root, path.Dir(dir)), path.Base(dir))
	}
	return filepath.Clean(real)
}

// isWithin reports whether a path is dir, or is below it.
func isWithin(path, dir string) bool {
	return strings.HasPrefix(strings.TrimSuffix(path, "/")+"/", strings.TrimSuffix(dir, "/")+"/")
}
