package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"imgexportfs/integration/xcatsite"
)

// newSite makes an empty site.
func (b *bench) newSite(name string) (*xcatsite.Site, error) {
	fmt.Fprintf(os.Stderr, "making %s...\n", name)
	return xcatsite.Create(filepath.Join(b.work, "site-"+name))
}

// tree is what images are made from.
func (b *bench) tree() string { return filepath.Join(b.goroot, b.scale.tree) }

// kernel and ramdisk are compressed, as real ones are.
func (b *bench) kernel() ([]byte, error) { return output(`gzip -n -c "$1/bin/go"`, b.goroot) }

func (b *bench) ramdisk() ([]byte, error) {
	return output(`cd "$1/src/crypto" && find . | cpio --quiet -H newc -o | gzip -n -c`, b.goroot)
}

// statelessSite has an image whose root image is packed as packimage packs
// it, and repeated until it is large enough; nobody unpacks it.
func (b *bench) statelessSite() (*xcatsite.Site, error) {
	site, err := b.newSite("stateless")
	if err != nil {
		return nil, err
	}
	parts := xcatsite.Stateless{}
	if parts.Kernel, err = b.kernel(); err != nil {
		return nil, err
	}
	if parts.Ramdisk, err = b.ramdisk(); err != nil {
		return nil, err
	}
	packed, err := output(`cd "$1" && find . | cpio --quiet -H newc -o | gzip -1 -n -c`, b.tree())
	if err != nil {
		return nil, err
	}
	parts.Rootimg = bytes.Repeat(packed, b.scale.packed/len(packed)+1)[:b.scale.packed]
	return site, site.AddStateless("image", parts)
}

// stateliteSite has an image whose root tree is the Go distribution.
func (b *bench) stateliteSite() (*xcatsite.Site, error) {
	site, err := b.newSite("statelite")
	if err != nil {
		return nil, err
	}
	kernel, err := b.kernel()
	if err != nil {
		return nil, err
	}
	ramdisk, err := b.ramdisk()
	if err != nil {
		return nil, err
	}
	if err := site.AddStatelite("image", kernel, ramdisk); err != nil {
		return nil, err
	}
	_, err = output(`cp -a "$1/." "$2"`, b.tree(), site.Path(site.TreeDir("image")))
	return site, err
}

// rawSite has an image that is a disk's: large, and mostly holes.
func (b *bench) rawSite() (*xcatsite.Site, error) {
	site, err := b.newSite("raw")
	if err != nil {
		return nil, err
	}
	const file = "/install/raw/sles15/s390x/z/disk.img"
	if err := site.WriteFile(file, 0o644, nil); err != nil {
		return nil, err
	}
	disk, err := os.OpenFile(site.Path(file), os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	if err := disk.Truncate(b.scale.raw); err != nil {
		return nil, err
	}
	random := rand.New(rand.NewPCG(3, 4))
	for i := range b.scale.islands {
		content := xcatsite.Noise
		if i%2 == 1 {
			content = xcatsite.Text
		}
		room := b.scale.raw / int64(b.scale.islands)
		at := room*int64(i) + random.Int64N(room-1<<20)
		if _, err := disk.WriteAt(content(fmt.Sprint(i), 1<<20), at); err != nil {
			return nil, err
		}
	}
	if err := disk.Close(); err != nil {
		return nil, err
	}
	return site, site.AddImage("image", "raw", xcatsite.Row{"osarch": "s390x", "osvers": "sles15", "profile": "z"}, nil)
}

// rowsSite has n stateful images, whose template is the value of an SQL
// expression of the image's number i.
func (b *bench) rowsSite(name string, n int, template string) (*xcatsite.Site, error) {
	site, err := b.newSite(name)
	if err != nil {
		return nil, err
	}
	for table, columns := range map[string]string{
		"osimage":    `imagename, provmethod, profile, osvers, osarch) SELECT 'image' || i, 'install', 'p', 'rhels9', 'x86_64'`,
		"linuximage": `imagename, template) SELECT 'image' || i, ` + template,
	} {
		err := site.Exec(table, fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i < %d)
			INSERT INTO %s (%s FROM n`, n, table, columns))
		if err != nil {
			return nil, err
		}
	}
	return site, nil
}

// filesSite has a statelite image with a tree of many small files.
func (b *bench) filesSite() (*xcatsite.Site, error) {
	site, err := b.newSite("files")
	if err != nil {
		return nil, err
	}
	if err := site.AddStatelite("image", []byte("kernel"), []byte("ramdisk")); err != nil {
		return nil, err
	}
	_, err = output(`cd "$1"
		for ((d = 0; d < $2 / 100; d++)); do
			mkdir d$d
			for f in {1..99}; do echo "$d $f" > d$d/f$f; done
		done`, site.Path(site.TreeDir("image")), fmt.Sprint(b.scale.files))
	return site, err
}

// readersSite has an image for each of many readers, stored and deflated ones
// in turn.
func (b *bench) readersSite() (*xcatsite.Site, error) {
	site, err := b.newSite("readers")
	if err != nil {
		return nil, err
	}
	for i := range b.scale.readers {
		name, content := fmt.Sprintf("image%02d", i), xcatsite.Noise
		if i%2 == 1 {
			content = xcatsite.Text
		}
		err := site.AddStateless(name, xcatsite.Stateless{
			Kernel: []byte(name), Ramdisk: []byte(name), Rootimg: content(name, b.scale.each),
		})
		if err != nil {
			return nil, err
		}
	}
	return site, nil
}
