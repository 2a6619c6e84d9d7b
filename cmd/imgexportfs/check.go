package main

import (
	"bufio"
	"fmt"

	"github.com/urfave/cli/v2"
)

func checkCommand() *cli.Command {
	flags := newSiteFlags()
	return &cli.Command{
		Name:      "check",
		Usage:     "print every problem of the images, one a line; exit code 1 if there is one",
		ArgsUsage: "[IMAGE|GLOB...]",
		Flags:     append(flags.ofDatabase(), flags.ofEngine()...),
		Before:    flags.takeFile,
		Action:    func(c *cli.Context) error { return runCheck(c, flags) },
	}
}

func runCheck(c *cli.Context, flags *siteFlags) error {
	reports, err := survey(c.Context, flags, "check", c.Args().Slice(), planned, c.App.ErrWriter)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(c.App.Writer) // remembers the first failure to write
	faulty, problems := 0, 0
	for _, r := range reports {
		if len(r.Problems) > 0 {
			faulty++
		}
		for _, p := range r.Problems {
			problems++
			fmt.Fprintf(w, "%s: %s\n", escaped(r.Image), escaped(p))
		}
	}
	if problems == 0 {
		fmt.Fprintf(w, "%s, no problems\n", counted(len(reports), "image"))
	} else {
		fmt.Fprintf(w, "%s, %s in %d of them\n", counted(len(reports), "image"), counted(problems, "problem"), faulty)
	}
	if err := w.Flush(); err != nil {
		return withCode(exitWrite, err)
	}
	if problems > 0 {
		return &exitError{code: exitProblems}
	}
	return nil
}
