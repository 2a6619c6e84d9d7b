package bundle

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"imgexportfs/bundle/blocks"
	"imgexportfs/bundle/source"
)

// sample is a bundle with everything in it: generated, small, large, stored
// and deflated members, a tree, directories and links.
func sampleMembers(t *testing.T, r *rand.Rand, root *source.Root) []Member {
	t.Helper()
	dir := root.Dir()
	writeFile(t, filepath.Join(dir, "kernel"), noise(r, 3*segmentMax+12345))
	writeFile(t, filepath.Join(dir, "base.sfs"), prose(r, 2*segmentMax+1))
	for i := range 40 {
		writeFile(t, fmt.Sprintf("%s/tree/rootimg/usr/lib/f%02d", dir, i), prose(r, r.IntN(60_000)))
	}
	writeFile(t, dir+"/tree/rootimg/big", noise(r, 2*segmentMax+77))
	members := []Member{
		bytesMember(t, Manifest, prose(r, 900)),
		fileMember(t, root, "/kernel"),
		fileMember(t, root, "/base.sfs"),
	}
	for i := range 30 {
		name := fmt.Sprintf("small%02d", i)
		writeFile(t, filepath.Join(dir, name), prose(r, r.IntN(100_000)))
		members = append(members, fileMember(t, root, "/"+name))
	}
	tree, sentences, err := NewTree(context.Background(), root, "/tree", "rootimg")
	if err != nil || len(sentences) > 0 {
		t.Fatal(err, sentences)
	}
	treeMember, err1 := NewRegular("rootimgtree.gz", 0o644, time.Time{}, tree)
	kit, err2 := NewDirectory("kit", 0o755, time.Unix(1580702700, 5))
	link, err3 := NewSymlink("kit/latest", "kernel", time.Unix(1580702700, 5))
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return append(members, treeMember, kit, link.WithOwner(1000, 1001))
}

