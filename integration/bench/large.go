package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"imgexportfs/integration/xcatsite"
)

// largeMemory is the --memory of this chapter: the packed tree is several times as
// large, as real root trees are.
const largeMemory = "--memory=64MiB"

// large measures a statelite image whose packed tree does not fit into memory: what
// the cache of compressed segments on disk is for.
func (b *bench) large() error {
	site, err := b.largeSite()
	if err != nil {
		return err
	}
	const bundle = "image.tgz"
	dir := site.Path(xcatsite.ProfileDir("image"))
	none := []string{largeMemory, "--cache-size=0"}
	cache := func(name string) []string {
		return []string{largeMemory, "--cache-dir=" + filepath.Join(b.work, name)}
	}
	if _, err := b.copies("finished", site, bundle, cache("warm")...).do(); err != nil {
		return err
	}
	disk, err := b.diskTaken(filepath.Join(b.work, "warm"))
	if err != nil {
		return err
	}
	if err := b.keepBundle(site, bundle, cache("warm")); err != nil {
		return err
	}
	kept := filepath.Join(b.work, "kept.tgz")
	file := site.Path(site.TreeDir("image") + "/changes")
	s, err := b.inTurn("large",
		b.makes("imgexport", "", imgexportScript, dir),
		b.makes("pigz", "pigz", `tar c -C "$2" . | pigz > "$1/bundle"`, dir),
		b.coldWith("cold", site, bundle, func() []string {
			_ = os.RemoveAll(filepath.Join(b.work, "cold"))
			return cache("cold")
		}),
		b.coldWith("no cache", site, bundle, func() []string { return none }),
		b.copies("warm", site, bundle, cache("warm")...),
		b.makes("floor", "", `cp "$2" "$1/bundle"`, kept),
		b.changed("changed", site, bundle, file, cache("warm")),
		b.makes("export", "", `"$2" export "$4" "$5" --root "$3" image "$1/bundle" > /dev/null`, append([]string{b.program, site.Dir()}, cache("warm")...)...),
	)
	if err != nil {
		return err
	}
	t := &b.table
	t.title("large statelite image, a tree of %s packed, `%s`", mebibytes(b.bytes["cold"]), largeMemory)
	const imgexport = "`find \\| cpio \\| gzip`, then `tar czf`"
	t.race("mount and `cp`, everything cold", s["cold"], imgexport, s["imgexport"], 8)
	t.race("mount and `cp`, everything cold", s["cold"], "`tar \\| pigz` of the tree", s["pigz"], 2.7)
	t.race("mount and `cp`, `--cache-size 0`", s["no cache"], imgexport, s["imgexport"], 0)
	t.race("mounted again, cache warm: `cp`", s["warm"], imgexport, s["imgexport"], 40)
	t.race("mounted again, cache warm: `cp`", s["warm"], "`cp` of the finished bundle", s["floor"], 0.4)
	t.race("one file changed: first `stat` and `cp`", s["changed"], imgexport, s["imgexport"], 30)
	t.race("`imgexportfs export`, cache warm", s["export"], imgexport, s["imgexport"], 40)
	t.amount("disk that the cache takes", disk, "the bundle", b.bytes["cold"], 1.1)
	return b.backups(site, bundle, file, cache("warm"))
}

// imgexportScript is imgexport's way to make a bundle of a statelite image whose
// directory is $2.
const imgexportScript = `mkdir -p "$1/stage/image"
	cp -r "$2/kernel" "$2"/initrd-*.gz "$1/stage/image"
	(cd "$2" && find rootimg | cpio --quiet -H newc -o | gzip -c) > "$1/stage/image/rootimgtree.gz"
	tar czf "$1/bundle" -C "$1/stage" .`

