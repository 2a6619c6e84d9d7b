package verify

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"imgexportfs/bundle"
)

func TestWholeBundlesAreSoundInEveryCompression(t *testing.T) {
	ms := members(t, seeded(t))
	for _, codec := range []bundle.Codec{{}, {Compression: bundle.Store}, {Compression: bundle.Deflate, Level: 1}, {Compression: bundle.Auto, Level: 9}} {
		data := packed(t, ms, codec)
		for _, workers := range []int{1, 3} {
			result, err := Read(t.Context(), bytes.NewReader(data), Options{Workers: workers, Hash: true})
			if err != nil {
				t.Fatal(err)
			}
			if result.Damage != nil || result.Foreign || result.Format != bundle.FormatVersion || result.Image != "img" || result.Name != "img" {
				t.Errorf("%v: %+v, %v", codec, result, result.Damage)
			}
			if result.Packed != int64(len(data)) || result.Members != len(ms)+2 || result.Sum != sha256.Sum256(data) {
				t.Errorf("%v: %d of %d bytes, %d members", codec, result.Packed, len(data), result.Members)
			}
			if !bundle.IsPlanOf(result.Plan, "img", ms) {
				t.Errorf("%v: the plan is not that of the members", codec)
			}
			if want := []string{"made without /x/gone.exlist of linuximage.exlist"}; !slices.Equal(result.Notes, want) {
				t.Errorf("%v: notes %q, want %q", codec, result.Notes, want)
			}
		}
	}
}

// unpack returns what gunzip makes of data; nil if it fails.
func unpack(data []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil
	}
	out, err := io.ReadAll(z)
	if err != nil {
		return nil
	}
	return out
}

// Two kinds of bits can change without any checksum or content saying so: those of the
// plan's hash, and those that deflate leaves unused behind a block.
func TestAnyFlippedByteIsFound(t *testing.T) {
	r := seeded(t)
	for _, compression := range []bundle.Compression{bundle.Auto, bundle.Store} {
		ms := members(t, r)
		ms[2].Content = bundle.Bytes(noise(r, 20_000)) // many bundles are read
		data := packed(t, ms, bundle.Codec{Compression: compression})
		want := unpack(data)
		begin := starts(t, data)
		headers := headerBytes(begin, data)
		for i := range 120 {
			at := r.IntN(len(data))
			if i%2 == 0 { // headers and trailers are few
				at = min(max(0, begin[r.IntN(len(begin))]+r.IntN(60)-20), len(data)-1)
			}
			flipped := slices.Clone(data)
			flipped[at] ^= byte(1 + r.IntN(255))
			if result := check(t, flipped); result.Damage != nil {
				continue
			}
			inPlan := at >= headPlan+1 && at < headPlan+planFixed
			unused := compression != bundle.Store && !slices.Contains(headers, at) && bytes.Equal(unpack(flipped), want)
			if !inPlan && !unused {
				t.Fatalf("%s: byte %d of %d, %#02x instead of %#02x, is not found", compression, at, len(data), flipped[at], data[at])
			}
		}
	}
}

// headerBytes are the offsets of all headers.
func headerBytes(begin []int, data []byte) (offsets []int) {
	for i, start := range begin[:len(begin)-1] {
		h, _ := parseHead(data[start:], i == 0)
		for off := range h.size {
			offsets = append(offsets, start+off)
		}
	}
	return offsets
}

func TestEachBitOfTheFirstHeaderButThePlanIsChecked(t *testing.T) {
	data := packed(t, []bundle.Member{regular(t, bundle.Manifest, []byte(manifestText))}, bundle.Codec{})
	h, err := parseHead(data, true)
	if err != nil {
		t.Fatal(err)
	}
	for at := range h.size {
		if at > headPlan+planFixed && at%40 > 0 && at < h.size-1 {
			continue // padding
		}
		for bit := range 8 {
			flipped := slices.Clone(data)
			flipped[at] ^= 1 << bit
			// The lowest ten bits of the hash say how much padding there is.
			inPlan := at >= headPlan+1 && at < headPlan+planFixed && (at > headPlan+2 || at == headPlan+2 && bit > 1)
			if result := check(t, flipped); (result.Damage == nil || result.Damage.Offset < 0 || result.Foreign) && !inPlan {
				t.Errorf("bit %d of byte %d: %v, foreign %v", bit, at, result.Damage, result.Foreign)
			}
		}
	}
}

