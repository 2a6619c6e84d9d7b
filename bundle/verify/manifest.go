package verify

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
)

// Manifest is what a manifest.xml says.
type Manifest struct {
	Image   string            // osimage.imagename
	Scripts map[string]string // the elements postscripts and postbootscripts, which -p writes
	Extras  []Extra           // of -e

	rows   map[string]string // "osimage.osvers", "kit[hpc].version", "kernel": value
	needed []namedFile       // without which imgimport fails
	listed []namedFile       // of columns with lists, which export skips if they are missing
}

// Extra is a file or directory of -e.
type Extra struct{ Src, Dest string }

// namedFile is a member that the manifest names.
type namedFile struct {
	member  string // below the top directory
	element string // that names it
	value   string // as the element has it
}

// field is a leaf below the root.
type field struct{ name, text string }

// parseManifest reads a manifest. Elements may stand in any order.
func parseManifest(text []byte) (*Manifest, error) {
	m := &Manifest{Scripts: map[string]string{}, rows: map[string]string{}}
	d := xml.NewDecoder(bytes.NewReader(text))
	var names []string // of the open elements
	var value strings.Builder
	var fields []field // of the element below the root
	for elements := 0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) && elements > 0 {
			return m, nil
		}
		if err != nil {
			return nil, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if elements++; elements > elementsMax {
				return nil, fmt.Errorf("more than %d elements", elementsMax)
			}
			names = append(names, t.Name.Local)
			value.Reset()
			if len(names) == 1 && t.Name.Local != "xcatimage" || len(names) > 3 {
				return nil, fmt.Errorf("element <%s> is in a place where no manifest has one", t.Name.Local)
			}
		case xml.CharData:
			value.Write(t)
		case xml.EndElement:
			switch len(names) {
			case 3:
				fields = append(fields, field{names[2], value.String()})
			case 2:
				m.add(names[1], value.String(), fields)
				fields = nil
			}
			names = names[:len(names)-1]
			value.Reset()
		}
	}
}

// add takes in an element below the root, which is a value or a group of fields.
func (m *Manifest) add(element, value string, fields []field) {
	if fields == nil {
		m.addRow(element, value)
	}
	columns := map[string]string{}
	for _, f := range fields {
		columns[f.name] = f.text
	}
	key := element
	switch element {
	case "kit", "kitrepo", "kitcomp":
		key += "[" + columns["name"] + "]"
	case "extra":
		key += "[" + columns["src"] + "]"
	}
	for _, f := range fields {
		m.addRow(key+"."+f.name, f.text)
	}
	m.addFiles(element, value, columns, fields)
}

// addRow keeps a value. A stub before a single kit repeats its name, and raw image files
// are one column with several values.
func (m *Manifest) addRow(key, value string) {
	if before, known := m.rows[key]; known && before != value {
		value = before + "\n" + value
	}
	m.rows[key] = value
}

// addFiles notes which members an element names.
func (m *Manifest) addFiles(element, value string, columns map[string]string, fields []field) {
	switch element {
	case "kernel", "ramdisk", "rootimg", "rootimgtree", "litefile":
		m.needed = append(m.needed, namedFile{path.Base(value), element, value})
	case "postscripts", "postbootscripts":
		m.Scripts[element] = value
	case "rawimagefiles":
		for _, f := range fields {
			m.needed = append(m.needed, namedFile{path.Base(f.text), element, f.text})
		}
	case "extra":
		m.Extras = append(m.Extras, Extra{columns["src"], columns["dest"]})
	case "osimage":
		m.Image = columns["imagename"]
		m.addLists(element, columns, "synclists")
	case "linuximage":
		m.addLists(element, columns, "template", "pkglist", "otherpkglist", "postinstall", "exlist")
	case "kit":
		if name := columns["kitname"]; columns["kitdir"] != "" {
			m.listed = append(m.listed, namedFile{name, "kit.kitdir", columns["kitdir"]})
		}
	}
}

func (m *Manifest) addLists(table string, columns map[string]string, lists ...string) {
	for _, column := range lists {
		for file := range strings.SplitSeq(columns[column], ",") {
			if strings.TrimSpace(file) != "" {
				m.listed = append(m.listed, namedFile{path.Base(file), table + "." + column, file})
			}
		}
	}
}

// differentRows returns the keys of the rows that two manifests do not share, in order.
func differentRows(a, b *Manifest, ignored func(key string) bool) []string {
	all := maps.Clone(a.rows)
	maps.Copy(all, b.rows)
	var keys []string
	for _, key := range slices.Sorted(maps.Keys(all)) {
		valueA, inA := a.rows[key]
		valueB, inB := b.rows[key]
		if (inA != inB || valueA != valueB) && !ignored(key) {
			keys = append(keys, key)
		}
	}
	return keys
}
