// Package bundle makes the bytes of NAME.tgz.
//
// Members, which are what an image exports, become a tar stream; the stream
// is cut into segments of at most 1 MiB; each segment becomes one gzip member
// by itself; and the members in a row are the bundle. Since a segment depends
// on nothing but its own content, any byte of a bundle can be made without
// those before it, all cores can work on one bundle, and a change of one
// source changes the segments that hold it and no others.
//
// A read goes down this way, and its bytes come up again:
//
//	Reader.Read          reader.go    which blocks hold the bytes (pieces, offsets.go)
//	  blocks.Cache.Get   blocks/      the block, made once for all who want it
//	    Bundle.member    bundle.go    the gzip member of one segment, made or from the disk/
//	      stream.readAt  stream.go    the segment: heads, bodies and zeros of entries
//	        tarEntries   tar.go       the heads
//	        File.ReadAt  source/      the bodies; ErrChanged if a file is not what it was
//	      encoder        gzip.go      deflated, or stored
//
// Content that is compressed already is stored, and its length is arithmetic.
// Deflated segments have to be made before their length is known: one pass
// over them finds it (sizes.go), and the index remembers; the segments themselves
// are cached on disk.
//
// The root tree of a statelite image, which imgexport packs into
// rootimgtree.gz, is a stream too, of cpio entries (tree.go, cpio.go); its chunks
// are gzip members of stored blocks inside of the tar stream.
//
// Nothing in here knows of FUSE, of SQL, or of the clock.
package bundle
