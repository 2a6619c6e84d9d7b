// Package verify reads the bytes of a bundle again and says whether they are whole,
// and whether they are what a site would export now.
//
//	Read            verify.go      one bundle from its first byte to its last
//	  segments      segments.go    a bundle of this project: each gzip member on its own core
//	  plainGzip     plain.go       any other .tgz: one core
//	    stream      stream.go      the tar archive, in order
//	      archive   archive.go     its members
//	        manifest.go            which files the manifest names, and its rows
//	        compare.go             what differs from a Reference
//
// A bundle is hostile until it is read: memory is bounded by the constants in
// limits.go, whatever the bytes say.
package verify
