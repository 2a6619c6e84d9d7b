package verify

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"imgexportfs/bundle"
)

func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// noise is n bytes that do not compress, prose n bytes that do.
func noise(r *rand.Rand, n int) []byte {
	b := make([]byte, n)
	var seed [32]byte
	binary.LittleEndian.PutUint64(seed[:], r.Uint64())
	_, _ = rand.NewChaCha8(seed).Read(b) // never fails
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

const manifestText = `<?xml version="1.0"?>
<xcatimage>
  <kernel>/install/k/kernel</kernel>
  <kit>
    <name>hpc</name>
  </kit>
  <kit>
    <name>hpc</name>
    <kitdir>/install/kits/hpc</kitdir>
    <kitname>hpc</kitname>
  </kit>
  <linuximage>
    <exlist>/x/a.exlist,/x/gone.exlist</exlist>
    <imagename>img</imagename>
    <postinstall>/x/post.sh -a /y</postinstall>
  </linuximage>
  <osimage>
    <imagename>img</imagename>
    <osvers>rhels9</osvers>
  </osimage>
  <rootimg>/install/k/rootimg.gz</rootimg>
</xcatimage>
`

func regular(t *testing.T, name string, data []byte) bundle.Member {
	t.Helper()
	m, err := bundle.NewRegular(name, 0o644, time.Unix(1_700_000_000, 5), bundle.Bytes(data))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func directory(t *testing.T, name string) bundle.Member {
	t.Helper()
	m, err := bundle.NewDirectory(name, 0o755, time.Unix(1_700_000_000, 5))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// members are those of an image with several segments, deflated and stored.
func members(t *testing.T, r *rand.Rand) []bundle.Member {
	t.Helper()
	link, err := bundle.NewSymlink("hpc/link", "repo", time.Unix(1_700_000_000, 5))
	if err != nil {
		t.Fatal(err)
	}
	return []bundle.Member{
		regular(t, bundle.Manifest, []byte(manifestText)),
		regular(t, "kernel", prose(r, 530_000)),
		regular(t, "rootimg.gz", noise(r, 1_200_000)),
		regular(t, "a.exlist", []byte("/tmp\n")),
		regular(t, "post.sh", []byte("#!/bin/sh\n")),
		directory(t, "hpc"), link,
		regular(t, "hpc/repo", prose(r, 3000)),
	}
}

// packed returns the bundle of members.
func packed(t testing.TB, ms []bundle.Member, codec bundle.Codec) []byte {
	t.Helper()
	e, err := bundle.NewEngine(bundle.EngineOptions{Codec: codec})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	b, err := e.NewBundle(t.Context(), "img", ms)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := b.WriteTo(t.Context(), &out, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// entry is a member of an archive of another program.
type entry struct {
	name string
	data string
}

// tarOf is an archive as any tar writes it.
func tarOf(t testing.TB, entries ...entry) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, e := range entries {
		h := &tar.Header{Name: e.name, Mode: 0o644, Size: int64(len(e.data)), Typeflag: tar.TypeReg, Format: tar.FormatGNU}
		if e.name[len(e.name)-1] == '/' {
			h.Typeflag, h.Mode = tar.TypeDir, 0o755
		}
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(e.data)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func gzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w, _ := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// check reads a bundle and compares it with nothing.
func check(t testing.TB, data []byte) *Result {
	t.Helper()
	result, err := Read(t.Context(), bytes.NewReader(data), Options{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// starts are the offsets of the gzip members of a bundle of this project, and its end.
func starts(t testing.TB, data []byte) []int {
	t.Helper()
	var out []int
	for off := 0; off < len(data); {
		out = append(out, off)
		h, err := parseHead(data[off:], off == 0)
		if err != nil {
			t.Fatalf("offset %d: %v", off, err)
		}
		off += h.size + h.deflated + trailer
	}
	return append(out, len(data))
}
