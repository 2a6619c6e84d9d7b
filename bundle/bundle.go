package bundle

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"imgexportfs/bundle/blocks"
	"imgexportfs/bundle/source"
)

// Bundle is one version of NAME.tgz: a sequence of gzip members, each made
// from one segment of a tar stream, that is a function of the members alone.
// It never changes; if a source has changed, reading fails with
// source.ErrChanged.
type Bundle struct {
	engine  *Engine
	name    string
	members []Member
	modTime time.Time
	plan    [32]byte

	stream    *stream
	segs      []plannedSegment
	whole     blocks.Key // names the bytes of all segments
	indexFile blocks.Key // the same for all versions of an image
	load      sync.Once  // guards reading the index file
	hash      prefixHash

	mu     sync.Mutex // guards what follows
	broken error      // not nil once starts has proved to be wrong
	starts []int64    // of each gzip member in the bundle, and the end; nil until known
	pass   *sizePass  // that runs now, if any
}

// plannedSegment is a segment and what is known of its gzip member.
type plannedSegment struct {
	segment
	key    blocks.Key // names the bytes of the gzip member
	stored bool       // so its length is arithmetic
}

// NewBundle plans the bundle of the members below a top directory of the
// given name. Of the sources it reads no more than a few samples.
func (e *Engine) NewBundle(ctx context.Context, name string, members []Member) (*Bundle, error) {
	if err := checkName(name); err != nil {
		return nil, fmt.Errorf("bundle %q: %w", name, err)
	}
	members = slices.Clone(members)
	sortMembers(members)
	for i := 1; i < len(members); i++ {
		if members[i-1].Name == members[i].Name {
			return nil, fmt.Errorf("bundle %s: two members are called %s", name, members[i].Name)
		}
	}
	if err := checkLinks(members); err != nil {
		return nil, fmt.Errorf("bundle %s: %w", name, err)
	}
	b := &Bundle{engine: e, name: name, members: members, modTime: Newest(members), plan: planHash(name, members, e.codec)}
	b.hash.turn = make(chan struct{}, 1)
	b.stream = newStream(&tarEntries{top: name, members: members, newest: b.modTime})
	var err error
	if b.segs, err = b.planSegments(ctx); err != nil {
		return nil, fmt.Errorf("bundle %s: %w", name, err)
	}
	b.whole, b.indexFile = b.wholeKey(), b.indexFileKey()
	return b, nil
}

// planSegments cuts the stream, names the segments, and finds out which of
// them are stored.
func (b *Bundle) planSegments(ctx context.Context) ([]plannedSegment, error) {
	cut := b.stream.cut()
	segs := make([]plannedSegment, len(cut))
	large, stored := -1, false // the body that was decided on last
	for i, seg := range cut {
		if seg.large >= 0 && seg.large != large {
			var err error
			if stored, err = b.engine.worthStoring(ctx, b.stream.body(seg.large)); err != nil {
				return nil, fmt.Errorf("%s: %w", b.stream.name(seg.large), err)
			}
			large = seg.large
		}
		segs[i] = plannedSegment{segment: seg, stored: seg.large >= 0 && stored || b.engine.codec.Compression == Store}
		h := newFieldHash("segment")
		h.string(b.engine.codec.version())
		h.bytes(b.planOf(i))
		if segs[i].stored {
			h.int(1)
		}
		if err := b.stream.hashRange(h, seg.start, seg.end); err != nil {
			return nil, err
		}
		segs[i].key = h.sum()
	}
	return segs, nil
}

func (b *Bundle) wholeKey() blocks.Key {
	h := newFieldHash("bundle")
	for i := range b.segs {
		h.bytes(b.segs[i].key[:])
	}
	return h.sum()
}

// indexFileKey names the file in the index for all versions of the bundle: two
// images, also of two sites with one cache directory, differ in their name or
// in where their sources are.
func (b *Bundle) indexFileKey() blocks.Key {
	h := newFieldHash("index file")
	h.string(b.engine.codec.version())
	h.string(b.name)
	for _, m := range b.members {
		switch c := m.Content.(type) {
		case File:
			h.string(c.Path())
		case *Tree:
			h.string(c.nodes.dir)
		}
	}
	return h.sum()
}

// Name is the bundle's top directory.
func (b *Bundle) Name() string { return b.name }

// StreamSize is the number of bytes of the tar archive, which is known
// without any effort.
func (b *Bundle) StreamSize() int64 { return b.stream.size() }

// Memory is about how many bytes of memory the plan of the bundle takes: its
// members and segments, without trees, which other bundles may share.
func (b *Bundle) Memory() int64 {
	const member, segment = 600, 120
	return int64(len(b.members))*member + int64(len(b.segs))*segment
}

// Members are the members in the order of the archive. They are not to be
// changed.
func (b *Bundle) Members() []Member { return b.members }

// ModTime is the newest modification time among the sources, in whole
// seconds. Generated members have it too.
func (b *Bundle) ModTime() time.Time { return b.modTime }

