#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
#
# In the guest: measure the operations with nothing attached, then under each of the configurations given. One JSON line an operation and
# configuration goes to /out/costs; /out/hooks lists the hooks that the tool attached.
set -u

fail() {
	echo "bench: $*" >&2
	exit 1
}

# await FILE TEXT: until TEXT is in FILE.
await() {
	tries=0
	until grep -q "$2" "$1" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || { cat "$1" "$1.err" >&2; fail "no '$2' in $1"; }
		sleep 0.1
	done
}

end() {
	kill "$1" 2>/dev/null
	wait "$1"
}

# attach TEXT COMMAND...: start what attaches something; it says TEXT when that is done.
attach() {
	text=$1
	shift
	rm -f /tmp/said
	"$@" >/tmp/said 2>/tmp/said.err </tmp/input &
	attached=$!
	await /tmp/said "$text"
	touch /tmp/attached
}

ops_start() {
	rm -f /tmp/attached
	ops "$1" /tmp/attached >>/out/costs &
	ops=$!
}

ops_wait() {
	wait "$ops" || fail "the operations failed"
}

# The tool, told to watch the process $1, with more options.
tool() {
	pid=$1
	shift
	attach '"type":"start"' uffdretry -j -p "$pid" "$@"
}

hooks_of() {
	sed -n '/"type":"start"/s/.*"hooks":\[\([^]]*\)\].*/\1/p' "$1" | sed 's/},/}\n/g' |
		sed -n 's/.*"name":"\([^"]*\)","variant":"\([^"]*\)","attached":true.*/\2 \1/p'
}

: >/tmp/input
ops loiter &
loiter=$!
# The kernel is still busy with its boot.
ops warm-up >/dev/null
ops off >>/out/costs
for config; do
	ops_start "$config"
	# traced:--a,--b and untraced:--a,--b are the tool with these options.
	options=$(echo "${config#*:}" | tr , ' ')
	[ "$options" != "$config" ] || options=
	# shellcheck disable=SC2086 # a list of words
	case $config in
	traced*) tool "$ops" $options ;;
	untraced*) tool "$loiter" $options ;;
	events) tool "$ops" --events ;;
	floor)
		cp /out/hooks /tmp/input
		attach attached floor
		: >/tmp/input
		;;
	peer) attach ready bpftrace /bin/peer.bt "$ops" ;;
	peer-untraced) attach ready bpftrace /bin/peer.bt "$loiter" ;;
	esac
	ops_wait
	end "$attached"
	[ "$config" != traced ] || hooks_of /tmp/said >/out/hooks
	cp /tmp/said "/out/said-$config"
	cat /tmp/said.err >&2
done
ops off-again >>/out/costs
uname -r >/out/release
end "$loiter"
exit 0
