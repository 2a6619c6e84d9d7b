package fs

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"path"
	"regexp"
	"strconv"
)

// shown is what the bytes of a bundle say of the states that it was made from.
type shown struct{ rows, tmpl, list, kernel, tree int }

var (
	serialText = regexp.MustCompile(`serial (\d+)\n`)
	rowsText   = regexp.MustCompile(`<profile>p(\d+)</profile>`)
)

// number returns the number that a text holds, 0 if it holds none.
func number(in *regexp.Regexp, text []byte) int {
	found := in.FindSubmatch(text)
	if found == nil {
		return 0
	}
	n, _ := strconv.Atoi(string(found[1]))
	return n
}

// decode reads a bundle.
func decode(data []byte) (s shown, err error) {
	zipped, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return shown{}, err
	}
	for archive := tar.NewReader(zipped); ; {
		head, err := archive.Next()
		if err == io.EOF {
			return s, nil
		}
		if err != nil {
			return shown{}, err
		}
		text, err := io.ReadAll(archive)
		if err != nil {
			return shown{}, err
		}
		switch path.Base(head.Name) {
		case "manifest.xml":
			s.rows = number(rowsText, text)
		case "foo.tmpl":
			s.tmpl = number(serialText, text)
		case "foo.list":
			s.list = number(serialText, text)
		case "kernel":
			s.kernel = number(serialText, text)
		case "rootimgtree.gz":
			if s.tree, err = decodeTree(text); err != nil {
				return shown{}, err
			}
		}
	}
}

// decodeTree returns the state of the tree in a packed one.
func decodeTree(packed []byte) (int, error) {
	zipped, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return 0, err
	}
	text, err := io.ReadAll(zipped)
	return number(serialText, text), err
}

// judge says what is wrong with a bundle that was opened at a sight, or "".
func (m *model) judge(s *sight, data []byte) string {
	b, err := decode(data)
	if err != nil {
		return fmt.Sprintf("a bundle of %d bytes: %v", len(data), err)
	}
	if !m.sees(s, ofRows, func(a *moment) bool { return a.rows == b.rows && (s.of.image != "late" || a.late) }) {
		return fmt.Sprintf("a bundle by the rows of another time: %+v", b)
	}
	switch s.of.image {
	case "foo":
		if !m.sees(s, ofFiles, func(a *moment) bool { return a.tmpl == b.tmpl && a.list == b.list && !a.listFails }) {
			return fmt.Sprintf("a bundle of the files of another time: %+v", b)
		}
	case "lite":
		if !m.sees(s, ofFiles, func(a *moment) bool { return a.kernel == b.kernel && !a.kernelFails }) {
			return fmt.Sprintf("a bundle of the kernel of another time: %+v", b)
		}
		if !m.sees(s, ofTree, func(a *moment) bool { return a.tree == b.tree && !a.huge && !a.walkFails }) {
			return fmt.Sprintf("a bundle of the tree of another time: %+v", b)
		}
	}
	return m.judgeOpening(s, b)
}

// judgeOpening says what is wrong with a bundle that was opened, or "". However long what
// was looked up may be shown, an open looks whether the files are those of the version. It
// leaves trees to the reads.
func (m *model) judgeOpening(s *sight, b shown) string {
	m.world.mu.Lock()
	defer m.world.mu.Unlock()
	was := func(is func(a *moment) bool) bool {
		for i := s.made; i <= s.last; i++ {
			if is(&m.moments[i]) {
				return true
			}
		}
		return false
	}
	if b.tmpl != 0 && !was(func(a *moment) bool { return a.tmpl == b.tmpl }) ||
		b.list != 0 && !was(func(a *moment) bool { return a.list == b.list }) ||
		b.kernel != 0 && !was(func(a *moment) bool { return a.kernel == b.kernel }) {
		return fmt.Sprintf("an open bundle whose files had changed before: %+v", b)
	}
	return ""
}
