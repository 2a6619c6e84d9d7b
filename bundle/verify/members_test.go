package verify

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"imgexportfs/bundle"
)

// Of another program's bundle every name is looked at, since tar would write there.
func TestNamesThatLeadOutOfABundleAreDamage(t *testing.T) {
	manifest := entry{"img/manifest.xml", "<xcatimage></xcatimage>"}
	for _, name := range []string{"../etc/passwd", "..", "../", "./../x", "img/..", "img/../../x", "/img/x", "//x", "img//x", "img/./x"} {
		result := check(t, gzipped(t, tarOf(t, manifest, entry{name, ""})))
		if result.Damage == nil || !strings.Contains(result.Damage.Error(), "leads out") {
			t.Errorf("%q: %v", name, result.Damage)
		}
	}
	for _, name := range []string{"./img/x", "img/x..", "img/..x", "./img/dir/", "img/"} {
		if result := check(t, gzipped(t, tarOf(t, manifest, entry{name, ""}))); result.Damage != nil {
			t.Errorf("%q: %v", name, result.Damage)
		}
	}
}

// imgimport moves each file that a manifest names, and fails where it is not one.
func TestMembersThatAManifestNamesMustBeThere(t *testing.T) {
	kernel := "<kernel>/install/k/kernel</kernel>"
	raw := "<rawimagefiles><files>/r/a.img</files><files>/r/b.img</files></rawimagefiles>"
	file, dir := "<extra><dest>/d</dest><src>/s/file</src></extra>", "<extra><dest>/d</dest><src>/s/dir/</src></extra>"
	for _, test := range []struct {
		name    string
		text    string
		members []entry
		says    string // "" if it is sound
	}{
		{"a kernel", kernel, []entry{{"img/kernel", "k"}}, ""},
		{"no kernel", kernel, nil, "names kernel"},
		{"a directory for a kernel", kernel, []entry{{"img/kernel/", ""}}, "names kernel"},
		{"both disk images", raw, []entry{{"img/a.img", ""}, {"img/b.img", ""}}, ""},
		{"one disk image of two", raw, []entry{{"img/a.img", ""}}, "names b.img"},
		{"an extra file", file, []entry{{"img/extra/file", ""}}, ""},
		{"no extra file", file, []entry{{"img/extra/other", ""}}, "names the extra file /s/file"},
		{"an extra directory", dir, []entry{{"img/extra/s/dir/", ""}}, ""},
		{"an extra directory elsewhere", dir, []entry{{"img/extra/x/dir/", ""}}, "names the extra file /s/dir/"},
		{"a file for an extra directory", dir, []entry{{"img/extra/s/dir", ""}}, "names the extra file /s/dir/"},
	} {
		archive := append([]entry{{"img/manifest.xml", "<xcatimage>" + test.text + "</xcatimage>"}}, test.members...)
		result := check(t, gzipped(t, tarOf(t, archive...)))
		switch {
		case test.says == "" && result.Damage != nil, test.says != "" && result.Damage == nil:
			t.Errorf("%s: %v", test.name, result.Damage)
		case test.says != "" && !strings.Contains(result.Damage.Error(), test.says):
			t.Errorf("%s: %v, want %q", test.name, result.Damage, test.says)
		}
	}
}

func TestPostscriptsOfABundleAreToldToWhoComparesIt(t *testing.T) {
	text := "<xcatimage><postscripts>a,b</postscripts><postbootscripts>c</postbootscripts></xcatimage>"
	data := packed(t, []bundle.Member{regular(t, bundle.Manifest, []byte(text))}, bundle.Codec{})
	asked := false
	_, err := Read(t.Context(), bytes.NewReader(data), Options{Against: func(_ context.Context, head Head) (*Reference, error) {
		asked = true
		if head.Manifest.Scripts["postscripts"] != "a,b" || head.Manifest.Scripts["postbootscripts"] != "c" {
			t.Errorf("scripts %q", head.Manifest.Scripts)
		}
		return nil, nil
	}})
	if err != nil || !asked {
		t.Errorf("asked %v, %v", asked, err)
	}
}

// What a header says beside the bytes is compared in full.
func TestNumbersOfDevicesAndOwnersAreCompared(t *testing.T) {
	device := func(major, minor uint32) bundle.Member {
		m, err := bundle.NewDevice("kit/dev", bundle.BlockDevice, 0o600, time.Unix(5, 0), major, minor)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	manifest := regular(t, bundle.Manifest, []byte("<xcatimage></xcatimage>"))
	for _, test := range []struct {
		have, want bundle.Member
		what       []string
	}{
		{device(8, 1), device(8, 1), nil},
		{device(8, 1), device(8, 2), []string{"kit/dev (device)"}},
		{device(8, 1), device(9, 1), []string{"kit/dev (device)"}},
		{device(8, 1).WithOwner(1, 2), device(8, 1).WithOwner(1, 2), nil},
		{device(8, 1).WithOwner(1, 2), device(8, 1).WithOwner(1, 3), []string{"kit/dev (owner)"}},
		{device(8, 1).WithOwner(1, 2), device(8, 1).WithOwner(3, 2), []string{"kit/dev (owner)"}},
	} {
		data := packed(t, []bundle.Member{manifest, test.have}, bundle.Codec{})
		if got := compared(t, data, []bundle.Member{manifest, test.want}); !slices.Equal(found(got), test.what) {
			t.Errorf("%+v and %+v: %q, want %q, %v", test.have, test.want, found(got), test.what, got.Damage)
		}
	}
}

// Each block of a content is compared, whatever its length.
func TestADifferenceInAnyBlockIsFound(t *testing.T) {
	r := seeded(t)
	manifest := regular(t, bundle.Manifest, []byte("<xcatimage></xcatimage>"))
	text := noise(r, 2*compareBlock+1000)
	data := packed(t, []bundle.Member{manifest, regular(t, "disk", text)}, bundle.Codec{})
	for _, at := range []int{-1, 0, compareBlock - 1, compareBlock, 2*compareBlock - 1, 2 * compareBlock, len(text) - 1} {
		site, want := slices.Clone(text), []string(nil)
		if at >= 0 {
			site[at] ^= 1
			want = []string{"disk (content)"}
		}
		if got := compared(t, data, []bundle.Member{manifest, regular(t, "disk", site)}); !slices.Equal(found(got), want) {
			t.Errorf("byte %d: %q, %v", at, found(got), got.Damage)
		}
	}
}
