package index

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"os"
	"testing"
	"time"

	"imgexportfs/bundle/blocks"
)

func key(i int) (k blocks.Key) {
	binary.LittleEndian.PutUint32(k[:], uint32(i))
	return k
}

// saved is an index of a directory with one file of five lengths and a hash.
func saved(t *testing.T) (dir string, path string) {
	t.Helper()
	dir = t.TempDir()
	x := Open(dir, func(err error) { t.Error(err) })
	var keys []blocks.Key
	for i := range 5 {
		keys = append(keys, key(i))
		x.PutLength(key(i), int64(100+i))
	}
	x.PutSum(key(100), [32]byte{7})
	x.Save(key(200), key(100), keys)
	return dir, x.dir.file(key(200))
}

// known is how much of the file of saved is taken for true.
func known(t *testing.T, dir string) (n int) {
	t.Helper()
	x := Open(dir, func(err error) { t.Error(err) })
	x.Load(key(200))
	for i := range 5 {
		if length, ok := x.Length(key(i)); ok && length == int64(100+i) {
			n++
		}
	}
	if sum, ok := x.Sum(key(100)); ok && sum == [32]byte{7} {
		n++
	}
	return n
}

func TestWhatIsSavedIsThereAgain(t *testing.T) {
	dir, _ := saved(t)
	if n := known(t, dir); n != 6 {
		t.Errorf("%d of 6 values are known", n)
	}
}

// A checksum that is right does not make a file one of this version.
func TestFilesOfAnotherLayoutAreIgnored(t *testing.T) {
	dir, path := saved(t)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	body := good[:len(good)-sha256.Size]
	numbers := bytes.Clone(body)
	binary.LittleEndian.PutUint32(numbers[len(magic):], 6)
	huge := bytes.Clone(body)
	binary.LittleEndian.PutUint32(huge[len(magic):], 200)
	other := bytes.Clone(body)
	other[len(magic)-2]++
	for name, body := range map[string][]byte{
		"more records than it has": numbers, "more records than bytes": huge, "another magic": other,
		"something behind": append(bytes.Clone(body), 0), "no sums": body[:len(body)-sumRecord-4], "the magic": []byte(magic), "nothing": nil,
	} {
		sum := sha256.Sum256(body)
		if err := os.WriteFile(path, append(bytes.Clone(body), sum[:]...), 0o600); err != nil {
			t.Fatal(err)
		}
		if n := known(t, dir); n != 0 {
			t.Errorf("%s: %d values are believed", name, n)
		}
	}
}

// Files in use stay young, since the oldest go.
func TestAFileThatIsReadIsYoungAgain(t *testing.T) {
	dir, path := saved(t)
	old := time.Now().Add(-48 * time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	known(t, dir)
	if info, err := os.Stat(path); err != nil || time.Since(info.ModTime()) > time.Hour {
		t.Errorf("it is as old as before: %v, %v", info.ModTime(), err)
	}
}

func TestMemoryOfAnIndexHasABound(t *testing.T) {
	x := Open("", nil)
	for i := range memoryMax + 10 {
		x.PutLength(key(i), 1)
		x.PutStored(key(i), true)
	}
	if len(x.lengths) > memoryMax || len(x.stored) > memoryMax {
		t.Errorf("%d and %d entries", len(x.lengths), len(x.stored))
	}
	if _, ok := x.Length(key(memoryMax + 9)); !ok {
		t.Error("the newest is not there")
	}
}

// A file is believed as a whole or not at all.
func TestAnyFlippedBitMakesAFileUseless(t *testing.T) {
	dir, path := saved(t)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		flipped := bytes.Clone(good)
		flipped[i] ^= 1 << (i % 8)
		if err := os.WriteFile(path, flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		if n := known(t, dir); n != 0 {
			t.Fatalf("byte %d of %d: %d values are believed", i, len(good), n)
		}
	}
}
