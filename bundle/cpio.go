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

// cpioHead returns the header and the padded name.
func cpioHead(e cpioEntry) []byte {
	n := alignUp(int64(cpioHeader+len(e.name)+1), cpioAlign)
	head := make([]byte, 0, n)
	mtime := uint32(min(max(e.mtime, 0), 1<<32-1))
	head = append(head, "070701"...)
	for _, field := range [...]uint32{
		e.ino, e.mode, e.uid, e.gid, e.nlink, mtime, e.size,
		0, 0, // the device: links are told by ino alone
		e.rmajor, e.rmin,
		uint32(len(e.name) + 1),
		0, // no checksum in this format
	} {
		head = appendHex(head, field)
	}
	head = append(head, e.name...)
	return head[:n] // the rest of the capacity is zero
}

// appendHex appends eight digits. Package fmt takes as long for a header as
// deflate does for a small file.
func appendHex(b []byte, v uint32) []byte {
	const digits = "0123456789ABCDEF"
	for shift := 28; shift >= 0; shift -= 4 {
		b = append(b, digits[v>>shift&15])
	}
	return b
}
