# shellcheck shell=sh source=tests/vm/guest/lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: `uffdload busy` under the tool, once for each argument "TRACE NAME OPTION...".
. /bin/lib.sh

# Two for each of eight copiers, and one more that each needs while it copies.
echo 64 >/proc/sys/vm/nr_hugepages

# trace_often NAME LOAD...: as trace_command, and the tool reads its counters ten times a second.
# shellcheck disable=SC2317 # run calls it
trace_often() {
	name=$1
	shift
	uffdretry -j -o "/out/$name.json" 100ms -- uffdload "$@" >"/out/$name.truth" 2>"/out/$name.load"
}

# one TRACE NAME OPTION...: one row.
one() {
	trace=$1 row=$2
	shift 2
	run "$trace" "$row" busy "$@"
}

for row; do
	# shellcheck disable=SC2086 # a list of words
	one $row
done
left >/out/left
exit 0
