package fs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

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
	if tables := site.TableDir(); tables != "" {
		at := realSource(site.Root(), tables)
		if isWithin(at, real) || isWithin(real, at) {
			return fmt.Errorf("mount point %s and the directory of the site's tables, %s, lie inside of each other: mount elsewhere", dir, tables)
		}
	}
	seen := map[string]string{} // where directories lead
	for _, s := range catalog.Sources() {
		named := s.Path
		if !s.Whole {
			named = path.Dir(s.Path)
		}
		at, ok := seen[named]
		if !ok {
			at = realSource(site.Root(), named)
			seen[named] = at
		}
		switch {
		case isWithin(at, real):
			return fmt.Errorf("mount point %s would hide %s of image %s: mount elsewhere", dir, s.Path, s.Image)
		case s.Whole && isWithin(real, at):
			return fmt.Errorf("mount point %s lies in %s, which is exported with image %s: mount elsewhere", dir, s.Path, s.Image)
		}
	}
	return nil
}

// realSource returns where a directory of the site is on this host. One that is not
// there now may come later, where its name says.
func realSource(root *source.Root, dir string) string {
	if real, err := root.RealPath(dir); err == nil {
		return filepath.Clean(real)
	}
	return filepath.Join(root.Dir(), dir)
}

// isWithin reports whether a path is dir, or is below it.
func isWithin(path, dir string) bool {
	return strings.HasPrefix(strings.TrimSuffix(path, "/")+"/", strings.TrimSuffix(dir, "/")+"/")
}