// model makes the tar archive of a bundle in the most simple way.
func model(t *testing.T, b *Bundle) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	write := func(h *tar.Header, body []byte) {
		h.Format = tar.FormatGNU
		if err := w.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(body); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"./", "./" + b.Name() + "/"} {
		write(&tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: 0o755, Uname: "root", Gname: "root", ModTime: b.ModTime()}, nil)
	}
	for _, m := range b.Members() {
		h := tar.Header{Typeflag: tar.TypeReg, Name: "./" + b.Name() + "/" + m.Name, Mode: int64(m.Perm), Uid: int(m.UID), Gid: int(m.GID), Linkname: m.Target, ModTime: b.MemberTime(m)}
		if m.UID == 0 {
			h.Uname, h.Gname = "root", "root"
		}
		var body []byte
		switch m.Kind {
		case Directory:
			h.Typeflag = tar.TypeDir
			h.Name += "/"
		case Symlink:
			h.Typeflag = tar.TypeSymlink
		default:
			body = make([]byte, m.Content.Size())
			if _, err := m.Content.ReadAt(body, 0); err != nil {
				t.Fatal(err)
			}
			h.Size = int64(len(body))
		}
		write(&h, body)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestBundleIsTheTarOfItsMembers(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	b := newBundle(t, newEngine(t, EngineOptions{}), "foo", sampleMembers(t, r, root)...)
	if got, want := gunzip(t, whole(t, b)), model(t, b); !bytes.Equal(got, want) {
		t.Errorf("%d bytes of tar, want %d; first difference at %d", len(got), len(want), difference(got, want))
	}
}

func difference(a, b []byte) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func TestSizeIsExactBeforeTheFirstByte(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	b := newBundle(t, newEngine(t, EngineOptions{}), "foo", sampleMembers(t, r, root)...)
	size, err := b.Size(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if got := int64(len(whole(t, b))); got != size {
		t.Errorf("size %d, but %d bytes come out", size, got)
	}
}

func TestBytesDependOnNothingButTheMembers(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	members := sampleMembers(t, r, root)
	want := whole(t, newBundle(t, newEngine(t, EngineOptions{}), "foo", members...))
	for _, opts := range []EngineOptions{{Workers: 1}, {Workers: 7, Memory: 1}, {Workers: 2, Memory: 3 << 20}} {
		r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		if got := whole(t, newBundle(t, newEngine(t, opts), "foo", members...)); !bytes.Equal(got, want) {
			t.Errorf("%+v: other bytes, from %d on", opts, difference(got, want))
		}
	}
}

func TestEveryCodecHoldsTheSameTar(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	members := sampleMembers(t, r, root)
	sizes := map[string]int{}
	var want []byte
	codecs := []Codec{{}, {Compression: Store}, {Compression: Deflate}, {Level: 1}, {Level: 9}}
	if fewer > 1 {
		codecs = codecs[:3]
	}
	for _, c := range codecs {
		b := newBundle(t, newEngine(t, EngineOptions{Codec: c}), "foo", members...)
		bytesOf := whole(t, b)
		if size, err := b.Size(context.Background()); err != nil || size != int64(len(bytesOf)) {
			t.Errorf("%+v: size %d, %v, but %d bytes come out", c, size, err, len(bytesOf))
		}
		got := gunzip(t, bytesOf)
		if want == nil {
			want = got
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%+v: another tar", c)
		}
		sizes[fmt.Sprint(c)] = len(bytesOf)
		if c.Compression == Store && unknown(b) != 0 {
			t.Errorf("%+v: segments have to be made for the size", c)
		}
	}
	if sizes[fmt.Sprint(Codec{Compression: Store})] <= sizes[fmt.Sprint(Codec{})] {
		t.Errorf("sizes %v", sizes)
	}
	for _, c := range []Codec{{Level: 10}, {Level: -1}, {Compression: "zip"}} {
		if _, err := NewEngine(EngineOptions{Codec: c}); err == nil {
			t.Errorf("%+v is taken", c)
		}
	}
}

func TestRandomReadsReturnWhatReadingInOrderDoes(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	for _, memory := range []int64{1, 4 << 20, 0} {
		b := newBundle(t, newEngine(t, EngineOptions{Memory: memory}), "foo", sampleMembers(t, r, root)...)
		want := whole(t, b)
		reader := b.NewReader()
		defer reader.Close()
		var readers sync.WaitGroup
		for range 4 {
			seed := r.Uint64()
			readers.Go(func() {
				r := rand.New(rand.NewPCG(seed, 1))
				for range 100 / fewer {
					off := r.Int64N(int64(len(want)) + 10)
					p := make([]byte, r.IntN(200_000))
					n, err := readAt(reader, p, off)
					expect := want[min(off, int64(len(want))):min(off+int64(len(p)), int64(len(want)))]
					if err != nil || !bytes.Equal(p[:n], expect) {
						t.Errorf("%d bytes at %d: %d bytes, %v", len(p), off, n, err)
						return
					}
				}
			})
		}
		readers.Wait()
	}
}

// readAt reads as io.ReaderAt does.
func readAt(r *Reader, p []byte, off int64) (int, error) {
	slice, err := r.Read(context.Background(), p, off)
	if err != nil {
		return 0, err
	}
	defer slice.Release()
	return copy(p, slices.Concat(slice.Pieces...)), nil
}

func TestTreeReadsTheSameInWholeAndInParts(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	e := newEngine(t, EngineOptions{})
	var tree *Tree
	for _, m := range sampleMembers(t, r, root) {
		if c, ok := m.Content.(*Tree); ok {
			tree = c
		}
	}
	want := make([]byte, tree.Size())
	if _, err := tree.ReadAt(want, 0); err != nil {
		t.Fatal(err)
	}
	reader := e.NewTreeReader(tree)
	defer reader.Close()
	for range 100 {
		off := r.Int64N(int64(len(want)))
		p := make([]byte, 1+r.Int64N(int64(len(want))-off))
		if _, err := tree.ReadAt(p, off); err != nil || !bytes.Equal(p, want[off:off+int64(len(p))]) {
			t.Fatalf("ReadAt(%d bytes, %d): %v", len(p), off, err)
		}
		clear(p)
		if _, err := readAt(reader, p, off); err != nil || !bytes.Equal(p, want[off:off+int64(len(p))]) {
			t.Fatalf("Reader.ReadAt(%d bytes, %d): %v", len(p), off, err)
		}
	}
}

func TestAChangedSourceIsAnErrorAndNeverOtherBytes(t *testing.T) {
	r := seeded(t)
	for _, c := range []struct {
		name   string
		change func(path string) error
	}{
		{"other bytes", func(p string) error { return os.WriteFile(p, noise(r, 700_000), 0o644) }},
		{"shorter", func(p string) error { return os.Truncate(p, 1000) }},
		{"longer", func(p string) error { return os.Truncate(p, 800_000) }},
		{"replaced", func(p string) error {
			return errors.Join(os.WriteFile(p+"x", noise(r, 700_000), 0o644), os.Rename(p+"x", p))
		}},
		{"removed", os.Remove},
		{"a directory now", func(p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o755)) }},
	} {
		root := siteRoot(t, t.TempDir())
		path := filepath.Join(root.Dir(), "kernel")
		writeFile(t, path, noise(r, 700_000))
		b := newBundle(t, newEngine(t, EngineOptions{Memory: 1}), "foo", fileMember(t, root, "/kernel"))
		if _, err := b.Size(context.Background()); err != nil {
			t.Fatal(err)
		}
		if err := c.change(path); err != nil {
			t.Fatal(err)
		}
		err := b.WriteTo(context.Background(), io.Discard, nil)
		if !errors.Is(err, source.ErrChanged) {
			t.Errorf("%s: %v, want source.ErrChanged", c.name, err)
		}
	}
}

