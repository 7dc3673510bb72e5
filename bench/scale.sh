#!/bin/sh
# shellcheck source=bench/guest-lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
#
# In the guest: the cases of bench/grow.c under the tool. Every count must be the one known in
# advance. Writes JSON lines to /out/scale. scale.sh all, or scale.sh soak WINDOWS
set -u

. /bin/guest-lib.sh

# watch PID FILE: start the tool on a process, and wait until it traces. Sets tool.
watch() {
	rm -f "$2"
	uffdretry -j -o "$2" -p "$1" &
	tool=$!
	await "$2" '"type":"start"'
}

# expect FILE WINDOWS: as many, and what was lost.
expect() {
	windows=$(sed -n 's/^{"type":"summary".*"windows":{"total":\([0-9]*\).*/\1/p' "$1")
	lost=$(sed -n 's/^{"type":"summary".*"lost":\({[^{}]*\({[^{}]*}[^{}]*\)*}\).*/\1/p' "$1")
	echo "{\"type\":\"scale\",\"what\":\"expected\",\"file\":\"$1\",\"windows\":$windows,\"expected\":$2,\"lost\":$lost}" >>/out/scale
	[ "$windows" = "$2" ] || fail "$1: $windows windows, $2 made; lost: $lost"
}

# The memory of the tool's maps and process. memlock is the kernel's count for each map; of maps that
# the process maps, too, the pages are not counted again.
memory() {
	maps=$(cat /proc/"$1"/fdinfo/* 2>/dev/null | awk '/^map_type/ { m = 1 } /^pos/ { m = 0 } /^memlock/ && m { sum += $2 } END { print sum + 0 }')
	rss=$(awk '/^[0-9a-f]+-/ { map = /anon_inode:bpf-map/ } /^Rss:/ && !map { sum += $2 } END { print sum * 1024 }' /proc/"$1"/smaps)
	peak=$(awk '/^VmHWM/ { print $2 * 1024 }' /proc/"$1"/status)
	echo "{\"type\":\"scale\",\"what\":\"memory\",\"maps\":$maps,\"rss\":$rss,\"rss_peak\":$peak,\"when\":\"$2\"}" >>/out/scale
	[ $((maps + rss)) -le $((18 << 20)) ] || fail "$2: maps of $maps bytes and $rss bytes resident are more than 18 MiB"
}

open_windows() {
	rm -f /tmp/go
	grow windows "$1" /tmp/go >>/out/scale &
	load=$!
	watch $load "/out/windows-$1"
	[ "$1" != 1 ] || memory $tool start
	touch /tmp/go
	wait $load || fail "windows $1"
	wait $tool
	expect "/out/windows-$1" "$1"
}

many_processes() {
	rm -f /tmp/go
	grow processes "$1" /tmp/go >/tmp/processes &
	load=$!
	await /tmp/processes first
	# All processes exist.
	until [ "$(pidof grow | wc -w)" -gt "$1" ]; do sleep 0.1; done
	watch "$(sed -n 's/^first //p' /tmp/processes)" /out/processes
	touch /tmp/go
	wait $load || fail "processes"
	memory $tool "1000 processes"
	wait $tool
	grep scale /tmp/processes >>/out/scale
	expect /out/processes 100
}

# life NAME OPTION...: the start and end of the tool with these options.
life() {
	name=$1
	shift
	grow life uffdretry -j "$@" >/tmp/life || fail "life"
	sed "s/}\$/,\"self_test\":\"$name\"}/" /tmp/life >>/out/scale
}

soak() {
	rm -f /tmp/go
	grow soak "$1" /tmp/go >>/out/scale &
	load=$!
	watch $load /out/soak
	memory $tool start
	touch /tmp/go
	wait $load || fail "soak"
	memory $tool end
	wait $tool
	expect /out/soak "$1"
}

echo "{\"type\":\"scale\",\"what\":\"kernel\",\"release\":\"$(uname -r)\",\"date\":\"$(date -u +%F)\",\"cpus\":$(nproc)}" >>/out/scale
# Also to stderr at once, in case the guest dies.
tail -f /out/scale &
case $1 in
all)
	for n in 1 16 256 1024 4096; do
		open_windows $n
	done
	many_processes 1000
	life on
	life off --self-test=off
	;;
soak) soak "$2" ;;
esac
exit 0
