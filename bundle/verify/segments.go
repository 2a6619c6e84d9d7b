package verify

import (
	"context"
	"io"
)

// chunk is a part of the tar archive.
type chunk struct {
	data   []byte
	offset int64  // in the file, of the gzip member that holds it
	end    int64  // in the file, of what has been read for it
	free   func() // ends the use of data
}

// chunks are the parts of the tar archive in order.
type chunks interface {
	// next returns the next part that is not empty; io.EOF is the end of the file.
	next(ctx context.Context) (chunk, error)
}

// segments unpacks the gzip members of a bundle of this project in parallel: the headers
// say where the next one begins. Its memory is that of its segments.
type segments struct {
	in    *input
	free  chan *segment
	order chan *segment // being unpacked, in the order of the file
	tail  int64         // zeros behind the last member; set when order is closed
}

// spareSegments are those beyond one for each worker: one is being read, and one is in use.
const spareSegments = 2

// newSegments begins to unpack. It goes on until the end, an error, or the end of ctx; a
// goroutine that waits for the file then ends when the file does.
func newSegments(ctx context.Context, in *input, workers int) *segments {
	n := workers + spareSegments
	s := &segments{in: in, free: make(chan *segment, n), order: make(chan *segment, n)}
	for range n {
		s.free <- &segment{done: make(chan struct{}, 1)}
	}
	go s.read(ctx)
	return s
}

// read cuts the file into gzip members.
func (s *segments) read(ctx context.Context) {
	defer close(s.order)
	for first := true; ; first = false {
		var seg *segment
		select {
		case seg = <-s.free:
		case <-ctx.Done():
			return
		}
		seg.offset = s.in.offset()
		err := s.readOne(seg, first)
		if err == io.EOF {
			return
		}
		s.order <- seg // has room for all
		if seg.err = err; err != nil {
			seg.done <- struct{}{}
			return
		}
		go func() {
			if err := seg.unpack(); err != nil {
				seg.err = damagedAt(seg.offset, "%v", err)
			}
			seg.done <- struct{}{}
		}()
	}
}

// readOne reads the packed bytes of a segment; io.EOF is the end of the bundle.
func (s *segments) readOne(seg *segment, first bool) error {
	if !first {
		head, err := s.in.Peek(1)
		switch {
		case err != nil:
			return err // io.EOF among them
		case head[0] == 0:
			if s.tail, err = s.in.skipPadding(); err == nil {
				err = io.EOF
			}
			return err
		}
	}
	most := headLength
	if first {
		most = headMax
	}
	head, readErr := s.in.Peek(most)
	h, err := parseHead(head, first)
	switch {
	case err == errCut && readErr != nil:
		return cutOr(readErr, seg.offset)
	case err != nil:
		return damagedAt(seg.offset, "%v", err)
	}
	if _, err := s.in.Discard(h.size); err != nil {
		return cutOr(err, seg.offset)
	}
	seg.packed = resized(seg.packed, h.deflated+trailer)
	if _, err := io.ReadFull(s.in, seg.packed); err != nil {
		return cutOr(err, seg.offset)
	}
	seg.end = s.in.offset()
	return nil
}

func (s *segments) next(ctx context.Context) (chunk, error) {
	var seg *segment
	var more bool
	select {
	case seg, more = <-s.order:
	case <-ctx.Done():
		return chunk{}, ctx.Err()
	}
	if !more {
		if err := ctx.Err(); err != nil {
			return chunk{}, err
		}
		return chunk{}, io.EOF
	}
	select {
	case <-seg.done:
	case <-ctx.Done():
		return chunk{}, ctx.Err()
	}
	if seg.err != nil {
		return chunk{offset: seg.offset}, seg.err
	}
	return chunk{data: seg.data, offset: seg.offset, end: seg.end, free: func() { s.free <- seg }}, nil
}

func (s *segments) padding() int64 { return s.tail }
