package main

// scale says how large the inputs are.
type scale struct {
	tree    string // below GOROOT, what images are made from
	packed  int    // bytes of the stateless root image
	raw     int64  // bytes of the raw image
	islands int    // of 1 MiB of data in it
	reads   int    // random reads in each part of it
	small   int    // images with files of their own
	rows    int    // images that are little more than rows
	files   int    // of the large statelite tree
	readers int    // at once, each of a bundle of its own
	each    int    // bytes of each of these bundles
	large   int64  // bytes of files in the tree that does not fit into memory
}

var (
	full = scale{
		tree: ".", packed: 235e6, raw: 4 << 30, islands: 256, reads: 400,
		small: 1000, rows: 10_000, files: 100_000, readers: 32, each: 16 << 20, large: 1500e6,
	}
	tiny = scale{
		tree: "src/net", packed: 3e6, raw: 64 << 20, islands: 4, reads: 20,
		small: 10, rows: 50, files: 500, readers: 4, each: 2 << 20, large: 20e6,
	}
)
