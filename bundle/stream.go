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
	// body returns what follows the head, or nil.
	body(i int) Content
}

// stream is the concatenation of archive entries as a sequence of bytes that
// can be read from any offset.
type stream struct {
	entries
	starts []int64 // of each entry; the last one is the length of the stream
}

func newStream(es entries) (*stream, error) {
	s := &stream{entries: es, starts: make([]int64, es.count()+1)}
	for i := range es.count() {
		head, err := es.head(i)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", es.name(i), err)
		}
		n := int64(len(head))
		if body := es.body(i); body != nil {
			n += body.Size()
		}
		s.starts[i+1] = alignUp(s.starts[i]+n, es.align(i))
	}
	return s, nil
}

// size is the length of the stream in bytes.
func (s *stream) size() int64 { return s.starts[len(s.starts)-1] }

// readAt fills p with the bytes from off.
func (s *stream) readAt(p []byte, off int64) error {
	for i := covering(s.starts, off); len(p) > 0; i++ {
		n, err := s.readEntry(i, p, off-s.starts[i])
		if err != nil {
			return fmt.Errorf("%s: %w", s.name(i), err)
		}
		p, off = p[n:], off+int64(n)
	}
	return nil
}

// readEntry fills the front of p with the bytes of entry i from off on, and
// returns how many there were.
func (s *stream) readEntry(i int, p []byte, off int64) (int, error) {
	p = p[:min(int64(len(p)), s.starts[i+1]-s.starts[i]-off)]
	total := len(p)
	head, err := s.head(i)
	if err != nil {
		return 0, err
	}
	if off < int64(len(head)) {
		n := copy(p, head[off:])
		p, off = p[n:], off+int64(n)
	}
	if body := s.body(i); body != nil && len(p) > 0 {
		if at := off - int64(len(head)); at < body.Size() {
			n := min(int64(len(p)), body.Size()-at)
			if _, err := body.ReadAt(p[:n], at); err != nil {
				return 0, err
			}
			p = p[n:]
		}
	}
	clear(p)
	return total, nil
}

// stampRange hashes what decides the bytes from start to end.
func (s *stream) stampRange(h *stamper, start, end int64) {
	for i := covering(s.starts, start); i < s.count() && s.starts[i] < end; i++ {
		s.stampEntry(h, i, max(start-s.starts[i], 0), min(end, s.starts[i+1])-s.starts[i])
	}
}

// stampEntry does so for the bytes of entry i from off to end.
func (s *stream) stampEntry(h *stamper, i int, off, end int64) {
	head, _ := s.head(i)                        // newStream has seen that it can be made
	part := func(size int64) (from, to int64) { // of what follows, size bytes long
		from, to = min(off, size), min(end, size)
		off, end = off-from, end-to
		return from, to
	}
	from, to := part(int64(len(head)))
	h.bytes(head[from:to])
	if body := s.body(i); body != nil {
		if from, to := part(body.Size()); from < to {
			body.stampRange(h, from, to)
		}
	}
	h.int(end - off) // zeros
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
	close := func(at int64) {
		if at > start {
			segs = append(segs, segment{start, at, -1})
			start = at
		}
	}
	for i := range s.count() {
		var body Content
		if s.starts[i+1]-s.starts[i] >= largeMin { // most are not, and need not be asked
			body = s.body(i)
		}
		if body == nil || body.Size() < largeMin {
			if s.starts[i+1]-start > segmentMax || s.starts[i]-start >= groupMin && s.endsGroupAt(i) {
				close(s.starts[i])
			}
			continue
		}
		head, _ := s.head(i) // newStream has seen that it can be made
		first := s.starts[i] + int64(len(head))
		if first-start > segmentMax {
			close(s.starts[i])
		}
		close(first)
		for off := int64(0); off < body.Size(); {
			end := body.chunk(off)
			segs = append(segs, segment{first + off, first + end, i})
			off = end
		}
		start = first + body.Size()
	}
	close(s.size())
	return segs
}

// endsGroupAt reports whether a group that is long enough ends before entry i.
func (s *stream) endsGroupAt(i int) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s.name(i)))
	// FNV's low bits differ more than its high ones between similar names.
	return endsGroup(bits.ReverseBytes32(h.Sum32()), s.starts[i+1]-s.starts[i])
}
