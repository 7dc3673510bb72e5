# shellcheck shell=sh source=tests/vm/guest/lib.sh disable=SC2046,SC2086
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: copiers and writers that never stop, and the tool that starts, traces for $2 and ends, for $1 seconds.
. /bin/lib.sh

end=$(($(date +%s) + $1)) trace=$2 starts=0 bad=0

time_left() {
	[ "$(date +%s)" -lt $end ]
}

# KiB that the kernel has taken for itself and cannot take back, once what waits for a grace period is gone: slabs, what BPF
# maps are made of (per-CPU memory, vmalloc), stacks.
kernel_memory() {
	sync
	sleep 3
	awk '/^(SUnreclaim|Percpu|VmallocUsed|KernelStack):/ { print $1 $2 }' /proc/meminfo
}

# The writers' three manners, one after the other, each in a process of its own, until the tool has ended for good. Nice to the
# tool, which would otherwise start once a minute on emulated processors.
torture() {
	while [ ! -e /tmp/enough ]; do
		for what in unrelated benign replace; do
			uffdload torture --duration 10s --writer-what $what || return
		done
	done
}

# Each start with other hooks: all that an option adds to them or takes away.
options_of() {
	case $(($1 % 6)) in
	0) echo --events ;;
	1) echo --witness ;;
	2) echo --no-writers ;;
	3) echo --overhead ;;
	4) echo --self-test=off ;;
	5) echo --claims ;;
	esac
}

# It traced to its end, and no fact contradicted another.
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
	starts=$((starts + 1))
	# What caches grow by at first is no leak.
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
