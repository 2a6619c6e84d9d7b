// Package tablesdump writes the text forms of table rows that a bundle
// carries: manifest.xml as Perl's XML::Simple writes it, which is what
// imgexport writes and imgimport reads, and litefile.csv.
//
// It knows the forms and nothing of where rows come from or what they mean.
package tablesdump
