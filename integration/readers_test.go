package integration

import (
	"archive/tar"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/pgzip"
)

// Every reader of tar and gzip that people have agrees on what is in a bundle.
// The listings are sorted names; the trees are compared with what GNU tar
// unpacks.
func TestReadersOfTarAgree(t *testing.T) {
	t.Parallel()
	readers := []struct {
		name          string
		tools         []string
		list, extract string // $1 is the bundle
	}{
		{"gnu tar", []string{"tar", "gzip"}, `tar -tzf "$1"`, `tar -xzf "$1"`},
		{"python", []string{"python3"},
			`python3 -c 'import sys,tarfile; print("\n".join(m.name + ("/" if m.isdir() else "") for m in tarfile.open(sys.argv[1])))' "$1"`,
			`python3 -c 'import sys,tarfile; tarfile.open(sys.argv[1]).extractall(filter="fully_trusted") if hasattr(tarfile,"data_filter") else tarfile.open(sys.argv[1]).extractall()' "$1"`},
		{"busybox", []string{"busybox"}, `busybox tar -tzf "$1"`, `busybox tar -xzf "$1"`},
		{"bsdtar", []string{"bsdtar"}, `bsdtar -tf "$1"`, `bsdtar -xf "$1"`},
	}
	m := mountSite(t, bulkSite(t).Dir())
	for _, image := range bulkImages {
		bundle := m.path(image + ".tgz")
		reference := t.TempDir()
		names := sortedNames(shell(t, reference, `tar -tzf "$1"; tar -xzf "$1"`, bundle))
		for _, r := range readers {
			t.Run(image+" with "+r.name, func(t *testing.T) {
				needTools(t, r.tools...)
				work := t.TempDir()
				expectLines(t, "names", sortedNames(shell(t, work, r.list, bundle)), names)
				shell(t, work, r.extract, bundle)
				shell(t, work, `diff -r --no-dereference "$1" .`, reference)
			})
		}
	}
}

// sortedNames makes the listings of several programs comparable: some write
// "./" before a name, and some write directories with a slash at the end.
func sortedNames(listing string) []string {
	var names []string
	for line := range strings.Lines(listing) {
		name := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSuffix(line, "\n"), "./"), "/")
		if name != "" && name != "." {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// gzip's own test passes, and the parallel reader pgzip decodes a bundle to
// the end.
func TestReadersOfGzipAgree(t *testing.T) {
	t.Parallel()
	m := mountSite(t, bulkSite(t).Dir())
	for _, image := range bulkImages {
		t.Run(image, func(t *testing.T) {
			copied := filepath.Join(t.TempDir(), "b.tgz")
			run(t, "cp", m.path(image+".tgz"), copied)
			run(t, "gzip", "-t", copied)
			names := sortedNames(strings.Join(pgzipNames(t, copied), ""))
			expectLines(t, "names", names, sortedNames(run(t, "tar", "-tzf", copied)))
		})
	}
}

// pgzipNames lists a bundle through pgzip, a line each, and reads it to its end.
func pgzipNames(t *testing.T, path string) []string {
	t.Helper()
	f, err := os.Open(path)
	must(t, err)
	defer func() { _ = f.Close() }() // only read
	zr, err := pgzip.NewReader(f)
	must(t, err)
	tr := tar.NewReader(zr)
	var names []string
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		names = append(names, h.Name+"\n")
	}
	_, err = io.Copy(io.Discard, zr)
	must(t, err)
	must(t, zr.Close())
	return names
}

// NAME.tgz.sha256 is what sha256sum -c takes, beside a copy of the bundle.
func TestChecksumFileIsRight(t *testing.T) {
	m := mountSite(t, bulkSite(t).Dir())
	for _, order := range []string{
		`cp "$1"/*.tgz.sha256 . && cp "$1"/*.tgz .`, // the sum first: hashed for its own sake
		`cp "$1"/*.tgz . && cp "$1"/*.tgz.sha256 .`, // the bundle first: hashed on the way
	} {
		work := t.TempDir()
		out := shell(t, work, order+` && sha256sum -c *.sha256`, m.dir)
		expectLines(t, "sha256sum -c", strings.Split(strings.TrimSpace(out), "\n"),
			[]string{"kits.tgz: OK", "stateless.tgz: OK", "statelite.tgz: OK"})
	}
}
