package main

import "fmt"

// oneLine joins errors as errors.Join does, but on one line, for an error is
// printed as one.
func oneLine(errs ...error) error {
	var joined error
	for _, err := range errs {
		switch {
		case err == nil:
		case joined == nil:
			joined = err
		default:
			joined = fmt.Errorf("%w; %w", joined, err)
		}
	}
	return joined
}
