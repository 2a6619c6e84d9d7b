package main

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// checksumSuffix is what a bundle's path ends in where its checksum is, as sha256sum
// writes it and a mount shows it.
const checksumSuffix = ".sha256"

// checksumMax is the most of such a file that is read.
const checksumMax = 1 << 20

// readChecksum reads the checksum beside a bundle, if there is one. The error says that it
// is of no use.
func readChecksum(path string) (sum [32]byte, found bool, err error) {
	if path == standardInput {
		return sum, false, nil
	}
	st, err := os.Stat(path + checksumSuffix)
	if errors.Is(err, fs.ErrNotExist) {
		return sum, false, nil
	}
	base := filepath.Base(path)
	if err == nil && !st.Mode().IsRegular() {
		err = errors.New("is not a file")
	}
	if err == nil {
		sum, err = findChecksum(path+checksumSuffix, base)
	}
	if err != nil {
		err = fmt.Errorf("%s%s: %w", base, checksumSuffix, reason(err))
	}
	return sum, true, err
}

// findChecksum finds the line of a file, or takes the only line.
func findChecksum(path, name string) (sum [32]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, err
	}
	defer func() { _ = f.Close() }()
	lines, only := 0, [32]byte{}
	for in := bufio.NewScanner(io.LimitReader(f, checksumMax)); in.Scan(); {
		digits, of, _ := strings.Cut(strings.TrimPrefix(in.Text(), `\`), " ")
		raw, err := hex.DecodeString(digits)
		if err != nil || len(raw) != len(sum) {
			continue
		}
		copy(sum[:], raw)
		if len(of) > 0 && filepath.Base(of[1:]) == name {
			return sum, nil
		}
		lines, only = lines+1, sum
	}
	if lines != 1 {
		return sum, errors.New("holds no SHA-256 of the bundle")
	}
	return only, nil
}
