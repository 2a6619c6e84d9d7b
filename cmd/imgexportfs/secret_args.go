package main

import (
	"regexp"
	"strings"
	"unsafe"
)

// locationWithPassword finds what follows the user, or a parameter that names
// a password, in the location of a database that is an argument of its own or
// the value of a flag.
var locationWithPassword = regexp.MustCompile(`(?is)^(?:--?cfgloc=)?(?:mysql|pg|db2):.*?(?:\|[^|]*\||(?:pass|pwd)[a-z]*=)(.+)$`)

// takeArgs returns a copy of the process's arguments and then overwrites the
// passwords in the original, where ps would show them as long as the program
// runs. args must be os.Args: Go leaves these where the kernel has put them.
func takeArgs(args []string) []string {
	own := make([]string, len(args))
	for i, arg := range args {
		own[i] = strings.Clone(arg)
	}
	for i, arg := range own {
		if at := passwordIn(arg); at >= 0 {
			shown := unsafe.Slice(unsafe.StringData(args[i]), len(args[i]))
			for j := at; j < len(shown); j++ {
				shown[j] = 'x'
			}
		}
	}
	return own
}

// passwordIn returns where in an argument a password begins, or -1.
func passwordIn(arg string) int {
	if found := locationWithPassword.FindStringSubmatchIndex(arg); found != nil {
		return found[2]
	}
	return -1
}
