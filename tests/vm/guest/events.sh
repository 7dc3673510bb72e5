# shellcheck shell=sh source=tests/vm/guest/lib.sh disable=SC2317
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: --events, read in time and not read in time.
. /bin/lib.sh
windows=$1

find_kernel
echo 64 >/proc/sys/vm/nr_hugepages

# All events are read, also the last ones.
read_all() {
	uffdretry -e -j -o /out/exact.json -- uffdload exact --runs 2 --kernel-check "$check" --locks "$locks" >/out/exact.truth 2>/out/exact.load
}
whole /out/exact.json -- read_all || echo exact >>/out/failed
uffdretry -e -- uffdload exact --runs 3 --only mprotect-same,unmap --kernel-check "$check" --locks "$locks" >/out/text.out 2>/out/text.err || echo text >>/out/failed

# Events come during the run, not only with the summary.
uffdretry -e -j -o /out/live.json -a &
tool=$!
wait_for 60 has_line '"type":"start"' /out/live.json
uffdload exact --runs 1 --only mprotect-same --kernel-check "$check" --locks "$locks" >/dev/null 2>/out/live.load || echo live >>/out/failed
wait_for 5 has_line '"type":"event"' /out/live.json || echo not-live >>/out/failed
kill -TERM $tool
wait $tool || echo tool >>/out/failed

# The tool is stopped while the load opens more windows than the ring has places.
unread() {
	uffdretry -e -j -o /out/drops.json -a &
	tool=$!
	wait_for 60 has_line '"type":"start"' /out/drops.json
	kill -STOP "$tool"
	uffdload random --windows "$windows" --kernel-check "$check" --locks "$locks" >/out/drops.truth 2>/out/drops.load || echo drops >>/out/failed
	kill -CONT "$tool"
	kill -TERM "$tool"
	wait "$tool" || echo tool >>/out/failed
}

whole /out/drops.json -- unread
left >/out/left
exit 0
