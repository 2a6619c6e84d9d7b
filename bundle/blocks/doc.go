// Package blocks makes blocks of bytes when they are needed, once for all who
// want them, and keeps them within a budget of memory.
//
// It knows neither tar nor gzip: a block is a key and a function that makes it.
package blocks
