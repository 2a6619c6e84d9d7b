// Package tablesdump reads and writes the text forms of table rows: manifest.xml
// as Perl's XML::Simple writes it, which is what imgexport writes and imgimport
// reads, litefile.csv, and the dumps that xCAT's tabdump and dumpxCATdb write.
//
// It does not know where rows come from or what they mean.
package tablesdump
