#!/bin/bash
# Show what imgexportfs does, on a small site made of files of this machine.
#
#   demo.sh PROGRAM [DIR]
#
# DIR (./demo-site) is made anew. The site stays there for own trials; the
# mount does not, and nothing stays after a failure.
set -euo pipefail

program=$(realpath "$1")
demo=${2:-demo-site}
source_dir=$(dirname "$(realpath "$0")")

bold() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || bold() { printf '\n%s\n' "$*"; }
show() { printf '$ %s\n' "$1"; bash -euo pipefail -c "$1"; }

server=
done=
finish() {
	code=$?
	trap - EXIT
	if [ -n "$server" ]; then
		kill "$server" 2>/dev/null || true
		wait "$server" 2>/dev/null || true
	fi
	if [ -z "$done" ]; then
		if [ -n "${log-}" ] && [ -s "$log" ]; then cat "$log" >&2; fi
		rm -rf "$demo"
		echo "demo: failed; nothing is left in $demo" >&2
		[ "$code" -ne 0 ] || code=1
	fi
	exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for tool in cpio gzip tar sha256sum; do
	command -v "$tool" >/dev/null || { echo "demo: needs $tool; as root, make demo installs it" >&2; exit 1; }
done
if ! [ -e /dev/fuse ]; then
	echo "demo: needs /dev/fuse; in a container, run it with --device /dev/fuse --cap-add SYS_ADMIN" >&2
	exit 1
fi

if [ -e "$demo" ] && ! [ -d "$demo/site/etc/xcat" ]; then
	done=kept # it is not ours to remove
	echo "demo: $demo is there and no site of an earlier demo; name another directory" >&2
	exit 1
fi
rm -rf "$demo"
mkdir -p "$demo/mnt" "$demo/backup" "$demo/parts"
demo=$(realpath "$demo")
cd "$demo"
log=$demo/mount.log
export IMGEXPORTFS_CACHE_DIR=$demo/cache

bold "1. A small xCAT site, made of files of this machine"
# The newest kernel of the machine; a container has none, so any program will do.
kernel=$(find /boot -maxdepth 1 -name 'vmlinuz-*' -readable 2>/dev/null | sort -V | tail -n 1)
if [ -n "$kernel" ]; then cp -L "$kernel" parts/kernel; else gzip -n -c "$program" > parts/kernel; fi
(cd / && find usr/bin/bash usr/bin/ls usr/bin/cat usr/bin/cp | cpio --quiet -H newc -o) | gzip -n > parts/initrd.gz
mkdir parts/tree
(cd / && for d in usr/bin/bash usr/bin/tar usr/bin/gzip usr/share/common-licenses usr/share/zoneinfo \
		usr/share/terminfo usr/share/perl usr/share/bash-completion etc/os-release etc/profile; do
	if [ -e "$d" ]; then find "$d" -readable; fi
done | cpio --quiet -pdum "$demo/parts/tree")
(cd parts/tree && find . | cpio --quiet -H newc -o) | gzip -n > parts/rootimg.cpio.gz
(cd "$source_dir" && go run . "$demo/site" "$demo"/parts/{kernel,initrd.gz,rootimg.cpio.gz,tree})
rm -rf parts
show "find site -maxdepth 3 -path '*etc/xcat*' -name '*.sqlite' | sort | head -n 3; du -sh site"

bold "2. Mount it: every image is a directory and a bundle"
printf '$ %s\n' "imgexportfs mount --root site mnt &"
"$program" mount --root site mnt >"$log" 2>&1 &
server=$!
for _ in $(seq 200); do
	if grep -q " $demo/mnt " /proc/self/mountinfo; then break; fi
	kill -0 "$server" 2>/dev/null || { echo "demo: the mount failed" >&2; exit 1; }
	sleep 0.05
done
grep -q " $demo/mnt " /proc/self/mountinfo
show "ls -l mnt"

bold "3. cp is the export"
show "cp mnt/rhels9.2-x86_64-netboot-compute.tgz mnt/rhels9.2-x86_64-netboot-compute.tgz.sha256 backup/"
show "tar tzvf backup/rhels9.2-x86_64-netboot-compute.tgz"
show "cd backup && sha256sum -c rhels9.2-x86_64-netboot-compute.tgz.sha256"

bold "4. A statelite image: its tree is packed while you read"
show "tar xzOf mnt/rhels9.2-x86_64-statelite-compute.tgz ./rhels9.2-x86_64-statelite-compute/rootimgtree.gz | zcat | cpio --quiet -it | wc -l"

bold "5. As node1 sees it, which is imgexport -p node1"
show "grep -h postscripts mnt/@node1/rhels9.2-x86_64-install-compute/manifest.xml"

bold "6. Unmount"
printf '$ %s\n' "imgexportfs umount mnt"
"$program" umount mnt
wait "$server"
server=

done=yes
case $program in
"$(dirname "$demo")"/*) program=./${program#"$(dirname "$demo")"/} ;;
esac
place=$(basename "$demo")
cat <<END

That was all of it. The site is still in $demo. What to try next,
from $(dirname "$demo"):

  $program mount --daemon --root $place/site $place/mnt  # and look around
  rm $place/site/install/netboot/rhels9.2/x86_64/rhels9.2-x86_64-netboot-compute/kernel
  ls $place/mnt; cat $place/mnt/*.errors  # what is wrong is said, not left out
  $program umount $place/mnt

  $program list --root $place/site
  $program check --root $place/site
  $program export --root $place/site rhels9.2-x86_64-install-compute /tmp/ -e /install/custom:/opt/custom

On a management node leave --root away. README.md says the rest; make clean removes the site.
END
