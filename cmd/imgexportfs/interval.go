package main

import (
	"errors"
	"strconv"
	"time"
)

// interval is a duration that a flag spells as 500ms, 2s, 1m, or as a number of
// seconds, as options of mount(8) are.
type interval time.Duration

// Set reads a duration.
func (i *interval) Set(text string) error {
	if _, err := strconv.ParseFloat(text, 64); err == nil {
		text += "s"
	}
	d, err := time.ParseDuration(text)
	switch {
	case err != nil:
		return errors.New("invalid duration; for example 5 (seconds), 500ms or 1m")
	case d < 0:
		return errors.New("cannot be negative")
	}
	*i = interval(d)
	return nil
}

// String is the duration with its unit.
func (i interval) String() string { return time.Duration(i).String() }
