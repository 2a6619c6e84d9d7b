package tablesdump

import (
	"encoding/xml"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestXMLIsWrittenAsXMLSimpleDoes(t *testing.T) {
	for name, c := range map[string]struct {
		root Element
		want string
	}{
		"keys in byte order, two blanks a level": {
			Group("xcatimage",
				Group("osimage", Value("osvers", "rhels9"), Value("imagename", "a")),
				Value("kernel", "/k"),
				Group("Z", Value("x", "1"))),
			"<xcatimage>\n  <Z>\n    <x>1</x>\n  </Z>\n  <kernel>/k</kernel>\n  <osimage>\n    <imagename>a</imagename>\n    <osvers>rhels9</osvers>\n  </osimage>\n</xcatimage>\n",
		},
		"repeated elements keep their order": {
			Group("r", Group("f", Value("files", "b"), Value("files", "a")), Group("e", Value("x", "2")), Group("e", Value("x", "1"))),
			"<r>\n  <e>\n    <x>2</x>\n  </e>\n  <e>\n    <x>1</x>\n  </e>\n  <f>\n    <files>b</files>\n    <files>a</files>\n  </f>\n</r>\n",
		},
		"name stands first": {
			Group("r", Group("kit", Value("basename", "b"), Value("name", "k"))),
			"<r>\n  <kit>\n    <name>k</name>\n    <basename>b</basename>\n  </kit>\n</r>\n",
		},
		"markup is escaped, the apostrophe is not": {
			Group("r", Value("v", `a & b < c > d " e ' f ]]>`)),
			"<r>\n  <v>a &amp; b &lt; c &gt; d &quot; e ' f ]]&gt;</v>\n</r>\n",
		},
		"CR is a reference, LF and TAB are bare": {
			Group("r", Value("v", "a\r\n\tb\rc")),
			"<r>\n  <v>a&#13;\n\tb&#13;c</v>\n</r>\n",
		},
		"blanks around a value are kept":     {Group("r", Value("v", "  x ")), "<r>\n  <v>  x </v>\n</r>\n"},
		"white space of Unicode is left out": {Group("r", Value("a", "\u00a0"), Value("b", "\u0085 \u2028"), Value("c", "\u00a0x")), "<r>\n  <c>\u00a0x</c>\n</r>\n"},
		"a value of white space is left out": {Group("r", Value("a", " \t\r\n"), Value("b", ""), Value("c", "0")), "<r>\n  <c>0</c>\n</r>\n"},
		"UTF-8 and DEL are characters":       {Group("r", Value("v", "é日\x7f\U0001F600\u00a0")), "<r>\n  <v>é日\x7f\U0001F600\u00a0</v>\n</r>\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := XML(c.root)
			if err != nil {
				t.Fatal(err)
			}
			if want := "<?xml version=\"1.0\"?>\n" + c.want; string(got) != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestXMLDoesNotReorderTheCallersElements(t *testing.T) {
	children := []Element{Value("b", "1"), Value("a", "2")}
	if _, err := XML(Group("r", children...)); err != nil {
		t.Fatal(err)
	}
	if children[0].name != "b" {
		t.Error("XML sorted the slice it was given")
	}
}

func TestXMLRefusesWhatXMLCannotCarry(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		offset int
		bad    byte
	}{
		"control byte":             {"bell\a esc\x1b", 4, 0x07},
		"NUL":                      {"\x00", 0, 0},
		"Latin-1":                  {"latin1 \xe9 end", 7, 0xe9},
		"after characters":         {"é日\x01", 5, 0x01},
		"truncated character":      {"a\xe6\x97", 1, 0xe6},
		"surrogate":                {"\xed\xa0\x80", 0, 0xed},
		"U+FFFE":                   {"x\ufffe", 1, 0xef},
		"U+FFFF":                   {"x\uffff", 1, 0xef},
		"vertical tab alone":       {" \v", 1, '\v'},
		"the first of several":     {"ok \x02\x03", 3, 2},
		"a value otherwise blank":  {" \x05 ", 1, 5},
		"beyond the last code":     {"\xf4\x90\x80\x80", 0, 0xf4},
		"overlong encoding":        {"\xc0\xaf", 0, 0xc0},
		"replacement, then broken": {"\ufffd\xff", 3, 0xff},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := XML(Group("xcatimage", Group("osimage", Value("comments", c.text))))
			var bad *BadByteError
			if !errors.As(err, &bad) {
				t.Fatalf("got %v, want a BadByteError", err)
			}
			if bad.Offset != c.offset || bad.Byte != c.bad {
				t.Errorf("byte %#x at %d, want %#x at %d", bad.Byte, bad.Offset, c.bad, c.offset)
			}
			if want := []string{"osimage", "comments"}; !slices.Equal(bad.Path, want) {
				t.Errorf("path %q, want %q", bad.Path, want)
			}
		})
	}
}

// Every value that XML takes comes back from an independent reader.
func TestXMLRoundTrip(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	alphabet := []rune("ab&<>\"' \t\r\n]日é\U0001F600\ufffd\x7f")
	for range 2000 {
		text := "x"
		for range rng.IntN(12) {
			text += string(alphabet[rng.IntN(len(alphabet))])
		}
		doc, err := XML(Group("r", Value("v", text)))
		if err != nil {
			t.Fatal(err)
		}
		var back struct {
			V string `xml:"v"`
		}
		if err := xml.Unmarshal(doc, &back); err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if back.V != text {
			t.Fatalf("wrote %q, read %q", text, back.V)
		}
	}
}

func TestBadByteErrorNamesTheElement(t *testing.T) {
	_, err := XML(Group("xcatimage", Value("kernel", "\x01")))
	if err == nil || !strings.Contains(err.Error(), "<kernel>") || !strings.Contains(err.Error(), "offset 0") {
		t.Errorf("got %v", err)
	}
}
