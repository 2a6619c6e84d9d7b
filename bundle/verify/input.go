package verify

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
)

// errCut is the reason of damage where a file ends too early.
var errCut = errors.New("the file is cut off here")

// input is the bundle's file. It counts, and hashes if it is asked to.
type input struct {
	*bufio.Reader
	under counter
	sha   hash.Hash // nil: not hashed
}

// counter counts what is read, and remembers the error that ended it.
type counter struct {
	r      io.Reader
	n      int64
	broken error // not io.EOF
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		c.broken = err
	}
	return n, err
}

func newInput(r io.Reader, hashed bool) *input {
	in := &input{}
	if hashed {
		in.sha = sha256.New()
		r = io.TeeReader(r, in.sha)
	}
	in.under.r = r
	in.Reader = bufio.NewReaderSize(&in.under, 64<<10)
	return in
}

// offset is where the next byte stands in the file.
func (in *input) offset() int64 { return in.under.n - int64(in.Buffered()) }

// skipPadding reads zeros to the end of the file and returns how many there were. Anything
// else behind the last gzip member is damage.
func (in *input) skipPadding() (int64, error) {
	start := in.offset()
	for {
		b, err := in.ReadByte()
		n := in.offset() - start
		switch {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, err
		case b != 0:
			return n, damagedAt(start, "what follows here belongs to no gzip member")
		case n > paddingMax:
			return n, damagedAt(start, "more than %d zeros follow here", paddingMax)
		}
	}
}

// cutOr is damage where err is the end of the file, and else err.
func cutOr(err error, offset int64) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, errCut) {
		return damagedAt(offset, "%v", errCut)
	}
	return err
}
