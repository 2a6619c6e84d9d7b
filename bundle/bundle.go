package bundle

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"imgexportfs/bundle/source"
)

// Bundle is one version of NAME.tgz: a sequence of gzip members, each made
// from one segment of a tar stream, that is a function of the members alone.
// It never changes; where a source has changed, reading fails with
// source.ErrChanged.
type Bundle struct {
	engine  *Engine
	name    string
	members []Member
	modTime time.Time
	plan    [32]byte
	payload []byte // of the first gzip header

	stream *stream
	segs   []segment
	stored []bool // by segment: known to be stored, so its length is arithmetic
	keys   []key  // by segment
	whole  key    // names the bytes of all of them
	volume key    // of the index: the same for all versions of an image

	recalled sync.Once // guards taking the volume from the shelf

	mu      sync.Mutex // guards what follows
	broken  error      // not nil once starts has proved to be wrong
	starts  []int64    // of each gzip member in the bundle, and the end; nil until known
	sizing  *measuring // the pass that runs now, if any
	summing *summing   // who finds it out now, if anybody
}

// NewBundle plans the bundle of the members below a top directory of the
// given name. Of the sources it reads no more than a few samples.
func (e *Engine) NewBundle(name string, members []Member) (*Bundle, error) {
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
	b := &Bundle{engine: e, name: name, members: members, modTime: Newest(members), plan: planHash(name, members, e.codec)}
	b.payload = planPayload(b.plan)
	entries := &tarEntries{top: name, members: members, newest: b.modTime}
	entries.keepHeads()
	defer entries.forgetHeads()
	var err error
	if b.stream, err = newStream(entries); err != nil {
		return nil, fmt.Errorf("bundle %s: %w", name, err)
	}
	b.segs = b.stream.cut()
	if err := b.decide(); err != nil {
		return nil, fmt.Errorf("bundle %s: %w", name, err)
	}
	return b, nil
}

// decide names the segments and finds out which of them are stored.
func (b *Bundle) decide() error {
	b.stored = make([]bool, len(b.segs))
	b.keys = make([]key, len(b.segs))
	large := -1 // the body that the decision is about
	stored := false
	for i, seg := range b.segs {
		if seg.large >= 0 && seg.large != large {
			var err error
			if stored, err = b.engine.worthStoring(b.stream.body(seg.large)); err != nil {
				return fmt.Errorf("%s: %w", b.stream.name(seg.large), err)
			}
			large = seg.large
		}
		b.stored[i] = seg.large >= 0 && stored || b.engine.codec.Compression == Store
		s := newStamper("segment")
		s.string(b.engine.codec.version())
		s.bytes(b.planOf(i))
		if b.stored[i] {
			s.int(1)
		}
		b.stream.stampRange(s, seg.start, seg.end)
		b.keys[i] = s.sum()
	}
	b.whole, b.volume = b.wholeKey(), b.volumeKey()
	return nil
}

func (b *Bundle) wholeKey() key {
	s := newStamper("bundle")
	for _, k := range b.keys {
		s.bytes(k[:])
	}
	return s.sum()
}

// volumeKey names the place in the index for all versions of the bundle: two
// images, also of two sites with one cache directory, differ in their name or
// in where their sources are.
func (b *Bundle) volumeKey() key {
	s := newStamper("volume")
	s.string(b.engine.codec.version())
	s.string(b.name)
	for _, m := range b.members {
		switch c := m.Content.(type) {
		case File:
			s.string(c.Path())
		case *Tree:
			s.string(c.nodes.dir)
		}
	}
	return s.sum()
}

// worthStoring decides once for every state of a large content.
func (e *Engine) worthStoring(c Content) (bool, error) {
	if e.codec.Compression != Auto {
		return e.codec.Compression == Store, nil
	}
	if _, ok := c.(*Tree); ok {
		return false, nil // its blocks are stored for the outer gzip to deflate
	}
	s := newStamper("decision")
	c.stampRange(s, 0, c.Size())
	k := key(s.sum())
	if stored, ok := e.index.isStored(k); ok {
		return stored, nil
	}
	stored, err := e.workers.compressed(c)
	if err == nil {
		e.index.putStored(k, stored)
	}
	return stored, err
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
// seconds. Generated members bear it too.
func (b *Bundle) ModTime() time.Time { return b.modTime }

// MemberTime is the time that m bears in the archive.
func (b *Bundle) MemberTime(m Member) time.Time { return modTime(m, b.modTime) }

// PlanHash names what the bundle was planned from; it is in the bundle's
// first gzip header too.
func (b *Bundle) PlanHash() [32]byte { return b.plan }

// planOf is the payload of segment i's header: only the first has one.
func (b *Bundle) planOf(i int) []byte {
	if i == 0 {
		return b.payload
	}
	return nil
}

func (b *Bundle) blockKey(i int) key { return b.keys[i] }

func (b *Bundle) blockSize(i int) int64 {
	if !b.stored[i] {
		if n, ok := b.engine.index.length(b.keys[i]); ok {
			return n
		}
	}
	return storedMemberSize(b.segs[i].size(), b.planOf(i))
}

func (b *Bundle) quick(i int) bool { return b.stored[i] }

// makeBlock makes the gzip member of segment i.
func (b *Bundle) makeBlock(w *worker, i int) ([]byte, error) {
	if b.stored[i] {
		return b.member(w, i, getRaw())
	}
	made, err := b.member(w, i, w.made)
	return slices.Clone(made), err
}

// member makes the gzip member of segment i in dst, which has bufferSize bytes.
func (b *Bundle) member(w *worker, i int, dst []byte) ([]byte, error) {
	seg := b.segs[i]
	raw := w.raw[:seg.size()]
	if b.stored[i] {
		// The bytes are moved by a little to make room for the headers of
		// their blocks: memory that another buffer would take besides.
		end := storedMemberSize(seg.size(), b.planOf(i)) - gzipTrailer
		raw = dst[end-seg.size() : end]
	}
	if err := b.stream.readAt(raw, seg.start); err != nil {
		return nil, fmt.Errorf("bundle %s: %w", b.name, err)
	}
	made := w.enc.appendMember(dst[:0], raw, b.planOf(i), b.stored[i])
	if b.stored[i] {
		return made, nil
	}
	return made, b.checkLength(i, int64(len(made)))
}

// checkLength holds the length of a deflated segment against the one that
// offsets have been handed out by, if they have, and remembers it. If they
// differ, what the index said was wrong, and this bundle is of no use.
func (b *Bundle) checkLength(i int, n int64) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.starts != nil && b.starts[i+1]-b.starts[i] != n {
		b.broken = fmt.Errorf("bundle %s: segment %d has %d bytes where %d were expected: %w", b.name, i, n, b.starts[i+1]-b.starts[i], source.ErrChanged)
		b.engine.index.distrust(b.volume, b.keys[i])
		return b.broken
	}
	b.engine.index.putLength(b.keys[i], n)
	return nil
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
	r := b.engine.newReader(b)
	defer r.Close()
	for i, seg := range b.segs {
		r.demand(i, i)
		r.makeAhead(i+1, len(b.segs), windowMax)
		blk, err := b.engine.get(ctx, b, i)
		if err != nil {
			return err
		}
		_, err = w.Write(blk.data)
		r.release(blk, i, true)
		if err != nil {
			return err
		}
		if progress != nil {
			progress(seg.end)
		}
	}
	return nil
}
