#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# The loads that resemble programs, and busy: options, exit status and JSON line, on this machine.
. "$(dirname "$0")/lib.sh"
UFFDRETRY=$(realpath "${UFFDLOAD:-$(dirname "$0")/../../uffdload}")
loads='restore restore-inproc gc swap hugetlb torture'

# The long options of a load's --help.
options() {
	"$UFFDRETRY" "$1" --help | grep -oE '^ +(-., )?--[a-z-]+' | grep -oE '[a-z][a-z-]+$' | grep -vxE 'help|usage' | sort
}

check 'no command' 64 '^$' 'Usage:' --
check 'an unknown command' 64 '^$' "no command 'nosuch'" -- nosuch
"$UFFDRETRY" exact --list --json | jq -es '.[0] | length > 100 and all(.[]; .destination | type == "string")' >/dev/null
report $? 'exact --list --json names each destination'
for load in $loads; do
	check "$load --help" 0 "^Usage: uffdload $load " '^$' -- "$load" --help
	! grep -nE '.{81}' "$tmp/out"
	report $? "$load --help fits in 80 columns"
	for option in pages writers writer-rate writer-what seed duration passes wait; do
		options "$load" | grep -qx "$option"
		report $? "$load has --$option"
	done
	check "$load refuses 0 pages" 64 '^$' '--pages must be a number from 1 ' -- "$load" --pages 0
done
for option in $(for load in $loads; do options "$load"; done | sort -u); do
	grep -qE -- "\`--$option\>" "$(dirname "$0")/../../docs/development/loads.md"
	report $? "docs/development/loads.md describes --$option"
done
check 'a rate that is no number' 64 '^$' "--writer-rate must be a number from 0 to [0-9]+, or max, not 'fast'" -- \
	restore --writer-rate fast
check 'a number with a suffix' 64 '^$' "not '10x'" -- restore --writer-rate 10x
check 'a negative number' 64 '^$' "not '-1'" -- restore --pages -1
check 'an unknown word' 64 '^$' "--writer-what is one of unrelated, benign, replace, not 'all'" -- \
	torture --writer-what all
check 'a duration without unit' 64 '^$' '--duration is a duration like 500ms' -- torture --duration 5
check 'an option of another load' 64 '^$' 'unrecognized option' -- gc --balloon-rate 5

if ! "$UFFDRETRY" torture --pages 1 >"$tmp/out" 2>"$tmp/err"; then
	skip "the loads themselves: no userfaultfd here: $(head -1 "$tmp/err")"
	done_testing
	exit
fi

# What holds for each JSON line.
# shellcheck disable=SC2016 # jq's variables
contract='.schema == 1 and .pages * 4096 == .bytes and ([.returned[]] | add) == .calls
	and .elapsed_ns > 0 and .pid > 0 and .counts.faults == .faults and .passes >= 1 and .chains.count >= 0
	and (.latency_ns | .p50 <= .p90 and .p90 <= .p99 and .p99 <= .p999 and .p999 <= .max and .count > 0)
	and .writer.done == .counts.writes and (.pages_per_s - .pages * 1e9 / .elapsed_ns | fabs) < 1'
none='.writer == {"what":"none","asked_per_s":0,"done":0,"per_s":0}'

# load NAME FILTER -- OPTION...: it succeeds. Its only line passes the filter and has all parameters
# of --help.
load() {
	local name=$1 filter=$2 known
	shift 3
	known=$(options "$name" | jq -R . | jq -cs .)
	check_json "$name $*" 0 ".type == \"load\" and .load == \"$name\" and (.params | keys) == $known and $contract and $filter" -- \
		"$name" "$@"
}

# One successful copy a page.
each='.calls == 64 and .returned == {"ok":64} and .latency_ns.count == 64'
load restore "$each and .faults == 64 and .passes == 1 and $none" -- --pages 64 --device-rate 0
load restore "$each and .faults == 64 and .params.handlers == 3" -- --pages 64 --handlers 3 --threads 5 --run 3
load restore "$each and .params.source == \"buffer\"" -- --pages 64 --source buffer
load restore '.calls == 192 and .passes == 3 and .params.passes == 3' -- --pages 64 --passes 3
load restore '.pages + .counts.zeropages >= 64 and .counts.balloon > 0' -- \
	--pages 64 --duration 300ms --balloon-rate 1000
