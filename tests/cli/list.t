#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# `uffdretry list` tells who holds a userfaultfd, which events it asked for, and what is registered; it needs no right.
. "$(dirname "$0")/lib.sh"

# Hold a userfaultfd for the events REMAP, REMOVE and UNMAP, with 5 pages registered for missing pages, until killed.
holder='
import ctypes, mmap, signal, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
fd = libc.syscall(323, 0o2000000 | 1)
api = ctypes.create_string_buffer(struct.pack("QQQ", 0xAA, 0x4C, 0))
area = mmap.mmap(-1, 5 * 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
start = ctypes.addressof(ctypes.c_char.from_buffer(area))
register = ctypes.create_string_buffer(struct.pack("QQQQ", start, 5 * 4096, 1, 0))
if fd < 0 or libc.ioctl(fd, 0xC018AA3F, api) or libc.ioctl(fd, 0xC020AA00, register):
    sys.exit("errno %d" % ctypes.get_errno())
open("/proc/self/comm", "w").write("a handler")
print(fd, start, flush=True)
signal.pause()
'

# start_holder COMMAND...: sets pid, fd and start; fails when this machine has no userfaultfd.
start_holder() {
	rm -f "$tmp/holder"
	"$@" /usr/bin/python3 -c "$holder" >"$tmp/holder" 2>&1 &
	pid=$!
	while [ ! -s "$tmp/holder" ] && kill -0 $pid 2>/dev/null; do
		sleep 0.1
	done
	read -r fd start <"$tmp/holder"
	[[ $fd =~ ^[0-9]+$ ]]
}

end_holder() {
	kill "$pid"
	wait "$pid" 2>/dev/null
}

# line: that of our holder.
line() {
	grep -E "^ *$pid +1 +0 +20.0 KiB  remap,remove,unmap +a handler\$" <<<"$out"
}

usage_error 'list and a target' 'pid' -- list -p 1
usage_error 'list and COMMAND' 'COMMAND' -- list -- true
usage_error 'list and an argument' "'1'" -- list 1
usage_error 'list and an option of a run' 'probe' -- list --probe
usage_error '--brief without list' '--brief' -- --brief
check_json '--brief and --json' 64 '.type == "error" and (.message | contains("--brief"))' -- list --brief -j
usage_error 'an interval is no list' "'list'" -- 1 list

if ! start_holder env; then
	skip "what list prints: $(tail -n 1 "$tmp/holder")"
	done_testing
	exit
fi
run list
[ $status -eq 0 ] && head -n 1 "$tmp/out" | grep -q '^    pid  fds  waiting  registered  events                  comm$' && line >"$tmp/line"
report $? 'list shows the process, its events and what is registered'
! grep -nE '.{81}' "$tmp/out"
report $? '... in 80 columns'
run list --brief
grep -qx "$pid" "$tmp/out" && ! grep -qvE '^[0-9]+$' "$tmp/out"
report $? 'list --brief prints PIDs alone'
# A holder that could not be looked at is not none.
said=0 wrong=''
for limit in {3..16}; do
	(ulimit -n "$limit" && exec "$UFFDRETRY" list --brief) >"$tmp/out" 2>"$tmp/err"
	status=$?
	if [ $status -eq 0 ]; then
		grep -qx "$pid" "$tmp/out" || wrong+=" $limit"
		said=$((said + 1))
	fi
done
[ -z "$wrong" ] && [ $said -gt 0 ] && [ $said -lt 14 ]
report $? "with too few file descriptors list fails, or shows it$wrong"
check_json 'list -j has it all' 0 ".type == \"list\" and (.processes[] | select(.pid == $pid) |
	.comm == \"a handler\" and (.fds | length) == 1 and .fds[0].fd == $fd and .fds[0].inode > 0 and .fds[0].pending == 0 and .fds[0].total == 0 and
	.fds[0].features == [\"EVENT_REMAP\", \"EVENT_REMOVE\", \"EVENT_UNMAP\"] and
	.registered == [{start: $start, end: ($start + 20480), modes: [\"missing\"]}])" -- list -j
run -j -o "$tmp/file" list
[ $status -eq 0 ] && [ -z "$out" ] && is_json "$tmp/file" ".processes | map(.pid) | index($pid) != null"
report $? 'list -o FILE'
if [ "$(id -u)" = 0 ]; then
	# A member of the group may replace the file, and root would own the new one.
	mkdir "$tmp/shared" && chgrp 65534 "$tmp/shared" && chmod 775 "$tmp" "$tmp/shared"
	echo old >"$tmp/shared/file" && chown 65534 "$tmp/shared/file"
	SUDO_UID=65534 SUDO_GID=65534 run list -o "$tmp/shared/file"
	[ $status -eq 0 ] && ! grep -q old "$tmp/shared/file" && [ "$(stat -c %u "$tmp/shared/file")" = 65534 ]
	report $? 'list -o FILE under sudo: the file is the caller'"'"'s'
else
	skip 'list -o FILE under sudo: this user is not root'
fi
# hides OPTION: list of nobody says so, where /proc is mounted with this option.
export -f as_nobody
hides() {
	# shellcheck disable=SC2016 # for the shell in there
	unshare --mount bash -c 'mount -t proc -o "$1" proc /proc && as_nobody "$0" list && as_nobody "$0" list -j' "$UFFDRETRY" "$1" \
		>"$tmp/out" 2>"$tmp/err"
	status=$? out=$(<"$tmp/out") err=$(<"$tmp/err")
	matches 0 '^no process that can be read holds' 'hidepid' && [[ $out == *'"unreadable":null}' ]]
	report $? "list where /proc is mounted with $1"
}
if can_be_nobody && unshare --mount mount -t proc -o hidepid=2 proc /proc 2>"$tmp/err"; then
	hides hidepid=1
	hides hidepid=2
else
	skip 'list where /proc hides processes: it cannot be mounted so here'
fi
if can_be_nobody; then
	as_nobody "$UFFDRETRY" list >"$tmp/out" 2>"$tmp/err"
	status=$? out=$(<"$tmp/out") err=$(<"$tmp/err")
	[ $status -eq 0 ] && ! line && [[ $err =~ ^uffdretry:\ warning:\ [0-9]+\ processes\ could\ not\ be\ read ]]
	report $? 'without rights others are not seen, and list says so'
	end_holder
	start_holder setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all
	as_nobody "$UFFDRETRY" list >"$tmp/out" 2>"$tmp/err"
	status=$? out=$(<"$tmp/out") err=$(<"$tmp/err")
	[ $status -eq 0 ] && line >"$tmp/line"
	report $? 'without rights own processes are'
else
	skip 'list without rights: this user cannot become another'
fi
end_holder
run list --brief
! grep -qx "$pid" "$tmp/out"
report $? 'a process that ended is not listed'
done_testing
