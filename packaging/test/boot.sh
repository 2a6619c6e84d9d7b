#!/bin/bash
# A Debian that boots, and a person who has the package and README: a bundle that is
# verified, at the next boot as well, by a service and by fstab.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/machine.sh"
machine_root=$(root machine)
trap unplug EXIT
cp "$(deb)" README.md packaging/stranger.sh "$machine_root/root/"
mkdir -p "$machine_root/var/log/journal"
unit=imgexportfs@mnt-xcatimages.service
check() { on_machine bash -euo pipefail -c "$1" || fail "${2:-$1}"; }

step "a person types what README says"
boot
on_machine ./stranger.sh README.md "Debian and Ubuntu" "The first bundle"

step "the machine boots again: the service has mounted"
halt
said "Stopped $unit" >/dev/null || said "imgexportfs@mnt-xcatimages.service: Deactivated successfully" >/dev/null || fail "the journal does not tell that the service has ended"
boot
check "systemctl is-active $unit"
check "systemctl show -p StatusText $unit"
check "imgexportfs verify /backup"

step "restart, and a server that is killed"
check "systemctl restart $unit && mountpoint -q /mnt/xcatimages"
check "systemctl kill -s KILL $unit; for i in \$(seq 300); do systemctl is-active -q $unit && cmp /backup/*netboot*.tgz /mnt/xcatimages/*netboot*.tgz && exit; sleep 0.1; done; exit 1" \
	"a server that is killed does not come back"
check "systemctl reload $unit && imgexportfs status /mnt/xcatimages"
check "systemctl disable --now $unit && ! mountpoint -q /mnt/xcatimages"

step "the machine boots again: fstab has mounted"
check "echo 'none /mnt/xcatimages fuse.imgexportfs ro,_netdev,nofail 0 0' >> /etc/fstab"
halt
boot
check "systemctl is-active mnt-xcatimages.mount"
check "imgexportfs verify /backup"
halt
boot

step "removed while it is mounted"
check "sed -i /imgexportfs/d /etc/fstab && systemctl daemon-reload && umount /mnt/xcatimages"
check "systemctl enable --now $unit && mountpoint -q /mnt/xcatimages"
on_machine ./stranger.sh README.md "Removing it"
check "! mountpoint -q /mnt/xcatimages"
check "! find / -xdev -path /proc -prune -o -name '*imgexport*' -print | grep -v -e ^/root/ -e ^/tmp/ -e ^/var/cache/apt/" "something is left"
halt
