package verify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"imgexportfs/bundle"
)

// compared reads a bundle and compares it with members.
func compared(t *testing.T, data []byte, ms []bundle.Member) *Result {
	t.Helper()
	against := func(_ context.Context, head Head) (*Reference, error) {
		return &Reference{Members: ms, Extras: head.Manifest != nil}, nil
	}
	result, err := Read(t.Context(), bytes.NewReader(data), Options{Against: against})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// found are the differences in short: "kernel (size)", "row osimage.osvers".
func found(r *Result) []string {
	var out []string
	for _, d := range r.Differences {
		out = append(out, fmt.Sprintf("%s (%s)", d.Member, d.What))
	}
	for _, row := range r.Rows {
		out = append(out, "row "+row)
	}
	slices.Sort(out)
	return out
}

func TestDifferencesFromTheSiteAreNamed(t *testing.T) {
	r := seeded(t)
	ms := members(t, r)
	data := packed(t, ms, bundle.Codec{})
	plain := plainOf(t, data)
	change := func(name string, to func(*bundle.Member)) []bundle.Member {
		out := slices.Clone(ms)
		i := slices.IndexFunc(out, func(m bundle.Member) bool { return m.Name == name })
		to(&out[i])
		return out
	}
	rootimg := slices.Clone([]byte(ms[2].Content.(bundle.Bytes)))
	rootimg[len(rootimg)-1] ^= 1
	manifest := func(old, new string) []bundle.Member {
		return change(bundle.Manifest, func(m *bundle.Member) {
			m.Content = bundle.Bytes(strings.Replace(manifestText, old, new, 1))
		})
	}
	device, err := bundle.NewDevice("hpc/link", bundle.CharDevice, 0o644, time.Now(), 1, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		site    []bundle.Member
		want    []string
		foreign bool // whether the bundle of another program differs too
	}{
		{"nothing", ms, nil, true},
		{"the last byte of a large file", change("rootimg.gz", func(m *bundle.Member) { m.Content = bundle.Bytes(rootimg) }), []string{"rootimg.gz (content)"}, true},
		{"the size", change("kernel", func(m *bundle.Member) { m.Content = bundle.Bytes("short") }), []string{"kernel (size)"}, true},
		{"the mode", change("kernel", func(m *bundle.Member) { m.Perm = 0o755 }), []string{"kernel (mode)"}, true},
		{"the time", change("kernel", func(m *bundle.Member) { m.ModTime = time.Unix(5, 0) }), []string{"kernel (time)"}, false},
		{"the owner", change("kernel", func(m *bundle.Member) { m.UID = 5 }), []string{"kernel (owner)"}, false},
		{"the target", change("hpc/link", func(m *bundle.Member) { m.Target = "else" }), []string{"hpc/link (target)"}, true},
		{"the type", change("hpc/link", func(m *bundle.Member) { *m = device }), []string{"hpc/link (type)"}, true},
		{"a new file", append(slices.Clone(ms), regular(t, "new", nil)), []string{"new (new)"}, true},
		{"a file less", slices.DeleteFunc(slices.Clone(ms), func(m bundle.Member) bool { return m.Name == "a.exlist" }), []string{"a.exlist (gone)"}, true},
		{"a value", manifest("rhels9", "rhels10"), []string{"row osimage.osvers"}, true},
		{"a column less", manifest("<exlist>/x/a.exlist,/x/gone.exlist</exlist>", ""), []string{"row linuximage.exlist"}, true},
		{"the order of the manifest", manifest("<kernel>/install/k/kernel</kernel>", "\n <kernel>/install/k/kernel</kernel>\n\n"), nil, true},
		{"a column of a kit", manifest("<kitname>hpc</kitname>", "<kitname>hpc</kitname><version>2</version>"), []string{"row kit[hpc].version"}, true},
	} {
		if got := compared(t, data, test.site); got.Damage != nil || !got.Compared || !slices.Equal(found(got), test.want) {
			t.Errorf("%s: %q, want %q (%v)", test.name, found(got), test.want, got.Damage)
		}
		want := test.want
		if !test.foreign {
			want = nil
		}
		if got := compared(t, plain, test.site); got.Damage != nil || !got.Foreign || !slices.Equal(found(got), want) {
			t.Errorf("%s, in the bundle of another program: %q, want %q (%v)", test.name, found(got), want, got.Damage)
		}
	}
}

// plainOf is the same archive in one gzip member.
func plainOf(t *testing.T, data []byte) []byte { return gzipped(t, unpack(data)) }

// Chunks of one file that have changed places have good checksums all the same.
func TestSwappedChunksOfOneFileAreFoundByComparing(t *testing.T) {
	ms := members(t, seeded(t))
	data := packed(t, ms, bundle.Codec{})
	b := starts(t, data)
	rootimg := slices.IndexFunc(b[:len(b)-2], func(at int) bool { return at > 2_000 && data[at+headLength]&6 == 0 }) // its first stored segment
	swapped := join(data[:b[rootimg]], data[b[rootimg+1]:b[rootimg+2]], data[b[rootimg]:b[rootimg+1]], data[b[rootimg+2]:])
	if got := check(t, swapped); got.Damage != nil {
		t.Fatalf("%v: these are not two chunks of one file", got.Damage)
	}
	if got := compared(t, swapped, ms); !slices.Equal(found(got), []string{"rootimg.gz (content)"}) {
		t.Errorf("%q, want the content of rootimg.gz", found(got))
	}
}

func TestLitefileIsComparedByLines(t *testing.T) {
	csv := func(lines ...string) []bundle.Member {
		return []bundle.Member{
			regular(t, bundle.Manifest, []byte("<xcatimage><litefile>/x/litefile.csv</litefile></xcatimage>")),
			regular(t, "litefile.csv", []byte(strings.Join(lines, ""))),
		}
	}
	one, two, other := "\"img\",\"/etc/one\",\"tmpfs\",,\n", "\"img\",\"/etc/two\",\"tmpfs\",,\n", "\"img\",\"/etc/two\",\"rw\",,\n"
	data := packed(t, csv(one, two), bundle.Codec{})
	for _, test := range []struct {
		site []bundle.Member
		want []string
	}{
		{csv(one, two), nil},
		{csv(one, other), []string{"row litefile[/etc/two]"}},
		{csv(one), []string{"row litefile[/etc/two]"}},
		{csv(two, one), []string{"row litefile (order)"}},
		{csv(one, two, "odd\n"), []string{"row litefile"}},
	} {
		if got := compared(t, data, test.site); !slices.Equal(found(got), test.want) {
			t.Errorf("%q, want %q (%v)", found(got), test.want, got.Damage)
		}
	}
}

// unreadable is content that a site cannot read.
type unreadable struct{ bundle.Content }

func (unreadable) ReadAt([]byte, int64) (int, error) { return 0, errors.New("file has changed") }

func TestASiteThatCannotBeReadLeavesTheBundleSound(t *testing.T) {
	ms := members(t, seeded(t))
	data := packed(t, ms, bundle.Codec{})
	site := slices.Clone(ms)
	site[1].Content = unreadable{site[1].Content}
	got := compared(t, data, site)
	if got.Damage != nil || got.Compared || !errors.Is(got.NotCompared, ErrReference) {
		t.Errorf("%+v", got)
	}
	data[len(data)-20] ^= 1
	if got := compared(t, data, site); got.Damage == nil {
		t.Error("damage behind the member that could not be compared is not found")
	}
}

func TestQuickReadsNoFurtherThanTheManifest(t *testing.T) {
	ms := members(t, seeded(t))
	data := packed(t, append(ms, regular(t, "zzz", noise(seeded(t), 8<<20))), bundle.Codec{})
	for _, data := range [][]byte{data, plainOf(t, data)} {
		r, asked := &endless{head: data, text: []byte("x")}, 0
		_, err := Read(t.Context(), r, Options{Quick: true, Against: func(_ context.Context, head Head) (*Reference, error) {
			asked++
			if head.Image != "img" || head.Manifest == nil {
				t.Errorf("image %q, manifest %v", head.Image, head.Manifest)
			}
			return nil, nil
		}})
		if read := r.read.Load(); err != nil || asked != 1 || read > 5<<20 {
			t.Errorf("%v, asked %d times, %d of %d bytes read", err, asked, read, len(data))
		}
	}
}

func TestExtrasAreComparedOnlyWithAReferenceThatHasThem(t *testing.T) {
	extra := `<extra><dest>/d</dest><src>/s/file</src></extra><extra><dest>/d</dest><src>/s/dir/</src></extra>`
	ms := []bundle.Member{
		regular(t, bundle.Manifest, []byte("<xcatimage>"+extra+"</xcatimage>")),
		directory(t, "extra"), directory(t, "extra/s"), directory(t, "extra/s/dir"),
		regular(t, "extra/s/dir/x", []byte("x")), regular(t, "extra/file", []byte("f")),
	}
	site := []bundle.Member{regular(t, bundle.Manifest, []byte("<xcatimage></xcatimage>"))}
	data := packed(t, ms, bundle.Codec{})
	for _, extras := range []bool{true, false} {
		result, err := Read(t.Context(), bytes.NewReader(data), Options{Against: func(context.Context, Head) (*Reference, error) {
			return &Reference{Members: site, Extras: extras}, nil
		}})
		if err != nil || result.Damage != nil || len(found(result)) > 0 != extras {
			t.Errorf("extras %v: %v, %q, %v", extras, err, found(result), result.Damage)
		}
	}
}
