# shellcheck shell=sh source=tests/vm/guest/lib.sh disable=SC2317
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: --events and --trace, read in time and not read in time.
. /bin/lib.sh
windows=$1

find_kernel
echo 64 >/proc/sys/vm/nr_hugepages

# All events are read, also the last ones.
read_all() {
	uffdretry -e -j -o /out/exact.json --trace /out/exact.trace -- uffdload exact --runs 2 --kernel-check "$check" --locks "$locks" >/out/exact.truth 2>/out/exact.load
}
whole /out/exact.json -- read_all || echo exact >>/out/failed
uffdretry -e -- uffdload exact --runs 3 --only mprotect-same,unmap --kernel-check "$check" --locks "$locks" >/out/text.out 2>/out/text.err || echo text >>/out/failed

keep alone uffdretry --trace /out/alone.trace -- uffdload exact --runs 3 --only mprotect-same,unmap --kernel-check "$check" --locks "$locks"
# The disk fills up: the run goes on.
mkdir -p /full && mount -t tmpfs -o size=64k none /full
full() {
	rm -f /full/trace
	keep full uffdretry -j --trace /full/trace -- uffdload random --windows 200 --kernel-check "$check" --locks "$locks"
}
whole /out/full.out -- full
cp /full/trace /out/full.trace
umount /full

# Failed copies and unread events, each for a reason known beforehand.
failing() {
	uffdretry -e -j -o /out/failing.json --trace /out/failing.trace -- uffdload causes --runs 2 --kernel-check "$check" --locks "$locks" >/out/failing.truth 2>/out/failing.load
}
whole /out/failing.json -- failing || echo failing >>/out/failed

# Events come during the run, not only with the summary.
uffdretry -e -j -o /out/live.json --trace /out/live.trace -a &
tool=$!
wait_for 60 has_line '"type":"start"' /out/live.json
uffdload exact --runs 1 --only mprotect-same --kernel-check "$check" --locks "$locks" >/dev/null 2>/out/live.load || echo live >>/out/failed
wait_for 5 has_line '"type":"event"' /out/live.json || echo not-live >>/out/failed
# What SIGKILL would leave.
wait_for 5 has_line '"ph":"X"' /out/live.trace || echo not-live-trace >>/out/failed
cp /out/live.trace /out/cut.trace
kill -TERM $tool
wait $tool || echo tool >>/out/failed

# unread NAME LOAD...: the tool is stopped while the load makes more events than the ring has
# places.
unread() {
	name=$1
	shift
	uffdretry -e -j -o "/out/$name.json" --trace "/out/$name.trace" -a &
	tool=$!
	wait_for 60 has_line '"type":"start"' "/out/$name.json"
	kill -STOP "$tool"
	uffdload "$@" --kernel-check "$check" --locks "$locks" >"/out/$name.truth" 2>"/out/$name.load" || echo "$name" >>/out/failed
	kill -CONT "$tool"
	kill -TERM "$tool"
	wait "$tool" || echo tool >>/out/failed
}

whole /out/drops.json -- unread drops random --windows "$windows"
# The ring holds fewer than 7,710. The windows of this load come last.
whole /out/storm.json -- unread storm causes --runs 1 --chain 4000
left >/out/left
exit 0
