#!/bin/sh
# After removing. dpkg keeps data until "purge"; rpm, which says 0, knows no such step.
set -e
case "${1:-}" in
remove | purge | 0)
	if [ -d /run/systemd/system ]; then
		systemctl daemon-reload || true
	fi
	;;
esac
case "${1:-}" in
purge | 0) rm -rf --one-file-system /var/cache/imgexportfs ;;
esac
