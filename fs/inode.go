package fs

import (
	"hash/maphash"

	gofs "github.com/hanwen/go-fuse/v2/fs"
)

// inodeKey is what an inode stands for. What has another key may have other
// bytes; what has the same key has the same bytes.
type inodeKey struct {
	role        role
	view        view
	fingerprint [32]byte // of the version that a file belongs to
	attempt     uint64   // see version
	name        string   // of a member, a folder or a status file; the text of a .errors file
}

// inodeSeeds are drawn anew in every process, so nobody can choose names whose
// numbers are equal.
var inodeSeeds = [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}

// inode returns the inode number and generation of what k stands for. They are
// 126 bits of a hash, so that no table of numbers grows with what is looked up.
// go-fuse tells nodes apart by both.
func (k inodeKey) inode(kind uint32) gofs.StableAttr {
	const high = 1 << 62 // go-fuse and the kernel use small numbers
	return gofs.StableAttr{
		Mode: kind,
		Ino:  maphash.Comparable(inodeSeeds[0], k)/2 | high,
		Gen:  maphash.Comparable(inodeSeeds[1], k),
	}
}
