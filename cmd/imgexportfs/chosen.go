package main

import (
	"path"

	"imgexportfs/xcat"
)

// spelled returns the name of an image as the tables spell it.
func spelled(catalog *xcat.Catalog, image string) string {
	if row, known := catalog.OSImage(image); known {
		return row["imagename"]
	}
	return image
}

// chosen returns the offers of the images that are named or match a glob, of all if
// nothing is named. A name that no image has gets an offer as well, for the rules to
// report it. No image comes twice.
func chosen(all []xcat.Offer, names []string) ([]xcat.Offer, error) {
	if len(names) == 0 {
		return all, nil
	}
	var offers []xcat.Offer
	taken := map[string]bool{}
	for _, name := range names {
		found, err := named(all, name)
		if err != nil {
			return nil, usageError("%q is not a valid pattern for names of images; put a backslash before [ * and ? that are meant", name)
		}
		for _, o := range found {
			if !taken[o.Image] {
				taken[o.Image] = true
				offers = append(offers, o)
			}
		}
	}
	return offers, nil
}

// named returns the offer of the image of that name, those of the images that the name
// matches as a pattern, or one for an unknown image.
func named(all []xcat.Offer, name string) (found []xcat.Offer, err error) {
	for _, o := range all {
		if o.Image == name {
			return []xcat.Offer{o}, nil
		}
	}
	if isGlob(name) {
		for _, o := range all {
			matches, err := path.Match(name, o.Image)
			if err != nil {
				return nil, err
			}
			if matches {
				found = append(found, o)
			}
		}
	}
	if len(found) == 0 {
		found = []xcat.Offer{{Image: name}}
	}
	return found, nil
}