func TestAChangeMovesOnlyItsOwnSegments(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	dir := root.Dir()
	old := time.Unix(1700000000, 0)
	for i := range 3000 {
		path := fmt.Sprintf("%s/tree/rootimg/d%d/f%04d", dir, i%10, i)
		writeFile(t, path, prose(r, r.IntN(5000)))
		if err := os.Chtimes(path, old, old); err != nil {
			t.Fatal(err)
		}
	}
	segments := func() map[blocks.Key]bool {
		tree, _, err := NewTree(context.Background(), root, "/tree", "rootimg")
		if err != nil {
			t.Fatal(err)
		}
		keys := map[blocks.Key]bool{}
		for i := range tree.chunks {
			keys[treeBlob{Tree: tree}.recipe(i).Key] = true
		}
		return keys
	}
	before := segments()
	if len(before) < 8 {
		t.Fatalf("the tree makes %d segments only", len(before))
	}
	// A border moves until the next one that both divisions have, which is
	// a matter of chance; the directory's own entry changes as well.
	moved, changes := 0, 0
	for i := range 8 {
		for _, change := range []func(path string) error{
			func(path string) error { return os.WriteFile(path, prose(r, 40_000), 0o644) },
			func(path string) error { return os.WriteFile(path+"a", prose(r, 100), 0o644) },
			func(path string) error { return os.Remove(path) },
		} {
			if err := change(fmt.Sprintf("%s/tree/rootimg/d%d/f%04d", dir, i, 370*i+i)); err != nil {
				t.Fatal(err)
			}
			after := segments()
			for k := range after {
				if !before[k] {
					moved++
				}
			}
			changes++
			before = after
		}
	}
	if moved < changes || moved > 4*changes {
		t.Errorf("%d changes make %d new segments", changes, moved)
	}
}

