package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// exportArgs is the command line of the export command: imgexport's, or that of a bulk
// export.
type exportArgs struct {
	image       string   // of imgexport's form
	images      []string // of a bulk export: names and globs
	all         bool     // a bulk export of all images
	destination string   // "" is imgexport's default: NAME.tgz in this directory
	node        string   // -p
	extras      []string
	remote      string // -R: user@host
	verbose     bool
	help        bool
	version     bool
	own         bool // the command line is not imgexport's
	site        *siteFlags

	// looksLikeOption is set when the image has the form of an option and does not
	// follow "--". It is a mistyped option unless there is such an image.
	looksLikeOption bool
}

// parseExportArgs reads a command line as imgexport does: options may follow
// operands, be bundled (-vpn1) and be abbreviated (--post), and "--" ends them. With
// bulk it also reads the command line of a bulk export.
func parseExportArgs(args []string, bulk bool) (*exportArgs, error) {
	return (&exportArgs{site: newSiteFlags(), own: bulk}).parse(args, bulk)
}

// withFile returns what the command line says where the configuration file says the
// defaults. In imgexport's form the file adds nothing to a bundle.
func (a *exportArgs) withFile(args []string, bulk bool, stderr io.Writer) (*exportArgs, error) {
	site, err := a.site.withFile(stderr)
	if err != nil || site == a.site {
		return a, err
	}
	if !bulk {
		site.file.Images = nil
	}
	return (&exportArgs{site: site, own: bulk}).parse(args, bulk)
}

// parse reads a command line into what holds its defaults.
func (a *exportArgs) parse(args []string, bulk bool) (*exportArgs, error) {
	options := a.options()
	if bulk {
		options.BoolVar(&a.all, "all", false, "")
	}
	operands, err := a.takeOptions(options, args)
	if err != nil {
		return nil, err
	}
	if a.help || a.version {
		return a, nil
	}
	switch n := len(operands); {
	case a.all && n != 1:
		return nil, errors.New("--all takes one operand, the directory for the bundles")
	case n == 0:
		return nil, errors.New("no image is named")
	case a.all, bulk && n > 2:
		a.images, a.destination = operands[:n-1], operands[n-1]
	case n > 2:
		return nil, fmt.Errorf("%q is one operand too many; name an image and a destination", operands[2])
	default:
		a.image = operands[0]
		a.destination = strings.Join(operands[1:], "")
	}
	return a, nil
}

// operands are the words of the command line that are no options.
func (a *exportArgs) operands() []string {
	return append([]string{a.image, a.destination}, a.images...)
}

// isGlob reports whether a name has what patterns are made of.
func isGlob(name string) bool { return strings.ContainsAny(name, "*?[") }

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
	set.BoolVar(&a.version, "version", false, "")
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
				return nil, unknownOption(arg, longOptions(set))
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

func unknownOption(arg string, known []string) error {
	name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	if like := nearest(name, known); len(name) > 1 && len(like) > 0 {
		return fmt.Errorf("unknown option %s; did you mean --%s", arg, strings.Join(like, ", --"))
	}
	return fmt.Errorf("unknown option %s; put -- before names that begin with a dash", arg)
}
