# shellcheck shell=sh source=tests/vm/guest/lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: failures with known causes, traced with -p, with -a and as COMMAND.
. /bin/lib.sh

find_kernel

for how in pid all command; do
	exactly trace_$how causes-$how causes
done
# The report as text.
uffdretry -v -o /out/text -- uffdload causes --kernel-check "$check" --locks "$locks" >/dev/null 2>/out/text.load || echo text >>/out/failed
uffdretry -v -o /out/swapped -- uffdload exact --kernel-check "$check" --locks "$locks" --runs 12 --only other-uffd \
	>/dev/null 2>/out/swapped.load || echo swapped >>/out/failed
uffdretry -j -o /out/metrics.json --openmetrics /out/metrics.prom -- uffdload causes --kernel-check "$check" --locks "$locks" \
	>/dev/null 2>/out/metrics.load || echo metrics >>/out/failed
# A page that failed in one process and is present in another has not been filled.
whole /out/heirs.json -- uffdretry -j -o /out/heirs.json -- heirs || echo heirs >>/out/failed
whole /out/images.json -- uffdretry -j -o /out/images.json -- heirs exec || echo images >>/out/failed
whole /out/unborn.json -- uffdretry -j -o /out/unborn.json -- unborn chain || echo unborn >>/out/failed
sh -c 'until [ -e /tmp/go ]; do sleep 0.1; done; exec unborn' &
unborn=$!
uffdretry -j -o /out/unborn-pid.json -p $unborn &
wait_for 60 has_line '"type":"start"' /out/unborn-pid.json || echo unborn-pid >>/out/failed
touch /tmp/go
wait $unborn || echo unborn-pid >>/out/failed
wait $! || echo unborn-pid >>/out/failed
# shellcheck disable=SC2317 # whole calls it
page_tables_go() {
	uffdretry -j -o /out/vanish.json -- vanish 20 30 >/out/vanish.truth
}
whole /out/vanish.json -- page_tables_go || echo vanish >>/out/failed
# While calls are in the kernel, another tool hooks the same functions and leaves them again.
held others 8 0 uffdretry -d 100ms >/out/others.other 2>&1
# The relock falls back to mmap_lock where the VMA is gone or the new one has no anon_vma yet.
echo 64 >/proc/sys/vm/nr_hugepages
relock=yes
exactly trace_command relock exact --runs 4 --only \
	mprotect-same,fork,unmap,unmap-shmem,map-fixed,map-fixed-shmem,remove-event,source-unmapped,nothing-hugetlb
left >/out/left
exit 0
