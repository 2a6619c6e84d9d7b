package main

import (
	"bufio"
	"fmt"

	"github.com/urfave/cli/v2"

	"imgexportfs/cmd/imgexportfs/config"
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
	result := "no problems"
	if problems > 0 {
		result = fmt.Sprintf("%s in %d of them", counted(problems, "problem"), faulty)
	}
	idle := flags.idleEntries(reports, c.Args().Present())
	for _, entry := range idle {
		fmt.Fprintln(w, escaped(entry))
	}
	if len(idle) > 0 {
		result += fmt.Sprintf("; %s of %s for no image", counted(len(idle), "line"), escaped(flags.file.Name))
	}
	fmt.Fprintf(w, "%s, %s\n", counted(len(reports), "image"), result)
	if err := w.Flush(); err != nil {
		return withCode(exitWrite, err)
	}
	if problems+len(idle) > 0 {
		return &exitError{code: exitProblems}
	}
	return nil
}

// idleEntries says which entries of the configuration file are for none of the images,
// most often because a name is mistyped. Where only some images were looked at, there is
// nothing to say.
func (f *siteFlags) idleEntries(reports []imageReport, some bool) (lines []string) {
	if some || !f.isOfSite() {
		return nil
	}
	names := make([]string, len(reports))
	for i, r := range reports {
		names[i] = r.Image
	}
	for _, entry := range f.file.Idle(names) {
		line := f.file.Error(entry.Line, "%s: %q is for no image of the site", config.ImagesKey, entry.Pattern)
		lines = append(lines, line.Error()+didYouMean(entry.Pattern, names))
	}
	return lines
}
