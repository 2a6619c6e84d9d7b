#!/bin/bash
# Make a clean Debian in ROOT that can boot, with a small xCAT site on it:
#
#   clean-root.sh ROOT SUITE PROGRAM
#
# PROGRAM is only content: it stands for a kernel.
set -euo pipefail
root=$(realpath "$1") suite=$2 program=$3
cd "$(dirname "$0")/../.."

# Priority "required", apt, and what makes it boot. Recommended packages are what a person
# gets who types apt install, so they are not left out here.
mmdebstrap --quiet --variant=apt --include=systemd-sysv,dbus "$suite" "$root"
# The names of this host's resolver lead to the mirrors. A person answers yes, and sees no
# percentages in a log.
cp -L /etc/resolv.conf "$root/etc/resolv.conf"
printf '%s\n' 'APT::Get::Assume-Yes "true";' 'quiet "1";' 'Dpkg::Use-Pty "0";' > "$root/etc/apt/apt.conf.d/90person"

parts=$(mktemp -d "$root/tmp/parts.XXXXXX")
gzip -nc "$program" > "$parts/kernel"
(cd "$root" && find bin/ usr/bin/[a-c]* | cpio --quiet -H newc -o) | gzip -n > "$parts/initrd.gz"
mkdir "$parts/tree"
(cd "$root" && cp -a --parents usr/{bin,share/perl5,share/doc,lib/systemd} "$parts/tree")
(cd "$parts/tree" && find . | cpio --quiet -H newc -o) | gzip -n > "$parts/rootimg.cpio.gz"
go run ./integration/demo "$parts/site" "$parts"/{kernel,initrd.gz,rootimg.cpio.gz,tree}
cp -a "$parts/site/." "$root/"
rm -rf "$parts"
