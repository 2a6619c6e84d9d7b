package bundle

import (
	"hash/fnv"

	"golang.org/x/sys/unix"
)

// linkNodes finds the hard links in the tree, numbers the inodes, and lets
// the last link of each file carry its bytes, as GNU cpio does. The numbers
// come from names and not from a counter, so that a new file does not change
// the headers of those behind it.
func linkNodes(list []treeNode) {
	type file struct{ dev, ino uint64 }
	links := map[file][]int{}
	for i := range list {
		n := &list[i]
		n.ino = inodeOf(n.name)
		n.data = n.mode&unix.S_IFMT == unix.S_IFREG
		if n.data && n.nlink > 1 {
			key := file{n.dev, n.id.Ino}
			links[key] = append(links[key], i)
		}
		n.nlink = 1
	}
	taken := map[uint32]bool{}
	for i := range list {
		group := links[file{list[i].dev, list[i].id.Ino}]
		if len(group) < 2 || group[0] != i {
			continue
		}
		ino := list[i].ino
		for taken[ino] {
			ino++
		}
		taken[ino] = true
		for _, j := range group {
			list[j].ino, list[j].nlink = ino, uint32(len(group))
			list[j].data = j == group[len(group)-1]
		}
	}
}

// inodeOf is the inode number of a name. Readers use it only to tell which
// links belong together.
func inodeOf(name string) uint32 {
	h := fnv.New32a()
	_, _ = h.Write([]byte(name))
	return h.Sum32()
}
