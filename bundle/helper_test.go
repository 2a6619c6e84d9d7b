package bundle

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"imgexportfs/bundle/source"
)

// seeded returns a source of random numbers whose seed a failure shows.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// noise is n bytes that do not compress, prose n bytes that do.
func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func prose(r *rand.Rand, n int) []byte {
	var b bytes.Buffer
	for b.Len() < n {
		b.WriteString([]string{"kernel ", "initrd ", "compute ", "netboot ", "rootimg\n"}[r.IntN(5)])
		b.WriteByte(byte('a' + r.IntN(26)))
	}
	return b.Bytes()[:n]
}

func newEngine(t *testing.T, opts EngineOptions) *Engine {
	t.Helper()
	e, err := NewEngine(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func siteRoot(t *testing.T, dir string) *source.Root {
	t.Helper()
	root, err := source.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = root.Close() })
	return root
}

func writeFile(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// fileMember is the file path below root as a member of the same base name.
func fileMember(t *testing.T, root *source.Root, path string) Member {
	t.Helper()
	st, err := root.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := NewFile(root, path, st)
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewRegular(filepath.Base(path), st.Perm()&0o755, st.ModTime(), f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func bytesMember(t *testing.T, name string, data []byte) Member {
	t.Helper()
	m, err := NewRegular(name, 0o644, time.Time{}, Bytes(data))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func newBundle(t *testing.T, e *Engine, name string, members ...Member) *Bundle {
	t.Helper()
	b, err := e.NewBundle(t.Context(), name, members)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// unknown is how many segments a size takes to make.
func unknown(b *Bundle) int {
	_, unknown := b.knownLengths()
	return len(unknown)
}

// whole returns all bytes of the bundle.
func whole(t *testing.T, b *Bundle) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := b.WriteTo(context.Background(), &out, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func gunzip(t *testing.T, b []byte) []byte {
	t.Helper()
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
