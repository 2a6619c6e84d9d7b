// Sbom writes the bill of materials of a Go program to standard output, in the JSON of
// CycloneDX.
//
//	sbom -version VERSION [-time SECONDS] PROGRAM
//
// It is made of what the program says of itself (debug/buildinfo): the linker has written
// there which modules it has linked, so none is forgotten and none is named that is only
// needed to test or to build. The same program gives the same bytes.
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

func main() {
	version := flag.String("version", "", "the version of the program")
	seconds := flag.Int64("time", 0, "the time of the document, in seconds since 1970")
	flag.Parse()
	err := errors.New("usage: sbom -version VERSION [-time SECONDS] PROGRAM")
	if flag.NArg() == 1 && *version != "" {
		err = write(os.Stdout, flag.Arg(0), *version, time.Unix(*seconds, 0))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "sbom:", err)
		os.Exit(1)
	}
}

func write(w io.Writer, program, version string, at time.Time) error {
	info, err := buildinfo.ReadFile(program)
	if err != nil {
		return err
	}
	data, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	out.SetEscapeHTML(false) // an & in a package URL stays readable
	return out.Encode(billOf(info, sha256.Sum256(data), version, at))
}