// MemberTime is the time of m in the archive.
func (b *Bundle) MemberTime(m Member) time.Time { return modTime(m, b.modTime) }

// PlanHash names what the bundle was planned from; it is in the bundle's
// first gzip header too.
func (b *Bundle) PlanHash() [32]byte { return b.plan }

// planOf is the payload of segment i's header: only the first has one.
func (b *Bundle) planOf(i int) []byte {
	if i == 0 {
		return planPayload(b.plan)
	}
	return nil
}

// memberMax is the length of the gzip member of segment i if it is stored, and a
// bound of it otherwise.
func (b *Bundle) memberMax(i int) int64 { return memberMax(b.segs[i].size(), b.planOf(i)) }

func (b *Bundle) recipe(i int) blocks.Recipe {
	size := b.memberMax(i)
	if !b.segs[i].stored {
		if n, ok := b.engine.index.Length(b.segs[i].key); ok {
			size = n
		}
	}
	return blocks.Recipe{
		Key:  b.segs[i].key,
		Size: size,
		Make: func() ([]byte, error) { return b.member(i) },
	}
}

// quick reports whether segment i is made by reading. Such blocks are dropped when a
// sequential reader is done with them, and their memory is used again at once. A
// cp of 476 MiB from the cache on disk with --memory 64MiB took 3.4 s of the
// processors, and takes 1.7 s since.
func (b *Bundle) quick(i int) bool {
	seg := b.segs[i]
	return seg.stored || b.isCached(i) && b.engine.disk.Has(seg.key)
}

// member returns the gzip member of segment i, made or from the disk.
func (b *Bundle) member(i int) ([]byte, error) {
	if seg := b.segs[i]; seg.stored {
		b.engine.counts.stored.Add(1)
		made, err := storedMember(b.stream, seg.segment, b.memberMax(i), func(dst, raw []byte) []byte {
			return appendStoredMember(dst, raw, b.planOf(i))
		})
		return made, b.wrap(err)
	}
	if b.isCached(i) {
		if made, ok := b.engine.disk.Get(b.segs[i].key, b.memberMax(i)); ok {
			return made, nil
		}
	}
	sc := b.engine.scratches.get()
	defer b.engine.scratches.put(sc)
	made, err := b.deflated(sc, i)
	if err != nil {
		return nil, err
	}
	return append(getBuffer(int64(len(made)))[:0], made...), nil
}

// deflated makes the gzip member of segment i in sc.made, remembers its length,
// and has it cached on disk.
func (b *Bundle) deflated(sc *scratch, i int) ([]byte, error) {
	seg := b.segs[i]
	raw := sc.raw[:seg.size()]
	if err := b.stream.readAt(raw, seg.start); err != nil {
		return nil, b.wrap(err)
	}
	b.engine.counts.deflated.Add(1)
	made := sc.enc.appendMember(sc.made[:0], raw, b.planOf(i))
	b.engine.index.PutLength(seg.key, int64(len(made)))
	if b.isCached(i) {
		b.engine.disk.Put(seg.key, made)
	}
	return made, nil
}

// cachedMin is the size of the smallest segment that is cached on disk: what is
// smaller is compressed in a millisecond.
const cachedMin = 64 << 10

// isCached reports whether the disk is asked for segment i, and gets it.
func (b *Bundle) isCached(i int) bool { return !b.segs[i].stored && b.segs[i].size() >= cachedMin }

func (b *Bundle) wrap(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("bundle %s: %w", b.name, err)
}

// wrongLength is told that the gzip member of segment i has n bytes, and that
// offsets were handed out by another length, which the index had. This bundle is
// of no use then.
func (b *Bundle) wrongLength(i int, n int64) error {
	b.mu.Lock()
	b.broken = fmt.Errorf("bundle %s: segment %d has %d bytes where %d were expected: %w",
		b.name, i, n, b.starts[i+1]-b.starts[i], source.ErrChanged)
	b.mu.Unlock()
	b.engine.index.Distrust(b.indexFile, b.segs[i].key)
	b.engine.index.PutLength(b.segs[i].key, n)
	return b.broken
}

// Broken reports whether the sizes that this bundle has shown were wrong. It
// can only be replaced by another one of the same members.
func (b *Bundle) Broken() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.broken != nil
}

// WriteTo writes the whole bundle in order, made ahead on all cores.
// progress, if not nil, is told after every segment how far it is on the way to
// StreamSize.
func (b *Bundle) WriteTo(ctx context.Context, w io.Writer, progress func(done int64)) error {
	r := b.NewReader()
	defer r.Close()
	b.mu.Lock()
	starts := b.starts
	b.mu.Unlock()
	for i, seg := range b.segs {
		r.makeAhead(i+1, len(b.segs), windowMax)
		blk, err := r.block(ctx, starts, i, false)
		if err != nil {
			return err
		}
		_, err = w.Write(blk.Data())
		held{blk, b.quick(i)}.release()
		if err != nil {
			return err
		}
		if progress != nil {
			progress(seg.end)
		}
	}
	return nil
}
