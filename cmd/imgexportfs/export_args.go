package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/pflag"
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

	// looksLikeOption is set when the image has the form of an option and
	// nothing said that it is a name. It is a mistyped option unless there
	// is such an image.
	looksLikeOption bool
}

// parseExportArgs reads a command line as imgexport does: options may follow
// operands, be bundled (-vpn1) and be cut short (--post), and "--" ends them.
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

// imgexportOptions are imgexport's own. A cut short name means one of them
// before it means one of ours, so that old scripts keep their meaning; their
// first letters differ, and so do ours, so every beginning is unique.
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

	var all []string
	set.VisitAll(func(f *pflag.Flag) { all = append(all, f.Name) })
	set.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		return pflag.NormalizedName(completed(name, imgexportOptions, all))
	})
	return set
}

// completed returns the option that name is or begins, looked for in one
// list after the other; name itself if there is none.
func completed(name string, lists ...[]string) string {
	for _, options := range lists {
		for _, option := range options {
			if strings.HasPrefix(option, name) && name != "" {
				return option
			}
		}
	}
	return name
}

// takeOptions reads args one option at a time, for only so is it known which
// argument an error is about, and returns the operands.
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
