// Package xcatsite builds small xCAT management nodes below a directory: the
// SQLite tables as xCAT lays them out, one file a table, and the files of the
// images that their rows name. Tests, the benchmark and the demo use it; the
// program does not.
//
// Everything it writes is a pure function of the calls: contents are generated
// from names and modification times are fixed, so two sites that were built by
// the same calls give the same bundles.
package xcatsite
