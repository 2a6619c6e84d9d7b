package bundle

import (
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// Tree is the content of rootimgtree.gz: a whole directory as a newc cpio
// archive in gzip. The archive is cut into chunks like a bundle is cut into
// segments, and each chunk is a gzip member of stored blocks. So the size is
// arithmetic, and a bundle can take a chunk for a segment and deflate it: the
// zcat of imgimport does not see the difference, and one changed file changes
// one segment.
type Tree struct {
	nodes  *treeNodes
	stream *stream
	chunks []segment // of the cpio archive
	starts []int64   // of each chunk in rootimgtree.gz; the last one is its size
}

// newTree lays out the archive of the nodes of a walked directory.
func newTree(nodes *treeNodes) *Tree {
	stream := &stream{entries: nodes, starts: nodes.starts()}
	t := &Tree{nodes: nodes, stream: stream, chunks: stream.cut()}
	t.starts = make([]int64, len(t.chunks)+1)
	for i, c := range t.chunks {
		t.starts[i+1] = t.starts[i] + plainMemberSize(c.size())
	}
	return t
}

// Size is the exact length of rootimgtree.gz.
func (t *Tree) Size() int64 { return t.starts[len(t.starts)-1] }

// Len is the number of entries in the archive, without the trailer.
func (t *Tree) Len() int { return len(t.nodes.list) }

// ReadAt makes the chunks that hold the bytes asked for.
func (t *Tree) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > t.Size() || int64(len(p)) > t.Size()-off {
		return 0, fmt.Errorf("root image tree: %w", io.ErrUnexpectedEOF)
	}
	total := len(p)
	raw, made := getRaw(), getRaw()
	defer putRaw(raw)
	defer putRaw(made)
	for i := covering(t.starts, off); len(p) > 0; i++ {
		at, length := off-t.starts[i], t.starts[i+1]-t.starts[i]
		n := int(length)
		if at == 0 && length <= int64(len(p)) {
			if _, err := t.appendChunk(p[:0:length], raw, i); err != nil {
				return 0, err
			}
		} else {
			member, err := t.appendChunk(made[:0], raw, i)
			if err != nil {
				return 0, err
			}
			n = copy(p, member[at:])
		}
		p, off = p[n:], off+int64(n)
	}
	return total, nil
}

// appendChunk appends the gzip member of chunk i to dst; raw is scratch.
func (t *Tree) appendChunk(dst, raw []byte, i int) ([]byte, error) {
	c := t.chunks[i]
	raw = raw[:c.size()]
	dir := newSiblings(t.nodes.root)
	defer dir.close()
	near := stream{entries: nodesIn{t.nodes, dir}, starts: t.stream.starts}
	if err := near.readAt(raw, c.start); err != nil {
		return nil, err
	}
	return appendPlainMember(dst, raw), nil
}

func (t *Tree) chunk(off int64) int64 { return t.starts[covering(t.starts, off)+1] }

func (t *Tree) stampPlan(s *stamper) {
	for i := range t.nodes.list {
		n := &t.nodes.list[i]
		s.string(n.name)
		s.int(int64(n.mode))
		s.int(int64(n.uid)<<32 | int64(n.gid))
		s.int(n.id.MtimeNs)
		s.int(int64(t.nodes.bodySize(n)))
		s.int(int64(n.rdev))
		s.int(int64(n.nlink)<<32 | int64(n.ino))
		s.string(n.target)
	}
}

// stampRange hashes the chunks that the range touches, whole.
func (t *Tree) stampRange(s *stamper, off, end int64) {
	for i := covering(t.starts, off); i < len(t.chunks) && t.starts[i] < end; i++ {
		t.stream.stampRange(s, t.chunks[i].start, t.chunks[i].end)
	}
}

// treeBlob is rootimgtree.gz as a file of its own.
type treeBlob struct{ *Tree }

