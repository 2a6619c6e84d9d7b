package bundle

import (
	"fmt"
	"hash/fnv"
	"math/bits"
)

// entries is a list of archive entries, tar or cpio: each is a head made in
// memory, perhaps a body, and zeros up to a multiple of the alignment.
type entries interface {
	// count is the number of entries.
	count() int
	// align is what the end of entry i is aligned to.
	align(i int) int64
	// name decides which entries share a segment.
	name(i int) string
	// head returns the bytes before the body; always the same ones.
	head(i int) ([]byte, error)
	// headSize is the length of the head.
	headSize(i int) int64
	// bodySize is the length of the body, 0 if there is none.
	bodySize(i int) int64
	// body returns what follows the head; nil if its length is 0.
	body(i int) Content
}

// stream is the concatenation of archive entries as a sequence of bytes that
// can be read from any offset.
type stream struct {
	entries
	starts []int64 // of each entry; the last one is the length of the stream
	bodies []int64 // where the body of each entry starts
}

func newStream(es entries) *stream {
	s := &stream{entries: es, starts: make([]int64, es.count()+1), bodies: make([]int64, es.count())}
	for i := range es.count() {
		s.bodies[i] = s.starts[i] + es.headSize(i)
		s.starts[i+1] = alignUp(s.bodies[i]+es.bodySize(i), es.align(i))
	}
	return s
}

// size is the length of the stream in bytes.
func (s *stream) size() int64 { return s.starts[len(s.starts)-1] }

// The parts of an entry, in order.
const (
	head = iota
	body
	zeros
)

// partsOf returns where the parts of entry i start, counted from the entry's start.
func (s *stream) partsOf(i int) []int64 {
	start, first := s.starts[i], s.bodies[i]
	return []int64{0, first - start, first - start + s.bodySize(i), s.starts[i+1] - start}
}

// readAt fills p with the bytes from off.
func (s *stream) readAt(p []byte, off int64) error {
	for entry := range pieces(s.starts, off, off+int64(len(p))) {
		for part := range pieces(s.partsOf(entry.i), entry.from, entry.to) {
			if err := s.readPart(p[:part.size()], entry.i, part); err != nil {
				return fmt.Errorf("%s: %w", s.name(entry.i), err)
			}
			p = p[part.size():]
		}
	}
	return nil
}

// readPart fills p with a piece of a part of entry i.
func (s *stream) readPart(p []byte, i int, part piece) error {
	switch part.i {
	case head:
		made, err := s.madeHead(i)
		if err != nil {
			return err
		}
		copy(p, made[part.from:])
	case body:
		_, err := s.body(i).ReadAt(p, part.from)
		return err
	case zeros:
		clear(p)
	}
	return nil
}

// madeHead returns the head of entry i, which must be as long as offsets count it.
func (s *stream) madeHead(i int) ([]byte, error) {
	made, err := s.head(i)
	if want := s.bodies[i] - s.starts[i]; err == nil && int64(len(made)) != want {
		err = fmt.Errorf("BUG: its header has %d bytes and not %d", len(made), want)
	}
	return made, err
}

// hashRange hashes what decides the bytes from start to end.
func (s *stream) hashRange(h *fieldHash, start, end int64) error {
	for entry := range pieces(s.starts, start, end) {
		for part := range pieces(s.partsOf(entry.i), entry.from, entry.to) {
			h.int(int64(part.i))
			switch part.i {
			case head:
				made, err := s.madeHead(entry.i)
				if err != nil {
					return fmt.Errorf("%s: %w", s.name(entry.i), err)
				}
				h.bytes(made[part.from:part.to])
			case body:
				s.body(entry.i).hashRange(h, part.from, part.to)
			case zeros:
				h.int(part.size())
			}
		}
	}
	return nil
}

// segment is a part of a stream that is compressed by itself.
type segment struct {
	start, end int64 // in the stream
	large      int   // the entry whose large body this is a chunk of, or -1
}

func (s segment) size() int64 { return s.end - s.start }

// cut divides the stream into segments whose borders depend on what is near
// them only, so that a change of one entry leaves the segments of all others
// as they are: large bodies are cut at fixed distances from their own start,
// and small entries are grouped until a hash of the next entry's name says
// so.
func (s *stream) cut() []segment {
	var segs []segment
	start := int64(0) // of the group that is being filled
	closeGroup := func(at int64) {
		if at > start {
			segs = append(segs, segment{start, at, -1})
			start = at
		}
	}
	for i := range s.count() {
		size, first := s.bodySize(i), s.bodies[i]
		if size < largeMin {
			if s.starts[i+1]-start > segmentMax || s.starts[i]-start >= groupMin && s.endsGroupAt(i) {
				closeGroup(s.starts[i])
			}
			continue
		}
		if first-start > segmentMax {
			closeGroup(s.starts[i])
		}
		closeGroup(first)
		content := s.body(i)
		for off := int64(0); off < size; {
			end := content.chunk(off)
			segs = append(segs, segment{first + off, first + end, i})
			off = end
		}
		start = first + size
	}
	closeGroup(s.size())
	return segs
}

// endsGroupAt reports whether a group that is long enough ends before entry i.
func (s *stream) endsGroupAt(i int) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s.name(i)))
	// FNV's low bits differ more than its high ones between similar names.
	return endsGroup(bits.ReverseBytes32(h.Sum32()), s.starts[i+1]-s.starts[i])
}
