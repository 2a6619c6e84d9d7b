package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// byteSize is a number of bytes that the command line spells with a suffix:
// 268435456, 256M, 256MiB, 0.25G. All suffixes are powers of 1024, as in
// dd(1) and the memory settings of systemd.
type byteSize int64

const byteSuffixes = "KMGTPE"

// Set reads a size; it must be positive and fit an int64.
func (b *byteSize) Set(text string) error {
	number := strings.ToUpper(strings.TrimSpace(text))
	number = strings.TrimSuffix(strings.TrimSuffix(number, "B"), "I")
	unit := 1.0
	if number != "" {
		if i := strings.IndexByte(byteSuffixes, number[len(number)-1]); i >= 0 {
			unit = math.Pow(1024, float64(i+1))
			number = strings.TrimSpace(number[:len(number)-1])
		}
	}
	if strings.Trim(number, "0123456789.") != "" { // ParseFloat knows more
		return fmt.Errorf("%q is no size; write it as 256MiB or 1G", text)
	}
	value, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return fmt.Errorf("%q is no size; write it as 256MiB or 1G", text)
	}
	if value *= unit; value < 1 || value >= math.MaxInt64 {
		return fmt.Errorf("a size of %q is out of range", text)
	}
	*b = byteSize(value)
	return nil
}

// String is the size to three digits with a suffix: "256 MiB", "1.41 GiB".
func (b byteSize) String() string {
	if b < 1024 {
		return fmt.Sprintf("%d B", int64(b))
	}
	value, suffix := float64(b), -1
	for value >= 1023.5 && suffix < len(byteSuffixes)-1 {
		value /= 1024
		suffix++
	}
	digits := 0
	switch {
	case value == math.Trunc(value):
	case value < 9.995:
		digits = 2
	case value < 99.95:
		digits = 1
	}
	return fmt.Sprintf("%.*f %ciB", digits, value, byteSuffixes[suffix])
}

// Type names the kind of value in pflag's help.
func (byteSize) Type() string { return "bytes" }
