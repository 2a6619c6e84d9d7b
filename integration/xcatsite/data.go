package xcatsite

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
)

// Noise returns n bytes that do not compress, always the same for one seed.
// They stand for what is compressed already: root images, ram disks, packages.
func Noise(seed string, n int) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8(sha256.Sum256([]byte(seed))).Read(data) // never fails
	return data
}

// Text returns n bytes that compress about as well as a log or a program's
// source does, always the same for one seed.
func Text(seed string, n int) []byte {
	random := rand.New(rand.NewChaCha8(sha256.Sum256([]byte(seed))))
	words := [...]string{"image", "node", "table", "kernel", "ramdisk", "install", "netboot", "profile", "state", "the", "of", "a"}
	data := make([]byte, 0, n+64)
	for line := 1; len(data) < n; line++ {
		data = fmt.Appendf(data, "%06d %08x", line, random.Uint32())
		for range 2 + random.IntN(8) {
			data = append(append(data, ' '), words[random.IntN(len(words))]...)
		}
		data = append(data, '\n')
	}
	return data[:n]
}
