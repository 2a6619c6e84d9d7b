package verify

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
)

// Options says how a bundle is read.
type Options struct {
	Workers int  // gzip members that are unpacked at a time; 0 means one per core
	Quick   bool // stop as soon as Against has been asked; nothing else is known then
	Hash    bool // find the SHA-256 of the file

	// Against returns what to compare with, nil for nothing. It is called once, when the
	// image is known. An error of it ends the reading, and Read returns it.
	Against func(ctx context.Context, head Head) (*Reference, error)

	// Progress is told how much of the file is checked.
	Progress func(done int64)

	unpacked int64 // unpackedMax, or less in tests
}

// Head is what is known when Against is called.
type Head struct {
	*Result            // as far as it is read: the fields up to Image
	Manifest *Manifest // nil where another member comes first, as in bundles of other programs
}

// Result is what was found.
type Result struct {
	Foreign bool     // not made by this project: read in order, and times are not compared
	Format  int      // of the bundle, 0 if foreign
	Plan    [32]byte // see bundle.PlanHash, of which the first header has one
	Name    string   // of the top directory; "" if it was not reached
	Image   string   // as the manifest spells it; "" if it was not reached

	Damage   *Damage // nil: sound
	Members  int     // of the archive
	Packed   int64   // bytes of the file
	Unpacked int64   // bytes of the archive
	Sum      [32]byte
	Notes    []string

	Compared    bool  // with a Reference, from which the rest differs
	NotCompared error // why the Reference could not be read to its end
	Differences []Difference
	Rows        []string // of manifest.xml and litefile.csv: "osimage.osvers"
}

func (r *Result) note(format string, args ...any) {
	if len(r.Notes) < listedMax {
		r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
	}
}

// Read reads one bundle. The error is one of ctx, of r, or of Against; whatever is wrong
// with the bundle is in the result. When ctx ends, Read returns although r may be waiting:
// after that, and after a quick reading, r may be read once more.
func Read(ctx context.Context, r io.Reader, opts Options) (*Result, error) {
	if opts.Workers == 0 {
		opts.Workers = runtime.GOMAXPROCS(0)
	}
	if opts.Quick {
		opts.Workers = 1 // little is read ahead
	}
	if opts.unpacked == 0 {
		opts.unpacked = unpackedMax
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	in := newInput(r, opts.Hash)
	head, err := peekHead(ctx, in)
	if err != nil {
		return nil, err
	}
	result := &Result{Foreign: !isOurs(head)}
	var parts interface {
		chunks
		padding() int64
	}
	if result.Foreign {
		parts = newPlainGzip(ctx, in)
	} else {
		if h, err := parseHead(head, true); err == nil {
			result.Format, result.Plan = h.version, h.plan
		}
		parts = newSegments(ctx, in, opts.Workers)
	}
	a := &archive{
		ctx: ctx, opts: opts, result: result,
		stream: &stream{ctx: ctx, chunks: parts, most: opts.unpacked, progress: opts.Progress},
	}
	err = a.read()
	result.Unpacked, result.Packed = a.stream.read, a.stream.chunk.end
	if damage, is := errors.AsType[*Damage](err); is {
		result.Damage = damage
		return result, nil
	}
	if errors.Is(err, errEnough) {
		return result, nil
	}
	if err != nil {
		return nil, err
	}
	if n := parts.padding(); n > 0 {
		result.note("%d zeros follow the end", n)
		result.Packed += n
	}
	if opts.Hash {
		result.Sum = [32]byte(in.sha.Sum(nil))
	}
	return result, nil
}

// peekHead returns the first bytes of the file, fewer if there are no more.
func peekHead(ctx context.Context, in *input) ([]byte, error) {
	type peeked struct {
		head []byte
		err  error
	}
	done := make(chan peeked, 1)
	go func() {
		head, err := in.Peek(headMax)
		done <- peeked{head, err}
	}()
	select {
	case p := <-done:
		if p.err != nil && !errors.Is(p.err, io.EOF) {
			return nil, p.err
		}
		return p.head, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
