# shellcheck shell=sh source=tests/vm/guest/lib.sh disable=SC2046,SC2086
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: for $1 seconds, start the tool, trace for $2 and end it, beside an endless load.
. /bin/lib.sh

end=$(($(date +%s) + $1)) trace=$2 starts=0 bad=0

time_left() {
	[ "$(date +%s)" -lt $end ]
}

# The kernel's own memory in KiB, after a grace period: slabs that it cannot reclaim, memory of BPF
# maps (per-CPU, vmalloc), and stacks.
kernel_memory() {
	sync
	sleep 3
	awk '/^(SUnreclaim|Percpu|VmallocUsed|KernelStack):/ { print $1 $2 }' /proc/meminfo
}

# The three kinds of writers in turn, each in its own process, until the test ends. There are more
# copiers than processors: they are preempted in the tool's programs, which the kernel then skips
# for others. With a low priority: else the tool starts only once a minute on emulated processors.
torture() {
	while [ ! -e /tmp/enough ]; do
		for what in unrelated benign replace; do
			uffdload torture --threads 8 --duration 10s --writer-what $what || return
		done
	done
}

# Each start has other hooks: each option that adds or removes some.
options_of() {
	case $(($1 % 7)) in
	0) echo --events ;;
	1) echo --witness ;;
	2) echo --no-writers ;;
	3) echo --overhead ;;
	4) echo --self-test=off ;;
	5) echo --claims --openmetrics /tmp/soak.prom ;;
	6) echo --relock ;;
	esac
}

# It traced to its end, and reports no anomaly.
well() {
	uffdretry -j -o /tmp/soak.json -d $trace $(options_of $1) 2>/tmp/soak.err &&
		tail -n 1 /tmp/soak.json | grep -q '^{"type":"summary".*"anomalies":0[,}]'
}

torture >/out/load.truth 2>/out/load.err &
load=$!
renice -n 19 -p $load
while time_left; do
	if ! well $starts; then
		bad=$((bad + 1))
		{ cat /tmp/soak.err && tail -n 1 /tmp/soak.json; } >>/out/bad.err
	fi
	tail -n 1 /tmp/soak.json | sed 's/.*"windows":{"total":\([0-9]*\).*/\1/' >>/out/windows
	tail -n 1 /tmp/soak.json | sed 's/.*"recursion":\([0-9]*\).*/\1/' >>/out/skipped
	starts=$((starts + 1))
	# The first starts fill caches, which is no leak.
	[ $starts -ne 3 ] || kernel_memory >/out/memory-before
	[ $((starts % 10)) -ne 0 ] || echo "$starts:" $(kernel_memory) >>/out/memory
	[ $((starts % 10)) -ne 0 ] || echo "soak: $starts starts, $bad bad, $((end - $(date +%s))) s left" >&2
done
touch /tmp/enough
wait $load
echo $? >/out/load.status
left >/out/left
[ ! -e /proc/lockdep_stats ] || cp /proc/lockdep_stats /out/lockdep
kernel_memory >/out/memory-after
echo $starts >/out/starts
echo $bad >/out/bad
exit 0
