package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"imgexportfs/integration/xcatsite"
)

// run is what one way of exporting one image took.
type run struct {
	took time.Duration
	size int64 // of the bundle
	peak int64 // most memory of the server, bytes; 0 where there is none
}

// timed runs a shell script and returns how long it took.
func timed(script string, args ...string) (time.Duration, error) {
	started := time.Now()
	_, err := output(script, args...)
	return time.Since(started), err
}

// asImgexport copies, packs and compresses with the programs that imgexport
// calls. The few small files that it writes by itself cost nothing.
func asImgexport(site *xcatsite.Site, image, work string) (run, error) {
	stage, bundle := filepath.Join(work, "stage"), filepath.Join(work, image+"-imgexport.tgz")
	dir := site.Path(xcatsite.ProfileDir(image))
	script := `mkdir -p "$1/$3"; cp -r "$2/kernel" "$2"/initrd-*.gz "$2/rootimg.cpio.gz" "$1/$3/"; tar czf "$4" -C "$1" .`
	if image == statelite {
		script = `mkdir -p "$1/$3"
			cp -r "$2/kernel" "$2"/initrd-*.gz "$1/$3/"
			(cd "$2" && find rootimg | cpio --quiet -H newc -o | gzip -c) > "$1/$3/rootimgtree.gz"
			tar czf "$4" -C "$1" .`
	}
	took, err := timed(script, stage, dir, image, bundle)
	return finish(took, bundle, 0, err, stage)
}

// byCopy copies the bundle from a fresh mount, which knows the sizes that are
// in the directory cache.
func byCopy(program string, site *xcatsite.Site, image, work, cache string) (r run, err error) {
	server, err := startServer(program, site.Dir(), work, cache)
	if err != nil {
		return run{}, err
	}
	defer func() {
		if serr := server.stop(); err == nil {
			err = serr
		}
	}()
	bundle := filepath.Join(work, image+"-cp.tgz")
	took, err := timed(`cp "$1" "$2"`, filepath.Join(server.dir, image+".tgz"), bundle)
	if err != nil {
		return run{}, err
	}
	peak, err := server.peakMemory()
	return finish(took, bundle, peak, err)
}

// byExport writes the bundle with the command export, which also waits until
// the disk has it.
func byExport(program string, site *xcatsite.Site, image, work string) (run, error) {
	bundle := filepath.Join(work, image+"-export.tgz")
	took, err := timed(`"$1" export --root "$2" --cache-dir "" "$3" "$4" > /dev/null`, program, site.Dir(), image, bundle)
	return finish(took, bundle, 0, err)
}

// finish looks at the bundle and removes it and the directories given.
func finish(took time.Duration, bundle string, peak int64, err error, dirs ...string) (run, error) {
	if err != nil {
		return run{}, err
	}
	info, err := os.Stat(bundle)
	if err != nil {
		return run{}, err
	}
	for _, path := range append(dirs, bundle) {
		if err := os.RemoveAll(path); err != nil {
			return run{}, err
		}
	}
	return run{took: took, size: info.Size(), peak: peak}, nil
}

// firstLook measures, on a fresh mount, how long the first stat of a bundle
// takes and the first byte after it.
func firstLook(program string, site *xcatsite.Site, image, work string) (stat, first time.Duration, err error) {
	server, err := startServer(program, site.Dir(), work, "")
	if err != nil {
		return 0, 0, err
	}
	defer func() {
		if serr := server.stop(); err == nil {
			err = serr
		}
	}()
	path := filepath.Join(server.dir, image+".tgz")
	if stat, err = timed(`stat "$1" > /dev/null`, path); err != nil {
		return 0, 0, fmt.Errorf("first stat: %w", err)
	}
	if first, err = timed(`head -c 1 "$1" > /dev/null`, path); err != nil {
		return 0, 0, fmt.Errorf("first byte: %w", err)
	}
	return stat, first, nil
}
