package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"imgexportfs/bundle"
	"imgexportfs/xcat"
)

// isBulk reports whether the command line asks for the bundles of several images.
func (a *exportArgs) isBulk() bool { return a.all || len(a.images) > 0 }

// takeGlob makes a bulk export of a glob with a directory. A name that an image has is
// no glob.
func (a *exportArgs) takeGlob(catalog *xcat.Catalog) {
	if a.isBulk() || !isGlob(a.image) || a.destination == "" {
		return
	}
	if _, known := catalog.OSImage(a.image); !known {
		a.images, a.image = []string{a.image}, ""
	}
}

// bulkExport writes the bundles of several images into a directory, one after the
// other, because each takes all cores.
type bulkExport struct {
	args           *exportArgs
	site           *xcat.Site
	catalog        *xcat.Catalog
	engine         *bundle.Engine
	dir            localPlace
	stdout, stderr io.Writer

	written, current, failed int
	worst                    int // exit code
}

// exportBulk exports what the command line asks for, with one reading of the database.
// What fails is named, and the others are exported all the same.
func exportBulk(ctx context.Context, args *exportArgs, site *xcat.Site, catalog *xcat.Catalog, stdout, stderr io.Writer) error {
	dir, err := args.bulkDir()
	if err != nil {
		return err
	}
	offers, err := chosen(xcat.Offers(catalog.Images()), args.images)
	if err != nil {
		return err
	}
	engine, err := args.site.engine(stderr, nil)
	if err != nil {
		return err
	}
	defer closeEngine(ctx, engine)
	b := &bulkExport{args: args, site: site, catalog: catalog, engine: engine, dir: dir, stdout: stdout, stderr: stderr}
	for _, offer := range offers {
		err := b.export(ctx, offer)
		if ctx.Err() != nil {
			return withCode(exitWrite, oneLine(ctx.Err(), err))
		}
		b.note(offer.Image, err)
	}
	fmt.Fprintf(stdout, "%s: %d written, %d current, %d failed\n", counted(len(offers), "image"), b.written, b.current, b.failed)
	if b.worst != 0 {
		return &exitError{code: b.worst}
	}
	return nil
}

// bulkDir is the directory for the bundles.
func (a *exportArgs) bulkDir() (localPlace, error) {
	if a.remote != "" {
		return localPlace{}, usageError("-R takes one image and no glob; call export once for each image")
	}
	dir, err := a.localPlace()
	if err == nil && dir.base != "" {
		return dir, usageError("%q is not a directory; several images need one as the last name", a.destination)
	}
	return dir, err
}

// note counts an image that has failed with err, if that is not nil.
func (b *bulkExport) note(image string, err error) {
	if err == nil {
		return
	}
	b.failed++
	b.demand(exitWrite)
	b.problem(image, xcat.Message{Level: xcat.Error, Text: advised(err).Error()})
}

// demand makes the exit code at least code.
func (b *bulkExport) demand(code int) { b.worst = max(b.worst, code) }

// problem prints a line about an image.
func (b *bulkExport) problem(image string, m xcat.Message) {
	fmt.Fprintln(b.stderr, printable(b.stderr, image+": "+m.String()))
}

// export exports one image. The error is one of reading or writing; what the rules have
// against the image is counted here.
func (b *bulkExport) export(ctx context.Context, offer xcat.Offer) error {
	exported, err := b.catalog.Export(ctx, b.site.Root(), b.args.request(offer.Image, b.dir.String()))
	if err != nil {
		return err
	}
	problems := exported.Problems()
	if offer.Clash != nil && !exported.Refused {
		problems = append(problems, xcat.Message{Level: xcat.Error, Text: offer.Clash.Error()})
	}
	for _, m := range problems {
		b.problem(offer.Image, m)
		if m.Level == xcat.Error {
			b.demand(exitProblems)
		}
	}
	if like := likeImages(b.catalog, offer.Image); like != "" {
		fmt.Fprintln(b.stderr, printable(b.stderr, offer.Image+": "+like))
	}
	switch {
	case exported.Refused || offer.Clash != nil:
		b.failed++
		return nil
	case exported.Unreadable != nil:
		return exported.Unreadable
	}
	return b.write(ctx, exported)
}

// write writes the bundle of an image unless it is there.
func (b *bulkExport) write(ctx context.Context, exported *xcat.Export) error {
	started := time.Now()
	path, err := b.dir.file(exported.Name)
	if err != nil {
		return err
	}
	made, err := b.engine.NewBundle(ctx, exported.Name, exported.Members)
	if err != nil {
		return err
	}
	if isWritten(path, made) {
		b.current++
		fmt.Fprintln(b.stdout, printable(b.stdout, exported.Image+": current"))
		return nil
	}
	bar := newProgress(b.stderr, exported.Image, made.StreamSize())
	size, err := writeFile(ctx, path, made, bar.written)
	bar.end()
	if err != nil {
		return err
	}
	b.written++
	took := time.Since(started).Round(time.Millisecond)
	fmt.Fprintln(b.stdout, printable(b.stdout, fmt.Sprintf("%s: written, %s in %s", exported.Image, byteSize(size), took)))
	return nil
}

// isWritten reports whether the file is the bundle already. One that cannot be read is
// replaced like any other.
func isWritten(path string, made *bundle.Bundle) bool {
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer func() { _ = f.Close() }()
	st, err := f.Stat()
	return err == nil && made.Written(f, st.Size())
}
