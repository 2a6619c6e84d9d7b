package main

import (
	"context"
	"fmt"

	"imgexportfs/bundle"
	"imgexportfs/bundle/verify"
	"imgexportfs/xcat"
)

// comparedSite is the site that bundles are compared with.
type comparedSite struct {
	site    *xcat.Site
	catalog *xcat.Catalog
	image   string            // to compare every bundle with; "" is the one that it names
	images  map[string]string // by the name in bundles

	last    string // what exported is of: a backup has many bundles of one image
	exports *xcat.Export
}

func newComparedSite(site *xcat.Site, catalog *xcat.Catalog, against string) *comparedSite {
	s := &comparedSite{site: site, catalog: catalog, images: map[string]string{}}
	if against != againstAuto {
		s.image = against
	}
	for _, image := range catalog.Images() {
		s.images[xcat.BundleName(image)] = image
	}
	return s
}

func (s *comparedSite) close() {
	if s != nil {
		_ = s.site.Close()
	}
}

// export returns what the site would export of an image, with the extras and postscripts
// that the bundle's manifest names.
func (s *comparedSite) export(ctx context.Context, image string, m *verify.Manifest) (*xcat.Export, error) {
	req := xcat.Request{Image: image, Destination: "."}
	if m != nil {
		req.Scripts = m.Scripts
		for _, extra := range m.Extras {
			req.Extras = append(req.Extras, extra.Src+":"+extra.Dest)
		}
	}
	key := fmt.Sprintf("%q %q %q", req.Image, req.Scripts, req.Extras)
	if s.last == key {
		return s.exports, nil
	}
	exported, err := s.catalog.Export(ctx, s.site.Root(), req)
	if err != nil {
		return nil, err
	}
	s.last, s.exports = key, exported
	return exported, nil
}

// look compares one bundle with the site.
type look struct {
	site  *comparedSite
	quick bool

	asked    bool
	image    string
	verdict  string // "" if the members decide
	reason   string
	samePlan bool
	scripts  bool // the bundle has postscripts of -p
}

// reference finds out what to compare the bundle with. It returns nil where there is
// nothing to compare, or nothing more.
func (l *look) reference(ctx context.Context, head verify.Head) (*verify.Reference, error) {
	l.asked = true
	l.image = l.site.image
	if l.image == "" && head.Manifest != nil {
		l.image = head.Manifest.Image
	} else if l.image == "" {
		l.image = l.site.images[head.Name]
	}
	if _, known := l.site.catalog.OSImage(l.image); !known {
		if l.image == "" {
			l.image = head.Name
		}
		l.verdict, l.reason = isNoImage, likeImages(l.site.catalog, l.site.image)
		return nil, nil
	}
	exported, err := l.site.export(ctx, l.image, head.Manifest)
	switch {
	case err != nil:
		return nil, err
	case exported.Refused:
		l.verdict, l.reason = isNotCompared, "the site cannot export it now: "+firstError(exported.Messages)
		return nil, nil
	case exported.Unreadable != nil:
		l.verdict, l.reason = isNotCompared, exported.Unreadable.Error()+"; try again"
		return nil, nil
	}
	l.scripts = head.Manifest != nil && len(head.Manifest.Scripts) > 0
	l.samePlan = !head.Foreign && bundle.IsPlanOf(head.Plan, exported.Name, exported.Members)
	if l.quick {
		l.judge(head)
		return nil, nil
	}
	return &verify.Reference{Members: exported.Members, Extras: head.Manifest != nil}, nil
}

// judge decides by the plan's hash alone.
func (l *look) judge(head verify.Head) {
	switch {
	case head.Foreign:
		l.verdict, l.reason = isNotCompared, "it has no plan hash; leave --quick out"
	case l.samePlan:
		l.verdict = isCurrent
	case head.Format != bundle.FormatVersion:
		l.verdict, l.reason = isNotCompared, "its plan hash is of an older format; leave --quick out"
	default:
		l.verdict, l.reason = isOutdated, "by its plan hash; without --quick verify names what differs"
	}
}
