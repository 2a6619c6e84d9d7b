// Package integration tests the whole program from the outside: the built
// binary, a real mount, SQLite files, MariaDB and PostgreSQL servers that the
// tests start for themselves, and the tools that people use on a mount (cp, rsync, tar,
// cpio, sha256sum, diff, Python's tarfile, busybox tar, bsdtar).
//
// The measure is testdata/conformance: what xCAT's own imgexport did with 127
// requests on the site in site.tar.gz. docs/rules.md says in words what was
// measured, and cases.json what this project does in each case: the same, the
// same but for one repaired thing, or a refusal that says why.
//
// # How the tests touch a mount
//
// Never from the test process itself. A server that hangs would hang the test
// in a system call that nothing can interrupt, and a server that is a child of
// the reader can deadlock with it. So every access is a child process with a
// time limit: coreutils where they do, and the test binary itself, started
// again with a helper's name, where the test needs single system calls.
//
// # Which tests run beside others
//
// Those with t.Parallel: they wait most of the time or keep one processor busy, have a site
// and mounts of their own, and their limits of time are those of something that hangs. A test
// stays alone, without t.Parallel, if
//
//   - it measures, or its limits are near to what it measures: fairness, load, looking,
//     staleness, the signals and interrupts after which something has to end at once, the
//     ends of servers whose source hangs, sizing_stop, checksum_stop, segments that are
//     compressed once;
//   - it holds the memory of a server, or of a control group, against a budget, for the
//     garbage collector has to get its turn: memory, views_memory, limits_reads, the control
//     groups of limits_memory, versions of a tree;
//   - it looks at the whole machine or changes it: drops what the kernel has cached, looks
//     into all processes, counts goroutines and descriptors;
//   - it takes less than a second.
//
// # What the tests need
//
// Linux with /dev/fuse, and root: the site holds devices and foreign owners.
// Where that is missing the tests skip with the reason; with
// IMGEXPORTFS_REQUIRE_FUSE=1 they fail instead, so that a broken runner is not
// taken for a good build. TestMain fails the run if a mount is left behind.
//
//	IMGEXPORTFS_REQUIRE_FUSE=1   missing tools, root or FUSE are failures
//	IMGEXPORTFS_REQUIRE_DB=1     missing database servers are failures
//	IMGEXPORTFS_BINARY=FILE      test this program instead of building one
//	IMGEXPORTFS_RACE=1           build the program with the race detector; a race that any
//	                             process of it finds fails the run
//	IMGEXPORTFS_SEED=N           repeat the random choices of an earlier run
//	SOAK=MINUTES                 let the tests of chance go on, and try all cases
//
// The packages below are used by the tests, the benchmark and the demo:
// xcatsite builds small sites, faultfs is a file system that misbehaves on
// command, layers holds the check of who may import whom.
package integration
