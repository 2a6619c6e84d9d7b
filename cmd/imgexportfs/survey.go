package main

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"imgexportfs/bundle"
	"imgexportfs/xcat"
)

// depth is how far a survey looks.
type depth int

const (
	brief   depth = iota // rows and files, without the trees of statelite images: quick
	planned              // all that an export reads before it compresses
	sized                // the sizes too
)

// surveyor looks at images and reports on them.
type surveyor struct {
	flags   *siteFlags
	site    *xcat.Site
	catalog *xcat.Catalog
	engine  *bundle.Engine
	depth   depth
	ended   atomic.Int64 // images
}

// survey looks at the named images, at those that match a glob, or at all if none is
// named, and reports on them in order. The rules report an unknown name. command heads
// the lines that say how far it is. The error is one that does not concern a single
// image.
func survey(ctx context.Context, flags *siteFlags, command string, images []string, how depth, stderr io.Writer) ([]imageReport, error) {
	site, catalog, err := flags.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = site.Close() }()
	engine, err := flags.engine(stderr, nil)
	if err != nil {
		return nil, err
	}
	defer closeEngine(ctx, engine)
	offers, err := chosen(xcat.Offers(catalog.Images()), images)
	if err != nil {
		return nil, err
	}
	s := &surveyor{flags: flags, site: site, catalog: catalog, engine: engine, depth: how}
	defer s.show(stderr, command, len(offers))()

	reports := make([]imageReport, len(offers))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, offer := range offers {
		group.Go(func() (err error) {
			reports[i], err = s.look(ctx, offer)
			s.ended.Add(1)
			return err
		})
	}
	return reports, withCode(exitSite, group.Wait())
}

// look returns the report on one image.
func (s *surveyor) look(ctx context.Context, offer xcat.Offer) (imageReport, error) {
	row, _ := s.catalog.OSImage(offer.Image)
	request := s.flags.request(spelled(s.catalog, offer.Image))
	request.Destination, request.Shallow = ".", s.depth == brief
	exported, err := s.catalog.Export(ctx, s.site.Root(), request)
	if err != nil {
		return imageReport{}, err
	}
	if exported.Refused || offer.Clash != nil || exported.Unreadable != nil || s.depth == brief {
		report := newImageReport(offer, row, exported, exported.Unreadable)
		if like := likeImages(s.catalog, offer.Image); like != "" {
			report.Problems = append(report.Problems, like)
		}
		return report, nil
	}
	var size int64
	made, err := s.engine.NewBundle(ctx, exported.Name, exported.Members)
	if err == nil && s.depth == sized {
		size, err = made.Size(ctx)
	}
	report := newImageReport(offer, row, exported, err)
	if err == nil && s.depth == sized {
		report.Size = &size
	}
	return report, ctx.Err()
}

// show shows how many of the images have been looked at, and which is being sized,
// until the function that it returns is called. What ends soon shows nothing.
func (s *surveyor) show(w io.Writer, command string, images int) (end func()) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		bar := startProgress(w, command, int64(images)*perImage)
		defer bar.end()
		ticker := time.NewTicker(500 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				bar.set(s.progress(images))
			case <-stop:
				return
			}
		}
	}()
	return func() { close(stop); <-stopped }
}

// perImage is into how many steps the bar divides the work for an image.
const perImage = 1000

// progress says how far the survey is, in steps and in words.
func (s *surveyor) progress(images int) (done int64, note string) {
	ended := s.ended.Load()
	note = fmt.Sprintf("%d of %s", ended, counted(images, "image"))
	done = ended * perImage
	for i, pass := range s.engine.Stats().Passes {
		if i == 0 {
			note += ", sizing " + escaped(pass.Name)
		}
		done += perImage * pass.Done / max(pass.Total, 1)
	}
	return min(done, int64(images)*perImage-1), note
}
