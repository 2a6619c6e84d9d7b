package tablesdump

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// Element is a part of a manifest: a value, or a group of elements. Make one with Value
// or Group; the zero value is not valid.
type Element struct {
	name     string
	text     string
	group    bool
	children []Element // in the order of a manifest
}

// Value returns the element name that holds text. A value that is empty or
// nothing but white space of Unicode has no element in a manifest, because imgimport
// would store garbage for it (docs/rules.md, section 10); see Blank.
func Value(name, text string) Element {
	return Element{name: name, text: text}
}

// Group returns the element name that holds children. In the manifest they
// stand in byte order of their names; those of one name keep their order.
func Group(name string, children ...Element) Element {
	return Element{name: name, group: true, children: sorted(children)}
}

// Blank returns the paths of the values that are left out of a manifest although they hold
// more than ASCII's white space, such as a no-break space. A path is as in BadByteError.
func Blank(root Element) [][]string {
	var paths [][]string
	for _, child := range root.children {
		switch {
		case child.group:
			for _, path := range Blank(child) {
				paths = append(paths, append([]string{child.name}, path...))
			}
		case isBlank(child.text) && strings.Trim(child.text, " \t\r\n") != "":
			paths = append(paths, []string{child.name})
		}
	}
	return paths
}

// isBlank reports whether XML::Simple takes text for none.
func isBlank(text string) bool { return strings.TrimSpace(text) == "" }

// BadByteError reports a value that XML 1.0 cannot carry, escaped or not: a
// control byte, one of the characters U+FFFE and U+FFFF, or bytes that are
// not UTF-8. imgimport would reject the whole manifest.
type BadByteError struct {
	Path   []string // names of the elements that lead to the value, without the root
	Offset int      // of the first such byte in the value, counted from 0
	Byte   byte
}

func (e *BadByteError) Error() string {
	return fmt.Sprintf("<%s>: byte 0x%02x at offset %d cannot be written in XML", strings.Join(e.Path, "><"), e.Byte, e.Offset)
}

// declaration is the first line of a manifest.
const declaration = `<?xml version="1.0"?>` + "\n"

// indent is one level of XML::Simple's indentation.
const indent = "  "

// keyElement is the element that XML::Simple writes first in a group: it is
// the key by which it tells the elements of one name apart.
const keyElement = "name"

// XML writes root as a document the way XML::Simple does with its noattr and
// xmldecl options (docs/rules.md, section 6). The only error is *BadByteError.
func XML(root Element) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(declaration)
	if err := write(&b, root, nil); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// write writes e, which stands below the elements of path.
func write(b *bytes.Buffer, e Element, path []string) error {
	margin := strings.Repeat(indent, len(path))
	if !e.group {
		return writeValue(b, e, margin, path)
	}
	fmt.Fprintf(b, "%s<%s>\n", margin, e.name)
	path = append(path, e.name)
	for _, child := range e.children {
		if err := write(b, child, path); err != nil {
			return err
		}
	}
	fmt.Fprintf(b, "%s</%s>\n", margin, e.name)
	return nil
}

func writeValue(b *bytes.Buffer, e Element, margin string, path []string) error {
	if at := badByte(e.text); at >= 0 {
		full := append(slices.Clone(path), e.name)
		return &BadByteError{Path: full[1:], Offset: at, Byte: e.text[at]}
	}
	if isBlank(e.text) {
		return nil
	}
	b.WriteString(margin + "<" + e.name + ">")
	_, _ = escaper.WriteString(b, e.text) // a bytes.Buffer takes everything
	b.WriteString("</" + e.name + ">\n")
	return nil
}

// escaper escapes what XML::Simple escapes, and CR, which it writes bare: a
// reader of XML takes a bare CR for the end of a line and makes it LF.
var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\r", "&#13;")

// sorted returns the elements in the order of a manifest.
func sorted(es []Element) []Element {
	out := slices.Clone(es)
	slices.SortStableFunc(out, func(a, b Element) int {
		if first := a.name == keyElement; first != (b.name == keyElement) {
			if first {
				return -1
			}
			return 1
		}
		return cmp.Compare(a.name, b.name)
	})
	return out
}

// badByte returns the offset of the first byte that is not part of a character of XML
// 1.0, or -1.
func badByte(s string) int {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || !isXML(r) {
			return i
		}
		i += n
	}
	return -1
}

// isXML reports whether r is a Char of XML 1.0. Well-formed UTF-8 has no surrogates.
func isXML(r rune) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r':
		return true
	case r < ' ':
		return false
	}
	return r != 0xFFFE && r != 0xFFFF
}
