package xcat

import (
	"slices"
	"strings"
	"testing"
)

func TestBundleName(t *testing.T) {
	for image, want := range map[string]string{
		"plain": "plain", "a b": "a_b", "a  \t b": "a_b", " a ": "_a_", "a\n": "a_", "\v\f": "_",
		"": "", "é\u00a0x": "é\u00a0x", "a_ b": "a__b", "\xff x": "\xff_x",
	} {
		if got := BundleName(image); got != want {
			t.Errorf("BundleName(%q) = %q, want %q", image, got, want)
		}
	}
}

func TestOffersRefuseNamesThatAreNone(t *testing.T) {
	for image, says := range map[string]string{
		"":                       "no name",
		" \t":                    "white space",
		"a/b":                    "slash",
		"a\x00b":                 "NUL",
		".":                      "dot",
		"..":                     "dot",
		".hidden":                "dot",
		"@node":                  "nodes",
		"-x":                     "option",
		"--help":                 "option",
		strings.Repeat("n", 245): "longer",
		strings.Repeat("n", 256): "at most",
	} {
		o := Offers([]string{image})[0]
		if o.Clash == nil || !strings.Contains(o.Clash.Error(), says) {
			t.Errorf("image %q: clash %v, want something with %q", image, o.Clash, says)
		}
	}
}

func TestOffersTakeOddNames(t *testing.T) {
	for _, image := range []string{"x-dash", "c69..", "a;b", "$HOME", "é", "x@y", "a\n", strings.Repeat("n", 244), "\xff"} {
		if o := Offers([]string{image})[0]; o.Clash != nil {
			t.Errorf("image %q: %v", image, o.Clash)
		}
	}
}

func TestOffersAreSharedOutInByteOrder(t *testing.T) {
	for name, c := range map[string]struct{ images, clash []string }{
		"no clash":                  {[]string{"b", "a"}, nil},
		"one underscored name":      {[]string{"a_b", "a b", "a\tb"}, []string{"a b", "a_b"}},
		"an image named as bundle":  {[]string{"a.tgz", "a"}, []string{"a.tgz"}},
		"as checksum":               {[]string{"a", "a.tgz.sha256"}, []string{"a.tgz.sha256"}},
		"as errors":                 {[]string{"a", "a.errors"}, []string{"a.errors"}},
		"one that clashed is free":  {[]string{"a", "a.tgz", "a.tgz.tgz"}, []string{"a.tgz"}},
		"but for its errors":        {[]string{"a", "a.tgz", "a.tgz.errors"}, []string{"a.tgz", "a.tgz.errors"}},
		"a bad name claims nothing": {[]string{"@a", "a"}, []string{"@a"}},
	} {
		t.Run(name, func(t *testing.T) {
			offers := Offers(c.images)
			var order, clash []string
			for _, o := range offers {
				order = append(order, o.Image)
				if o.Clash != nil {
					clash = append(clash, o.Image)
				}
			}
			if !slices.IsSorted(order) || len(order) != len(c.images) {
				t.Errorf("order %q", order)
			}
			if !slices.Equal(clash, c.clash) {
				t.Errorf("clash %q, want %q", clash, c.clash)
			}
		})
	}
}

// However images are named, no two offers share a file name, but for the
// .errors of those that clash.
func TestOffersNeverShareAName(t *testing.T) {
	var images []string
	for _, base := range []string{"a", "a b", "a_b", "b"} {
		for _, s1 := range []string{"", ".tgz", ".errors", ".tgz.sha256"} {
			for _, s2 := range []string{"", ".tgz", ".errors", " "} {
				images = append(images, base+s1+s2)
			}
		}
	}
	owner := map[string]string{}
	good := 0
	for _, o := range Offers(images) {
		if o.Clash != nil {
			continue
		}
		good++
		for _, suffix := range []string{"", BundleSuffix, ChecksumSuffix, ErrorsSuffix} {
			if other, taken := owner[o.Name+suffix]; taken {
				t.Errorf("%q and %q both have %s", other, o.Image, o.Name+suffix)
			}
			owner[o.Name+suffix] = o.Image
		}
	}
	if good < 2 {
		t.Errorf("only %d of %d images can be shown", good, len(images))
	}
}

func TestNamesOfErrorsCanBeThoseOfFilesAndKeepApart(t *testing.T) {
	long := strings.Repeat("x", 300)
	a, b := Offer{Name: long + "a"}.ErrorsName(), Offer{Name: long + "b"}.ErrorsName()
	if a == b || len(a) != maxFileName || len(b) != maxFileName {
		t.Errorf("%s, %s", a, b)
	}
	for name, want := range map[string]string{"a b": "a b.errors", "d/e": "d%2Fe.errors", "\x00": "%00.errors", "-x-": "%2Dx-.errors"} {
		if got := (Offer{Name: name}).ErrorsName(); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
