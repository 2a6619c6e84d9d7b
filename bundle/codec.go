package bundle

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
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

// Check returns an error if there is no such way.
func (c Codec) Check() error {
	_, err := c.checked()
	return err
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
		return c, fmt.Errorf("compression %q is not one of %q", c.Compression, all)
	}
	if c.Level < 1 || c.Level > 9 {
		return c, fmt.Errorf("compression level %d is not between 1 and 9", c.Level)
	}
	return c, nil
}

// version names the codec in plans and in keys. It changes whenever a segment
// could come out otherwise than before: with the settings, the library, or the
// rules in this package (FormatVersion).
func (c Codec) version() string {
	if c.Compression == Store {
		return "store"
	}
	return fmt.Sprintf("%s flate %d %s", deflateVersion(), c.Level, c.Compression)
}

const deflateModule = "github.com/klauspost/compress"

// deflateVersion is the deflate library and its version, as the build says. A
// build that does not say, such as a test, is a version of its own.
var deflateVersion = sync.OnceValue(func() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == deflateModule {
				return moduleVersion(dep)
			}
		}
	}
	return "of program " + programHash()
})

func moduleVersion(m *debug.Module) string {
	if m.Replace != nil {
		m = m.Replace
	}
	return strings.TrimPrefix(m.Path, "github.com/") + " " + strings.TrimPrefix(m.Version, "v")
}

// programHash is the hash of this program's file.
func programHash() string {
	program, err := os.Open("/proc/self/exe")
	if err != nil {
		panic("BUG: neither the build nor the program says which version of " + deflateModule + " it has: " + err.Error())
	}
	defer func() { _ = program.Close() }()
	h := sha256.New()
	if _, err := io.Copy(h, program); err != nil {
		panic("BUG: " + err.Error())
	}
	return hex.EncodeToString(h.Sum(nil))
}
