package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"imgexportfs/bundle"
)

// ErrReference is an error of the site and not of the bundle.
var ErrReference = errors.New("the site could not be read")

const (
	// compareBlock is read at a time. A root tree makes whole segments of 1 MiB, so that
	// larger blocks waste less.
	compareBlock = 4 << 20
	// compareAhead bounds the blocks that are read ahead, whatever the number of cores.
	compareAhead = 8
)

// sameContent reports whether body holds the bytes of want, and reads both to the end or
// to the first difference. The reference is read ahead on all cores, for a root tree is
// made of many small files.
func sameContent(ctx context.Context, body io.Reader, want bundle.Content) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	haveBlock := blockPool.Get().(*[]byte)
	defer blockPool.Put(haveBlock)
	for block := range readAhead(ctx, want, min(runtime.GOMAXPROCS(0)+1, compareAhead)) {
		var got contentBlock
		select {
		case got = <-block:
		case <-ctx.Done():
			return false, ctx.Err()
		}
		if got.err != nil {
			return false, fmt.Errorf("%w: %w", ErrReference, got.err)
		}
		have := (*haveBlock)[:len(got.data)]
		if _, err := io.ReadFull(body, have); err != nil {
			return false, err
		}
		if !bytes.Equal(have, got.data) {
			return false, nil
		}
		blockPool.Put(&got.data)
	}
	return true, ctx.Err()
}

// blockPool keeps the memory of blocks.
var blockPool = sync.Pool{New: func() any { block := make([]byte, compareBlock); return &block }}

type contentBlock struct {
	data []byte
	err  error
}

// readAhead reads content in blocks, up to n of them at a time, and hands them out in order.
func readAhead(ctx context.Context, content bundle.Content, n int) <-chan chan contentBlock {
	order := make(chan chan contentBlock, max(0, n-2)) // one is being read, one is in use
	go func() {
		defer close(order)
		for off := int64(0); off < content.Size(); off += compareBlock {
			block := make(chan contentBlock, 1)
			select {
			case order <- block:
			case <-ctx.Done():
				return
			}
			go func() {
				data := (*blockPool.Get().(*[]byte))[:min(compareBlock, content.Size()-off)]
				_, err := content.ReadAt(data, off)
				block <- contentBlock{data, err}
			}()
		}
	}()
	return order
}