func TestAnyTruncationIsFound(t *testing.T) {
	r := seeded(t)
	ours := packed(t, members(t, r), bundle.Codec{})
	plain := gzipped(t, tarOf(t, entry{"./img/", ""}, entry{"./img/manifest.xml", "<xcatimage><osimage><imagename>i</imagename></osimage></xcatimage>"}))
	begin := starts(t, ours)
	lengths := slices.Concat(begin[:len(begin)-1], []int{1, 2, 9, 10, 11, 12, 20, 21, 23, 24, 50, len(ours) - 1, len(ours) - 8, len(ours) - 9})
	for range 40 {
		lengths = append(lengths, r.IntN(len(ours)))
	}
	for _, n := range lengths {
		if result := check(t, ours[:n]); result.Damage == nil {
			t.Errorf("the first %d of %d bytes pass for the whole", n, len(ours))
		}
	}
	for n := range plain {
		if result := check(t, plain[:n]); result.Damage == nil {
			t.Errorf("the first %d of %d bytes of another program's bundle pass for the whole", n, len(plain))
		}
	}
}

// join puts parts of a bundle one after the other.
func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

func TestDamageIsNamedWithItsPlace(t *testing.T) {
	r := seeded(t)
	data := packed(t, members(t, r), bundle.Codec{})
	b := starts(t, data)
	part := func(i int) []byte { return data[b[i]:b[i+1]] }
	last := len(b) - 2
	kernel := slices.Clone(data)
	kernel[b[1]+500] ^= 1
	for _, test := range []struct {
		name   string
		data   []byte
		want   string // in the message
		offset int    // -1: none
	}{
		{"nothing", nil, "cut off", 0},
		{"text", []byte(strings.Repeat("not a bundle ", 200)), "not gzip", 0},
		{"an empty gzip", gzipped(t, nil), "tar archive has no end", 0},
		{"a gzip of text", gzipped(t, []byte(strings.Repeat("text ", 500))), "header of the tar archive", 0},
		{"another member appended", join(data, gzipped(t, []byte("more"))), "is not the header", len(data)},
		{"text appended", join(data, []byte("more text that is no gzip at all")), "is not the header", len(data)},
		{"a segment appended", join(data, part(1)), "follows the end", len(data)},
		{"zeros without end", join(data, make([]byte, paddingMax+2)), "zeros follow", len(data)},
		{"a flipped bit in the kernel", kernel, "at member kernel", b[1]},
		{"the last segment lost", data[:b[last]], "no end", b[last-1]},
		{"a segment lost", join(data[:b[2]], data[b[3]:]), "", -2},
		{"two segments swapped", join(data[:b[1]], part(last), data[b[2]:b[last]], part(1)), "", -2},
		{"the first segment twice", join(part(0), data), "extra field", b[1]},
		{"no image", gzipped(t, tarOf(t, entry{"./", ""})), "holds no image", -1},
		{"no manifest", gzipped(t, tarOf(t, entry{"./img/", ""}, entry{"./img/kernel", "k"})), "no img/manifest.xml", -1},
		{"no kernel", gzipped(t, tarOf(t, entry{"img/manifest.xml", manifestText})), "names kernel", -1},
		{"a bad manifest", gzipped(t, tarOf(t, entry{"img/manifest.xml", "<xcatimage><a>"})), "cannot be read", 0},
		{"a file at the top", gzipped(t, tarOf(t, entry{"file", ""})), "only the directory of an image", 0},
		{"a way out", gzipped(t, tarOf(t, entry{"img/../../etc/passwd", "x"})), "leads out", 0},
		{"an absolute name", gzipped(t, tarOf(t, entry{"/etc/passwd", "x"})), "leads out", 0},
		{"a member twice", gzipped(t, tarOf(t, entry{"img/a", "x"}, entry{"img/a", "y"})), "twice", -1},
		{"text behind gzip", join(gzipped(t, tarOf(t, entry{"img/manifest.xml", "<xcatimage></xcatimage>"})), []byte("more text")), "belongs to no gzip member", -2},
	} {
		result := check(t, test.data)
		switch {
		case result.Damage == nil:
			t.Errorf("%s is not found", test.name)
		case !strings.Contains(result.Damage.Error(), test.want):
			t.Errorf("%s: %q does not say %q", test.name, result.Damage.Error(), test.want)
		case test.offset >= -1 && result.Damage.Offset != int64(test.offset):
			t.Errorf("%s: offset %d, want %d: %v", test.name, result.Damage.Offset, test.offset, result.Damage)
		}
	}
}

