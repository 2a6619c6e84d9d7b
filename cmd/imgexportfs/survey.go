package main

import (
	"context"
	"io"
	"slices"

	"imgexportfs/bundle"
	"imgexportfs/xcat"
)

// finding is what list and check know of an image.
type finding struct {
	offer    xcat.Offer
	row      xcat.Row
	problems []xcat.Message
	refusal  string // why there is no bundle; "" if there is one
	size     int64  // of the bundle, if it was asked for
}

// surveyor looks at images one by one.
type surveyor struct {
	site    *xcat.Site
	catalog *xcat.Catalog
	engine  *bundle.Engine
	sizes   bool // find out the sizes, too
}

// survey hands what there is to say of each image to each, in order. Errors
// that are not about one image, such as an interruption, end it.
func (s surveyor) survey(ctx context.Context, offers []xcat.Offer, each func(finding)) error {
	return inOrder(ctx, offers, s.look, each)
}

func (s surveyor) look(ctx context.Context, offer xcat.Offer) (finding, error) {
	row, _ := s.catalog.OSImage(offer.Image)
	found := finding{offer: offer, row: row}
	exported, err := s.catalog.Export(ctx, s.site.Root(), xcat.Request{Image: offer.Image, Destination: "."})
	if err == nil {
		found.problems = exported.Problems()
		switch {
		case exported.Refused:
			found.refusal = firstReason(found.problems)
		case offer.Clash == nil:
			found.size, err = s.weigh(ctx, exported)
		}
	}
	if ctx.Err() != nil {
		return finding{}, context.Cause(ctx)
	}
	found.refuse(err)
	found.refuse(offer.Clash)
	return found, nil
}

// weigh plans the bundle and returns its size if sizes are wanted.
func (s surveyor) weigh(ctx context.Context, exported *xcat.Export) (int64, error) {
	made, err := s.engine.NewBundle(ctx, exported.Name, exported.Members)
	if err != nil || !s.sizes {
		return 0, err
	}
	return made.Size(ctx)
}

// refuse notes an error, if there is one, that means that there is no
// bundle. What is known already is not said again.
func (f *finding) refuse(err error) {
	if err == nil {
		return
	}
	problem := xcat.Message{Level: xcat.Error, Text: err.Error()}
	if !slices.Contains(f.problems, problem) {
		f.problems = append(f.problems, problem)
	}
	if f.refusal == "" {
		f.refusal = problem.Text
	}
}

// firstReason is the first error among the problems of a refused image.
func firstReason(problems []xcat.Message) string {
	for _, p := range problems {
		if p.Level == xcat.Error {
			return p.Text
		}
	}
	return "no reason given"
}

// surveyed opens what a survey needs, runs use, and closes it all.
func surveyed(ctx context.Context, flags *siteFlags, stderr io.Writer, use func(surveyor) error) (err error) {
	site, catalog, err := flags.snapshot(ctx)
	if err != nil {
		return err
	}
	defer func() { err = oneLine(err, site.Close()) }()
	engine, err := flags.engine(stderr)
	if err != nil {
		return err
	}
	defer engine.Close()
	return use(surveyor{site: site, catalog: catalog, engine: engine})
}
