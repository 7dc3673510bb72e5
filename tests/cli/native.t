#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# uffdload native: its options, and what is known beforehand of its records, on this machine.
. "$(dirname "$0")/lib.sh"
UFFDRETRY=$(realpath "${UFFDLOAD:-$(dirname "$0")/../../uffdload}")
loads_md=$(dirname "$0")/../../docs/development/loads.md

check 'native --help' 0 '^Usage: uffdload native ' '^$' -- native --help
! grep -nE '.{81}' "$tmp/out"
report $? 'native --help fits in 80 columns'
for option in $(grep -oE '^ +--[a-z-]+' "$tmp/out" | tr -d ' ' | grep -vx -e --help -e --usage | sort -u); do
	grep -qE -- "\`$option\>" "$loads_md"
	report $? "docs/development/loads.md describes $option of native"
done
# The words of an option, from the message that refuses another one.
words_of() {
	"$UFFDRETRY" native "$1" nosuch 2>&1 | sed -n 's/.* is one of \(.*\), not .*/\1/p' | tr -d ,
}
for source in $(words_of --source); do
	[ "$source" = all ] || grep -qE "^\|.*\`$source\`.*\|" "$loads_md"
	report $? "docs/development/loads.md has the source $source"
done
check 'pages that are no huge pages' 64 '^$' '--pages must be a multiple of 512' -- native --pages 1000
check 'an unknown operation' 64 '^$' '--operation is one of all, none, mprotect, ' -- native --operation read

if ! "$UFFDRETRY" native --source mapped --copies 1 >"$tmp/out" 2>"$tmp/err"; then
	skip "the measurements: no userfaultfd here: $(head -1 "$tmp/err")"
	done_testing
	exit
fi
check 'overlap has six sources' 64 '^$' 'overlap copies from memfd-cached, memfd, file, cold, anon or thp' -- \
	native --measure overlap --source dontneed

# Durations in order, and a histogram of all of them.
# shellcheck disable=SC2016 # jq's variables
times='def times($n): .count == $n and .min <= .p50 and .p50 <= .p90 and .p90 <= .p99 and .p99 <= .max and .min > 0
	and ([.hist[][1]] | add) == $n and .min >= .hist[0][0] and .max >= .hist[-1][0] and .mean >= .min and .mean <= .max; '
host='(.host | .cpus > 0 and .clock_ns >= 0 and .load != null and (.boot_id | length) == 36 and .kernel != null
	and (.date | test("^20..-..-..T..:..:..Z$")) and has("mitigations") and has("clock_source") and has("cpu"))'

# records DESCRIPTION NUMBER FILTER -- ARG...: so many records, and each passes.
records() {
	local description=$1 number=$2 filter=$3
	shift 4
	run native "$@"
	[ "$status" -eq 0 ] && jq -es "${times}length == $number and all(.type == \"native\" and .schema == 1 and $host and ($filter))" \
		"$tmp/out" >"$tmp/jq" 2>&1
	report $? "$description"
}

# Copies of 1 page and of 16, windows of each.
windows() {
	records "window: $1 has $2 and $3 windows" 2 ".available and .why == null and (.dropped_ns | times(100)) and
		(.mapped_ns | times(100)) and .windows == (if .pages_per_copy == 1 then $2 else $3 end) and
		.copies_with_window + .copies_without_window == 100 and
		(if .windows == 0 then .window_estimate_ns == null else .window_estimate_ns.p50 != null end)" -- \
		--source "$1" --copies 100 --pages 1024 --dir "$tmp"
}
windows mapped 0 0
windows anon 100 1600
windows dontneed 100 1600
windows memfd 100 1600
windows memfd-cached 100 100
records 'window: --pages-per-copy and --blind: no windows are told' 1 \
	'.pages_per_copy == 4 and .looked == false and .windows == null and .window_estimate_ns == null and (.dropped_ns | times(50))' -- \
	--source anon --copies 50 --pages-per-copy 4 --blind --pages 512
records 'window: no copy of 16 pages lies between mapped ones' 1 \
	'.available == false and (.why | length) > 0 and .windows == null and .dropped_ns == null' -- \
	--source file-around --pages-per-copy 16 --copies 10 --dir "$tmp"
if [ "$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages 2>/dev/null || echo 0)" = 0 ]; then
	records 'window: no huge pages, and no number' 2 \
		'.available == false and .why == "8 huge pages are not free (vm.nr_hugepages)" and .windows == null' -- --source hugetlb
else
	skip 'window: no huge pages: this machine has free ones'
fi
run native --source anon --copies 20 --pages-per-copy 1 --log "$tmp/log"
[ "$status" -eq 0 ] && [ "$(grep -cE '^anon 1 [0-9]+$' "$tmp/log")" -eq 20 ] && [ "$(wc -l <"$tmp/log")" -eq 20 ]
report $? 'window: --log has a line a window'

# Each operation, both calls, alone and beside a copier (with one CPU: unavailable).
calls=$(($(words_of --operation | wc -w) * 2 - 4))
records 'hold: each call, alone and beside a copier' $((2 * calls)) \
	'if .available then (.call_ns | times(20)) and (.beside == "nothing" or .beside_copies > 0) else .why != null and .call_ns == null end' -- \
	--measure hold --copies 20
records 'overlap: without a rate nothing overlaps' 1 '.write_calls == 0 and .overlapping == 0 and .calls == .returned.ok and
	.calls > 0 and .asked_per_s == 0 and .write_call_ns == null and (.alone.call_ns | times(20000))' -- \
	--measure overlap --writer-rate 0 --duration 100ms
for where in '' --elsewhere; do
	# shellcheck disable=SC2086 # none or one word
	records "overlap: the bounds ${where:-inside}" 1 '.write_calls > 0 and .asked_per_s == 1000 and
		.overlapping <= .calls and .pages == .returned.ok and
		(if .host.arch == "x86_64" then .enclosing <= .overlapping else .enclosing == null end)' -- \
		--measure overlap --writer-rate 1000 --duration 500ms $where
done
for source in memfd file anon thp; do
	records "overlap: each copy from $source finds its page gone" 1 '.calls == .returned.ok and .calls > 0 and .still_cached == 0 and
		.alone.dropped_ns.p50 > .alone.mapped_ns.p50' -- --measure overlap --source $source --writer-rate 0 --duration 100ms
done
records 'overlap: with anonymous pages nothing is sure' 1 '.enclosing == null and .overlapping > 0' -- \
	--measure overlap --source anon --writer-rate max --duration 500ms
done_testing
