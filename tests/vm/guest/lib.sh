# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# What the guest scripts share (busybox sh): run a load under the tool, keep both outputs in /out.

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

# Set check, what this kernel compares after the retry (nothing before 7.1; the kernel of
# tests/checks: as booted), and locks, what UFFDIO_COPY locks.
find_kernel() {
	# shellcheck disable=SC2034 # for the script that sources this
	check=none locks=mmap
	# To search the BTF with grep would take seconds. The compiler inlines one of the two of the check: gcc the latter.
	for function in $(bpfleft functions mfill_retry_state_changed mfill_copy_folio_retry lock_vma_under_rcu uffd_lock_vma); do
		case $function in
		mfill_retry_state_changed | mfill_copy_folio_retry) check=snapshot ;;
		lock_vma_under_rcu) locks=both ;;
		uffd_lock_vma) locks=vma ;;
		esac
	done
	read -r words </proc/cmdline
	for word in $words; do
		case $word in uffd_retry_check=*) check=${word#*=} ;; esac
	done
}

# keep CASE COMMAND...: keep its output and status in /out/CASE.{out,err,status}.
keep() {
	case=$1
	shift
	"$@" >"/out/$case.out" 2>"/out/$case.err"
	echo $? >"/out/$case.status"
}

has_line() {
	grep -q "$1" "$2" 2>/dev/null
}

# Print which BPF objects are left.
left() {
	# The kernel frees programs after a grace period.
	wait_for 20 sh -c 'bpfleft | grep -qx "programs 0 maps 0 links 0"'
	bpfleft
}

# starve NAME COMMAND...: run a command that the OOM killer ends. The kernel's message has a call
# trace, which is no complaint, so it goes to /out/NAME.log and not to the console.
starve() {
	level=$(cut -f1 /proc/sys/kernel/printk)
	dmesg -c >/dev/null
	echo 1 >/proc/sys/kernel/printk
	keep "$@"
	dmesg -c >"/out/$1.log"
	echo "$level" >/proc/sys/kernel/printk
}

# hold printed it, or died.
said() {
	has_line "$1" "/out/$name.load" || ! kill -0 "$load" 2>/dev/null
}

# held CASE N STRIDE FAULT...: N windows of one process, all open at once, their tids STRIDE apart.
held() {
	name=$1
	# Also what an earlier one said: hold empties its file a moment after we look.
	rm -f "/out/$name.json" "/out/$name.load"
	hold "$2" "$3" 2>"/out/$name.load" &
	load=$!
	shift 3
	# 8,400 threads take their time on a busy machine.
	wait_for 300 said '^ready'
	if ! has_line '^ready' "/out/$name.load"; then
		kill $load 2>/dev/null
		wait $load
		echo $? >"/out/$name.load-status"
		return
	fi
	uffdretry -j -o "/out/$name.json" -p $load 2>"/out/$name.err" &
	tool=$!
	wait_for 60 has_line '"type":"start"' "/out/$name.json"
	kill -USR1 $load
	wait_for 300 said '^open'
	"$@"
	kill -USR2 $load 2>/dev/null
	wait $load
	echo $? >"/out/$name.load-status"
	wait $tool
	echo $? >"/out/$name.status"
}

# run TRACE NAME LOAD...: notes a failure in /out/failed.
run() {
	"$@" || echo "$2" >>/out/failed
}

# again NAME REASON: NAME runs once more. The test prints this, and tests/run counts it.
again() {
	echo "$1: $2" >>/out/again
}

# skipped FILE...: does the summary in one of these say that the kernel skipped preempted programs?
skipped() {
	for file; do
		! grep -s '"type":"summary"' "$file" | grep -qv '"recursion":0[,}]' || return 0
	done
	return 1
}

# whole FILE... -- COMMAND...: run what writes these files; at most twice again, while one of them
# says that the kernel skipped programs. Returns 1 if COMMAND failed.
whole() {
	files=
	while [ "$1" != -- ]; do
		files="$files $1"
		shift
	done
	shift
	for attempt in 1 2 3; do
		# shellcheck disable=SC2086 # lists of words
		{
			for file in $files; do
				rm -f "$file" "${file%.json}.load" # has_line must not find the last attempt's
			done
			"$@" || return 1
			skipped $files || return 0
			[ "$attempt" = 3 ] || again "$(basename ${files%%.json*})" 'the kernel skipped programs'
		}
	done
}

# exactly TRACE NAME LOAD...: like run, for a load that must know $check and $locks, and whole.
exactly() {
	# shellcheck disable=SC2154 # the script's
	whole "/out/$2.json" -- "$@" --kernel-check "$check" --locks "${locks:-vma}" && ! skipped "/out/$2.json" ||
		echo "$2" >>/out/failed
}

# Each of these writes /out/NAME.json (the tool) and /out/NAME.truth (the load), and fails if either
# failed. $plan, if set, is forced; $witness, if set, adds a second witness of write locks; $relock,
# if set, measures the relock; $events, if set, adds a record a window. Files of an earlier run go first: has_line must not find them.

# trace_pid NAME LOAD...: the tool traces the load's PID, and ends with it.
trace_pid() {
	name=$1
	shift
	rm -f "/out/$name".*
	uffdload "$@" --wait >"/out/$name.truth" 2>"/out/$name.load" &
	load=$!
	wait_for 60 has_line '^ready' "/out/$name.load" || return 1
	uffdretry ${plan:+--plan "$plan"} ${witness:+--witness} ${relock:+--relock} ${events:+--events} -j -o "/out/$name.json" -p "$(sed -n 's/^ready //p' "/out/$name.load")" &
	tool=$!
	wait_for 60 has_line '"type":"start"' "/out/$name.json" || return 1
	kill -USR1 $load
	wait $load || return 1
	wait $tool
}

# trace_all NAME LOAD...: the tool traces all processes, until a signal.
trace_all() {
	name=$1
	shift
	rm -f "/out/$name".*
	# SIGTERM: a background job of a shell ignores SIGINT.
	uffdretry ${plan:+--plan "$plan"} ${witness:+--witness} ${relock:+--relock} ${events:+--events} -j --claims -o "/out/$name.json" -a &
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
	uffdretry ${plan:+--plan "$plan"} ${witness:+--witness} ${relock:+--relock} ${events:+--events} -j -o "/out/$name.json" -- uffdload "$@" >"/out/$name.truth" 2>"/out/$name.load"
}
