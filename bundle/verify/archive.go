package verify

import (
	"archive/tar"
	"context"
	"errors"
	"io"
	"path"
	"strings"

	"imgexportfs/bundle"
)

// archive reads the members of a bundle.
type archive struct {
	ctx     context.Context
	opts    Options
	result  *Result
	stream  *stream
	reading string // the member whose bytes are being read

	names    memberNames
	manifest *Manifest
	compare  *comparison // nil: with nothing
	asked    bool        // for the reference
	several  bool        // images
}

// errEnough ends a quick reading.
var errEnough = errors.New("enough is known")

// read reads all members, and what follows them.
func (a *archive) read() error {
	a.names.names = map[string]bool{}
	reader := tar.NewReader(a.stream)
	for {
		h, err := reader.Next()
		switch {
		case errors.Is(err, io.EOF) && a.stream.err == nil:
			return a.finish()
		case err != nil:
			return a.damaged(err)
		}
		a.result.Members++
		if err := a.member(h, reader); err != nil {
			return a.damaged(err)
		}
	}
}

// damaged adds the place to an error of the archive. Those of archive/tar do not have any.
func (a *archive) damaged(err error) error {
	damage, is := errors.AsType[*Damage](err)
	switch {
	case is:
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		damage = damagedAt(a.stream.chunk.offset, "the tar archive has no end")
	case errors.Is(err, tar.ErrHeader):
		damage = damagedAt(a.stream.chunk.offset, "a header of the tar archive is wrong")
	default:
		return err
	}
	if damage.Member == "" && damage.Offset >= 0 {
		damage.Member = a.reading
	}
	return damage
}

// member takes in one member of the archive.
func (a *archive) member(h *tar.Header, body io.Reader) error {
	name := strings.TrimSuffix(strings.TrimPrefix(h.Name, "./"), "/")
	if name == "" || name == "." {
		return nil
	}
	a.reading = name
	if name != path.Clean(name) || name[0] == '/' || strings.HasPrefix(name, "../") || name == ".." {
		return damagedAt(a.stream.chunk.offset, "its name leads out of the bundle")
	}
	top, below, isBelow := strings.Cut(name, "/")
	if top[0] == '.' {
		return nil // imgimport does not see it
	}
	if a.result.Name == "" {
		a.result.Name = top
	}
	switch {
	case top != a.result.Name:
		a.several = true // imgimport takes that
		return nil
	case !isBelow && h.Typeflag == tar.TypeDir:
		return nil
	case !isBelow:
		return damagedAt(a.stream.chunk.offset, "it stands where only the directory of an image may be")
	}
	a.reading = below
	if err := a.names.add(below, h.Typeflag == tar.TypeDir); err != nil {
		return err
	}
	return a.below(below, h, body)
}

// below takes in a member below the top directory.
func (a *archive) below(name string, h *tar.Header, body io.Reader) error {
	if name == bundle.Manifest {
		text, err := a.text(h, body)
		if err != nil {
			return err
		}
		if a.manifest, err = parseManifest(text); err != nil {
			return damagedAt(a.stream.chunk.offset, "it cannot be read: %v", err)
		}
		a.result.Image = a.manifest.Image
		if err := a.ask(); err != nil || a.compare == nil {
			return err
		}
		return a.compare.text(name, text, a.compare.manifestRows(a.manifest))
	}
	if err := a.ask(); err != nil || a.compare == nil {
		return err
	}
	if name == "litefile.csv" {
		text, err := a.text(h, body)
		if err != nil {
			return err
		}
		return a.compare.text(name, text, litefileRows)
	}
	err := a.compare.member(a.ctx, name, h, body)
	if errors.Is(err, ErrReference) { // the bundle can be checked all the same
		a.result.NotCompared, a.compare = err, nil
		return nil
	}
	return err
}

// text reads a small member.
func (a *archive) text(h *tar.Header, body io.Reader) ([]byte, error) {
	if h.Typeflag != tar.TypeReg {
		return nil, damagedAt(a.stream.chunk.offset, "it is not a file")
	}
	if h.Size > manifestMax {
		return nil, damagedAt(a.stream.chunk.offset, "it has %d bytes, and may have %d", h.Size, manifestMax)
	}
	return io.ReadAll(body)
}

// ask asks for the reference, once, as soon as the image is known.
func (a *archive) ask() error {
	if a.asked {
		return nil
	}
	a.asked = true
	if a.opts.Against != nil {
		ref, err := a.opts.Against(a.ctx, Head{Result: a.result, Manifest: a.manifest})
		if err != nil {
			return err
		}
		if ref != nil {
			a.compare = newComparison(ref, a.result.Name, a.result.Foreign)
		}
	}
	if a.opts.Quick {
		return errEnough
	}
	return nil
}

// finish is called at the end of the archive.
func (a *archive) finish() error {
	padding := int64(0)
	if a.result.Foreign {
		padding = paddingMax
	}
	if err := a.stream.finish(padding); err != nil {
		return a.damaged(err)
	}
	switch {
	case a.result.Name == "":
		return incomplete("the archive holds no image")
	case a.manifest == nil:
		return incomplete("there is no %s/%s", a.result.Name, bundle.Manifest)
	}
	notes, err := a.names.check(a.manifest)
	if err != nil {
		return err
	}
	if a.several {
		a.result.note("holds more than one image, of which only %s is checked against its manifest", a.result.Name)
	}
	for _, note := range notes {
		a.result.note("%s", note)
	}
	if a.compare != nil {
		a.result.Compared = true
		a.result.Differences, a.result.Rows = a.compare.end(), a.compare.rows
	}
	return nil
}
