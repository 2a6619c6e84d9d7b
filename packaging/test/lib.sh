# What the scripts of this folder share. run.sh gives them $dist (the packages), $work
# (room), and $work/clean (a clean Debian).
set -euo pipefail

export begun=${begun:-$EPOCHSECONDS}

# step TEXT tells what is tried next, and how long all has taken so far.
step() { printf '%4d s  %s\n' $((EPOCHSECONDS - begun)) "$*"; }

fail() {
	printf 'FAIL: %s\n' "$*" >&2
	exit 1
}

# same WHAT FILE FILE: two lists are the same.
same() { diff -u "$2" "$3" || fail "$1 differ"; }

deb() { echo "$dist"/*_"$(dpkg --print-architecture)".deb; }
rpm_file() { echo "$dist"/*."$(uname -m)".rpm; }

# root NAME: a copy of the clean Debian. Files share their blocks where the disk can.
root() {
	cp -a --reflink=auto "$work/clean" "$work/$1"
	echo "$work/$1"
}

# traces ROOT: all that is in it, except what dpkg and apt keep for themselves, and logs.
traces() {
	(cd "$1" && find . -mindepth 1 \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path ./tmp \
		-o -path ./var/lib/dpkg -o -path ./var/lib/apt -o -path ./var/lib/rpm -o -path ./var/cache/apt -o -path ./var/log \
		-o -path ./var/cache/ldconfig \) -prune -o -printf '%M %u:%g %p %l\n' | sort -k3)
}

# inside ROOT: run the script on standard input there, with mounts and processes of its
# own, which end with it.
inside() {
	unshare --mount --pid --fork --kill-child bash -euc '
		mount -t proc proc "$1/proc"
		mount -t sysfs -o ro sys "$1/sys"
		mount -t tmpfs run "$1/run"
		mount -t tmpfs tmp "$1/tmp"
		mount --rbind /dev "$1/dev"
		exec chroot "$1" env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 bash -eu
	' inside "$1"
}
