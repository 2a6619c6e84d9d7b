package bundle

import (
	"io"

	"imgexportfs/bundle/source"
)

// Content is the bytes of a regular member. There are three: Bytes, which
// are made in memory; *File, which is one file of the site; and *Tree, which is
// a whole directory as a compressed cpio archive.
type Content interface {
	// Size is the exact number of bytes.
	Size() int64
	// ReadAt fills all of p from off or returns an error; a source that
	// changed is source.ErrChanged. off+len(p) must not exceed Size.
	ReadAt(p []byte, off int64) (int, error)
	// chunk returns where the chunk that starts at off ends; large contents
	// are cut there.
	chunk(off int64) (end int64)
	// hashPlan hashes what every host knows of the bytes without reading.
	hashPlan(s *fieldHash)
	// hashRange hashes what decides the bytes from off to end: two ranges
	// with one stamp hold the same bytes.
	hashRange(s *fieldHash, off, end int64)
}

// Bytes is content made in memory, such as a manifest.
type Bytes []byte

// Size is the number of bytes.
func (b Bytes) Size() int64 { return int64(len(b)) }

// ReadAt copies from memory.
func (b Bytes) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > int64(len(b)) || int64(len(p)) > int64(len(b))-off {
		return 0, io.ErrUnexpectedEOF
	}
	return copy(p, b[off:]), nil
}

func (b Bytes) chunk(off int64) int64 { return chunkEnd(off, b.Size()) }

func (b Bytes) hashPlan(s *fieldHash) { s.bytes(b) }

func (b Bytes) hashRange(s *fieldHash, off, end int64) { s.bytes(b[off:end]) }

// File is the content of one file of the site, in the state in which it was
// planned.
type File struct{ *source.File }

// NewFile returns the content of the regular file path, which st describes.
func NewFile(root *source.Root, path string, st source.Stat) (File, error) {
	f, err := source.NewFile(root, path, st)
	return File{f}, err
}

func (f File) chunk(off int64) int64 { return chunkEnd(off, f.Size()) }

// The member has the size and the modification time of the file.
func (f File) hashPlan(_ *fieldHash) {}

// A hole is the same in every file, so all of them are made once.
func (f File) hashRange(s *fieldHash, off, end int64) {
	if f.Size() >= largeMin && f.IsHole(off, end) {
		s.string("hole")
		s.int(end - off)
		return
	}
	s.string(f.Path())
	s.identity(f.Identity())
	s.int(off)
	s.int(end)
}
