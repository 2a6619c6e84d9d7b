package bundle

import (
	"encoding/binary"
	"slices"
	"time"
)

// FormatVersion is the version of the layout of bundles. It is part of every
// plan, so bundles of two versions never pass for the same.
const FormatVersion = 2

// paddingMax is the most padding in the first gzip header.
const paddingMax = 1023

// undated is the time of a bundle that holds no source file, whose time it
// could have. Any fixed time will do; tar warns of 1970.
var undated = time.Date(2000, time.January, 1, 0, 0, 0, 0, time.UTC)

// Newest returns the newest modification time among the sources, in whole
// seconds: what tar headers hold and rsync compares. Without any source it is
// a fixed time.
func Newest(members []Member) time.Time {
	latest := time.Time{}
	later := func(t time.Time) {
		if t.After(latest) {
			latest = t
		}
	}
	for _, m := range members {
		later(m.ModTime)
		if tree, ok := m.Content.(*Tree); ok {
			later(tree.newest())
		}
	}
	if latest.IsZero() {
		return undated
	}
	return latest.Truncate(time.Second)
}

// planHash is a hash of all that decides a bundle's bytes and can be known
// without reading the sources: names, modes, sizes and times of the members
// and of the entries of the tree, and the content of what is generated.
// Nothing in it belongs to one host, such as an inode number.
func planHash(top string, members []Member, c Codec) [32]byte {
	s := newFieldHash("plan")
	s.int(FormatVersion)
	s.string(c.version())
	s.string(top)
	hashMembers(s, members, Content.hashPlan)
	return s.sum()
}

// IsPlanOf reports whether a bundle with this hash in its first header was planned from
// the members, in whatever way it was compressed. It reads nothing.
func IsPlanOf(plan [32]byte, top string, members []Member) bool {
	members = slices.Clone(members)
	sortMembers(members)
	codecs := []Codec{{Compression: Store}}
	for level := 1; level <= 9; level++ {
		codecs = append(codecs, Codec{Auto, level}, Codec{Deflate, level})
	}
	return slices.ContainsFunc(codecs, func(c Codec) bool { return planHash(top, members, c) == plan })
}

// Fingerprint is a hash of the plan and of the identity of every source. As
// long as it stays the same, so does every byte of the bundle; another one
// asks for a new version. It holds only on this host.
func Fingerprint(top string, members []Member) [32]byte {
	s := newFieldHash("fingerprint")
	s.string(top)
	hashMembers(s, members, func(c Content, s *fieldHash) {
		c.hashPlan(s)
		c.hashRange(s, 0, c.Size())
	})
	return s.sum()
}

func hashMembers(s *fieldHash, members []Member, content func(Content, *fieldHash)) {
	for _, m := range members {
		s.string(m.Name)
		s.int(int64(m.Kind))
		s.int(int64(m.Perm))
		s.int(int64(m.UID))
		s.int(int64(m.GID))
		s.int(m.ModTime.UnixNano())
		s.string(m.Target)
		if m.Kind == CharDevice || m.Kind == BlockDevice {
			s.int(int64(m.Major))
			s.int(int64(m.Minor))
		}
		if m.Content != nil {
			s.int(m.Content.Size())
			content(m.Content, s)
		}
	}
}

// planPayload is the subfield of the first gzip header: a version byte, the
// plan's hash, and 0 to 1023 zeros, as many as the hash says. So the size of
// a bundle changes with its plan (but once in 1024 times) even where rsync
// could not tell by time or content length that a row has changed.
func planPayload(plan [32]byte) []byte {
	padding := binary.LittleEndian.Uint16(plan[:]) & paddingMax
	payload := make([]byte, 1, 1+len(plan)+int(padding))
	payload[0] = FormatVersion
	payload = append(payload, plan[:]...)
	return payload[:cap(payload)]
}
