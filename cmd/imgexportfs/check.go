package main

import (
	"bufio"
	"fmt"

	"github.com/urfave/cli/v2"

	"imgexportfs/xcat"
)

func checkCommand() *cli.Command {
	flags := newSiteFlags()
	return &cli.Command{
		Name:      "check",
		Usage:     "every problem of the images, one a line; exit code 1 if there is one",
		ArgsUsage: "[IMAGE...]",
		Flags:     flags.forCommand(),
		Action: func(c *cli.Context) error {
			return surveyed(c.Context, flags, c.App.ErrWriter, func(s surveyor) error {
				report := checkReport{w: bufio.NewWriter(c.App.Writer)}
				offers := chosen(xcat.Offers(s.catalog.Images()), c.Args().Slice())
				if err := s.survey(c.Context, offers, report.add); err != nil {
					return withCode(exitSite, err)
				}
				return report.end()
			})
		},
	}
}

// chosen returns the offers of the named images, of all if none is named. A
// name that no image has gets an offer as well, for the rules to say so.
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

// checkReport prints problems as they are found and counts them.
type checkReport struct {
	w                        *bufio.Writer // remembers the first failure to write
	images, faulty, problems int
}

func (r *checkReport) add(f finding) {
	r.images++
	if len(f.problems) > 0 {
		r.faulty++
	}
	for _, p := range f.problems {
		r.problems++
		fmt.Fprintf(r.w, "%s: %s\n", escaped(f.offer.Image), escaped(p.String()))
	}
	_ = r.w.Flush()
}

// end prints the total and returns what the exit code comes from.
func (r *checkReport) end() error {
	if r.problems == 0 {
		fmt.Fprintf(r.w, "%s, no problems\n", counted(r.images, "image"))
		return withCode(exitWrite, r.w.Flush())
	}
	fmt.Fprintf(r.w, "%s, %s in %d of them\n", counted(r.images, "image"), counted(r.problems, "problem"), r.faulty)
	if err := r.w.Flush(); err != nil {
		return withCode(exitWrite, err)
	}
	return &exitError{code: exitProblems}
}
