package disk

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"os"
	"path/filepath"
	"testing"

	"imgexportfs/bundle/blocks"
)

// FuzzRead holds the files of cached segments to this: any bytes under the name of a
// segment are ignored, unless they are what would be written for these bytes and this key.
// No memory is asked for beyond what the reader said.
func FuzzRead(f *testing.F) {
	key := blocks.Key{1, 2, 3}
	whole := append(header(key, []byte("segment")), "segment"...)
	f.Add(whole, false)
	f.Add(whole[:len(whole)-1], true)
	f.Add(whole[:headerSize], true)
	f.Add(append(bytes.Clone(whole), 0), true)
	f.Add(append(header(blocks.Key{9}, []byte("other")), "other"...), true)
	f.Add([]byte(magic), false)
	f.Add([]byte{}, false)
	const most = 1000
	dir := f.TempDir()
	cache := &Cache{dir: dir, o: Options{
		Get: func(n int64) []byte {
			if n < 0 || n > most {
				panic("memory is asked for beyond the limit")
			}
			return make([]byte, n)
		},
		Put: func([]byte) {},
	}}
	path := cache.path(key)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte, seal bool) {
		if seal && len(text) >= headerSize { // so that the fuzzer comes past the checksum
			at := len(magic)
			binary.LittleEndian.PutUint32(text[at:], crc32.Checksum(text[at+4:], castagnoli))
		}
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		data, err := cache.read(key, most)
		if right := err == nil; right != (len(text) >= headerSize && len(text) <= headerSize+most && bytes.Equal(text[:headerSize], header(key, text[headerSize:]))) {
			t.Errorf("%q is read as %q, %v", text, data, err)
		}
		if err == nil && !bytes.Equal(data, text[headerSize:]) {
			t.Errorf("%q is read as %q", text, data)
		}
	})
}
