package main

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"unsafe"
)

// The location of a database may hold a password. It is for --cfgloc and XCATCFG, but
// may end up anywhere on a command line; wherever it is, nobody else is shown it.

// serverLocation finds the password in such a location, which is an argument of its own
// or the value of a flag: the text after the user, or after a parameter that names a
// password.
var serverLocation = regexp.MustCompile(`(?is)^(?:-[^:|]*|[^:|]*=)?\s*(?:mysql|pg|db2):.*?(?:\|[^|]*\||(?:pass|pwd)[a-z]*\s*=)(.+)$`)

// knownServer matches a location that serverLocation understands.
var knownServer = regexp.MustCompile(`(?i)^\s*(?:mysql|pg|db2):`)

// cfglocFlag matches --cfgloc and its abbreviations, with a value or without.
var cfglocFlag = regexp.MustCompile(`(?s)^--?c(?:f(?:g(?:l(?:o(?:c)?)?)?)?)?(?:=(.*))?$`)

// hidden takes the place of a password in messages.
const hidden = "(hidden)"

// passwordAt returns where in an argument a password begins, or -1. Of a value of
// --cfgloc whose kind is misspelled, everything after the first stroke is taken for one.
func passwordAt(args []string, i int) int {
	arg := args[i]
	if found := serverLocation.FindStringSubmatchIndex(arg); found != nil {
		return found[2]
	}
	start := -1
	if flag := cfglocFlag.FindStringSubmatchIndex(arg); flag != nil && flag[2] >= 0 {
		start = flag[2]
	} else if i > 0 && cfglocFlag.MatchString(args[i-1]) && !strings.Contains(args[i-1], "=") {
		start = 0
	}
	if start < 0 || knownServer.MatchString(arg[start:]) {
		return -1
	}
	if stroke := strings.IndexByte(arg[start:], '|'); stroke >= 0 && start+stroke+1 < len(arg) {
		return start + stroke + 1
	}
	return -1
}

// takeArgs returns a copy of the process's arguments and overwrites the passwords in
// the original, because ps shows it. args must be os.Args: Go leaves these in the
// memory where the kernel has put them.
func takeArgs(args []string) []string {
	own := make([]string, len(args))
	for i, arg := range args {
		own[i] = strings.Clone(arg)
	}
	for i := range own {
		if at := passwordAt(own, i); at >= 0 {
			shown := unsafe.Slice(unsafe.StringData(args[i]), len(args[i]))
			for j := at; j < len(shown); j++ {
				shown[j] = 'x'
			}
		}
	}
	return own
}

// getenv is os.Getenv, but that it still knows XCATCFG after takeLocation.
var getenv = os.Getenv

// locationEnv is xCAT's variable for the location of its database.
const locationEnv = "XCATCFG"

// takeLocation takes XCATCFG out of the environment that children get. An ssh or a
// fusermount does not need it, and may run for another user.
func takeLocation() {
	location, set := os.LookupEnv(locationEnv)
	if !set {
		return
	}
	_ = os.Unsetenv(locationEnv) // which fails for no name that LookupEnv finds
	setLocation(location)
}

// setLocation makes getenv know XCATCFG.
func setLocation(location string) {
	getenv = func(name string) string {
		if name == locationEnv {
			return location
		}
		return os.Getenv(name)
	}
}

// withoutPasswords returns a text in which arguments may be quoted without the passwords
// that they hold.
func withoutPasswords(text string, args []string) string {
	for i, arg := range args {
		at := passwordAt(args, i)
		if at < 0 {
			continue
		}
		for _, from := range []int{0, strings.IndexByte(arg[:at], '=') + 1} { // the whole, or a flag's value
			text = strings.ReplaceAll(text, arg[from:], arg[from:at]+hidden)
			text = strings.ReplaceAll(text, quotedInner(arg[from:]), quotedInner(arg[from:at])+hidden)
		}
	}
	return text
}

// quotedInner is text as %q prints it, without the quotation marks.
func quotedInner(text string) string {
	quoted := strconv.Quote(text)
	return quoted[1 : len(quoted)-1]
}

// refusePasswords returns an error if an operand, which messages would repeat, holds a
// password.
func refusePasswords(operands []string) error {
	for i, operand := range operands {
		if at := passwordAt(operands, i); at >= 0 {
			return usageError("%q holds the password of a database, which only --cfgloc takes", operand[:at]+hidden)
		}
	}
	return nil
}
