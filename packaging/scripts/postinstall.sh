#!/bin/sh
# After installing and upgrading, for dpkg and rpm. Mounts go on with the program that they
# were started with: a restart would end the reads that are going on.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload || true
fi
