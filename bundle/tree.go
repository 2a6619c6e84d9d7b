package bundle

import (
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"imgexportfs/bundle/blocks"
	"imgexportfs/bundle/source"
)

// Tree is the content of rootimgtree.gz: a whole directory as a newc cpio
// archive in gzip. The archive is cut into chunks like a bundle is cut into
// segments, and each chunk is a gzip member of stored blocks. So the size is
// arithmetic, and a bundle can take a chunk for a segment and deflate it: the
// zcat of imgimport does not see the difference, and one changed file changes
// one segment.
//
// It does not change, and any number of bundles may share it.
type Tree struct {
	nodes  *treeNodes
	stream *stream
	chunks []segment  // of the cpio archive
	starts []int64    // of each chunk in rootimgtree.gz; the last one is its size
	hashes [][32]byte // of what decides the bytes of each chunk on this host
	plan   [32]byte   // of what every host knows of the tree without reading
}

// NewTree walks the directory name below dir and returns it as the content
// of rootimgtree.gz, entries named from name on. The findings say what of the
// tree an archive in newc format leaves out.
//
// An error says why the tree cannot be packed at all.
func NewTree(ctx context.Context, root *source.Root, dir, name string) (*Tree, source.Findings, error) {
	list, findings, err := source.Walk(ctx, root, dir, name)
	for i := range list {
		if n := &list[i]; n.IsRegular() && n.Size > cpioMaxFile {
			return nil, nil, fmt.Errorf("%s has %d bytes, and an archive in newc format holds files below 4 GiB: move it out of the tree", n.Name, n.Size)
		}
	}
	if err != nil {
		return nil, nil, err
	}
	tree, err := newTree(&treeNodes{root: root, dir: dir, list: list, links: findLinks(list)})
	return tree, findings, err
}

// newTree lays out the archive of the nodes of a walked directory.
func newTree(nodes *treeNodes) (*Tree, error) {
	stream := newStream(nodes)
	t := &Tree{nodes: nodes, stream: stream, chunks: stream.cut(), plan: nodes.planHash()}
	t.starts = startsOf(len(t.chunks), func(i int) int64 { return plainMemberSize(t.chunks[i].size()) })
	t.hashes = make([][32]byte, len(t.chunks))
	for i, c := range t.chunks {
		h := newFieldHash("tree chunk")
		if err := stream.hashRange(h, c.start, c.end); err != nil {
			return nil, err
		}
		t.hashes[i] = h.sum()
	}
	return t, nil
}

// Size is the exact length of rootimgtree.gz.
func (t *Tree) Size() int64 { return t.starts[len(t.starts)-1] }

// Dir is the directory that the tree was walked in, as the site spells it.
func (t *Tree) Dir() string { return t.nodes.dir + "/" + t.nodes.list[0].Name }

// Len is the number of entries in the archive, without the trailer.
func (t *Tree) Len() int { return len(t.nodes.list) }

// Memory is about how many bytes of memory the tree takes.
func (t *Tree) Memory() int64 {
	const node, chunk = 160, 120
	n := int64(len(t.nodes.list))*node + int64(len(t.chunks))*chunk
	for i := range t.nodes.list {
		n += int64(len(t.nodes.list[i].Name) + len(t.nodes.list[i].Target))
	}
	return n
}

// Same reports whether other holds the same bytes on this host: whether two
// walks have found the same.
func (t *Tree) Same(other *Tree) bool {
	return t.nodes.dir == other.nodes.dir && t.plan == other.plan && t.stamp() == other.stamp()
}

func (t *Tree) stamp() [32]byte {
	h := newFieldHash("tree")
	t.hashRange(h, 0, t.Size())
	return h.sum()
}

// ReadAt makes the chunks that hold the bytes asked for.
func (t *Tree) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > t.Size() || int64(len(p)) > t.Size()-off {
		return 0, fmt.Errorf("root image tree: %w", io.ErrUnexpectedEOF)
	}
	done := 0
	for c := range pieces(t.starts, off, off+int64(len(p))) {
		if c.size() == t.starts[c.i+1]-t.starts[c.i] { // made where it is wanted
			at := p[done : done+int(c.size()) : done+int(c.size())]
			if err := storeInto(at, t.stream, t.chunks[c.i], appendPlainMember); err != nil {
				return done, err
			}
			done += len(at)
			continue
		}
		member, err := t.member(c.i)
		if err != nil {
			return done, err
		}
		done += copy(p[done:], member[c.from:c.to])
		putBuffer(member)
	}
	return done, nil
}

