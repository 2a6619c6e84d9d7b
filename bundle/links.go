package bundle

import (
	"hash/fnv"

	"imgexportfs/bundle/source"
)

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
