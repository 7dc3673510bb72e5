#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# A file system that hangs: a FUSE whose server never answers. One signal ends a tool that waits for it
# before the tracing begins.
. "$(dirname "$0")/lib.sh"
hangs=$tmp/hangs
mkdir "$hangs"

trap 'umount -l "$hangs" 2>/dev/null; rm -rf "$tmp"' EXIT

server() {
	[ -c /dev/fuse ] || { echo 'no /dev/fuse'; return 1; }
	exec 9<>/dev/fuse && mount -i -t fuse -o fd=9,rootmode=40000,user_id=0,group_id=0 none "$hangs"
}

# Is it in an uninterruptible wait, for longer than a disk takes?
is_stuck() {
	for _ in 1 2 3; do
		[ "$(cut -d ' ' -f 3 "/proc/$1/stat")" = D ] || return
		sleep 0.1
	done
}

# ends ARG...: SIGTERM ends the tool.
ends() {
	local pid killer
	"$UFFDRETRY" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null 9<&- &
	pid=$!
	for ((i = 0; i < 100; i++)); do
		is_stuck $pid && break
		sleep 0.1
	done
	kill -TERM $pid
	# Without this a tool that SIGTERM does not end would hang the test.
	(sleep 10; kill -KILL $pid) 9<&- >/dev/null 2>&1 &
	killer=$!
	wait $pid 2>/dev/null
	status=$?
	kill $killer
	out=$(<"$tmp/out") err=$(<"$tmp/err")
	[ $i -lt 100 ] && matches $((128 + 15)) '^$' '^$'
}

if ! server >"$tmp/err" 2>&1; then
	skip "FUSE: $(head -n 1 "$tmp/err")"
	done_testing
	exit
fi
ends list -o "$hangs/report"
report $? 'the file of a report'
ends report "$hangs/record"
report $? 'a record'
ends diff "$hangs/record" "$hangs/record"
report $? 'two records'
ends -- "$hangs/command"
report $? 'COMMAND'
done_testing
