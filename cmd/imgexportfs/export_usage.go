package main

import (
	"fmt"

	"imgexportfs/bundle"
)

// imgexportName is the name of a link to the program that makes it behave as
// imgexport.
const imgexportName = "imgexport"

// exportUsage is the help of the export command under the name it was
// called by. Its head has the form of imgexport's own.
func exportUsage(name string) string {
	return fmt.Sprintf(`%[1]s: Creates a tarball (bundle) of an existing xCAT image
Usage:
	%[1]s [-h|--help]
	%[1]s <image_name> [destination] [[-e|--extra <file:dir> ] ... ] [-p|--postscripts <node_name>] [-R|--remotehost <userid@host>] [-v|--verbose]
	      [--cfgloc <database>] [--root <dir>] [--memory <size>] [--cache-dir <dir>] [--compression <how>] [--level <n>]

destination     a file, or a directory for <image_name>.tgz; the current directory if not given
-e file[:dir]   put a file or directory into the bundle; imgimport moves it to dir
-p noderange    export the postscripts of the first of these nodes, too
-R user@host    write the bundle to that host through ssh; destination is a path there
-v              say what was written, how large it is and how long it took
--cfgloc SPEC   %[2]s
                (default: %[3]s)
--root DIR      %[4]s
--memory SIZE   %[5]s (default: %[6]s)
--cache-dir DIR %[7]s
--compression HOW
                %[8]s
--level N       %[9]s (default: %[10]d)
--              what follows is a name, even if it begins with a dash

The bundle gets its name when it is whole and on the disk, with mode 0600. The
exit code is 1 if an error line was printed: there is a bundle all the same if
"Done!" was printed, too.
`, name, cfglocUsage, cfglocDefault, rootUsage, memoryUsage, byteSize(defaultMemory),
		cacheDirUsage, compressionUsage, levelUsage, bundle.DefaultLevel)
}
