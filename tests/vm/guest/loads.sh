# shellcheck shell=sh source=tests/vm/guest/lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: short runs of the loads that resemble programs, each under the tool.
. /bin/lib.sh

# A disk for what tmpfs cannot do: pages that leave the page cache, and swap.
prepare_disk() {
	mke2fs /dev/nvme0n1 >/dev/null && mkdir -p /mnt && mount -t ext4 /dev/nvme0n1 /mnt || return 1
	dd if=/dev/zero of=/mnt/swap bs=1M count=32 2>/dev/null && mkswap /mnt/swap >/dev/null && swapon /mnt/swap
}

# whole NAME LOAD...: as trace_command. A run in which the kernel skipped a preempted program is done again, twice at
# most: it says itself that it is short.
whole() {
	for attempt in 1 2 3; do
		trace_command "$@" || break
		grep -q '"recursion":0' "/out/$1.json" && return
		echo "$1 $attempt" >>/out/again
	done
	echo "$1" >>/out/failed
}

prepare_disk || echo disk >>/out/failed
echo 16 >/proc/sys/vm/nr_hugepages
small="--pages 512 --seed $1"
# shellcheck disable=SC2086 # lists of words
{
	whole restore-quiet restore $small --device-rate 0
	whole restore-unrelated restore $small --device-rate 0 --writer-rate max --duration 1s
	whole restore-cold restore $small --device-rate 0 --cache cold --dir /mnt
	whole restore-balloon restore $small --balloon-rate 200 --duration 1s
	whole inproc-quiet restore-inproc $small --source map --device-rate 0 --prefetch 0 --remap-rate 0
	whole inproc restore-inproc $small
	whole postcopy postcopy $small --device-rate 0
	whole gc-quiet gc $small --alloc-rate 0
	whole gc gc $small --alloc-rate max
	whole lazy lazy --pages 128 --seed "$1" --source map
	whole swap swap $small
	whole hugetlb hugetlb --pages 8 --seed "$1"
	whole torture-unrelated torture $small --duration 1s
	whole torture-benign torture $small --duration 1s --writer-what benign
	whole torture-replace torture $small --duration 1s --writer-what replace
}
left >/out/left
exit 0
