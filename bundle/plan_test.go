package bundle

import (
	"archive/tar"
	"bytes"
	"context"
	"os"
	"testing"
	"time"
)

// Whatever a bundle is made from shows in its plan and in its fingerprint.
func TestEveryFieldOfAMemberIsInThePlan(t *testing.T) {
	when := time.Unix(1_700_000_000, 5)
	base := Member{Name: "ab", Kind: Regular, Perm: 0o644, UID: 1, GID: 2, ModTime: when, Target: "cd", Content: Bytes("text")}
	device := Member{Name: "ab", Kind: CharDevice, Perm: 0o644, ModTime: when, Major: 1, Minor: 3}
	with := func(m Member, change func(*Member)) Member {
		change(&m)
		return m
	}
	plans, prints := map[[32]byte]string{}, map[[32]byte]string{}
	for name, m := range map[string]Member{
		"nothing":                   base,
		"name":                      with(base, func(m *Member) { m.Name = "ax" }),
		"kind":                      with(base, func(m *Member) { m.Kind = HardLink }),
		"mode":                      with(base, func(m *Member) { m.Perm = 0o600 }),
		"user":                      with(base, func(m *Member) { m.UID = 3 }),
		"group":                     with(base, func(m *Member) { m.GID = 3 }),
		"time":                      with(base, func(m *Member) { m.ModTime = when.Add(1) }),
		"target":                    with(base, func(m *Member) { m.Target = "cx" }),
		"content":                   with(base, func(m *Member) { m.Content = Bytes("tex!") }),
		"size":                      with(base, func(m *Member) { m.Content = Bytes("texts") }),
		"the border of two fields":  with(base, func(m *Member) { m.Name, m.Target = "abc", "d" }),
		"device":                    device,
		"device, major number":      with(device, func(m *Member) { m.Major = 2 }),
		"device, minor number":      with(device, func(m *Member) { m.Minor = 1 }),
		"device, numbers exchanged": with(device, func(m *Member) { m.Major, m.Minor = 3, 1 }),
	} {
		plan, print := planHash("img", []Member{m}, Codec{Auto, 6}), Fingerprint("img", []Member{m})
		if other, same := plans[plan]; same {
			t.Errorf("plan: another %q is another %q", name, other)
		}
		if other, same := prints[print]; same {
			t.Errorf("fingerprint: another %q is another %q", name, other)
		}
		plans[plan], prints[print] = name, name
	}
}

// Two lists of values with the same bytes in a row have different hashes.
func TestHashesKeepFieldsApart(t *testing.T) {
	sum := func(add ...string) [32]byte {
		h := newFieldHash("x")
		for _, v := range add {
			h.string(v)
		}
		return h.sum()
	}
	seen := map[[32]byte]int{}
	for i, values := range [][]string{{"ab", "c"}, {"a", "bc"}, {"abc"}, {"abc", ""}, {"", "abc"}} {
		if other, same := seen[sum(values...)]; same {
			t.Errorf("%q has the hash of list %d", values, other)
		}
		seen[sum(values...)] = i
	}
}

// A bundle's own plan and segments say how it is compressed: hosts share a cache.
func TestBundlesOfTwoCodecsShareNothing(t *testing.T) {
	text := prose(seeded(t), 300_000)
	plans, keys := map[[32]byte]Codec{}, map[[32]byte]Codec{}
	for _, c := range []Codec{{Auto, 1}, {Auto, 6}, {Auto, 9}, {Deflate, 6}, {Store, 6}} {
		b := newBundle(t, newEngine(t, EngineOptions{Codec: c}), "foo", bytesMember(t, "a", text))
		if other, same := plans[b.PlanHash()]; same {
			t.Errorf("%v has the plan of %v", c, other)
		}
		if other, same := keys[b.segs[0].key]; same {
			t.Errorf("%v has a segment of %v", c, other)
		}
		plans[b.PlanHash()], keys[b.segs[0].key] = c, c
	}
}

