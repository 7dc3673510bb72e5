# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# What the programs' scripts share (busybox sh, with the tree of packages as root).
export PATH=/usr/local/bin:/usr/sbin:/usr/bin:/applets TMPDIR=/tmp LC_ALL=C

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	tries=$(($1 * 5))
	shift
	while ! "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.2
	done
}

# under NAME COMMAND...: run it under the tool for at most five minutes. Keeps the tool's report,
# the program's output and the command.
under() {
	name=$1
	shift
	echo "$*" >"/out/$name.command"
	uffdretry -j -o "/out/$name.json" -- timeout 300 "$@" >"/out/$name.log" 2>&1
	echo $? >"/out/$name.status"
}

started() {
	grep -q '"type":"start"' "/out/$1.json" 2>/dev/null
}

# result NAME TEXT: the program's result, in its own terms.
result() {
	echo "$2" >"/out/$1.result"
}
