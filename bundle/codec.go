package bundle

import (
	"fmt"
	"slices"
)

// Compression says which contents are deflated.
type Compression string

const (
	// Auto stores what is compressed already and deflates the rest.
	Auto Compression = "auto"
	// Store deflates nothing: the fastest to make, and its size is known
	// without reading anything.
	Store Compression = "store"
	// Deflate tries everything.
	Deflate Compression = "deflate"
)

// DefaultLevel is the level of deflate that docs/performance.md gives the
// measurements for.
const DefaultLevel = 6

// Codec is the way in which segments are compressed. It decides the bytes, so
// it is part of every plan: hosts that are to serve the same bytes must use the
// same one.
type Codec struct {
	Compression Compression // "" means Auto
	Level       int         // 1, the fastest, to 9, the smallest; 0 means DefaultLevel
}

// checked returns the codec with its defaults filled in.
func (c Codec) checked() (Codec, error) {
	if c.Compression == "" {
		c.Compression = Auto
	}
	if c.Level == 0 {
		c.Level = DefaultLevel
	}
	if all := []Compression{Auto, Store, Deflate}; !slices.Contains(all, c.Compression) {
		return c, fmt.Errorf("compression %q is none of %q", c.Compression, all)
	}
	if c.Level < 1 || c.Level > 9 {
		return c, fmt.Errorf("compression level %d is not between 1 and 9", c.Level)
	}
	return c, nil
}

// version names the codec in plans and in keys. It changes whenever a segment
// could come out otherwise than before: with the settings, the library, or the
// rules in this package.
func (c Codec) version() string {
	if c.Compression == Store {
		return "store"
	}
	return fmt.Sprintf("klauspost/compress 1.20.3 flate %d %s", c.Level, c.Compression)
}
