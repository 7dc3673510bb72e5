#!/bin/sh
# shellcheck source=bench/guest-lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
#
# In the guest: measure the operations with nothing attached, then under each configuration.
# /out/costs gets a JSON line for each operation and configuration, /out/hooks the hooks that the
# tool attached.
set -u

. /bin/guest-lib.sh

end() {
	kill "$1" 2>/dev/null
	wait "$1"
}

# attach TEXT COMMAND...: start COMMAND, which attaches programs, and wait until it prints TEXT.
attach() {
	text=$1
	shift
	rm -f /tmp/said
	"$@" >/tmp/said 2>/tmp/said.err </tmp/input &
	attached=$!
	await /tmp/said "$text"
	touch /tmp/attached
}

# under NAME TEXT COMMAND...: measure the operations while COMMAND is attached, as configuration
# NAME. If COMMAND has the word PID, it stands for the measured process, which is then `traced`, and
# a second process is measured as `untraced`.
under() {
	name=$1 text=$2
	shift 2
	rm -f /tmp/attached /tmp/done
	case " $* " in
	*" PID "*) ops "$(row traced)" /tmp/attached /tmp/done >>/out/costs & ;;
	*) ops "$name" /tmp/attached >>/out/costs & ;;
	esac
	ops=$!
	# shellcheck disable=SC2046 # a list of words
	attach "$text" $(echo "$@" | sed "s/ PID\\b/ $ops/")
	case " $* " in
	*" PID "*)
		until grep -q "\"$(row traced)\",\"op\":\"getppid\"" /out/costs; do sleep 1; done
		[ "$name" = events ] || ops "$(row untraced)" >>/out/costs || fail "the operations failed"
		;;
	esac
	touch /tmp/done
	wait $ops || fail "the operations failed"
	[ "$name" != tool ] || hooks_of /tmp/said >/out/hooks
	end $attached
	cp /tmp/said "/out/said-$name"
	cat /tmp/said.err >&2
}

# The rows of configuration $name: its process is traced or untraced.
row() {
	case $name in
	tool) echo "$1" ;;
	tool:*) echo "$1:${name#*:}" ;;
	events) echo events ;;
	peer) [ "$1" = traced ] && echo peer || echo peer-untraced ;;
	*) echo "$name-$1" ;;
	esac
}

hooks_of() {
	sed -n '/"type":"start"/s/.*"hooks":\[\([^]]*\)\].*/\1/p' "$1" | sed 's/},/}\n/g' |
		sed -n 's/.*"name":"\([^"]*\)","variant":"\([^"]*\)","attached":true.*/\2 \1/p'
}

: >/tmp/input
: >/out/costs
# Also to stderr at once, in case the guest dies.
tail -f /out/costs &
# The cost depends on the addresses of mappings: all get the same ones.
echo 0 >/proc/sys/kernel/randomize_va_space
# Allocations cost more until the kernel has settled.
ops warm-up >/dev/null
for config; do
	# shellcheck disable=SC2046 # a list of words
	case $config in
	tool) under tool '"type":"start"' uffdretry -j -p PID ;;
	# tool:--a,--b is the tool with these options.
	tool:*) under "$config" '"type":"start"' uffdretry -j -p PID $(echo "${config#*:}" | tr , ' ') ;;
	events) under events '"type":"start"' uffdretry -j -e -p PID ;;
	floor)
		cp /out/hooks /tmp/input
		under floor attached floor
		: >/tmp/input
		;;
	# kind:fexit is one hook of that kind on each fill ioctl.
	kind:*)
		echo "${config#kind:} userfaultfd_ioctl" >/tmp/input
		under "$config" attached floor
		: >/tmp/input
		;;
	peer)
		mount -t debugfs none /sys/kernel/debug
		under peer ready bpftrace /bin/peer.bt PID
		;;
	# Another build of the tool.
	*) under "$config" '"type":"start"' "$config" -j -p PID ;;
	esac
	[ "$config" != "$1" ] || ops off >>/out/costs
done
ops off-again >>/out/costs
uname -r >/out/release
exit 0
