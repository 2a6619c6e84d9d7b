package bundle

import (
	"context"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"imgexportfs/bundle/source"
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
	return newTree(&treeNodes{root: root, dir: dir, list: list, links: findLinks(list)}), findings, nil
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

// Memory is about how many bytes of memory the tree takes.
func (t *Tree) Memory() int64 {
	n := int64(len(t.nodes.list)) * 160
	for i := range t.nodes.list {
		n += int64(len(t.nodes.list[i].Name) + len(t.nodes.list[i].Target))
	}
	return n + int64(len(t.chunks))*80
}

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
	if err := t.stream.readAt(raw, c.start); err != nil {
		return nil, err
	}
	return appendPlainMember(dst, raw), nil
}

func (t *Tree) chunk(off int64) int64 { return t.starts[covering(t.starts, off)+1] }

func (t *Tree) stampPlan(s *stamper) {
	for i := range t.nodes.list {
		n, link := &t.nodes.list[i], t.nodes.links[i]
		s.string(n.Name)
		s.int(int64(n.Mode))
		s.int(int64(n.UID)<<32 | int64(n.GID))
		s.int(n.MtimeNs)
		s.int(t.nodes.bodySize(i))
		s.int(int64(n.Rdev))
		s.int(int64(link.count)<<32 | int64(link.ino))
		s.string(n.Target)
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
		latest = max(latest, t.nodes.list[i].MtimeNs)
	}
	return time.Unix(0, latest)
}

// treeNodes are the files of a tree as cpio entries, in the order of the walk,
// and the trailer.
type treeNodes struct {
	root  *source.Root
	dir   string // that the names count from
	list  []source.Node
	links []link // of each node
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
	return t.list[i].Name
}

// bodySize is the number of bytes behind the header of node i.
func (t *treeNodes) bodySize(i int) int64 {
	if t.links[i].data {
		return t.list[i].Size
	}
	return int64(len(t.list[i].Target))
}

// starts are where the entries begin in the archive, and its end: what
// newStream would find, without making the headers.
func (t *treeNodes) starts() []int64 {
	starts := make([]int64, t.count()+1)
	for i := range t.count() {
		end := starts[i] + cpioHeadSize(t.name(i))
		if i < len(t.list) {
			end += t.bodySize(i)
		}
		starts[i+1] = alignUp(end, t.align(i))
	}
	return starts
}

func (t *treeNodes) head(i int) ([]byte, error) {
	if i == len(t.list) {
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

func (t *treeNodes) body(i int) Content {
	if i == len(t.list) {
		return nil
	}
	switch n := &t.list[i]; {
	case t.links[i].data && n.Size > 0:
		f := source.NodeFile(t.root, t.dir+"/"+n.Name, n.Identity)
		return File{&f}
	case n.Target != "":
		return Bytes(n.Target)
	}
	return nil
}
