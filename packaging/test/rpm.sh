#!/bin/bash
# The .rpm, with rpm's own tools: no mirror of a distribution that has rpm is needed, and
# dependencies are not resolved.
source "$(dirname "$0")/lib.sh"
file=$(rpm_file)
clean=$(root rpm)
# Debian's rpm warns of itself, which is no word of the package.
in_root() { rpm --root "$clean" --dbpath /var/lib/rpm "$@" 2> >(grep -v '^rpm: ' >&2); }

step "what the .rpm says of itself"
rpm -qip "$file" | sed -n '/^\(Name\|Version\|Release\|Architecture\|License\|Build Date\|Build Host\|Packager\|Summary\) *:/s/^/        /p'
rpm -qp --requires "$file" | grep -qx fuse3 || fail "no dependency on fuse3"
rpm -qp --recommends "$file" | grep -qx openssh-clients || fail "openssh-clients is not recommended"
rpm -qp --configfiles "$file" | grep -qx /etc/imgexportfs.yaml || fail "/etc/imgexportfs.yaml is no configuration file"
rpm -K --nosignature "$file" >/dev/null || fail "its digests are wrong"

step "install, verify, remove"
traces "$clean" > "$work/before"
in_root -i --nodeps "$file"
in_root -V --nodeps imgexportfs || fail "rpm -V finds differences"
chroot "$clean" imgexportfs version
in_root -e imgexportfs
traces "$clean" > "$work/after"
same "what was there before, and what is there after" "$work/before" "$work/after"
rm -rf --one-file-system "$clean"
