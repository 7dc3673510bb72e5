# shellcheck shell=sh source=tests/vm/guest/lib.sh disable=SC2086,SC2317,SC3045
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: faults around the tool while it works. $1 is short, or long for the numbers of
# make check-faults. The groups of faults follow; each is a function here.
. /bin/lib.sh

stopped=3 kills=10 forks=500 allocations=6 after='' finally=''
mode=$1
[ "$mode" = short ] || stopped=30 kills=100 forks=65536 allocations=60
find_kernel
# shellcheck disable=SC2154 # find_kernel sets them
truth="--kernel-check=$check --locks=$locks"
scenarios=nothing,mprotect-same,mprotect,unmap

uptime_ms() {
	awk '{ print int($1 * 1000) }' /proc/uptime
}

# --- Calls that fail, and rights that do not count ------------------------------------------------
# refuse CASE SYSCALL FIRST ERRNO
refuse() {
	keep "$1" failcall "$2" "$3" "$4" uffdretry --self-test=off -- touch "/out/$1.ran"
}

# bpf(2) fails, by its command. Rights that do not count: root of its own user namespace, as in a
# container.
group_refused() {
	bpf=321 enomem=12 eperm=1 eagain=11
	refuse map-create $bpf 0 $enomem
	refuse prog-load $bpf 5 $enomem
	refuse prog-load-signal $bpf 5 $eagain
	refuse link-create $bpf 28 $enomem
	refuse test-run $bpf 10 $eperm
	refuse prog-info $bpf 15 $enomem
	refuse capset 126 -1 $eperm
	refuse pidfd-open 434 -1 24 # EMFILE
	keep userfaultfd failcall 323 -1 $eperm uffdretry -j -d 10ms
	keep container su nobody -c 'unshare -Ur uffdretry -d 10ms'
}

# --- Memory ---------------------------------------------------------------------------------------
# allocation N NAME: the N-th allocation of the tool fails, with 0 none. COMMAND's do not fail.
allocation() {
	env FAIL_AT="$1" FAIL_COUNT=/tmp/allocations LD_PRELOAD=/bin/failmalloc.so uffdretry -e -j -o "/out/$2.json" \
		-- sh -c "unset LD_PRELOAD; exec uffdload exact $truth --runs 1 --only nothing,mprotect" >"/out/$2.truth" 2>"/out/$2.err"
	echo $? >"/out/$2.status"
}

# Half of them anywhere, mostly in libbpf; half near the end, when a report could be lost.
out_of_memory_at() {
	allocation 0 allocation-none
	awk -v n="$(cat /tmp/allocations)" -v some=$allocations -v seed="$(od -An -N4 -tu4 /dev/urandom)" 'BEGIN {
		srand(seed)
		for (i = 0; i < some; i++) print i % 2 ? 1 + int(rand() * n) : n - int(rand() * 200)
	}' >/out/allocations
	while read -r n; do
		whole "/out/allocation-$n.json" -- allocation "$n" "allocation-$n"
	done </out/allocations
}

# From too little memory to start, up to enough. Below 4,100 KiB the kernel cannot even map the tool.
group_memory() {
	for kib in 5000 6000 8000 12000 16000 24000 64000; do
		(ulimit -v $kib && exec uffdretry --self-test=off -d 10ms) >/out/memory.out 2>/out/memory.err
		echo "$kib $? $(head -1 /out/memory.err)"
	done >/out/memory
	out_of_memory_at
	keep memlock sh -c 'ulimit -l 0 && exec uffdretry --self-test=off -d 10ms'
}

# The tool's cgroup has less memory than it needs. Killed or refused, the tool leaves nothing
# behind. What its hint asks for is enough.
group_oom() {
	echo +memory >/sys/fs/cgroup/cgroup.subtree_control
	mkdir /sys/fs/cgroup/small
	echo 3M >/sys/fs/cgroup/small/memory.max
	starve oom sh -c 'echo $$ >/sys/fs/cgroup/small/cgroup.procs && exec uffdretry -d 10ms'
	mkdir /sys/fs/cgroup/enough
	echo 56M >/sys/fs/cgroup/enough/memory.max
	keep enough sh -c 'echo $$ >/sys/fs/cgroup/enough/cgroup.procs &&
		exec uffdretry -e --by process --stacks --relock --witness --overhead -- true'
}

