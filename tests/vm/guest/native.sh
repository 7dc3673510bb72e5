# shellcheck shell=sh source=tests/vm/guest/lib.sh disable=SC2317
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: `uffdload native` predicts its windows, and the tool sees them.
# usage: native.sh COPIES
. /bin/lib.sh

# For files that can leave the page cache, and for swap.
mke2fs /dev/nvme0n1 >/dev/null 2>&1 && mkdir /mnt && mount -t ext4 /dev/nvme0n1 /mnt || echo disk >>/out/failed
dd if=/dev/zero of=/mnt/swap bs=1M count=64 2>/dev/null && mkswap /mnt/swap >/dev/null && swapon /mnt/swap || echo swap >>/out/failed
echo 8 >/proc/sys/vm/nr_hugepages
echo madvise >/sys/kernel/mm/transparent_hugepage/enabled

predict() {
	uffdretry -e -j -o /out/native.json -- uffdload native --copies "$1" --pages 512 --dir /mnt --log /out/windows >/out/records 2>/out/native.load
}
whole /out/native.json -- predict "$1" || echo native >>/out/failed
left >/out/left
exit 0
