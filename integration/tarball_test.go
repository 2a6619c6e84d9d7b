package integration

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
)

// tarball is what a bundle holds, read with Go's own tar and gzip, which
// share no code with the program's writer of segments.
type tarball struct {
	members  []string          // as members.txt has them, sorted
	order    []string          // names as they come
	manifest []byte            // manifest.xml
	litefile []byte            // litefile.csv, nil when there is none
	tree     []string          // rootimgtree.gz's entries as rootimgtree.txt has them, nil when there is none
	headers  map[string]header // by name
}

// header is what the member lines leave out.
type header struct {
	uid, gid     int
	uname, gname string
	size, mtime  int64
}

// readTarball reads a bundle from end to end; trailing garbage is an error.
func readTarball(path string) (*tarball, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	zr, err := gzip.NewReader(bufio.NewReaderSize(f, 1<<20))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	b := &tarball{headers: map[string]header{}}
	tr := tar.NewReader(zr)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = b.add(h, tr)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	rest, err := io.Copy(io.Discard, zr) // checks the last CRC too
	if err != nil {
		return nil, fmt.Errorf("%s: after the archive: %w", path, err)
	}
	if rest > 10240 {
		return nil, fmt.Errorf("%s: %d bytes after the archive's end", path, rest)
	}
	slices.Sort(b.members)
	return b, nil
}

func (b *tarball) add(h *tar.Header, data io.Reader) error {
	name := strings.TrimSuffix(h.Name, "/")
	if _, twice := b.headers[name]; twice {
		return fmt.Errorf("member %q is there twice", name)
	}
	b.order = append(b.order, name)
	b.headers[name] = header{h.Uid, h.Gid, h.Uname, h.Gname, h.Size, h.ModTime.Unix()}
	switch h.Typeflag {
	case tar.TypeDir:
		b.members = append(b.members, fmt.Sprintf("%04o %s dir", h.Mode, name))
		return nil
	case tar.TypeSymlink:
		b.members = append(b.members, fmt.Sprintf("- %s -> %s", name, h.Linkname))
		return nil
	case tar.TypeLink:
		// The recordings describe each name of a file by its content.
		mode, of := fmt.Sprintf("%04o ", h.Mode), " "+h.Linkname+" sha256:"
		for _, line := range b.members {
			if _, content, found := strings.Cut(line, of); found {
				b.members = append(b.members, mode+name+" sha256:"+content)
				return nil
			}
		}
		return fmt.Errorf("member %q links to %q, which does not come before it", name, h.Linkname)
	case tar.TypeFifo:
		b.members = append(b.members, fmt.Sprintf("%04o %s fifo", h.Mode, name))
		return nil
	case tar.TypeChar, tar.TypeBlock:
		b.members = append(b.members, fmt.Sprintf("%04o %s device %c %d:%d", h.Mode, name, h.Typeflag, h.Devmajor, h.Devminor))
		return nil
	case tar.TypeReg:
	default:
		return fmt.Errorf("member %q has type %q", name, h.Typeflag)
	}
	// "./NAME/rootimgtree.gz" is the tree; a kit may hold a file so named.
	base, top := cutTop(name)
	if top && base == "rootimgtree.gz" {
		b.members = append(b.members, fmt.Sprintf("%04o %s generated", h.Mode, name))
		return b.readTree(data)
	}
	hash := sha256.New()
	var keep bytes.Buffer
	into := io.Writer(hash)
	if top && (base == "manifest.xml" || base == "litefile.csv") {
		into = io.MultiWriter(hash, &keep)
	}
	n, err := io.Copy(into, data)
	if err != nil {
		return err
	}
	b.members = append(b.members, fileLine(h.Mode, name, fmt.Sprintf("%x", hash.Sum(nil)), n))
	switch {
	case top && base == "manifest.xml":
		b.manifest = keep.Bytes()
	case top && base == "litefile.csv":
		b.litefile = keep.Bytes()
	}
	return nil
}

func (b *tarball) readTree(data io.Reader) error {
	zr, err := gzip.NewReader(bufio.NewReader(data))
	if err != nil {
		return fmt.Errorf("rootimgtree.gz: %w", err)
	}
	entries, err := readNewc(zr)
	if err != nil {
		return fmt.Errorf("rootimgtree.gz: %w", err)
	}
	b.tree, err = describeNewc(entries)
	return err
}

// cutTop splits "./NAME/BASE"; ok is false for anything deeper or shallower.
func cutTop(name string) (base string, ok bool) {
	parts := strings.Split(name, "/")
	if len(parts) != 3 || parts[0] != "." {
		return "", false
	}
	return parts[2], true
}

// fileLine is the line of a regular file in members.txt.
func fileLine(mode int64, name, sha256 string, size int64) string {
	return fmt.Sprintf("%04o %s sha256:%s size:%d", mode, name, sha256[:16], size)
}

// mustReadTarball is readTarball for a bundle that must be good.
func mustReadTarball(t *testing.T, path string) *tarball {
	t.Helper()
	b, err := readTarball(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTarballReaderAgreesWithTar(t *testing.T) {
	dir := t.TempDir()
	shell(t, dir, `
		mkdir -p stage/img/extra
		printf manifest > stage/img/manifest.xml
		printf abcde > stage/img/extra/f; chmod 600 stage/img/extra/f
		ln -s f stage/img/extra/l
		tar -C stage --owner=0 --group=0 -czf b.tgz .
		head -c 60 b.tgz > cut.tgz
		{ cat b.tgz; echo garbage; } > tail.tgz`)
	b := mustReadTarball(t, dir+"/b.tgz")
	expectLines(t, "members", b.members, []string{
		"- ./img/extra/l -> f",
		"0600 ./img/extra/f sha256:36bbe50ed96841d1 size:5",
		"0644 ./img/manifest.xml sha256:05b3abf2579a5eb6 size:8",
		"0755 . dir",
		"0755 ./img dir",
		"0755 ./img/extra dir",
	})
	if string(b.manifest) != "manifest" {
		t.Errorf("manifest = %q", b.manifest)
	}
	for _, bad := range []string{"cut.tgz", "tail.tgz"} {
		if _, err := readTarball(dir + "/" + bad); err == nil {
			t.Errorf("%s is read without an error", bad)
		}
	}
}