load restore-inproc "$each and .faults == 64" -- --pages 64 --prefetch 0
load restore-inproc '.returned.ok == 64 and (.returned | keys - ["EEXIST","ok"]) == []' -- --pages 64 --prefetch max
load gc '.returned.ok == 64 and (.returned | keys - ["EEXIST","ok"]) == []' -- --pages 64
load gc '.returned.ok == 64' -- --pages 64 --released 50
load torture '.calls == 64 and .returned == {"ok":64} and .faults == 0 and .writer.what == "unrelated"
	and .writer.asked_per_s == null and .params["writer-rate"] == "max"' -- --pages 64
load torture "$each and $none" -- --pages 64 --writer-rate 0
load torture '.writer.what == "benign" and .writer.done > 100 and .params.duration == 300' -- \
	--writer-what benign --duration 300ms
load torture '.writer.what == "replace" and .writer.done > 10' -- --writer-what replace --duration 300ms
load restore '.writer.asked_per_s == 100 and .writer.done >= 10 and .writer.done <= 60' -- \
	--writer-rate 100 --writers 3 --duration 500ms --pages 65536 --passes 1

check 'a cold cache is impossible on tmpfs' 77 '^$' 'restore: cold: 64 of 64 pages' -- \
	restore --pages 64 --cache cold --dir /dev/shm
check 'a directory that does not exist' 1 '' 'restore: cannot make the file: No such file or directory' -- \
	restore --pages 64 --dir /nosuch
if [ "$(wc -l </proc/swaps)" -le 1 ]; then
	check 'nothing can be swapped out' 77 '^$' 'swap: no page went to swap' -- swap --pages 64
else
	skip 'nothing can be swapped out: this machine has swap'
fi
if [ "$(cat /sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages 2>/dev/null || echo 0)" = 0 ]; then
	check 'no huge pages' 77 '^$' 'hugetlb: 0 huge pages of 2 MiB are free, 4 are needed' -- hugetlb --pages 4
else
	skip 'no huge pages: this machine has free ones'
fi

# The truth of busy is known before it runs.
busy='.type == "truth" and .windows.total == 1000 and .copy.pages == 1000 and .windows.locked == 0'
check_json 'busy' 0 "$busy and .windows.quiet == 1000 and .copy.returned == {\"ok\":1000} and .external == 0" -- \
	busy --copiers 3 --pages 1000
check_json 'busy: copies of 16 pages' 0 "$busy and .copy.returned == {\"ok\":64} and .by_kind.shmem.quiet == 1000" -- \
	busy --copiers 2 --pages 1000 --pages-per-copy 16 --kind shmem
check_json 'busy: a handler and a writer' 0 "$busy and (.windows | has(\"quiet\") | not) and .external == 1000 and .writes > 0" -- \
	busy --pages 1000 --handler --writer
check 'busy: huge pages are copied one at a time' 64 '^$' '--kind hugetlb copies one page at a time' -- \
	busy --kind hugetlb --pages-per-copy 2
check 'busy: fewer pages than copiers' 64 '^$' '--pages must be --copiers or more' -- busy --pages 2 --copiers 3

# A signal ends a run like the end of its time.
"$UFFDRETRY" torture --duration 60s --wait >"$tmp/out" 2>"$tmp/err" &
pid=$!
until grep -q "^ready $pid\$" "$tmp/err"; do sleep 0.05; done
kill -USR1 $pid
sleep 0.3
kill -TERM $pid
wait $pid
status=$? out=$(<"$tmp/out") err=$(<"$tmp/err")
[ $status -eq 0 ] && is_json "$tmp/out" ".pid == $pid and $contract and .passes >= 1"
report $? 'SIGTERM ends a run, with its line'

done_testing
