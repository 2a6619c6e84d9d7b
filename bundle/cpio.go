package bundle

import (
	"hash/fnv"

	"imgexportfs/bundle/source"
)

// The newc format of cpio (cpio(5), "New ASCII Format"): a header of 110
// characters, the name with a NUL, zeros to a multiple of 4, the data, zeros
// to a multiple of 4.

const (
	cpioHeader  = 110
	cpioAlign   = 4
	cpioMaxFile = 1<<32 - 1 // sizes have eight hexadecimal digits
	cpioBlock   = 512       // GNU cpio pads the archive to whole blocks
	cpioTrailer = "TRAILER!!!"
)

// cpioEntry is what a newc header says.
type cpioEntry struct {
	name         string
	ino, mode    uint32
	uid, gid     uint32
	nlink        uint32
	mtime        int64 // seconds since the epoch; clipped to what 32 bits hold
	size         uint32
	rmajor, rmin uint32
}

// cpioHeadSize is the length of the header and the padded name.
func cpioHeadSize(name string) int64 { return alignUp(int64(cpioHeader+len(name)+1), cpioAlign) }

// cpioHead returns the header and the padded name.
func cpioHead(e cpioEntry) []byte {
	head := make([]byte, cpioHeadSize(e.name))
	mtime := uint32(min(max(e.mtime, 0), 1<<32-1))
	at := copy(head, "070701")
	for _, field := range [...]uint32{
		e.ino, e.mode, e.uid, e.gid, e.nlink, mtime, e.size,
		0, 0, // the device: links are told by ino alone
		e.rmajor, e.rmin,
		uint32(len(e.name) + 1),
		0, // no checksum in this format
	} {
		putHex((*[8]byte)(head[at:]), field)
		at += 8
	}
	copy(head[at:], e.name)
	return head
}

// putHex writes eight digits. Package fmt takes as long for a header as
// deflate does for a small file.
func putHex(b *[8]byte, v uint32) {
	const digits = "0123456789ABCDEF"
	for i := range b {
		b[i] = digits[v>>28]
		v <<= 4
	}
}

// link is how a node of a tree stands in the archive.
type link struct {
	ino   uint32 // tells which nodes are one file
	count uint32 // how many they are
	data  bool   // a regular file whose entry holds the bytes
}

// findLinks finds the hard links in a tree, numbers the inodes, and lets the
// last link of each file hold its bytes, as GNU cpio does. The numbers come from
// names and not from a counter, so that a new file does not change the headers of
// those behind it.
func findLinks(nodes []source.Node) []link {
	type file struct{ dev, ino uint64 }
	links := make([]link, len(nodes))
	groups := map[file][]int{}
	for i := range nodes {
		n := &nodes[i]
		links[i] = link{ino: inodeOf(n.Name), count: 1, data: n.IsRegular()}
		if n.IsRegular() && n.Nlink > 1 {
			key := file{n.Dev, n.Ino}
			groups[key] = append(groups[key], i)
		}
	}
	taken := map[uint32]bool{}
	for i := range nodes {
		group := groups[file{nodes[i].Dev, nodes[i].Ino}]
		if len(group) < 2 || group[0] != i {
			continue
		}
		ino := links[i].ino
		for taken[ino] {
			ino++
		}
		taken[ino] = true
		for _, j := range group {
			links[j] = link{ino: ino, count: uint32(len(group)), data: j == group[len(group)-1]}
		}
	}
	return links
}

// inodeOf is the inode number of a name. Readers use it only to tell which
// links belong together.
func inodeOf(name string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return h.Sum32()
}