// member makes the gzip member of chunk i, in memory of getBuffer.
func (t *Tree) member(i int) ([]byte, error) {
	c := t.chunks[i]
	return storedMember(t.stream, c, plainMemberSize(c.size()), appendPlainMember)
}

func (t *Tree) chunk(off int64) int64 { return t.starts[pieceAt(t.starts, off)+1] }

func (t *Tree) hashPlan(h *fieldHash) { h.bytes(t.plan[:]) }

// hashRange hashes the chunks that the range touches, whole.
func (t *Tree) hashRange(h *fieldHash, off, end int64) {
	for c := range pieces(t.starts, off, end) {
		h.bytes(t.hashes[c.i][:])
	}
}

// newest is the newest modification time in the tree.
func (t *Tree) newest() time.Time {
	latest := int64(0)
	for i := range t.nodes.list {
		latest = max(latest, t.nodes.list[i].MtimeNs)
	}
	return time.Unix(0, latest)
}

// treeBlob is rootimgtree.gz as a file of its own.
type treeBlob struct {
	*Tree
	made *atomic.Int64 // chunks
}

func (t treeBlob) recipe(i int) blocks.Recipe {
	h := newFieldHash("tree member")
	h.bytes(t.hashes[i][:])
	return blocks.Recipe{
		Key:  h.sum(),
		Size: bufferSize,
		Make: func() ([]byte, error) {
			t.made.Add(1)
			return t.member(i)
		},
	}
}

func (t treeBlob) quick(int) bool { return true }

func (t treeBlob) offsets(context.Context) ([]int64, error) { return t.starts, nil }

func (t treeBlob) wrongLength(i int, n int64) error {
	return fmt.Errorf("%s/%s: chunk %d came out with %d bytes", t.nodes.dir, t.nodes.list[0].Name, i, n)
}

// treeNodes are the files of a tree as cpio entries, in the order of the walk,
// and the trailer.
type treeNodes struct {
	root  *source.Root
	dir   string // that the names count from
	list  []source.Node
	links []link // of each node
}

// planHash hashes what every host knows of the tree without reading the files.
func (t *treeNodes) planHash() [32]byte {
	h := newFieldHash("tree plan")
	for i := range t.list {
		n, link := &t.list[i], t.links[i]
		h.string(n.Name)
		h.int(int64(n.Mode))
		h.int(int64(n.UID)<<32 | int64(n.GID))
		h.int(n.MtimeNs)
		h.int(t.bodySize(i))
		h.int(int64(n.Rdev))
		h.int(int64(link.count)<<32 | int64(link.ino))
		h.string(n.Target)
	}
	return h.sum()
}

func (t *treeNodes) count() int { return len(t.list) + 1 }

func (t *treeNodes) isTrailer(i int) bool { return i == len(t.list) }

func (t *treeNodes) align(i int) int64 {
	if t.isTrailer(i) {
		return cpioBlock
	}
	return cpioAlign
}

func (t *treeNodes) name(i int) string {
	if t.isTrailer(i) {
		return cpioTrailer
	}
	return t.list[i].Name
}

func (t *treeNodes) headSize(i int) int64 { return cpioHeadSize(t.name(i)) }

func (t *treeNodes) head(i int) ([]byte, error) {
	if t.isTrailer(i) {
		return cpioHead(cpioEntry{name: cpioTrailer, nlink: 1}), nil
	}
	n, link := &t.list[i], t.links[i]
	return cpioHead(cpioEntry{
		name: n.Name,
		ino:  link.ino, mode: n.Mode,
		uid: n.UID, gid: n.GID,
		nlink:  link.count,
		mtime:  n.MtimeNs / 1e9,
		size:   uint32(t.bodySize(i)),
		rmajor: unix.Major(n.Rdev), rmin: unix.Minor(n.Rdev),
	}), nil
}

func (t *treeNodes) bodySize(i int) int64 {
	switch {
	case t.isTrailer(i):
		return 0
	case t.links[i].data:
		return t.list[i].Size
	}
	return int64(len(t.list[i].Target))
}

func (t *treeNodes) body(i int) Content {
	switch {
	case t.bodySize(i) == 0:
		return nil
	case t.links[i].data:
		f := source.NodeFile(t.root, t.dir+"/"+t.list[i].Name, t.list[i].Identity)
		return File{&f}
	}
	return Bytes(t.list[i].Target)
}
