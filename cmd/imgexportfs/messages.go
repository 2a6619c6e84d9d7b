package main

import (
	"fmt"
	"io"

	"imgexportfs/xcat"
)

// printMessages prints messages in their order, one at a time so that the
// two streams keep it where both lead to one place: data to stdout, the
// rest to stderr.
func printMessages(stdout, stderr io.Writer, messages []xcat.Message) {
	for _, m := range messages {
		w := stderr
		if m.Level == xcat.Data {
			w = stdout
		}
		fmt.Fprintln(w, printable(w, m.String()))
	}
}

// hasError reports whether imgexport would have ended with code 1.
func hasError(messages []xcat.Message) bool {
	for _, m := range messages {
		if m.Level == xcat.Error {
			return true
		}
	}
	return false
}
