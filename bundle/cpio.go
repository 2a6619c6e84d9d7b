package bundle

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
