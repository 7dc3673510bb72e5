# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# For guest scripts (busybox sh): run a load under the tool and keep both sides' numbers in /out.

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	tries=$(($1 * 10))
	shift
	while ! "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}

# Set check and locks: what this kernel compares after the retry (nothing before 7.1), and what guards a VMA.
find_kernel() {
	# shellcheck disable=SC2034 # for the script that sources this
	check=none locks=mmap
	grep -q mfill_retry_state_changed /sys/kernel/btf/vmlinux && check=snapshot
	grep -q lock_vma_under_rcu /sys/kernel/btf/vmlinux && locks=vma
	return 0
}

has_line() {
	grep -q "$1" "$2" 2>/dev/null
}

# What is left of BPF objects. The kernel frees programs after a grace period.
left() {
	# The kernel frees programs after a grace period.
	wait_for 20 sh -c 'bpfleft | grep -qx "programs 0 maps 0 links 0"'
	bpfleft
}

# run TRACE NAME LOAD...: a failure is noted in /out/failed.
run() {
	"$@" || echo "$2" >>/out/failed
}

# exactly TRACE NAME LOAD...: like run, for a load that must know what the kernel compares, $check, and what guards a
# VMA, $locks. A run in which the kernel skipped a preempted program is done again, twice at most: it says itself that it
# is short. How often that was is kept in /out/again.
exactly() {
	for attempt in 1 2 3; do
		# shellcheck disable=SC2154 # the script's
		"$@" --kernel-check "$check" --locks "${locks:-vma}" || break
		grep -q '"recursion":0' "/out/$2.json" && return
		echo "$2 $attempt" >>/out/again
	done
	echo "$2" >>/out/failed
}

# Each of these leaves /out/NAME.json (the tool) and /out/NAME.truth (the load), and fails when either failed. $plan, if set, is
# forced; with $witness set there is a second witness of write locks. What an earlier run of that name left
# would be taken for signs of this one.

# trace_pid NAME LOAD...: the tool watches the load by its PID, and ends with it.
trace_pid() {
	name=$1
	shift
	rm -f "/out/$name".*
	uffdload "$@" --wait >"/out/$name.truth" 2>"/out/$name.load" &
	load=$!
	wait_for 60 has_line '^ready' "/out/$name.load" || return 1
	uffdretry ${plan:+--plan "$plan"} ${witness:+--witness} -j -o "/out/$name.json" -p "$(sed -n 's/^ready //p' "/out/$name.load")" &
	tool=$!
	wait_for 60 has_line '"type":"start"' "/out/$name.json" || return 1
	kill -USR1 $load
	wait $load || return 1
	wait $tool
}

# trace_all NAME LOAD...: the tool watches every process, until SIGINT.
trace_all() {
	name=$1
	shift
	rm -f "/out/$name".*
	# A background job of a shell ignores SIGINT unless it is told otherwise, so SIGTERM ends it.
	uffdretry ${plan:+--plan "$plan"} ${witness:+--witness} -j --claims -o "/out/$name.json" -a &
	tool=$!
	wait_for 60 has_line '"type":"start"' "/out/$name.json" || return 1
	uffdload "$@" >"/out/$name.truth" 2>"/out/$name.load" || return 1
	kill -TERM $tool
	wait $tool
}

# trace_command NAME LOAD...: the tool starts the load.
trace_command() {
	name=$1
	shift
	uffdretry ${plan:+--plan "$plan"} ${witness:+--witness} -j -o "/out/$name.json" -- uffdload "$@" >"/out/$name.truth" 2>"/out/$name.load"
}
