package bundle

import (
	"fmt"
	"io"
	"os"
)

// Source is an open source file that is read as long as it stays what the
// bundle was planned from.
type Source struct {
	file *os.File
	of   *File
}

// OpenSource opens the file for reading its own bytes.
func (f *File) OpenSource() (*Source, error) {
	file, err := f.Open()
	if err != nil {
		return nil, err
	}
	return &Source{file: file, of: f}, nil
}

// ReadAt reads like io.ReaderAt; ErrChanged when the file is not what it was
// after the bytes were read.
func (s *Source) ReadAt(p []byte, off int64) (int, error) {
	size := s.of.Size()
	if off >= size {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), size-off)]
	n, err := s.file.ReadAt(p, off)
	if err == io.EOF {
		return 0, fmt.Errorf("%s: %w", s.of.path, ErrChanged)
	}
	if err != nil {
		return 0, err
	}
	return n, s.of.check(s.file)
}

// Close closes the file.
func (s *Source) Close() error { return s.file.Close() }
