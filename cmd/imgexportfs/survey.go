package main

import (
	"context"
	"io"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"imgexportfs/xcat"
)

// imageReport is what list and check say of an image, and an object of
// list --json.
type imageReport struct {
	Image      string   `json:"image"`
	Name       string   `json:"name"` // of the bundle, without .tgz
	Provmethod string   `json:"provmethod"`
	Osvers     string   `json:"osvers"`
	Arch       string   `json:"arch"`
	Profile    string   `json:"profile"`
	Size       *int64   `json:"size"` // bytes; null where there is no bundle
	State      string   `json:"state"`
	Problems   []string `json:"problems"`
}

// newImageReport says what an export found. unreadable is why the sources cannot
// be read at the moment. That is a problem, but the image is not refused.
func newImageReport(offer xcat.Offer, row xcat.Row, exported *xcat.Export, unreadable error) imageReport {
	r := imageReport{
		Image:      offer.Image,
		Name:       offer.Name,
		Provmethod: row["provmethod"],
		Osvers:     row["osvers"],
		Arch:       row["osarch"],
		Profile:    row["profile"],
		Problems:   []string{},
	}
	problems := exported.Problems()
	for _, err := range []error{offer.Clash, unreadable} {
		if err == nil {
			continue
		}
		if problem := (xcat.Message{Level: xcat.Error, Text: err.Error()}); !slices.Contains(problems, problem) {
			problems = append(problems, problem)
		}
	}
	for _, p := range problems {
		r.Problems = append(r.Problems, p.String())
	}
	switch {
	case exported.Refused:
		r.State = "refused: " + firstError(problems)
	case offer.Clash != nil:
		r.State = "refused: " + offer.Clash.Error()
	case unreadable != nil:
		r.State = "unreadable: " + unreadable.Error()
	case len(problems) > 0:
		r.State = counted(len(problems), "problem")
	default:
		r.State = "ok"
	}
	return r
}

func firstError(messages []xcat.Message) string {
	for _, m := range messages {
		if m.Level == xcat.Error {
			return m.Text
		}
	}
	return "no reason given"
}

// survey looks at the named images, or at all if none is named, and reports on
// them in order. The rules report an unknown name. sized asks for the sizes too.
// The error is one that does not concern a single image.
func survey(ctx context.Context, flags *siteFlags, images []string, sized bool, stderr io.Writer) ([]imageReport, error) {
	site, catalog, err := flags.snapshot(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = site.Close() }()
	engine, err := flags.engine(stderr, nil)
	if err != nil {
		return nil, err
	}
	defer engine.Close()

	// look returns the report on one image.
	look := func(ctx context.Context, offer xcat.Offer) (imageReport, error) {
		row, _ := catalog.OSImage(offer.Image)
		exported, err := catalog.Export(ctx, site.Root(), xcat.Request{Image: offer.Image, Destination: "."})
		if err != nil {
			return imageReport{}, err
		}
		if exported.Refused || offer.Clash != nil || exported.Unreadable != nil {
			return newImageReport(offer, row, exported, exported.Unreadable), nil
		}
		var size int64
		made, err := engine.NewBundle(ctx, exported.Name, exported.Members)
		if err == nil && sized {
			size, err = made.Size(ctx)
		}
		report := newImageReport(offer, row, exported, err)
		if err == nil {
			report.Size = &size
		}
		return report, ctx.Err()
	}

	offers := chosen(xcat.Offers(catalog.Images()), images)
	reports := make([]imageReport, len(offers))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, offer := range offers {
		group.Go(func() (err error) {
			reports[i], err = look(ctx, offer)
			return err
		})
	}
	return reports, withCode(exitSite, group.Wait())
}

// chosen returns the offers of the named images, of all if none is named. A
// name that no image has gets an offer as well.
func chosen(all []xcat.Offer, names []string) []xcat.Offer {
	if len(names) == 0 {
		return all
	}
	byImage := map[string]xcat.Offer{}
	for _, offer := range all {
		byImage[offer.Image] = offer
	}
	var offers []xcat.Offer
	for _, name := range names {
		offer, known := byImage[name]
		if !known {
			offer = xcat.Offer{Image: name}
		}
		offers = append(offers, offer)
	}
	return offers
}
