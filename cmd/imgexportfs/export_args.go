package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"imgexportfs/bundle"
)

// exportArgs is the command line of the export command.
type exportArgs struct {
	image       string
	destination string // "" is imgexport's default: NAME.tgz in this directory
	node        string // -p
	extras      []string
	remote      string // -R: user@host
	verbose     bool
	help        bool
	site        *siteFlags

	// looksLikeOption is set when the image has the form of an option and does not
	// follow "--". It is a mistyped option unless there is such an image.
	looksLikeOption bool
}

// parseExportArgs reads a command line as imgexport does: options may follow
// operands, be bundled (-vpn1) and be abbreviated (--post), and "--" ends them.
func parseExportArgs(args []string) (*exportArgs, error) {
	parsed := &exportArgs{site: newSiteFlags()}
	operands, err := parsed.takeOptions(parsed.options(), args)
	if err != nil {
		return nil, err
	}
	if parsed.help {
		return parsed, nil
	}
	switch len(operands) {
	case 0:
		return nil, errors.New("no image is named")
	case 1, 2:
		parsed.image = operands[0]
		parsed.destination = strings.Join(operands[1:], "")
		return parsed, nil
	}
	return nil, fmt.Errorf("%q is one operand too many; name an image and a destination", operands[2])
}

// imgexportOptions are imgexport's own. An abbreviation means one of them before it
// means one of ours, so that old scripts keep their meaning. Their first letters
// differ, so each abbreviation of them is unique.
var imgexportOptions = []string{"help", "postscripts", "extra", "verbose", "remotehost"}

func (a *exportArgs) options() *pflag.FlagSet {
	set := pflag.NewFlagSet("export", pflag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.Usage = func() {}
	set.SetInterspersed(false)
	set.BoolVarP(&a.help, "help", "h", false, "")
	set.BoolVarP(&a.help, "?", "?", false, "")
	set.StringVarP(&a.node, "postscripts", "p", "", "")
	set.StringArrayVarP(&a.extras, "extra", "e", nil, "")
	set.BoolVarP(&a.verbose, "verbose", "v", false, "")
	set.StringVarP(&a.remote, "remotehost", "R", "", "")
	a.site.addTo(set)

	all := longOptions(set)
	set.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		if found := meant(name, all); len(found) == 1 {
			return pflag.NormalizedName(found[0])
		}
		return pflag.NormalizedName(name)
	})
	return set
}

// longOptions returns the names of a set's options in order.
func longOptions(set *pflag.FlagSet) (names []string) {
	set.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// meant returns the options of all that name may stand for: the one that has this
// name, or else those that it abbreviates, of imgexport's own if there are any.
func meant(name string, all []string) []string {
	if name == "" || slices.Contains(all, name) {
		return []string{name}
	}
	for _, options := range [][]string{imgexportOptions, all} {
		var found []string
		for _, option := range options {
			if strings.HasPrefix(option, name) {
				found = append(found, option)
			}
		}
		if len(found) > 0 {
			return found
		}
	}
	return nil
}

// takeOptions reads args and returns the operands. It reads one option at a time, to
// know which argument an error is about.
func (a *exportArgs) takeOptions(set *pflag.FlagSet, args []string) (operands []string, err error) {
	for len(args) > 0 {
		arg := args[0]
		if arg == "--" {
			return append(operands, args[1:]...), nil
		}
		taken := 1
		if len(arg) < 2 || arg[0] != '-' {
			operands = append(operands, arg)
		} else if taken, err = parseOption(set, args); err != nil {
			if _, unknown := errors.AsType[*pflag.NotExistError](err); !unknown {
				return nil, err
			}
			if len(operands) > 0 {
				return nil, unknownOption(arg)
			}
			operands, taken = append(operands, arg), 1
			a.looksLikeOption = true
		}
		args = args[taken:]
	}
	return operands, nil
}

// parseOption reads the option at the head of args, with its value where it
// takes one, and returns how many arguments that were.
func parseOption(set *pflag.FlagSet, args []string) (taken int, err error) {
	if long, is := strings.CutPrefix(args[0], "--"); is {
		name, _, _ := strings.Cut(long, "=")
		if found := meant(name, longOptions(set)); len(found) > 1 {
			return 1, fmt.Errorf("option --%s is ambiguous (--%s)", name, strings.Join(found, ", --"))
		}
	}
	err = set.Parse(args[:1])
	if _, valueless := errors.AsType[*pflag.ValueRequiredError](err); valueless {
		if len(args) == 1 {
			return 1, fmt.Errorf("option %s needs a value", args[0])
		}
		return 2, set.Parse(args[:2])
	}
	return 1, err
}

func unknownOption(arg string) error {
	return fmt.Errorf("unknown option %s; put -- before names that begin with a dash", arg)
}

// exportUsage is the help of the export command under the name it was called by.
// Its head has the form of imgexport's own.
func exportUsage(name string) string {
	return fmt.Sprintf(`%[1]s: Creates a tarball (bundle) of an existing xCAT image
Usage:
	%[1]s [-h|--help]
	%[1]s <image_name> [destination] [[-e|--extra <file:dir> ] ... ] [-p|--postscripts <node_name>] [-R|--remotehost <userid@host>] [-v|--verbose]
	      [--cfgloc <database>] [--root <dir>] [--memory <size>] [--cache-dir <dir>] [--cache-size <size>]
	      [--compression <how>] [--level <n>]

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
--cache-size SIZE
                %[11]s
--compression HOW
                %[8]s
--level N       %[9]s (default: %[10]d)
--              what follows is a name, even if it begins with a dash

Options may stand anywhere, be bundled (-vpn1) and be abbreviated (--post) as
long as only one is meant.
The bundle gets its name when it is complete and on the disk, with mode 0600.
The exit code is 1 if an error line was printed; if "Done!" was printed too,
there is a bundle all the same.
`, name, cfglocUsage, cfglocDefault, rootUsage, memoryUsage, byteSize(bundle.DefaultMemory),
		cacheDirUsage, compressionUsage, levelUsage, bundle.DefaultLevel, cacheSizeUsage)
}
