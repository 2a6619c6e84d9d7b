#!/bin/bash
# The .deb on a clean Debian, by a line of fstab, without systemd.
source "$(dirname "$0")/lib.sh"
clean=$(root deb)
cp "$(deb)" "$clean/root/imgexportfs.deb"

step "what the .deb says of itself"
dpkg-deb --info "$(deb)" | sed -n 's/^ \(Package\|Version\|Architecture\|Depends\|Recommends\|Maintainer\):/        &/p'
dpkg-deb -f "$(deb)" Depends | grep -qx fuse3 || fail "no dependency on fuse3"

step "apt installs what it depends on"
inside "$clean" <<'END_INSIDE'
apt-get update -qq
apt-get install -qq --no-install-recommends fuse3 openssh-client >/dev/null 2>&1
END_INSIDE
traces "$clean" > "$work/before"

step "install, mount by fstab, copy, verify, unmount, remove, purge"
inside "$clean" <<'END_INSIDE'
dpkg -i /root/imgexportfs.deb >/dev/null
imgexportfs version
mkdir /mnt/xcatimages /backup
echo 'none /mnt/xcatimages fuse.imgexportfs ro,_netdev,nofail 0 0' >> /etc/fstab
mount -a
findmnt -n /mnt/xcatimages
cp /mnt/xcatimages/*.tgz /mnt/xcatimages/*.tgz.sha256 /backup/
imgexportfs verify /backup
(cd /backup && sha256sum --quiet -c *.sha256)
umount /mnt/xcatimages
mount /mnt/xcatimages

echo "-- upgrading ends no mount"
exec 8< /mnt/xcatimages/rhels9.2-x86_64-netboot-compute.tgz
dpkg -i /root/imgexportfs.deb >/dev/null
cmp /backup/rhels9.2-x86_64-netboot-compute.tgz /mnt/xcatimages/rhels9.2-x86_64-netboot-compute.tgz

echo "-- removing ends mounts, and their readers read to the end"
cp /etc/imgexportfs.yaml /etc/imgexportfs.yaml.before
echo 'level: 7' >> /etc/imgexportfs.yaml
dpkg -r imgexportfs 2>&1 | grep -v '^(Reading'
if mountpoint -q /mnt/xcatimages; then exit 1; fi
cmp /backup/rhels9.2-x86_64-netboot-compute.tgz - <&8
exec 8<&-
grep -q 'level: 7' /etc/imgexportfs.yaml # configuration stays until the purge
dpkg -P imgexportfs 2>&1 | grep -v '^(Reading'

# What the person has made the person takes away.
sed -i /imgexportfs/d /etc/fstab
rm -r /backup /etc/imgexportfs.yaml.before
rmdir /mnt/xcatimages
END_INSIDE
traces "$clean" > "$work/after"
same "what was there before, and what is there after" "$work/before" "$work/after"
rm -rf --one-file-system "$clean"
