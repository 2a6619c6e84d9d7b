package bundle

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imgexportfs/bundle/source"
)

// smallMembers are those of a stateful image: a manifest and a template.
func smallMembers(b *testing.B) []Member {
	b.Helper()
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "compute.tmpl"), []byte("#INCLUDE:compute.pkglist#\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	root, err := source.OpenRoot("/")
	if err != nil {
		b.Fatal(err)
	}
	st, err := root.Stat(dir + "/compute.tmpl")
	if err != nil {
		b.Fatal(err)
	}
	f, err := NewFile(root, dir+"/compute.tmpl", st)
	if err != nil {
		b.Fatal(err)
	}
	m, err := NewRegular("compute.tmpl", 0o644, st.ModTime(), f)
	if err != nil {
		b.Fatal(err)
	}
	return []Member{m}
}

// BenchmarkSmallBundle is the first stat of a stateful image's bundle, as ls -l
// does for thousands.
func BenchmarkSmallBundle(b *testing.B) {
	e, err := NewEngine(EngineOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	members := smallMembers(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		manifest, err := NewRegular(Manifest, 0o644, time.Time{}, Bytes(fmt.Sprintf("<xcatimage>%060d</xcatimage>", i)))
		if err != nil {
			b.Fatal(err)
		}
		made, err := e.NewBundle(b.Context(), "foo", append([]Member{manifest}, members...))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := made.Size(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFingerprint is what every later look costs.
func BenchmarkFingerprint(b *testing.B) {
	members := smallMembers(b)
	b.ReportAllocs()
	for b.Loop() {
		Fingerprint("foo", members)
	}
}

// benchTree is a tree of real files: the Go distribution that runs this.
func benchTree(b *testing.B) *Tree {
	b.Helper()
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		b.Fatal(err)
	}
	root, err := source.OpenRoot("/")
	if err != nil {
		b.Fatal(err)
	}
	tree, _, err := NewTree(context.Background(), root, strings.TrimSpace(string(goroot)), "src")
	if err != nil {
		b.Fatal(err)
	}
	return tree
}

// BenchmarkEncode deflates segments of a real tree.
func BenchmarkEncode(b *testing.B) {
	tree := benchTree(b)
	raw := make([]byte, tree.Size())
	if _, err := tree.ReadAt(raw, 0); err != nil {
		b.Fatal(err)
	}
	dst := make([]byte, bufferSize)
	for level := 1; level <= 9; level++ {
		b.Run(fmt.Sprintf("level %d", level), func(b *testing.B) {
			enc := newEncoder(Codec{Compression: Auto, Level: level})
			b.SetBytes(int64(len(raw)))
			b.ReportAllocs()
			packed := 0
			for b.Loop() {
				packed = 0
				for off := 0; off < len(raw); off += segmentMax {
					packed += len(enc.appendMember(dst[:0], raw[off:min(off+segmentMax, len(raw))], nil))
				}
			}
			b.ReportMetric(float64(packed)/float64(len(raw)), "ratio")
		})
	}
}

// BenchmarkStored makes segments that are stored.
func BenchmarkStored(b *testing.B) {
	raw, dst := make([]byte, segmentMax), make([]byte, bufferSize)
	b.SetBytes(segmentMax)
	b.ReportAllocs()
	for b.Loop() {
		appendStoredMember(dst[:0], raw, nil)
	}
}

// BenchmarkStatelite makes a whole bundle of a real tree, cold.
func BenchmarkStatelite(b *testing.B) {
	tree := benchTree(b)
	m, err := NewRegular("rootimgtree.gz", 0o644, time.Time{}, tree)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(tree.Size())
	for b.Loop() {
		e, err := NewEngine(EngineOptions{})
		if err != nil {
			b.Fatal(err)
		}
		made, err := e.NewBundle(b.Context(), "foo", []Member{m})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := made.Size(context.Background()); err != nil {
			b.Fatal(err)
		}
		if err := made.WriteTo(context.Background(), io.Discard, nil); err != nil {
			b.Fatal(err)
		}
		e.Close()
	}
}

// BenchmarkWorthStoring is what a large file costs before the first byte.
func BenchmarkWorthStoring(b *testing.B) {
	e, err := NewEngine(EngineOptions{})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Close()
	data := make([]byte, 32<<20)
	for i, seed := 0, uint64(1); i < len(data); i++ {
		seed = seed*6364136223846793005 + 1442695040888963407
		data[i] = byte(seed >> 56)
	}
	for b.Loop() {
		if _, err := e.isCompressed(b.Context(), Bytes(data)); err != nil {
			b.Fatal(err)
		}
	}
}