// The first header holds the plan, so the first segment of another plan is another one,
// although it holds the same part of the archive.
func TestTheFirstSegmentOfAnotherPlanIsAnother(t *testing.T) {
	r := seeded(t)
	first, second := noise(r, 2*segmentMax), noise(r, 100)
	e := newEngine(t, EngineOptions{})
	before := newBundle(t, e, "foo", bytesMember(t, "a", first), bytesMember(t, "b", second))
	want := whole(t, before)
	after := newBundle(t, e, "foo", bytesMember(t, "a", first), bytesMember(t, "b", noise(r, 100)))
	got := whole(t, after)
	if after.segs[0].segment != before.segs[0].segment {
		t.Fatalf("the first segments are %+v and %+v", before.segs[0].segment, after.segs[0].segment)
	}
	if bytes.Equal(got[:100], want[:100]) {
		t.Error("both have the same first header")
	}
	if size, err := after.Size(t.Context()); err != nil || size != int64(len(got)) {
		t.Errorf("size %d, %v, but %d bytes", size, err, len(got))
	}
}

// A change that leaves size and time of the bytes as they were shows in the time of the
// change.
func TestARewriteWithTheOldTimeIsAnotherFingerprint(t *testing.T) {
	root := siteRoot(t, t.TempDir())
	path := root.Dir() + "/kernel"
	writeFile(t, path, []byte("one"))
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	was := Fingerprint("foo", []Member{fileMember(t, root, "/kernel")})
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		writeFile(t, path, []byte("two"))
		if err := os.Chtimes(path, before.ModTime(), before.ModTime()); err != nil {
			t.Fatal(err)
		}
		if Fingerprint("foo", []Member{fileMember(t, root, "/kernel")}) != was {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the old fingerprint")
		}
	}
}

func TestTheTimeOfABundleIsThatOfItsNewestSource(t *testing.T) {
	root := siteRoot(t, t.TempDir())
	writeFile(t, root.Dir()+"/kernel", nil)
	writeFile(t, root.Dir()+"/rootimg/file", nil)
	old, newer := time.Unix(1_600_000_000, 900_000_000), time.Unix(1_700_000_000, 900_000_000)
	for path, at := range map[string]time.Time{"/kernel": old, "/rootimg/file": newer, "/rootimg": old} {
		if err := os.Chtimes(root.Dir()+path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	tree, _, err := NewTree(context.Background(), root, "/", "rootimg")
	if err != nil {
		t.Fatal(err)
	}
	m, err := NewRegular("rootimgtree.gz", 0o644, time.Time{}, tree)
	if err != nil {
		t.Fatal(err)
	}
	kernel := fileMember(t, root, "/kernel")
	if got := Newest([]Member{kernel, m}); !got.Equal(newer.Truncate(time.Second)) {
		t.Errorf("with a newer tree: %v", got)
	}
	if got := Newest([]Member{kernel}); !got.Equal(old.Truncate(time.Second)) {
		t.Errorf("without: %v", got)
	}
}

// headersOf are the headers of a bundle by name.
func headersOf(t *testing.T, b *Bundle) map[string]*tar.Header {
	t.Helper()
	headers := map[string]*tar.Header{}
	r := tar.NewReader(bytes.NewReader(gunzip(t, whole(t, b))))
	for h, err := r.Next(); err == nil; h, err = r.Next() {
		headers[h.Name] = h
	}
	return headers
}

func TestHeadersKeepModesAndCutTimesToSeconds(t *testing.T) {
	e := newEngine(t, EngineOptions{})
	m, err := NewRegular("su", 0o6755, time.Unix(1_700_000_000, 999_999_999), Bytes("x"))
	if err != nil {
		t.Fatal(err)
	}
	dir, err := NewDirectory("tmp", 0o1777, time.Unix(-1, 500_000_000))
	if err != nil {
		t.Fatal(err)
	}
	got := headersOf(t, newBundle(t, e, "img", m, dir))
	if h := got["./img/su"]; h == nil || h.Mode != 0o6755 || h.ModTime.UnixNano() != 1_700_000_000e9 {
		t.Errorf("su: %+v", h)
	}
	if h := got["./img/tmp/"]; h == nil || h.Mode != 0o1777 || h.ModTime.Unix() != -1 {
		t.Errorf("tmp: %+v", h)
	}
}
