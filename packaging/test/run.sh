#!/bin/bash
# Test the packages in DIST, as root, with a Debian that is made for it:
#
#   run.sh DIST [SUITE]      (bookworm)
#
# All that is written is below one directory, which is gone at the end.
here=$(dirname "$(realpath "$0")")
dist=$(realpath "$1")
suite=${2:-bookworm}
work=$(mktemp -d /var/tmp/imgexportfs-package.XXXXXX)
export dist suite work
source "$here/lib.sh"
cd "$here/../.."
trap 'rm -rf --one-file-system "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

dpkg-deb -x "$(deb)" "$work/unpacked"
"$here/bytes.sh"
step "a clean Debian $suite with an xCAT site"
"$here/clean-root.sh" "$work/clean" "$suite" "$work/unpacked/usr/bin/imgexportfs"
"$here/deb.sh"
"$here/rpm.sh"
"$here/boot.sh"
step "all of it is right"
