package main

import (
	"fmt"

	"imgexportfs/bundle"
)

// exportUsage is the help of the export command under the name it was called by.
// Its head has the form of imgexport's own.
func exportUsage(name string) string {
	forms, words := fmt.Sprintf(bulkForms, name), bulkWords
	if name == imgexportName {
		forms, words = "", ""
	}
	return fmt.Sprintf(`%[1]s: Creates a tarball (bundle) of an existing xCAT image
Usage:
	%[1]s [-h|--help]
	%[1]s <image_name> [destination] [[-e|--extra <file:dir> ] ... ] [-p|--postscripts <node_name>] [-R|--remotehost <userid@host>] [-v|--verbose]
	      [--config <file>] [--cfgloc <database>] [--root <dir>] [--memory <size>] [--cache-dir <dir>] [--cache-size <size>] [--compression <how>] [--level <n>]
%[2]s
destination     a file, or a directory for <image_name>.tgz; the current directory if not given
%[3]s-e file[:dir]   put a file or directory into the bundle; imgimport moves it to dir
-p noderange    export the postscripts of the first of these nodes, too
-R user@host    write the bundle to that host through ssh; destination is a path there
-v              say what was written, how large it is and how long it took
--config FILE   %[14]s
                (default: %[15]s)
--cfgloc SPEC   %[4]s
                (default: %[5]s)
--root DIR      %[6]s
--memory SIZE   %[7]s (default: %[8]s)
--cache-dir DIR %[9]s
--cache-size SIZE
                %[13]s
--compression HOW
                %[10]s
--level N       %[11]s (default: %[12]d)
--              what follows is a name, even if it begins with a dash

Options may stand anywhere, be bundled (-vpn1) and be abbreviated (--post) as
long as only one is meant.
The bundle gets its name when it is complete and on the disk, with mode 0600.
The exit code is 1 if an error line was printed; if "Done!" was printed too,
there is a bundle all the same.
`, name, forms, words, cfglocUsage, cfglocDefault, rootUsage, memoryUsage, byteSize(bundle.DefaultMemory),
		cacheDirUsage, compressionUsage, levelUsage, bundle.DefaultLevel, cacheSizeUsage, configUsage, defaultFile)
}

// What only imgexportfs export has, and imgexport has not.
const (
	bulkForms = `	%[1]s <image_name> -
	%[1]s <image_name>... <dir>/
	%[1]s --all <dir>/

With --all, with three or more names, or with a glob in quotes ('rhel*') before a
directory, the last name is a directory, and the bundle of each image goes there,
unless the file there is current. What fails is named, the others are exported, and
the highest exit code counts.
`
	bulkWords = `-               as destination: standard output, and all messages on standard error
`
)
