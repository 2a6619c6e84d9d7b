package xcat

import (
	"strings"
	"testing"
)

// FuzzOffers holds the names of a directory to this: whatever the images are called, no two
// files have one name, each name is one that a file can have, is no hidden one, leads
// nowhere else and is no option, and each image has its bundle or says why not.
func FuzzOffers(f *testing.F) {
	long := strings.Repeat("l", 250)
	for _, names := range []string{
		"a|b", "a b|a_b", "x|x.tgz|x.errors|x.tgz.sha256", "a/b|a%2Fb", "-x|%2Dx", ".|..|.hidden", "|  |\t", "@n1", "a\x00b|a%00b", long + "|" + long + "l|" + long + ".", "new\nline|new_line", "\x1b[2J|\u202e", "\xff", "../../x", "@", "-", "/|%2F",
	} {
		f.Add(names)
	}
	f.Fuzz(func(t *testing.T, text string) {
		images := strings.Split(text, "|")
		owner := map[string]string{}
		offers := Offers(images)
		if len(offers) != len(images) {
			t.Fatalf("%q: %d offers", images, len(offers))
		}
		for _, o := range offers {
			names := []string{o.Name, o.Name + BundleSuffix, o.Name + ChecksumSuffix}
			if o.Clash != nil {
				names = nil
			}
			for _, name := range append(names, o.ErrorsName()) {
				other, taken := owner[name]
				if taken && other != o.Image && name != o.ErrorsName() {
					t.Errorf("%q: %q and %q have the name %q", images, other, o.Image, name)
				}
				owner[name] = o.Image
				if problem := problemOfFileName(name, o.Clash != nil); problem != "" {
					t.Errorf("%q has the name %q, which %s", o.Image, name, problem)
				}
			}
			if strings.ContainsAny(o.Name, " \t\n\v\f\r") {
				t.Errorf("%q has the name %q in its bundle", o.Image, o.Name)
			}
		}
	})
}

// problemOfFileName says what is wrong with the name of a file on a mount.
func problemOfFileName(name string, onlyErrors bool) string {
	switch {
	case name == "" || len(name) > maxFileName:
		return "is too short or too long"
	case strings.ContainsAny(name, "/\x00"):
		return "is a path"
	case name == "." || name == ".." || name[0] == '.' && !onlyErrors:
		return "is hidden"
	case name[0] == '-' || name[0] == '@' && !onlyErrors:
		return "means something else"
	}
	return ""
}
