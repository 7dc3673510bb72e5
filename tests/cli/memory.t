#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# Out of memory, at one allocation after the other (tests/vm/failmalloc.c): never killed, and what is printed is what would be printed
# with memory, or it says that memory is missing. In guests, where it can trace: tests/vm/faults.
. "$(dirname "$0")/lib.sh"
root=$(realpath "$(dirname "$0")/../..")
# Not with ASan, which has allocations of its own.
UFFDRETRY=$root/uffdretry
failmalloc=$root/build/failmalloc.so

# allocations ARG...: how many a run makes; what it prints stays in $tmp/want.
allocations() {
	FAIL_COUNT=$tmp/count LD_PRELOAD=$failmalloc "$UFFDRETRY" "$@" >"$tmp/want" 2>/dev/null </dev/null
	cat "$tmp/count"
}

# fails_well N ARG...: the N-th allocation fails.
fails_well() {
	FAIL_AT=$1 LD_PRELOAD=$failmalloc run "${@:2}"
	[ "$status" -le 1 ] || return
	# Where there is not even memory to say that in JSON, there is stderr.
	cmp -s "$tmp/out" "$tmp/want" || [[ $err =~ 'annot allocate memory' ]] || [[ -z $out && $err =~ ^uffdretry: && $status = 1 ]]
}

# Every one near the ends, where our own are, and some of the thousands between, which are libbpf's.
sample() {
	awk -v n="$1" -v seed="$seed" 'BEGIN {
		srand(seed)
		for (i = 1; i <= n; i += i < 20 || i > n - 60 ? 1 : 1 + int(rand() * n / 20)) print i
	}'
}

seed=${SEED:-$RANDOM}
echo "# SEED=$seed"

for args in '--probe -j' '--probe' '-j -d 1ms'; do
	read -ra words <<<"$args"
	n=$(allocations "${words[@]}") wrong=
	[ "$n" -gt 5 ]
	report $? "$args allocates ($n times)"
	for at in $(sample "$n"); do
		fails_well "$at" "${words[@]}" || { wrong=$at; break; }
	done
	[ -z "$wrong" ]
	report $? "$args: any one of these fails${wrong:+: number $wrong}"
	FAIL_ON=1 fails_well $((n - 30)) "${words[@]}"
	report $? "$args: and all from there on"
done
done_testing