func (t treeBlob) blockKey(i int) key {
	s := newStamper("tree chunk")
	t.stream.stampRange(s, t.chunks[i].start, t.chunks[i].end)
	return s.sum()
}

func (t treeBlob) blockSize(i int) int64 { return t.starts[i+1] - t.starts[i] }

func (t treeBlob) quick(int) bool { return true }

func (t treeBlob) makeBlock(w *worker, i int) ([]byte, error) {
	return t.appendChunk(getRaw()[:0], w.raw, i)
}

func (t treeBlob) offsets(context.Context) ([]int64, error) { return t.starts, nil }

// newest is the newest modification time in the tree.
func (t *Tree) newest() time.Time {
	latest := int64(0)
	for i := range t.nodes.list {
		latest = max(latest, t.nodes.list[i].id.MtimeNs)
	}
	return time.Unix(0, latest)
}

// treeNode is one file of the tree.
type treeNode struct {
	name     string // from the tree's own name on: "rootimg/etc/hosts"
	target   string // of a symbolic link
	id       Identity
	dev      uint64
	rdev     uint64
	mode     uint32
	uid, gid uint32
	ino      uint32 // in the archive: tells hard links, see linkNodes
	nlink    uint32 // within the tree
	data     bool   // a regular file whose entry carries the bytes
}

// treeNodes are the files of a tree as cpio entries, in the order of a walk
// that takes names in byte order, and the trailer.
type treeNodes struct {
	root *Root
	dir  string // that the names count from
	list []treeNode
}

func (t *treeNodes) count() int { return len(t.list) + 1 }

func (t *treeNodes) align(i int) int64 {
	if i == len(t.list) {
		return cpioBlock
	}
	return cpioAlign
}

func (t *treeNodes) name(i int) string {
	if i == len(t.list) {
		return cpioTrailer
	}
	return t.list[i].name
}

// bodySize is the number of bytes behind the node's header.
func (t *treeNodes) bodySize(n *treeNode) int64 {
	switch {
	case n.data:
		return n.id.Size
	case n.target != "":
		return int64(len(n.target))
	}
	return 0
}

// starts are where the entries begin in the archive, and its end: what
// newStream would find, without making the headers.
func (t *treeNodes) starts() []int64 {
	starts := make([]int64, t.count()+1)
	for i := range t.count() {
		end := starts[i] + cpioHeadSize(t.name(i))
		if i < len(t.list) {
			end += t.bodySize(&t.list[i])
		}
		starts[i+1] = alignUp(end, t.align(i))
	}
	return starts
}

func (t *treeNodes) head(i int) ([]byte, error) {
	if i == len(t.list) {
		return t.trailer(), nil
	}
	n := &t.list[i]
	return cpioHead(cpioEntry{
		name: n.name,
		ino:  n.ino, mode: n.mode,
		uid: n.uid, gid: n.gid,
		nlink:  n.nlink,
		mtime:  n.id.MtimeNs / 1e9,
		size:   uint32(t.bodySize(n)),
		rmajor: unix.Major(n.rdev), rmin: unix.Minor(n.rdev),
	}), nil
}

func (t *treeNodes) trailer() []byte { return cpioHead(cpioEntry{name: cpioTrailer, nlink: 1}) }

func (t *treeNodes) body(i int) Content { return t.bodyBy(t.root, i) }

// bodyBy is the body of entry i, whose file o opens.
func (t *treeNodes) bodyBy(o opener, i int) Content {
	if i == len(t.list) {
		return nil
	}
	switch n := &t.list[i]; {
	case n.data && n.id.Size > 0:
		return &File{opener: o, path: t.dir + "/" + n.name, identity: n.id, nofollow: true}
	case n.target != "":
		return Bytes(n.target)
	}
	return nil
}

// nodesIn are the nodes while somebody reads a part of the archive in order.
type nodesIn struct {
	*treeNodes
	dir *siblings // the files are opened in
}

func (t nodesIn) body(i int) Content { return t.bodyBy(t.dir, i) }
