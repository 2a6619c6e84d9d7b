package main

import (
	"slices"

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
