package verify

import (
	"bytes"
	"context"
	"errors"
	"io"

	"github.com/klauspost/compress/gzip"
)

// plainGzip unpacks any gzip file on one core, ahead of who reads it.
type plainGzip struct {
	in   *input
	free chan []byte
	out  chan unpacked
	tail int64 // zeros behind the last member; set when out is closed
}

type unpacked struct {
	chunk
	err error
}

// plainAhead are the chunks that are unpacked ahead.
const plainAhead = 3

func newPlainGzip(ctx context.Context, in *input) *plainGzip {
	p := &plainGzip{in: in, free: make(chan []byte, plainAhead), out: make(chan unpacked, plainAhead)}
	for range plainAhead {
		p.free <- make([]byte, 1<<20)
	}
	go func() {
		defer close(p.out)
		if err := p.unpack(ctx); err != nil {
			select {
			case p.out <- unpacked{chunk{offset: in.offset()}, err}:
			case <-ctx.Done():
			}
		}
	}()
	return p
}

// unpack unpacks one gzip member after the other.
func (p *plainGzip) unpack(ctx context.Context) error {
	start := p.in.offset()
	if head, _ := p.in.Peek(2); !isGzip(head) {
		return damagedAt(start, "this is not gzip")
	}
	z, err := gzip.NewReader(p.in)
	if err != nil {
		return p.failed(err, start)
	}
	for empty := 0; ; {
		z.Multistream(false)
		n, err := p.unpackMember(ctx, z, start)
		if err != nil {
			return err
		}
		if empty++; n > 0 {
			empty = 0
		}
		start = p.in.offset()
		if empty > emptyMax {
			return damagedAt(start, "more than %d gzip members without a byte follow each other", emptyMax)
		}
		head, err := p.in.Peek(2)
		switch {
		case err != nil && !errors.Is(err, io.EOF):
			return err
		case len(head) == 0:
			return nil
		case !isGzip(head):
			p.tail, err = p.in.skipPadding()
			return err
		}
		if err := z.Reset(p.in); err != nil {
			return p.failed(err, start)
		}
	}
}

// isGzip reports whether bytes may begin a gzip member. Too few of them may.
func isGzip(head []byte) bool { return bytes.HasPrefix([]byte{0x1f, 0x8b}, head) }

// unpackMember unpacks the member whose header z has read, and returns how many bytes that
// were.
func (p *plainGzip) unpackMember(ctx context.Context, z *gzip.Reader, start int64) (total int, err error) {
	for {
		var buf []byte
		select {
		case buf = <-p.free:
		case <-ctx.Done():
			return total, ctx.Err()
		}
		n, err := io.ReadFull(z, buf)
		total += n
		if n > 0 {
			c := chunk{data: buf[:n], offset: start, end: p.in.offset(), free: func() { p.free <- buf }}
			select {
			case p.out <- unpacked{chunk: c}:
			case <-ctx.Done():
				return total, ctx.Err()
			}
		} else {
			p.free <- buf
		}
		switch {
		case err == nil:
		case err == io.EOF || err == io.ErrUnexpectedEOF && p.atMemberEnd(z):
			return total, nil
		default:
			return total, p.failed(err, p.in.offset())
		}
	}
}

// atMemberEnd tells the end of a member from a cut file: ReadFull says the same of both.
func (p *plainGzip) atMemberEnd(z *gzip.Reader) bool {
	var more [1]byte
	_, err := z.Read(more[:])
	return err == io.EOF
}

// failed is the error of a reader of gzip as damage, and an error of the file as it is.
func (p *plainGzip) failed(err error, offset int64) error {
	if p.in.under.broken != nil {
		return p.in.under.broken
	}
	if cut := cutOr(err, offset); cut != err {
		return cut
	}
	if errors.Is(err, gzip.ErrChecksum) {
		err = errChecksum
	}
	return damagedAt(offset, "%v", err)
}

func (p *plainGzip) next(ctx context.Context) (chunk, error) {
	select {
	case u, more := <-p.out:
		if err := ctx.Err(); err != nil {
			return chunk{}, err
		}
		if !more {
			return chunk{}, io.EOF
		}
		return u.chunk, u.err
	case <-ctx.Done():
		return chunk{}, ctx.Err()
	}
}

func (p *plainGzip) padding() int64 { return p.tail }