func TestPlanShowsInTheSize(t *testing.T) {
	e := newEngine(t, EngineOptions{})
	sizes := map[int64]int{}
	for i := range 200 {
		b := newBundle(t, e, "foo", bytesMember(t, Manifest, fmt.Appendf(nil, "%08d", i)))
		size, err := b.Size(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		sizes[size]++
	}
	if len(sizes) < 150 {
		t.Errorf("200 manifests of one length make bundles of only %d sizes", len(sizes))
	}
}

func TestAnInterruptedSizeReturnsAtOnce(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	b := newBundle(t, newEngine(t, EngineOptions{Workers: 1}), "foo", sampleMembers(t, r, root)...)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := b.Size(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Size = %v, want context.Canceled", err)
	}
	if _, err := b.Size(context.Background()); err != nil {
		t.Errorf("the next one gets %v", err)
	}
}

func TestChecksumIsThatOfTheBytes(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	b := newBundle(t, newEngine(t, EngineOptions{}), "foo", sampleMembers(t, r, root)...)
	want := sha256Of(whole(t, b))
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := b.SHA256(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
	sum, err := b.SHA256(context.Background())
	if err != nil || !bytes.Equal(sum[:], want) {
		t.Errorf("SHA256 = %x, %v", sum, err)
	}
}

func TestReadingAllFindsTheChecksumOfWhatIsDeflated(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	writeFile(t, root.Dir()+"/image", prose(r, 20/fewer*segmentMax))
	m := fileMember(t, root, "/image")
	want, err := newBundle(t, newEngine(t, EngineOptions{}), "foo", m).SHA256(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	const step = 256 << 10
	for name, order := range map[string]func(i int) int{
		"from start to end":                 func(i int) int { return i },
		"in reads that overtake each other": func(i int) int { return i ^ 1 },
	} {
		b := newBundle(t, newEngine(t, EngineOptions{}), "foo", m)
		size, err := b.Size(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		reader := b.NewReader()
		p := make([]byte, step)
		for i := range int(size/step) + 2 {
			if _, err := readAt(reader, p, int64(order(i))*step); err != nil {
				t.Fatal(err)
			}
		}
		reader.Close()
		// The reads have hashed it, but for what they got in another order at the end.
		hashed := func() int {
			b.hash.turn <- struct{}{}
			defer func() { <-b.hash.turn }()
			return b.hash.next
		}
		for deadline := time.Now().Add(5 * time.Second); hashed() < len(b.segs)-2; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("read %s: %d of %d segments are hashed", name, hashed(), len(b.segs))
			}
		}
		if sum, err := b.SHA256(context.Background()); err != nil || sum != want {
			t.Errorf("read %s: hash %x, %v, want %x", name, sum, err, want)
		}
	}
}

// Reads that come while the hash is busy are not lost.
func TestTheHashFollowsReadsThatCameWhileItWasBusy(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	writeFile(t, root.Dir()+"/image", prose(r, 8*segmentMax))
	b := newBundle(t, newEngine(t, EngineOptions{}), "foo", fileMember(t, root, "/image"))
	size, err := b.Size(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	b.hash.turn <- struct{}{}
	reader := b.NewReader()
	defer reader.Close()
	if _, err := readAt(reader, make([]byte, size), 0); err != nil {
		t.Fatal(err)
	}
	b.hashWhatIsRead()
	if b.hash.turn <- struct{}{}; b.hash.next != len(b.segs) {
		t.Errorf("%d of %d segments are hashed", b.hash.next, len(b.segs))
	}
	<-b.hash.turn
}

func TestAChecksumGoesOnWhereTheLastReaderHasLeftIt(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	writeFile(t, root.Dir()+"/image", prose(r, 40/fewer*segmentMax))
	e := newEngine(t, EngineOptions{Memory: 1, Workers: 1})
	b := newBundle(t, e, "foo", fileMember(t, root, "/image"))
	ctx, cancel := context.WithCancel(context.Background())
	go func() {
		for b.StreamSize() > 0 && e.Budget().Used() == 0 {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(100 * time.Millisecond)
		cancel()
	}()
	if _, err := b.SHA256(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: %v", err)
	}
	before := b.hash.next
	if before == 0 || before == len(b.segs) {
		t.Skipf("the interrupt came after %d of %d blocks", before, len(b.segs))
	}
	// What was hashed is not read again: it may change.
	b.segs[0].key[0]++
	sum, err := b.SHA256(context.Background())
	b.segs[0].key[0]--
	if err != nil || sum != [32]byte(sha256Of(whole(t, b))) {
		t.Errorf("hash %x, %v", sum, err)
	}
}

func sha256Of(p []byte) []byte {
	h := newFieldHash("x").h
	h.Reset()
	h.Write(p)
	return h.Sum(nil)
}

func TestReadersStayWithinTheBudgetAndAFewSegmentsForEachCore(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	const budget, workers, readers = 12 << 20, 2, 16
	writeFile(t, root.Dir()+"/image", noise(r, 20<<20))
	e := newEngine(t, EngineOptions{Memory: budget, Workers: workers})
	var most atomic.Int64
	done := make(chan struct{})
	go func() {
		for {
			select {
			case <-done:
				return
			default:
				most.Store(max(most.Load(), e.Budget().Used()))
				time.Sleep(100 * time.Microsecond)
			}
		}
	}()
	var all sync.WaitGroup
	for i := range readers {
		b := newBundle(t, e, fmt.Sprintf("foo%d", i), fileMember(t, root, "/image"))
		all.Go(func() {
			reader := b.NewReader()
			defer reader.Close()
			p := make([]byte, segmentMax)
			for off := int64(0); off < 20<<20; off += segmentMax {
				slice, err := reader.Read(context.Background(), p, off)
				if err != nil {
					t.Error(err)
					return
				}
				time.Sleep(time.Millisecond) // the kernel takes the bytes
				slice.Release()
			}
		})
	}
	all.Wait()
	close(done)
	// A read that has one block gets the second beyond the budget.
	if limit := int64(budget + (workers+1+budget/bufferSize)*bufferSize); most.Load() > limit {
		t.Errorf("%d bytes in use, want at most %d", most.Load(), limit)
	}
	t.Logf("at most %d bytes in use", most.Load())
	if used := e.Budget().Used(); used > budget {
		t.Errorf("%d bytes in use at the end", used)
	}
}

func TestSmallBlocksAreChargedForWhatTheyTake(t *testing.T) {
	root := siteRoot(t, t.TempDir())
	writeFile(t, root.Dir()+"/small", make([]byte, 3000))
	e := newEngine(t, EngineOptions{Codec: Codec{Compression: Store}})
	for i := range 100 {
		whole(t, newBundle(t, e, fmt.Sprint("foo", i), fileMember(t, root, "/small")))
		b := newBundle(t, e, fmt.Sprint("foo", i), fileMember(t, root, "/small"))
		data, err := b.member(0)
		if err != nil || cap(data) > 2*len(data) {
			t.Fatalf("%d bytes take %d, %v", len(data), cap(data), err)
		}
	}
}

func TestAWrongLengthOfABlockThatIsInTheCacheIsAnError(t *testing.T) {
	r := seeded(t)
	root := siteRoot(t, t.TempDir())
	writeFile(t, root.Dir()+"/image", prose(r, 6*segmentMax))
	for _, wrong := range []int64{-1, +1, -1000, +1000} {
		e := newEngine(t, EngineOptions{})
		first := newBundle(t, e, "foo", fileMember(t, root, "/image"))
		if _, err := first.Size(context.Background()); err != nil { // keeps the blocks too
			t.Fatal(err)
		}
		k := first.segs[2].key
		n, _ := e.index.Length(k)
		e.index.PutLength(k, n+wrong)
		b := newBundle(t, e, "foo", fileMember(t, root, "/image"))
		size, err := b.Size(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		reader := b.NewReader()
		defer reader.Close()
		_, err = readAt(reader, make([]byte, size), 0)
		if !errors.Is(err, source.ErrChanged) || !b.Broken() {
			t.Errorf("wrong by %d: reading gives %v", wrong, err)
		}
		again := newBundle(t, e, "foo", fileMember(t, root, "/image"))
		if got, err := again.Size(context.Background()); err != nil || got != size-wrong {
			t.Errorf("wrong by %d: then the size is %d, %v", wrong, got, err)
		}
	}
}

// panics is content that cannot be read without a bug.
type panics struct{ Bytes }

func (panics) ReadAt([]byte, int64) (int, error) { panic("a bug") }

func TestAPanicIsAnErrorForThoseWhoWait(t *testing.T) {
	var log bytes.Buffer
	e := newEngine(t, EngineOptions{Log: slog.New(slog.NewTextHandler(&log, nil)), Codec: Codec{Compression: Deflate}})
	m := bytesMember(t, "bug", nil)
	m.Content = panics{make(Bytes, 3*segmentMax)}
	b := newBundle(t, e, "foo", m)
	var panicked blocks.ErrPanic
	if _, err := b.Size(context.Background()); !errors.As(err, &panicked) {
		t.Errorf("Size gives %v", err)
	}
	if err := b.WriteTo(context.Background(), io.Discard, nil); !errors.As(err, &panicked) {
		t.Errorf("WriteTo gives %v", err)
	}
	if !strings.Contains(log.String(), "panics.ReadAt") {
		t.Errorf("no stack in the log %q", log.String())
	}
	if _, err := newBundle(t, e, "other", bytesMember(t, "a", nil)).Size(context.Background()); err != nil {
		t.Errorf("then another bundle gives %v", err)
	}
}

// failing counts how often it is read, and cannot be.
type failing struct {
	Bytes
	reads *atomic.Int64
}

func (f failing) Size() int64 { return 4 << 30 }

func (f failing) chunk(off int64) int64 { return chunkEnd(off, f.Size()) }

func (f failing) hashRange(h *fieldHash, off, _ int64) { h.int(off) }

func (f failing) ReadAt([]byte, int64) (int, error) {
	f.reads.Add(1)
	return 0, source.ErrChanged
}

func TestTheFirstErrorEndsASizePass(t *testing.T) {
	e := newEngine(t, EngineOptions{Workers: 2, Codec: Codec{Compression: Deflate}})
	m := bytesMember(t, "disk", nil)
	f := failing{reads: &atomic.Int64{}}
	m.Content = f
	_, err := newBundle(t, e, "foo", m).Size(context.Background())
	if !errors.Is(err, source.ErrChanged) || len(err.Error()) > 200 {
		t.Errorf("Size gives %v", err)
	}
	if n := f.reads.Load(); n > 10 {
		t.Errorf("%d reads of 4096", n)
	}
}

func TestBadMembersAreRefused(t *testing.T) {
	now := time.Now()
	for _, name := range []string{"", ".", "..", "/etc", "a/../../b", "a//b", "a/", "x\x00y", string(make([]byte, 300))} {
		if _, err := NewDirectory(name, 0o755, now); err == nil {
			t.Errorf("a member called %q", name)
		}
	}
	if _, err := NewDirectory("a", 0o10000, now); err == nil {
		t.Error("a member with more than permissions")
	}
	if _, err := NewRegular("a", 0o644, now, nil); err == nil {
		t.Error("a regular member without content")
	}
	e := newEngine(t, EngineOptions{})
	if _, err := e.NewBundle(t.Context(), "foo", []Member{bytesMember(t, "a", nil), bytesMember(t, "a", nil)}); err == nil {
		t.Error("a bundle with two members of one name")
	}
}
