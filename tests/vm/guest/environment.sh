# shellcheck shell=sh source=tests/vm/guest/lib.sh disable=SC2086,SC2317,SC2016
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest, which has eight CPUs and is locked down (integrity): the tool and known loads in
# namespaces, under limits, while modules come and go, and under an SELinux policy.
. /bin/lib.sh

find_kernel
# shellcheck disable=SC2154 # find_kernel sets them
known="exact --kernel-check=$check --locks=$locks --only nothing,mprotect-same,mprotect,unmap"
cgroups=/sys/fs/cgroup
shift_clocks='/bin/unshare -T -f --monotonic 100000 --boottime 100000'
echo +memory >$cgroups/cgroup.subtree_control
echo 1 >/proc/sys/vm/unprivileged_userfaultfd

# traces NAME COMMAND...: the tool with its load.
traces() {
	name=$1
	shift
	"$@" >"/out/$name.truth" 2>"/out/$name.err"
	echo $? >"/out/$name.status"
}

# known_load NAME BEFORE_TOOL BEFORE_LOAD: lists of words.
known_load() {
	whole "/out/$1.json" -- traces "$1" $2 uffdretry -e -j -o "/out/$1.json" -- $3 uffdload $known
}

# --- Eight CPUs -----------------------------------------------------------------------------------
cp /sys/devices/system/cpu/online /out/cpus
# Three windows on each.
on_each_cpu() {
	uffdretry -j -o /out/each-cpu.json -- sh -c 'for cpu in 0 1 2 3 4 5 6 7; do
		taskset -c $cpu uffdload exact --runs 3 --only nothing || echo failed
	done' >/out/each-cpu.truth 2>/out/each-cpu.err
	echo $? >/out/each-cpu.status
}
whole /out/each-cpu.json -- on_each_cpu
run trace_command busy busy --pages 10000 --copiers 16 --writer

# --- Namespaces -----------------------------------------------------------------------------------
# The clock that the kernel's programs read is not shifted, the tool's or the load's is.
date +%s >/out/time.before
known_load time-tool "$shift_clocks" ''
known_load time-load '' "$shift_clocks"
date +%s >/out/time.after
$shift_clocks cat /proc/self/timens_offsets >/out/time.offsets
known_load user '' 'unshare -U -r'
# The tool in a user namespace to which BPF is delegated.
keep version uffdretry --version
if [ -n "$(bpfleft functions bpf_token_create)" ]; then
	token cat /proc/mounts >/out/token.mounts
	known_load token token ''
fi

# --- Limits ---------------------------------------------------------------------------------------
# in_cgroup CGROUP COMMAND...
in_cgroup() {
	cgroup=$1
	shift
	sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$cgroups/$cgroup" "$@"
}

# The load has more memory than memory.high, and the kernel delays it.
mkdir $cgroups/high
echo 1M >$cgroups/high/memory.high
cat >/bin/in-high <<'END'
#!/bin/sh
echo $$ >/sys/fs/cgroup/high/cgroup.procs && exec "$@"
END
chmod 755 /bin/in-high
known_load high '' in-high
cp $cgroups/high/memory.events /out/high.events

# The target's cgroup is out of memory while eight windows are open, and dies as a whole.
mkdir $cgroups/full
echo 1 >$cgroups/full/memory.oom.group
echo 20M >$cgroups/full/memory.max
fill_cgroup() {
	echo $load >$cgroups/full/cgroup.procs
	starve hog in_cgroup full tail /dev/zero
}
whole /out/cgroup-oom.json -- held cgroup-oom 8 0 fill_cgroup

# LimitFSIZE= of a service, for the file of metrics. life has it for the report.
mkdir /tmp/metrics
keep metrics-limit sh -c 'ulimit -f 1 && exec uffdretry --openmetrics /tmp/metrics/x.prom -d 300ms 0.1'
ls /tmp/metrics >/out/metrics-limit.left

# --- Modules --------------------------------------------------------------------------------------
# The kernel's text and symbols change while programs are attached.
modules_come_and_go() {
	rm -f /out/modules
	for _ in 1 2 3 4 5; do
		insmod /module.ko && grep -q '^unix_diag ' /proc/modules && rmmod unix_diag && echo loaded >>/out/modules
	done
}
[ ! -e /module.ko ] || whole /out/module.json -- held module 8 0 modules_come_and_go

# --- SELinux --------------------------------------------------------------------------------------
selinux=/sys/fs/selinux
# may RIGHT 0|1: a boolean of the policy.
may() {
	echo "$2" >$selinux/booleans/may_$1
	echo 1 >$selinux/commit_pending_bools
}

mount -t selinuxfs selinuxfs $selinux
cat /policy >$selinux/load || echo selinux >>/out/failed
cat $selinux/enforce >/out/enforce
for right in map_create map_read map_write prog_load prog_run capabilities; do
	may $right 0
	keep no-$right uffdretry -- touch /out/no-$right.ran
	may $right 1
done
known_load selinux '' ''

# --- Lockdown -------------------------------------------------------------------------------------
cat /sys/kernel/security/lockdown >/out/lockdown
keep probe uffdretry --probe -j
echo confidentiality >/sys/kernel/security/lockdown
keep confidential uffdretry -d 10ms -- touch /out/confidential.ran

left >/out/left
exit 0
