package index

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"imgexportfs/bundle/blocks"
)

// file is what is known of one bundle.
type file struct {
	lengths map[blocks.Key]uint32   // of deflated segments
	sums    map[blocks.Key][32]byte // of whole bundles
}

const magic = "imgexportfs index 1\n"

// A file is the magic line, the number of lengths, the lengths, the number
// of sums, the sums, each with its key, all numbers in little endian; and the
// SHA-256 of all that.

const (
	lengthRecord = 32 + 4
	sumRecord    = 32 + 32
)

func (f file) encode() []byte {
	b := []byte(magic)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(f.lengths)))
	for k, n := range f.lengths {
		b = append(b, k[:]...)
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	b = binary.LittleEndian.AppendUint32(b, uint32(len(f.sums)))
	for k, sum := range f.sums {
		b = append(b, k[:]...)
		b = append(b, sum[:]...)
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

var errFile = errors.New("not a whole index file of this version")

func decode(b []byte) (file, error) {
	body := b[:max(len(b)-sha256.Size, 0)]
	if sum := sha256.Sum256(body); !bytes.Equal(sum[:], b[len(body):]) || !bytes.HasPrefix(body, []byte(magic)) {
		return file{}, errFile
	}
	f := file{lengths: map[blocks.Key]uint32{}, sums: map[blocks.Key][32]byte{}}
	rest, ok := records(body[len(magic):], lengthRecord, func(r []byte) {
		f.lengths[blocks.Key(r[:32])] = binary.LittleEndian.Uint32(r[32:])
	})
	if !ok {
		return file{}, errFile
	}
	rest, ok = records(rest, sumRecord, func(r []byte) { f.sums[blocks.Key(r[:32])] = [32]byte(r[32:]) })
	if !ok || len(rest) > 0 {
		return file{}, errFile
	}
	return f, nil
}

// records reads a number and as many records of a size.
func records(b []byte, size int, each func(record []byte)) (rest []byte, ok bool) {
	if len(b) < 4 {
		return nil, false
	}
	n := int(binary.LittleEndian.Uint32(b))
	if b = b[4:]; n > len(b)/size {
		return nil, false
	}
	for i := range n {
		each(b[i*size : (i+1)*size])
	}
	return b[n*size:], true
}
