package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

const exportName = "export"

// exportFlags describes the options of the export command.
func exportFlags() []cli.Flag {
	own := []cli.Flag{
		&cli.BoolFlag{Name: "all", Usage: "export every image into a directory, but what is current there", DisableDefaultText: true},
	}
	return append(append(imgexportFlags(), own...), newSiteFlags().forCommand()...)
}

// imgexportFlags describes imgexport's own options.
func imgexportFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "extra", Aliases: []string{"e"}, Usage: "`FILE[:DIR]`: put a file or directory into the bundle; imgimport moves it to DIR"},
		&cli.StringFlag{Name: "postscripts", Aliases: []string{"p"}, Usage: "`NODERANGE`: export the postscripts of the first of these nodes, too"},
		&cli.StringFlag{Name: "remotehost", Aliases: []string{"R"}, Usage: "`USER@HOST`: write the bundle to that host through ssh; the destination is a path there"},
		&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "say what was written, how large it is and how long it took", DisableDefaultText: true},
	}
}

// exportUsage is the help of the export command under the name it was called by.
// Its head has the form of imgexport's own.
func exportUsage(name string) string {
	forms, flags, example := fmt.Sprintf(bulkForms, name), exportFlags(), examples[exportName][0]
	if name == imgexportName {
		forms, flags = "", append(imgexportFlags(), newSiteFlags().forCommand()...)
		example = strings.Replace(example, programName+" "+exportName, imgexportName, 1)
	}
	var options strings.Builder
	printFlags(&options, append(flags,
		&cli.BoolFlag{Name: helpName, Aliases: []string{"h"}, Usage: "print this help", DisableDefaultText: true}, versionFlag(false)))
	return fmt.Sprintf(`%[1]s: Creates a tarball (bundle) of an existing xCAT image
Usage:
  %[1]s [-h|--help]
  %[1]s <image_name> [destination] [[-e|--extra <file:dir> ] ... ]
      [-p|--postscripts <node_name>] [-R|--remotehost <userid@host>] [-v|--verbose]
%[2]s
The destination is a file, or a directory for <image_name>.tgz; the current directory if it
is left out.

Flags:
%[3]s
Flags may stand anywhere, be bundled (-vpn1) and be abbreviated (--post) as long as only one
is meant. What follows -- is a name, even if it begins with a dash.
The bundle gets its name when it is complete and on the disk, with mode 0600.
The exit code is 1 if an error line was printed; if "Done!" was printed too, there is a bundle
all the same.

Example:
  %[4]s
`, name, forms, options.String(), example)
}

// bulkForms is what only imgexportfs export has, and imgexport has not.
const bulkForms = `  %[1]s <image_name> -
  %[1]s <image_name>... <dir>/
  %[1]s --all <dir>/

With - the bundle goes to standard output, and all messages to standard error.
With --all, with three or more names, or with a glob in quotes ('rhel*') before a directory,
the last name is a directory, and the bundle of each image goes there,
unless the file there is current. What fails is named, the others are exported, and the
highest exit code counts.
`
