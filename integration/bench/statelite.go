package main

import (
	"path/filepath"

	"imgexportfs/integration/xcatsite"
)

// statelite measures an image that has to be packed and compressed.
func (b *bench) statelite() error {
	site, err := b.stateliteSite()
	if err != nil {
		return err
	}
	const bundle = "image.tgz"
	dir := site.Path(xcatsite.ProfileDir("image"))
	cache := "--cache-dir=" + filepath.Join(b.work, "cache")
	if _, err := b.firstStat("fill the cache", site, bundle, cache).do(); err != nil {
		return err
	}
	s, err := b.inTurn("statelite",
		b.makes("imgexport", "", imgexportScript, dir),
		b.makes("pigz", "pigz", `tar c -C "$2" . | pigz > "$1/bundle"`, dir),
		b.makes("zstd", "zstd", `tar c -C "$2" . | zstd -q -T0 > "$1/bundle"`, dir),
		b.coldWith("cold", site, bundle, func() []string { return nil }),
		b.copies("warm", site, bundle, cache),
		b.makes("export", "", `"$2" export --cache-dir "" --root "$3" image "$1/bundle" > /dev/null`, b.program, site.Dir()),
		b.firstStat("stat", site, bundle),
		b.firstStat("warm stat", site, bundle, cache),
	)
	if err != nil {
		return err
	}
	t := &b.table
	t.title("statelite image, a tree of %s packed", mebibytes(b.bytes["cold"]))
	const imgexport = "`find \\| cpio \\| gzip`, then `tar czf`"
	t.race("mount and `cp`, everything cold", s["cold"], imgexport, s["imgexport"], 10)
	t.race("`cp`, sizes remembered", s["warm"], imgexport, s["imgexport"], 12)
	t.race("mount and `cp`, everything cold", s["cold"], "`tar \\| pigz` of the tree", s["pigz"], 3)
	t.race("mount and `cp`, everything cold", s["cold"], "`tar \\| zstd -T0` of the tree", s["zstd"], 0)
	t.race("`imgexportfs export`, which waits for the disk", s["export"], imgexport, s["imgexport"], 0)
	t.amount("size of the bundle", b.bytes["cold"], "imgexport's", b.bytes["imgexport"], 1.03)
	t.limit("first `stat` after the mount, cold", s["stat"].median(), 0)
	t.limit("first `stat` after the mount, sizes remembered", s["warm stat"].median(), 0)
	return nil
}
