package integration

import (
	"path/filepath"
	"testing"
)

// copyClients are ways to copy the file $1 to $2.
var copyClients = []struct {
	name, script string
	tools        []string
}{
	{"cp", `cp "$1" "$2"`, nil},
	{"cp --sparse=always", `cp --sparse=always "$1" "$2"`, nil},
	{"cp --sparse=never --reflink=never", `cp --sparse=never --reflink=never "$1" "$2"`, nil},
	{"cp --reflink=auto -a", `cp --reflink=auto -a "$1" "$2"`, nil},
	{"cp over another file", `head -c 40000000 /dev/zero > "$2"; cp "$1" "$2"`, nil},
	{"install", `install -m 600 "$1" "$2"`, nil},
	{"dd bs=511", `dd status=none bs=511 if="$1" of="$2"`, nil},
	{"dd bs=1000003", `dd status=none bs=1000003 if="$1" of="$2"`, nil},
	{"dd bs=64M", `dd status=none bs=64M if="$1" of="$2"`, nil},
	{"dd bs=4K iflag=direct", `dd status=none bs=4K iflag=direct if="$1" of="$2"`, nil},
	{"dd bs=12345 iflag=direct", `dd status=none bs=12345 iflag=direct if="$1" of="$2"`, nil},
	{"dd bs=1M iflag=direct", `dd status=none bs=1M iflag=direct if="$1" of="$2"`, nil},
	{"dd iflag=nocache conv=sparse", `dd status=none bs=64K iflag=nocache conv=sparse if="$1" of="$2"`, nil},
	{"dd of the halves, the second first", `half=$(($(stat -c %s "$1") / 2))
		dd status=none bs=64K if="$1" of="$2" skip=$half seek=$half iflag=skip_bytes oflag=seek_bytes
		dd status=none bs=64K if="$1" of="$2" count=$half iflag=count_bytes conv=notrunc`, nil},
	{"split", `cd "$(dirname "$2")"; split -b 777777 "$1" part.; cat part.* > "$2"`, []string{"split"}},
	{"rsync", `rsync "$1" "$2"`, []string{"rsync"}},
	{"rsync -c", `cp "$1" "$2"; printf X | dd status=none of="$2" bs=1 seek=1000 conv=notrunc; touch -r "$1" "$2"
		rsync -c "$1" "$2"`, []string{"rsync"}},
	{"rsync --inplace", `head -c 3000000 /dev/urandom > "$2"; rsync --inplace --no-whole-file "$1" "$2"`, []string{"rsync"}},
	{"rsync --append-verify", `head -c 3000000 "$1" > "$2"; rsync --append-verify "$1" "$2"`, []string{"rsync"}},
	{"rsync --append-verify of wrong bytes", `head -c 3000000 /dev/urandom > "$2"; rsync --append-verify "$1" "$2"`, []string{"rsync"}},
	{"rsync --sparse", `rsync --sparse "$1" "$2"`, []string{"rsync"}},
	{"tar", `tar -cf - -C "$(dirname "$1")" "$(basename "$1")" | tar -xOf - > "$2"`, nil},
	{"tar --sparse", `tar --sparse -cf - -C "$(dirname "$1")" "$(basename "$1")" | tar -xOf - > "$2"`, nil},
	{"zip", `zip -qj "$2.zip" "$1"; unzip -p "$2.zip" > "$2"`, []string{"zip", "unzip"}},
	{"cpio", `cd "$(dirname "$1")"; basename "$1" | cpio --quiet -o | cpio --quiet -i --to-stdout > "$2"`, []string{"cpio"}},
	{"busybox cp", `busybox cp "$1" "$2"`, []string{"busybox"}},
	{"busybox dd", `busybox dd bs=100000 if="$1" of="$2" 2> /dev/null`, []string{"busybox"}},
	{"curl file://", `curl --silent --show-error -o "$2" "file://$1"`, []string{"curl"}},
	{"mmap", `python3 -c '
import mmap, sys
with open(sys.argv[1], "rb") as f, open(sys.argv[2], "wb") as to:
    m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
    to.write(m)' "$1" "$2"`, []string{"python3"}},
	{"mmap, backwards", `python3 -c '
import mmap, sys
with open(sys.argv[1], "rb") as f, open(sys.argv[2], "wb") as to:
    m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
    m.madvise(mmap.MADV_RANDOM)
    for at in range(len(m) // 50000 * 50000, -1, -50000):
        to.seek(at)
        to.write(m[at:at + 50000])' "$1" "$2"`, []string{"python3"}},
	{"sendfile(2)", `python3 -c '
import os, sys
with open(sys.argv[1], "rb") as f, open(sys.argv[2], "wb") as to:
    while os.sendfile(to.fileno(), f.fileno(), None, 300001): pass' "$1" "$2"`, []string{"python3"}},
	{"copy_file_range(2), or what takes its place", `python3 -c '
import shutil, sys
shutil.copyfile(sys.argv[1], sys.argv[2])' "$1" "$2"`, []string{"python3"}},
	{"splice(2) through a pipe", `python3 -c '
import os, sys
out, into = os.pipe()
with open(sys.argv[1], "rb") as f, open(sys.argv[2], "wb") as to:
    while n := os.splice(f.fileno(), into, 65536):
        while n: n -= os.splice(out, to.fileno(), n)' "$1" "$2"`, []string{"python3"}},
}

// A copy of a bundle is what an export writes, whoever copies, and by which calls.
func TestClientsCopyTheBundleOfAnExport(t *testing.T) {
	t.Parallel()
	site := newClientSite(t, bulkSite(t))
	for _, c := range copyClients {
		t.Run(c.name, func(t *testing.T) {
			needTools(t, c.tools...)
			m := site.mount(t)
			for _, image := range bulkImages {
				to := filepath.Join(t.TempDir(), image)
				shell(t, "", c.script, m.path(image+".tgz"), to)
				run(t, "cmp", to, site.bundle(image))
			}
		})
	}
}

// cp --reflink=always demands what no file system can give of another, and fails.
func TestReflinkOfABundleFails(t *testing.T) {
	m := mountSite(t, smallSite(t, 1000).Dir())
	r := process{args: []string{"cp", "--reflink=always", m.path("bar.tgz"), t.TempDir()}, mayFail: true}.run(t)
	expectCode(t, r, 1)
	expectContains(t, "stderr", r.stderr, "failed to clone")
}
