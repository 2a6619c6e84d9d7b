package bundle

import (
	"archive/tar"
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

func TestHardLinksAreStoredOnce(t *testing.T) {
	data := noise(seeded(t), 700_000)
	when := time.Unix(1e9, 0)
	file := func(name string) Member {
		m, err := NewRegular(name, 0o640, when, Bytes(data))
		if err != nil {
			t.Fatal(err)
		}
		return m.WithOwner(5, 6)
	}
	long := strings.Repeat("x", 120)
	var links []Member
	for _, name := range []string{"d/b", "d/" + long} {
		m, err := NewHardLink(file(name), "d/a")
		if err != nil {
			t.Fatal(err)
		}
		links = append(links, m)
	}
	b := newBundle(t, newEngine(t, EngineOptions{}), "img", links[1], file("d/a"), links[0])
	if n := b.StreamSize(); n > 710_000 {
		t.Errorf("%d bytes, so the file is stored more than once", n)
	}
	r := tar.NewReader(bytes.NewReader(gunzip(t, whole(t, b))))
	var got []string
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeLink {
			got = append(got, h.Name+" "+h.Linkname)
			if h.Size != 0 || h.Uid != 5 || h.Gid != 6 || h.Mode != 0o640 || !h.ModTime.Equal(when) {
				t.Errorf("header %+v", h)
			}
		}
	}
	if want := "./img/d/b ./img/d/a|./img/d/" + long + " ./img/d/a"; strings.Join(got, "|") != want {
		t.Errorf("links %q, want %q", got, want)
	}
}

func TestLinksThatLeadNowhereAreRefused(t *testing.T) {
	file := bytesMember(t, "b", []byte("x"))
	for _, target := range []string{"", "b", "c"} {
		if _, err := NewHardLink(file, target); err == nil {
			t.Errorf("a link to %q is made", target)
		}
	}
	if _, err := NewHardLink(Member{Name: "b", Kind: Directory}, "a"); err == nil {
		t.Error("a link to a directory is made")
	}
	link, err := NewHardLink(file, "a")
	if err != nil {
		t.Fatal(err)
	}
	e := newEngine(t, EngineOptions{})
	if _, err := e.NewBundle(t.Context(), "img", []Member{link}); err == nil {
		t.Error("a link without its file is in a bundle")
	}
	if _, err := e.NewBundle(t.Context(), "img", []Member{link, bytesMember(t, "a", []byte("longer"))}); err == nil {
		t.Error("a link to a file of another size is in a bundle")
	}
}

func TestSpecialFilesHaveNoBytes(t *testing.T) {
	fifo, err := NewFifo("fifo", 0o600, time.Unix(1e9, 0))
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]byte{"./img/fifo": tar.TypeFifo, "./img/c": tar.TypeChar, "./img/b": tar.TypeBlock}
	members := []Member{fifo}
	for name, kind := range map[string]Kind{"c": CharDevice, "b": BlockDevice} {
		m, err := NewDevice(name, kind, 0o640, time.Unix(1e9, 0), 300, 70_000)
		if err != nil {
			t.Fatal(err)
		}
		members = append(members, m)
	}
	b := newBundle(t, newEngine(t, EngineOptions{}), "img", members...)
	r := tar.NewReader(bytes.NewReader(gunzip(t, whole(t, b))))
	found := 0
	for h, err := r.Next(); err == nil; h, err = r.Next() {
		if kind, special := made[h.Name]; special {
			found++
			if h.Typeflag != kind || h.Size != 0 || kind != tar.TypeFifo && (h.Devmajor != 300 || h.Devminor != 70_000) {
				t.Errorf("header %+v", h)
			}
		}
	}
	if found != len(made) {
		t.Errorf("%d of %d found", found, len(made))
	}
	if _, err := NewDevice("x", Regular, 0, time.Time{}, 1, 1); err == nil {
		t.Error("a regular device is made")
	}
	// Only the number differs.
	other := members[1]
	other.Minor++
	if Fingerprint("img", members[1:2]) == Fingerprint("img", []Member{other}) {
		t.Error("another device has the same fingerprint")
	}
}