// largeSite has a statelite image with a part of a real system as its root tree.
func (b *bench) largeSite() (*xcatsite.Site, error) {
	site, err := b.newSite("large")
	if err != nil {
		return nil, err
	}
	if err := site.AddStatelite("image", []byte("kernel"), []byte("ramdisk")); err != nil {
		return nil, err
	}
	_, err = output(`cd "$1"
		find . -xdev \( -type f -o -type l \) -printf '%s %p\n' | LC_ALL=C sort -k 2 |
			awk -v most="$3" '{ n += $1; if (n < most) { sub(/^[0-9]+ /, ""); print } }' > "$4"
		tar c -T "$4" | tar x -C "$2"
		rm "$4"`, b.largeTree, site.Path(site.TreeDir("image")), fmt.Sprint(b.scale.large), filepath.Join(b.work, "list"))
	return site, err
}

// coldWith copies a bundle from nothing: the clock starts before the mount. flags is
// called before that.
func (b *bench) coldWith(name string, site *xcatsite.Site, bundle string, flags func() []string) way {
	return way{name, "", func() (time.Duration, error) {
		with := flags()
		started := time.Now()
		return b.onMount(site, with, func(s *server) (time.Duration, error) {
			mounted := time.Since(started)
			took, err := b.making(name, `cp "$2" "$1/bundle"`, filepath.Join(s.dir, bundle))
			return mounted + took, err
		})
	}}
}

// changed copies a bundle after one file of the tree has changed.
func (b *bench) changed(name string, site *xcatsite.Site, bundle, file string, flags []string) way {
	return way{name, "", func() (time.Duration, error) {
		if err := os.WriteFile(file, fmt.Appendf(nil, "changed at %v\n", time.Now()), 0o644); err != nil {
			return 0, err
		}
		return b.copies(name, site, bundle, flags...).do()
	}}
}

// keepBundle leaves a finished bundle as kept.tgz.
func (b *bench) keepBundle(site *xcatsite.Site, bundle string, flags []string) error {
	_, err := b.onMount(site, flags, func(s *server) (time.Duration, error) {
		return timed(`cp "$1" "$2"`, filepath.Join(s.dir, bundle), filepath.Join(b.work, "kept.tgz"))
	})
	return err
}

// diskTaken is how many bytes the files below a directory have.
func (b *bench) diskTaken(dir string) (int64, error) {
	var n int64
	err := filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			info, ierr := d.Info()
			if ierr != nil {
				return ierr
			}
			n += info.Size()
		}
		return err
	})
	return n, err
}

// backups adds lines for backup programs that run for the second time, after one
// file of the tree has changed.
func (b *bench) backups(site *xcatsite.Site, bundle, file string, flags []string) error {
	const restic = `export RESTIC_REPOSITORY="$1/repository" RESTIC_PASSWORD=x RESTIC_CACHE_DIR="$1/restic-cache"
		[ -d "$RESTIC_REPOSITORY" ] || restic init -q
		restic backup -q "$2"
		sync; du -sb "$RESTIC_REPOSITORY" | cut -f 1`
	const rsync = `rsync --no-whole-file --stats "$2" "$1/kept.tgz" | awk '/Literal data/ { gsub(",", ""); print $3 }'`
	for _, p := range []struct{ name, tool, script string }{{"restic backup", "restic", restic}, {"rsync", "rsync", rsync}} {
		var took [2]samples
		var bytes [2]int64
		for i := range 2 {
			if err := os.WriteFile(file, fmt.Appendf(nil, "%s %d\n", p.name, i), 0o644); err != nil {
				return err
			}
			_, err := b.onMount(site, flags, func(s *server) (time.Duration, error) {
				started := time.Now()
				said, err := output(`command -v `+p.tool+` > /dev/null || { echo -1; exit; }; `+p.script, b.work, filepath.Join(s.dir, bundle))
				took[i] = samples{time.Since(started)}
				if err == nil {
					_, err = fmt.Sscan(string(said), &bytes[i])
				}
				return took[i][0], err
			})
			if err != nil {
				return err
			}
		}
		if bytes[0] < 0 {
			b.table.line("`"+p.name+"`", "not installed", "", "", "")
			continue
		}
		added := bytes[1]
		if p.tool == "restic" {
			added -= bytes[0]
		}
		b.table.race(fmt.Sprintf("second `%s` after a file has changed, %s added", p.name, mebibytes(added)), took[1], "the first", took[0], 0)
	}
	return nil
}
