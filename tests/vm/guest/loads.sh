# shellcheck shell=sh source=tests/vm/guest/lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: short runs of the loads that resemble programs, in groups with one expectation each.
. /bin/lib.sh
seed=$1

# On a disk, because tmpfs can neither drop its pages nor hold swap.
prepare_disk() {
	mke2fs /dev/nvme0n1 >/dev/null && mkdir -p /mnt && mount -t ext4 /dev/nvme0n1 /mnt || return 1
	dd if=/dev/zero of=/mnt/swap bs=1M count=32 2>/dev/null && mkswap /mnt/swap >/dev/null && swapon /mnt/swap
}

# group NAME: one tool traces the loads of stdin, one a line. Writes /out/NAME.json, and a line for
# each load to /out/NAME.truth.
group() {
	sed "s/.*/uffdload & --seed $seed || exit/" >/tmp/group
	uffdretry -j -o "/out/$1.json" -- sh /tmp/group >"/out/$1.truth" 2>"/out/$1.load" || echo "$1" >>/out/failed
}

prepare_disk || echo disk >>/out/failed
echo 16 >/proc/sys/vm/nr_hugepages
group quiet <<END
restore --pages 256 --device-rate 0
restore --pages 256 --device-rate 0 --cache cold --dir /mnt
restore-inproc --pages 256 --device-rate 0 --prefetch 0 --remap-rate 0 --source map
gc --pages 256 --alloc-rate 0
swap --pages 256 --device-rate 0
hugetlb --pages 4 --device-rate 0
END
# At these rates the kernel skips few runs of BPF programs.
group unrelated <<END
restore --pages 256 --writer-rate 1000
restore-inproc --pages 256 --source map --device-rate 1000
gc --pages 256 --alloc-rate 1000
torture --threads 1 --writer-rate 1000 --duration 500ms
END
group benign <<END
torture --threads 1 --writer-rate 1000 --duration 500ms --writer-what benign
END
group replace <<END
swap --pages 512 --writer-rate 300 --writer-what replace
torture --threads 1 --writer-rate 300 --writer-what replace --duration 500ms
END
group control <<END
restore-inproc --pages 256
END
group events <<END
restore --pages 512 --balloon-rate 200 --duration 500ms
END
left >/out/left
exit 0
