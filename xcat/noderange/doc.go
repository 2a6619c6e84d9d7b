// Package noderange knows which nodes a noderange stands for, and which value an
// attribute has for a node: xCAT lets a value be an expression over the node's name,
// with arithmetic in it.
//
// A noderange is what noderange(3) describes. list.go splits it into parts and puts the
// nodes of the parts together, atom.go finds the nodes of one part, regexp.go those that
// a regular expression matches, pattern.go the names that a range describes, and file.go
// reads the parts of a file. testdata holds answers of xCAT's own commands.
package noderange
