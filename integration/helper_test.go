package integration

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"strconv"
	"syscall"
	"testing"
)

// The test binary starts itself again as a helper where a test needs single
// system calls on a mount; this variable carries the helper's name.
const helperVariable = "IMGEXPORTFS_TEST_HELPER"

// helpers read a mount in a process of their own. Each gets its arguments
// and answers on stdout.
var helpers = map[string]func(args []string) error{
	"compare": helperCompare,
	"hold":    helperHold,
}

func runHelper(name string, args []string) int {
	helper, ok := helpers[name]
	if !ok {
		fmt.Fprintf(os.Stderr, "no helper %q\n", name)
		return 2
	}
	if err := helper(args); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// helperProcess is the child that runs the named helper.
func helperProcess(t *testing.T, name string, args ...string) process {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return process{args: append([]string{self}, args...), env: []string{helperVariable + "=" + name}}
}

// helperCompare FILE COPY SEED COUNT reads FILE at COUNT random places, each
// with one pread(2), and compares with COPY. A read must give all the bytes
// asked for, up to the end of the file.
func helperCompare(args []string) error {
	seed, err := strconv.ParseUint(args[2], 10, 64)
	if err != nil {
		return err
	}
	count, err := strconv.Atoi(args[3])
	if err != nil {
		return err
	}
	want, err := os.ReadFile(args[1])
	if err != nil {
		return err
	}
	fd, err := syscall.Open(args[0], syscall.O_RDONLY, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", args[0], err)
	}
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range count {
		off, length := randomRange(random, int64(len(want)))
		if err := compareRange(fd, want, off, length); err != nil {
			return fmt.Errorf("read %d of seed %d: %w", i, seed, err)
		}
	}
	return syscall.Close(fd)
}

// randomRange picks an offset, often near an end or a multiple of 1 MiB,
// where mistakes live, and a length from 1 byte to 3 MiB; also beyond the end.
func randomRange(random *rand.Rand, size int64) (off, length int64) {
	switch random.IntN(4) {
	case 0:
		off = random.Int64N(size + 1)
	case 1:
		off = max(0, size-random.Int64N(5000))
	case 2:
		off = min(size, max(0, random.Int64N(size>>20+1)<<20+random.Int64N(201)-100))
	default:
		off = random.Int64N(min(size, 5000) + 1)
	}
	return off, 1 + random.Int64N(int64(1)<<(1+random.IntN(21))+1)
}

func compareRange(fd int, want []byte, off, length int64) error {
	size := int64(len(want))
	expect := want[min(off, size):min(off+length, size)]
	buf := make([]byte, length)
	n := 0
	for n < len(buf) {
		k, err := syscall.Pread(fd, buf[n:], off+int64(n))
		if err == syscall.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("pread of %d at %d: %w", length, off, err)
		}
		if k == 0 {
			break
		}
		n += k
		if n < len(expect) { // a kernel page boundary is no excuse on Linux
			return fmt.Errorf("pread of %d at %d (size %d): only %d bytes", length, off, size, k)
		}
	}
	if n != len(expect) || !bytes.Equal(buf[:n], expect) {
		return fmt.Errorf("pread of %d at %d (size %d): wrong bytes, or %d instead of %d", length, off, size, n, len(expect))
	}
	return nil
}

// helperHold FILE COUNT opens FILE, reads COUNT bytes, says "ready", waits for
// a line on stdin and reads the rest. It says "end SHA256 BYTES" when it could
// read all of it, or "failed ERRNO AFTER".
func helperHold(args []string) error {
	count, err := strconv.ParseInt(args[1], 10, 64)
	if err != nil {
		return err
	}
	f, err := os.Open(args[0])
	if err != nil {
		return err
	}
	hash := sha256.New()
	done, err := io.CopyN(hash, f, count)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		return err
	}
	rest, err := io.Copy(hash, f)
	done += rest
	var errno syscall.Errno
	switch {
	case errors.As(err, &errno):
		fmt.Printf("failed %d %d\n", int(errno), done)
	case err != nil:
		return err
	default:
		fmt.Printf("end %x %d\n", hash.Sum(nil), done)
	}
	_ = f.Close() // fails when the mount is gone
	return nil
}

func TestRandomRangesReachBothEndsAndBeyond(t *testing.T) {
	const size = 5 << 20
	random := rand.New(rand.NewPCG(1, 0))
	var start, last, beyond bool
	for range 2000 {
		off, length := randomRange(random, size)
		if off < 0 || off > size || length < 1 {
			t.Fatalf("randomRange gave offset %d, length %d of %d", off, length, size)
		}
		start = start || off == 0
		last = last || off < size && off+length >= size
		beyond = beyond || off == size
	}
	if !start || !last || !beyond {
		t.Errorf("2000 ranges touched the start: %v, the last byte: %v, the end: %v; want all", start, last, beyond)
	}
}