# --- Around a load whose windows are known --------------------------------------------------------
# traced CASE FAULT...: two tools trace the load, and then the fault happens. $after, if set, runs
# when the load has ended, $finally when both tools have.
traced() {
	name=$1
	shift
	uffdload exact $truth --runs 2 --only $scenarios --wait >"/out/$name.truth" 2>"/out/$name.load" &
	load=$!
	wait_for 60 has_line '^ready' "/out/$name.load"
	pid=$(sed -n 's/^ready //p' "/out/$name.load")
	uffdretry -j -o "/out/$name.json" -p "$pid" 2>"/out/$name.err" &
	tool=$!
	uffdretry -j -o "/out/$name-second.json" -p "$pid" 0.2 2>>"/out/$name.err" &
	second=$!
	wait_for 60 has_line '"type":"start"' "/out/$name.json"
	wait_for 60 has_line '"type":"start"' "/out/$name-second.json"
	"$@"
	kill -USR1 $load
	wait $load
	[ -z "$after" ] || $after
	wait $tool
	echo $? >"/out/$name.status"
	wait $second
	echo $? >"/out/$name-second.status"
	[ -z "$finally" ] || $finally
}

# The tools are stopped while the load runs.
stop() {
	kill -STOP $tool $second
}

wake() {
	sleep $stopped
	kill -CONT $tool $second
}

# step SECONDS: set the clock forward, or back.
step() {
	date -s "@$(($(date +%s) + $1))" >/dev/null
}

# The load runs and is counted on a processor that goes offline before the tools read its counters.
cpu=/sys/devices/system/cpu/cpu1/online
on_cpu1() {
	stop
	taskset -ap 2 "$pid" >/out/hotplug.pinned
	step 86400
}

unplug() {
	echo 0 >$cpu
	step -172800
	kill -CONT $tool $second
}

plug_again() {
	cat $cpu >/out/hotplug.online
	echo 1 >$cpu
}

# The clock steps a day forward and two back while the tool waits for its intervals and its end.
clock_steps() {
	rm -f /out/clock.json
	timeout -s KILL 60 uffdretry -j -o /out/clock.json -d 10s 2 2>/out/clock.err &
	tool=$!
	wait_for 60 has_line '"type":"start"' /out/clock.json
	begin=$(uptime_ms)
	sleep 3
	step 86400
	sleep 3
	step -172800
	wait $tool
	echo $? >/out/clock.status
	echo $(($(uptime_ms) - begin)) >/out/clock.ms
}

group_traced() {
	after=wake
	whole /out/stop.json /out/stop-second.json -- traced stop stop
	after=unplug finally=plug_again
	whole /out/hotplug.json /out/hotplug-second.json -- traced hotplug on_cpu1
	after='' finally=''
	clock_steps
}

# The target dies in the middle of its windows.
group_killed() {
	uffdload free --duration 60s --copiers 2 --writers 1 --what unrelated --wait >/out/killed.truth 2>/out/killed.load &
	load=$!
	wait_for 60 has_line '^ready' /out/killed.load
	pid=$(sed -n 's/^ready //p' /out/killed.load)
	uffdretry -j -o /out/killed.json -p "$pid" 2>/out/killed.err &
	tool=$!
	wait_for 60 has_line '"type":"start"' /out/killed.json
	kill -USR1 $load
	sleep 3
	kill -9 "$pid"
	wait $tool
	echo $? >/out/killed.status
	wait $load 2>/dev/null
}

# --- Windows that are open during the fault -------------------------------------------------------
target_dies() {
	kill -9 $load
}

