// Package disk keeps made segments in a directory, so that what was compressed
// once is not compressed again: not by the reader after the size pass, not by the
// next mount, not by another process or host that shares the directory.
//
// It is a cache and no staging area: nothing waits for a write, each file may be
// deleted at any time, and a segment that is not there, or not right, is made
// again.
//
//	Cache ─ file.go   one segment in one file, with its checksum
//	      └ trim.go   how much there is, and what goes first
//
// Root trees hold password hashes, so directories and files are for their owner
// alone.
package disk
