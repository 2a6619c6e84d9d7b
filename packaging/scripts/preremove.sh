#!/bin/sh
# Before removing, the mounts end. dpkg says "remove", rpm 0; with anything else a package
# takes the place of this one, and the mounts go on.
set -e
case "${1:-}" in
remove | 0) ;;
*) exit 0 ;;
esac

if command -v systemctl >/dev/null; then
	if [ -d /run/systemd/system ]; then
		systemctl stop 'imgexportfs@*.service' || true
	fi
	systemctl --quiet disable imgexportfs@.service || true # every instance
fi
# What is in use is detached: its readers read on to the end.
findmnt --noheadings --list --types fuse.imgexportfs --output TARGET 2>/dev/null | while read -r dir; do
	/usr/bin/imgexportfs umount "$dir" || true
done
if grep -Eqs '^[^#]*[[:space:]](fuse\.)?imgexportfs[[:space:]]' /etc/fstab; then
	echo "imgexportfs: /etc/fstab still has a line for it; remove that line" >&2
fi