# The state of the thread that resolves the faults.
state() {
	cut -d' ' -f3 /proc/$load/stat
}

is_stopped() {
	[ "$(state)" = T ]
}

# The signal to go on comes while it is stopped, so only SIGSTOP keeps the windows open.
target_sleeps() {
	kill -STOP $load
	wait_for 10 is_stopped
	kill -USR2 $load
	sleep 2
	state >/out/suspended.state
	kill -CONT $load
}

# A process takes all memory of the guest, until the kernel kills it.
memory_goes() {
	starve hog sh -c 'echo 1000 >/proc/self/oom_score_adj; exec tail /dev/zero'
}

group_held() {
	whole /out/inside.json -- held inside 8 0 target_dies
	# A thread with a pending signal repeats its fault all the time, and the kernel skips
	# preempted programs. With few windows, some attempts lose none.
	for attempt in 1 2 3; do
		rm -f /out/suspended.*
		held suspended 8 0 target_sleeps
		! grep -q '"type":"summary".*"windows":{"total":8,"quiet":8,' /out/suspended.json || break
		[ "$attempt" = 3 ] || again suspended 'a window was lost'
	done
	whole /out/oom-guest.json -- held oom-guest 8 0 memory_goes
	echo 4194304 >/proc/sys/kernel/pid_max
	held together 4096 512 true
	# More than there are places.
	held places 8400 0 true
}

# --- Others on the same functions: BPF programs that do nothing, and kprobes ----------------------
tracing=/sys/kernel/tracing
others_seen() {
	cat $tracing/kprobe_profile >/out/others.kprobes
}

group_others() {
	uffdretry --probe -j | tr '{' '\n' | sed -n 's/.*"name":"\([^"]*\)","variant":"\([a-z_]*\)".*"attached":true.*/\2 \1/p' | sort -u >/tmp/hooks
	cp /tmp/hooks /out/others.hooks
	echo 1 >/proc/sys/kernel/bpf_stats_enabled
	floor </tmp/hooks >/tmp/floor 2>/out/others.floor &
	floor=$!
	wait_for 120 has_line '^attached' /tmp/floor
	sed -n 's/^f[a-z]* //p' /tmp/hooks | sort -u | while read -r function; do
		echo "p:others/$function $function" >>$tracing/kprobe_events
	done
	echo 1 >$tracing/events/others/enable
	after=others_seen
	whole /out/others.json /out/others-second.json -- traced others true
	after=
	echo 0 >$tracing/events/others/enable
	echo >$tracing/kprobe_events
	kill $floor
	wait $floor
	echo 0 >/proc/sys/kernel/bpf_stats_enabled
	sed 1d /tmp/floor >/out/others.runs
}

# --- Names that others chose ----------------------------------------------------------------------
evil_exact() {
	uffdretry -e -j -o /out/evil.json --openmetrics /out/evil.prom -- "/tmp/$evil/$evil" exact $truth --runs 1 --only $scenarios \
		>/out/evil.truth 2>/out/evil.err
	echo $? >/out/evil.status
}

group_evil() {
	evil=$(printf '\033[2J\377\n"\\{}\302e') # escape, no UTF-8, newline, quotes, half a character
	mkdir "/tmp/$evil"
	cp /bin/uffdload "/tmp/$evil/$evil"
	whole /out/evil.json -- evil_exact
	uffdretry -e -- "/tmp/$evil/$evil" exact $truth --runs 1 --only $scenarios >/out/evil-text.out 2>/out/evil-text.err
	cgroup=/sys/fs/cgroup/$(printf '\033[2J\377"\\{}e')
	mkdir "$cgroup"
	keep evil-cgroup uffdretry -c "$cgroup" -d 10ms
	keep evil-cgroup-json uffdretry -j -c "$cgroup" -d 10ms
	keep evil-missing uffdretry -c "$cgroup/$(printf '\033[2J\377')" -d 10ms
}

