// Program mutants asks whether the tests tell the truth: it breaks the code in one place
// at a time, as a list says, and runs the tests that should notice.
//
//	lists/*.txt   the mutants, each with what it breaks and who should notice
//	list.go       reads them
//	mutant.go     one mutant, and how it changes a file
//	tests.go      runs the tests with a changed file, by an overlay of the go command
//	leftovers.go  unmounts what tests of a mutant have left
//	report.go     the table
//
// No file of the tree is changed. A mutant is killed if a test fails or does not end;
// it survives if all tests pass, and then a test is missing. The program fails if an
// entry does not fit the code any more, does not compile, or if fewer than nine in ten
// mutants are killed.
//
// # The list
//
//	bundle/offsets.go: stored blocks have no overhead
//	tests ./bundle -run Stored
//	- return n + storedBlocks(n)*storedOverhead
//	+ return n + storedBlocks(n)
//
// The old text must occur once in the file. Several lines "tests" are tried in turn until
// a mutant is killed. Such lines before the first mutant are for those that have none; else
// the tests are those of the file's own folder. Without a line "+" the old text is taken
// out. Lines that begin with # are comments.
package main
