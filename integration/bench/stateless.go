package main

import (
	"io"
	"os"
	"path/filepath"
	"time"

	"imgexportfs/integration/xcatsite"
)

// stateless measures the common case: an image that is compressed already.
func (b *bench) stateless() error {
	site, err := b.statelessSite()
	if err != nil {
		return err
	}
	const bundle = "image.tgz"
	dir := site.Path(xcatsite.ProfileDir("image"))
	copied := filepath.Join(b.work, "copy.tgz")
	if _, err := b.onMount(site, nil, func(s *server) (time.Duration, error) {
		return timed(`cp "$1" "$2"`, filepath.Join(s.dir, bundle), copied)
	}); err != nil {
		return err
	}
	info, err := os.Stat(copied)
	if err != nil {
		return err
	}
	s, err := b.inTurn("stateless",
		b.makes("imgexport", "", `mkdir -p "$1/stage/image"; cp -r "$2"/* "$1/stage/image"; tar czf "$1/bundle" -C "$1/stage" .`, dir),
		b.makes("pigz", "pigz", `tar c -C "$2" . | pigz > "$1/bundle"`, dir),
		b.makes("zstd", "zstd", `tar c -C "$2" . | zstd -q -T0 > "$1/bundle"`, dir),
		b.makes("cp -r", "", `cp -r "$2" "$1"`, dir),
		b.copies("cp", site, bundle),
		b.copiesNothing("cp of nothing", info.Size(), `cp "$2" "$1/bundle"`),
		b.makes("export", "", `"$2" export --cache-dir "" --root "$3" image "$1/bundle" > /dev/null`, b.program, site.Dir()),
		b.secondCopy("second", site, bundle, `cp "$2" "$1/bundle"`),
		b.secondCopyOfNothing("second of nothing", info.Size(), `cp "$2" "$1/bundle"`),
		b.makes("plain cp", "", `cp "$2" "$1/bundle"`, copied),
		b.secondCopy("second dd", site, bundle, ddCopy),
		b.makes("plain dd", "", ddCopy, copied),
		b.copiesMembers("members", site),
		b.copiesMembers("passed members", site, "-o", "passthrough"),
		b.reads("128K", site, bundle, `dd if="$1" of=/dev/null bs=128K status=none`),
		way{"plain 128K", "", func() (time.Duration, error) { return timed(`dd if="$1" of=/dev/null bs=128K status=none`, copied) }},
		b.reads("1M", site, bundle, `dd if="$1" of=/dev/null bs=1M status=none`),
		way{"plain 1M", "", func() (time.Duration, error) { return timed(`dd if="$1" of=/dev/null bs=1M status=none`, copied) }},
		b.reads("8 readers", site, bundle, eightReaders),
		way{"8 plain", "", func() (time.Duration, error) { return timed(eightReaders, copied) }},
		b.firstByte(site, bundle),
		b.firstStat("stat", site, bundle),
	)
	if err != nil {
		return err
	}
	t := &b.table
	t.title("stateless image, bundle of %s", mebibytes(b.bytes["cp"]))
	t.race("`cp`", s["cp"], "staged `cp` and `tar czf`", s["imgexport"], 20)
	t.race("`cp`", s["cp"], "`tar \\| pigz`", s["pigz"], 6)
	t.race("`cp`", s["cp"], "`tar \\| zstd -T0`", s["zstd"], 0)
	t.race("`cp`", s["cp"], "`cp -r` of the members", s["cp -r"], 0.65)
	t.race("`cp`", s["cp"], "`cp` from a file system that answers every read from one buffer", s["cp of nothing"], 0)
	t.race("`imgexportfs export`, which waits for the disk", s["export"], "staged `cp` and `tar czf`", s["imgexport"], 0)
	t.race("second `cp` from one mount", s["second"], "`cp` of a plain file", s["plain cp"], 0.9)
	t.race("second `cp` from one mount", s["second"], "second `cp` from the file system with one buffer", s["second of nothing"], 0)
	t.race("the same with `dd bs=256K`, which reads and writes in both cases", s["second dd"], "of a plain file", s["plain dd"], 0)
	t.race("`cp -r` of the members from the mount", s["members"], "`cp -r` of the members", s["cp -r"], 0)
	t.race("the same with `-o passthrough`", s["passed members"], "`cp -r` of the members", s["cp -r"], 0)
	t.race("`dd bs=128K` to nowhere", s["128K"], "of a plain file", s["plain 128K"], 0)
	t.race("`dd bs=1M` to nowhere", s["1M"], "of a plain file", s["plain 1M"], 0)
	t.race("8 at once", s["8 readers"], "of a plain file", s["8 plain"], 0)
	t.limit("first byte after the mount", s["first byte"].median(), 10*time.Millisecond)
	t.limit("first `stat` after the mount", s["stat"].median(), 0)
	return nil
}

// ddCopy is a copy that no file system can make a short cut for.
const ddCopy = `dd if="$2" of="$1/bundle" bs=256K status=none`

const eightReaders = `for i in 1 2 3 4 5 6 7 8; do dd if="$1" of=/dev/null bs=1M status=none & done; wait`

// reads is a way that runs a script on the named bundle of a new mount.
func (b *bench) reads(name string, site *xcatsite.Site, bundle, script string) way {
	return way{name, "", func() (time.Duration, error) {
		return b.onMount(site, nil, func(s *server) (time.Duration, error) { return timed(script, filepath.Join(s.dir, bundle)) })
	}}
}

// secondCopy copies a bundle that has just been copied from the same mount.
func (b *bench) secondCopy(name string, site *xcatsite.Site, bundle, script string) way {
	return way{name, "", func() (time.Duration, error) {
		return b.onMount(site, nil, func(s *server) (time.Duration, error) {
			path := filepath.Join(s.dir, bundle)
			if _, err := b.making("first", script, path); err != nil {
				return 0, err
			}
			return b.making(name, script, path)
		})
	}}
}

// copiesMembers copies the directory that stands beside the bundle.
func (b *bench) copiesMembers(name string, site *xcatsite.Site, flags ...string) way {
	return way{name, "", func() (time.Duration, error) {
		return b.onMount(site, flags, func(s *server) (time.Duration, error) {
			return b.making(name, `cp -r "$2" "$1"`, filepath.Join(s.dir, "image"))
		})
	}}
}

// firstByte opens a bundle on a new mount and reads its first byte.
func (b *bench) firstByte(site *xcatsite.Site, bundle string) way {
	return way{"first byte", "", func() (time.Duration, error) {
		return b.onMount(site, nil, func(s *server) (time.Duration, error) {
			started := time.Now()
			f, err := os.Open(filepath.Join(s.dir, bundle))
			if err != nil {
				return 0, err
			}
			if _, err := io.ReadFull(f, make([]byte, 1)); err != nil {
				return 0, err
			}
			return time.Since(started), f.Close()
		})
	}}
}
