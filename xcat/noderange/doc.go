// Package noderange knows which nodes a noderange stands for, and which value an
// attribute has for a node: xCAT lets a value be an expression over the node's name,
// with arithmetic in it.
package noderange