func TestHarmlessOdditiesAreNoDamage(t *testing.T) {
	data := packed(t, []bundle.Member{regular(t, bundle.Manifest, []byte(manifestText)), regular(t, "kernel", nil), regular(t, "rootimg.gz", nil), regular(t, "stray", nil)}, bundle.Codec{})
	plain := tarOf(t, entry{"./img/", ""}, entry{"./img/kernel", "k"}, entry{"./img/rootimg.gz", "r"}, entry{"./img/manifest.xml", manifestText},
		entry{"./.hidden", "h"}, entry{"./other/", ""})
	for _, test := range []struct {
		name string
		data []byte
		note string
	}{
		{"zeros of a tape", join(data, make([]byte, 10240)), "10240 zeros follow the end"},
		{"a member that the manifest does not name", data, "does not name the member stray"},
		{"tar's padding", gzipped(t, join(plain, make([]byte, 10240))), ""},
		{"two images", gzipped(t, plain), "more than one image"},
		{"several gzip members", join(gzipped(t, plain[:700]), gzipped(t, nil), gzipped(t, plain[700:])), ""},
		{"zeros behind gzip", join(gzipped(t, plain), make([]byte, 100)), "100 zeros follow the end"},
	} {
		result := check(t, test.data)
		if result.Damage != nil || !strings.Contains(strings.Join(result.Notes, "\n"), test.note) {
			t.Errorf("%s: %v, notes %q", test.name, result.Damage, result.Notes)
		}
	}
}

// endless repeats a text, and counts what is read of it.
type endless struct {
	head, text []byte
	at         int // in text
	read       atomic.Int64
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.head)
	e.head = e.head[n:]
	for n < len(p) {
		k := copy(p[n:], e.text[e.at:])
		n, e.at = n+k, (e.at+k)%len(e.text)
	}
	e.read.Add(int64(n))
	return n, nil
}

func TestBombsEnd(t *testing.T) {
	zeros := gzipped(t, make([]byte, 8<<20))
	tarHead := tarOf(t, entry{"img/huge", ""})[:512]
	copy(tarHead[124:], "77777777777\x00") // 8 GiB
	copy(tarHead[148:], "        ")
	sum := 0
	for _, b := range tarHead {
		sum += int(b)
	}
	copy(tarHead[148:], []byte{'0' + byte(sum>>12&7), '0' + byte(sum>>9&7), '0' + byte(sum>>6&7), '0' + byte(sum>>3&7), '0' + byte(sum&7), 0, ' '})
	for _, test := range []struct {
		name string
		r    io.Reader
		want string
	}{
		{"zeros behind the end of the archive", &endless{head: gzipped(t, tarOf(t, entry{"img/a", ""})), text: zeros}, "goes on behind its end"},
		{"a member of zeros", &endless{head: gzipped(t, tarHead), text: zeros}, "no image is like that"},
		{"empty gzip members", &endless{text: gzipped(t, nil)}, "without a byte"},
		{"a huge manifest", &endless{head: gzipped(t, tarHeadOf(tarHead, "img/manifest.xml")), text: zeros}, "and may have 67108864"},
		{"names without end", &endless{text: gzipped(t, manyNames(t))}, "names than any image"},
	} {
		result, err := Read(t.Context(), test.r, Options{unpacked: 40 << 20})
		if err != nil {
			t.Fatal(err)
		}
		if result.Damage == nil || !strings.Contains(result.Damage.Error(), test.want) {
			t.Errorf("%s: %v, want %q", test.name, result.Damage, test.want)
		}
	}
}

// tarHeadOf is the header of another member.
func tarHeadOf(head []byte, name string) []byte {
	out := slices.Clone(head)
	clear(out[:100])
	copy(out, name)
	copy(out[148:], "        ")
	sum := 0
	for _, b := range out {
		sum += int(b)
	}
	copy(out[148:], []byte{'0' + byte(sum>>12&7), '0' + byte(sum>>9&7), '0' + byte(sum>>6&7), '0' + byte(sum>>3&7), '0' + byte(sum&7), 0, ' '})
	return out
}

// manyNames are members without an end of the archive.
func manyNames(t *testing.T) []byte {
	long := strings.Repeat("n/", 1500)
	var entries []entry
	for range 2000 {
		entries = append(entries, entry{"img/extra/" + long, ""})
	}
	all := tarOf(t, entries...)
	return all[:len(all)-1024]
}

// A reader that never answers must not hold up Ctrl-C.
func TestReadEndsWithItsContext(t *testing.T) {
	data := packed(t, members(t, seeded(t)), bundle.Codec{})
	for _, n := range []int{0, 5, len(data) / 2} {
		r, w := io.Pipe()
		go func() { _, _ = w.Write(data[:n]) }()
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		start := time.Now()
		_, err := Read(ctx, r, Options{})
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(start) > 3*time.Second {
			t.Errorf("after %d bytes: %v in %v", n, err, time.Since(start))
		}
		cancel()
		_ = r.Close()
	}
}

func TestErrorsOfTheFileAreNoDamage(t *testing.T) {
	data := packed(t, members(t, seeded(t)), bundle.Codec{})
	broken := errors.New("input/output error")
	for _, d := range [][]byte{data[:len(data)/2], gzipped(t, bytes.Repeat([]byte("x"), 100))[:20], nil} {
		_, err := Read(t.Context(), io.MultiReader(bytes.NewReader(d), failing{broken}), Options{})
		if !errors.Is(err, broken) {
			t.Errorf("after %d bytes: %v, want %v", len(d), err, broken)
		}
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
