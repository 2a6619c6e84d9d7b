package verify

import (
	"bytes"
	"context"
	"io"
)

// stream is the tar archive as a reader of archive/tar wants it: one that skips bodies
// without copying them.
type stream struct {
	ctx      context.Context
	chunks   chunks
	chunk    chunk // what is left of the current one
	read     int64 // bytes of the archive
	most     int64 // see unpackedMax
	err      error
	progress func(done int64)
}

// fill gets the next chunk when the current one is used up.
func (s *stream) fill() error {
	for len(s.chunk.data) == 0 && s.err == nil {
		s.release()
		next, err := s.chunks.next(s.ctx)
		if s.err = err; err != nil {
			if err != io.EOF {
				s.chunk.offset = next.offset
			}
			break
		}
		s.chunk = next
		if s.progress != nil {
			s.progress(next.end)
		}
		if total := s.read + int64(len(next.data)); total > s.most && total/bombRatio > next.end {
			s.err = damagedAt(next.offset, "%d bytes unpack to more than %d; no image is like that", next.end, s.most)
		}
	}
	return s.err
}

func (s *stream) release() {
	if s.chunk.free != nil {
		s.chunk.free()
		s.chunk.free, s.chunk.data = nil, nil
	}
}

// Read reads the archive.
func (s *stream) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if err := s.fill(); err != nil {
		return 0, err
	}
	n := copy(p, s.chunk.data)
	s.advance(n)
	return n, nil
}

func (s *stream) advance(n int) {
	s.chunk.data = s.chunk.data[n:]
	s.read += int64(n)
}

// Seek skips bytes from the current place, which is all that archive/tar asks for. It
// stops early at the end of the archive.
func (s *stream) Seek(n int64, whence int) (int64, error) {
	if whence != io.SeekCurrent || n < 0 {
		return -1, io.ErrNoProgress
	}
	for n > 0 {
		switch err := s.fill(); {
		case err == io.EOF:
			return s.read, nil
		case err != nil:
			return s.read, err
		}
		k := int(min(n, int64(len(s.chunk.data))))
		s.advance(k)
		n -= int64(k)
	}
	return s.read, nil
}

// finish reads what follows the end of the archive. Up to most zeros may be there.
func (s *stream) finish(most int64) error {
	for start := s.read; ; {
		switch err := s.fill(); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		}
		if bytes.Count(s.chunk.data, []byte{0}) < len(s.chunk.data) {
			return damagedAt(s.chunk.offset, "something follows the end of the tar archive")
		}
		if s.advance(len(s.chunk.data)); s.read-start > most {
			return damagedAt(s.chunk.offset, "the tar archive goes on behind its end")
		}
	}
}