# --- Many processes -------------------------------------------------------------------------------
# Many short-lived targets, one after the other, and the load as the last one.
group_many() {
	cat >/tmp/many <<END
i=0
while [ \$i -lt $forks ]; do
	(:)
	i=\$((i + 1))
done
exec uffdload exact $truth --runs 1 --only $scenarios
END
	uffdretry -j -o /out/many.json -- sh /tmp/many >/out/many.truth 2>/out/many.err
	echo $? >/out/many.status
}

# Thousands of processes at once; then COMMAND becomes the load.
group_crowd() {
	echo 100000 >/proc/sys/kernel/threads-max
	uffdretry -j -o /out/crowd.json -- crowd 17000 uffdload exact $truth --runs 1 --only $scenarios >/out/crowd.truth 2>/out/crowd.err
	echo $? >/out/crowd.status
}

# --- Killed at any moment -------------------------------------------------------------------------
# A killed tool leaves whole records except for the last line, whole metrics, and maybe an
# unfinished temporary file. Keeps the first bad record and a sample of the good ones.
files_left() {
	[ -e /tmp/k.json ] || return
	head -n "$(wc -l </tmp/k.json)" /tmp/k.json >/tmp/records
	wc -l </tmp/records >>/out/kills.records
	grep -c '^{"type":"event"' /tmp/records >>/out/kills.events
	grep -v '^{"type":.*}$' /tmp/records | head -1 >>/out/kills.bad
	{ head -n 3 /tmp/records && tail -n 3 /tmp/records; } >>/out/kills.json
	for file in /tmp/m/*; do
		case $file in
		/tmp/m/x.prom)
			[ "$(tail -n 1 $file)" = '# EOF' ] || echo "no end: $(tail -n 1 $file)" >>/out/kills.bad
			echo whole >>/out/kills.metrics
			;;
		/tmp/m/x.prom.??????) echo temporary >>/out/kills.metrics ;;
		'/tmp/m/*') ;;
		*) echo "$file" >>/out/kills.bad ;;
		esac
	done
}

# kill_at SECONDS COMMAND...
kill_at() {
	rm -rf /tmp/k.json /tmp/m
	mkdir /tmp/m
	moment=$1
	shift
	"$@" >/tmp/killed.out 2>&1 &
	tool=$!
	sleep "$moment"
	kill -9 $tool
	wait $tool
	if has_line '^Tracing' /tmp/killed.out || has_line '^{"type":"start"' /tmp/k.json; then
		echo tracing
	else
		echo starting
	fi
}

# Kill the tool while it loads, attaches, tests itself or traces: the moments are spread over twice
# the time of a short run, over three times for the half of the runs that write files. A load with a
# low priority keeps windows open.
group_kills() {
	sh -c 'renice -n 19 -p $$ && exec uffdload torture --duration 600m' >/out/kills.load 2>&1 &
	load=$!
	begin=$(uptime_ms)
	uffdretry -d 1ms >/dev/null 2>&1
	whole=$(($(uptime_ms) - begin))
	seed=$(od -An -N4 -tu4 /dev/urandom)
	echo $seed >/out/kills.seed
	awk "BEGIN { srand($seed); for (i = 0; i < $kills; i++) print (i + rand()) / $kills * (3 - i % 2) * $whole / 1000 }" >/tmp/moments
	: >/out/kills.bad
	i=0
	while read -r moment; do
		if [ $((i % 2)) -eq 0 ]; then
			kill_at "$moment" uffdretry -e -j -o /tmp/k.json --openmetrics /tmp/m/x.prom 0.05
			files_left
		else
			kill_at "$moment" uffdretry
		fi
		i=$((i + 1))
	done </tmp/moments >/out/kills 2>/dev/null
	kill -0 $load && echo runs >/out/kills.load-status
	kill -9 $load
	wait $load 2>/dev/null
}

shift
for group; do
	echo "faults: $group" >&2
	"group_$group"
	left >"/out/left-$group"
done
exit 0
