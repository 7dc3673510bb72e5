#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# Each allocation in turn fails (tests/vm/failmalloc.c): the tool never crashes. It prints its usual
# output, or that it is out of memory. tests/vm/faults does this where the tool can trace.
. "$(dirname "$0")/lib.sh"
root=$(realpath "$(dirname "$0")/../..")
# Without ASan, which makes allocations of its own.
UFFDRETRY=$root/uffdretry
failmalloc=$root/build/failmalloc.so

# allocations ARG...: print how many a run makes. Its output stays in $tmp/want.
allocations() {
	FAIL_COUNT=$tmp/count LD_PRELOAD=$failmalloc "$UFFDRETRY" "$@" >"$tmp/want" 2>/dev/null </dev/null
	cat "$tmp/count"
}

# fails_well N ARG...: the N-th allocation fails.
fails_well() {
	FAIL_AT=$1 LD_PRELOAD=$failmalloc run "${@:2}"
	[ "$status" -le 1 ] || return
	# Without memory for the JSON error object, stderr has the error.
	cmp -s "$tmp/out" "$tmp/want" || [[ $err =~ 'annot allocate memory' ]] || [[ -z $out && $err =~ ^uffdretry: && $status = 1 ]]
}

# All near both ends, where our own are, and a sample of the thousands of libbpf between them.
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
