# A machine that boots from the directory $machine_root: systemd is its process 1, and it sees this
# host's /dev/fuse. systemd-nspawn is told to register nothing, since the host need not run
# systemd itself.

nspawn= init=

# boot waits until all services of the machine are up.
boot() {
	systemd-nspawn --quiet --boot --directory "$machine_root" --register=no --keep-unit --bind=/dev/fuse \
		--console=read-only < /dev/null > "$work/console" 2>&1 &
	nspawn=$!
	local state=
	for _ in $(seq 600); do
		init=$(pgrep -P "$nspawn" -x systemd || true)
		if [ -n "$init" ]; then
			state=$(on_machine systemctl is-system-running 2>/dev/null || true)
			case $state in running) return ;; degraded) break ;; esac
		fi
		kill -0 "$nspawn" 2>/dev/null || break
		sleep 0.1
	done
	cat "$work/console" >&2
	on_machine systemctl --failed --no-pager >&2 || true
	fail "the machine does not boot: $state"
}

# on_machine COMMAND runs as if root had logged in.
on_machine() {
	nsenter --target "$init" --mount --uts --ipc --pid --root \
		env -i -C /root HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive "$@"
}

# halt ends the machine as poweroff does, and it must do so by itself.
halt() {
	on_machine systemctl poweroff
	ended 600 || fail "the machine does not shut down"
}

# ended TENTHS: systemd-nspawn ends within this time.
ended() {
	for _ in $(seq "$1"); do
		kill -0 "$nspawn" 2>/dev/null || { wait "$nspawn" || true; nspawn=; return; }
		sleep 0.1
	done
	return 1
}

# unplug ends what is left of the machine.
unplug() {
	[ -n "$nspawn" ] || return 0
	kill -TERM "$nspawn" 2>/dev/null || true # which is what systemd-nspawn halts upon
	ended 100 || kill -KILL "$nspawn" 2>/dev/null || true
}

# said TEXT: the journal of the machine's last boot has it.
said() { journalctl --quiet -D "$machine_root/var/log/journal" -b 0 --no-pager -o cat | grep -F -- "$1"; }
