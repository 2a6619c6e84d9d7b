package tablesdump

import (
	"bytes"
	"encoding/xml"
	"errors"
	"strings"
	"testing"
)

// FuzzXML holds manifests to this: a value comes back from the XML as it was, is left out
// because it is blank, or is refused with the place of a byte that XML cannot carry. In no
// case does it become elements of its own.
func FuzzXML(f *testing.F) {
	for _, text := range []string{
		"text", "", " \t", "<a>&amp;</a>", "]]>", `"'`, "\r\n", "a\rb", "\x00", "a\x1b[2J", "\xff", "\ufffe", "\u00a0", "x\u0085y", "\u2028", "<!--", "<![CDATA[x]]>", "<?x?>", "&#13;", "\U0010ffff", "\xed\xa0\x80",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		root := Group("xcatimage", Group("osimage", Value("imagename", "i"), Value("description", text)), Value("kernel", text))
		made, err := XML(root)
		if err != nil {
			var bad *BadByteError
			if !errors.As(err, &bad) || bad.Offset >= len(text) || text[bad.Offset] != bad.Byte || strings.Join(bad.Path, "/") != "kernel" && strings.Join(bad.Path, "/") != "osimage/description" {
				t.Errorf("%q: error %#v", text, err)
			}
			return
		}
		var read struct {
			XMLName xml.Name `xml:"xcatimage"`
			OSImage struct {
				Name        string     `xml:"imagename"`
				Description []string   `xml:"description"`
				Other       []struct{} `xml:",any"`
			} `xml:"osimage"`
			Kernel []string   `xml:"kernel"`
			Other  []struct{} `xml:",any"`
		}
		if err := xml.Unmarshal(made, &read); err != nil {
			t.Fatalf("%q: %v: %s", text, err, made)
		}
		var want []string
		if strings.TrimSpace(text) != "" {
			want = []string{text}
		}
		for _, got := range [][]string{read.OSImage.Description, read.Kernel} {
			if strings.Join(got, "|") != strings.Join(want, "|") || len(got) != len(want) {
				t.Errorf("%q is read as %q", text, got)
			}
		}
		if read.OSImage.Name != "i" || len(read.OSImage.Other)+len(read.Other) > 0 || bytes.Count(made, []byte("<kernel>")) > 1 {
			t.Errorf("%q has changed the rest: %s", text, made)
		}
	})
}
