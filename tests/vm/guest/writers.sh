# shellcheck shell=sh source=tests/vm/guest/lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: every way to write to an mm, under the tool.
. /bin/lib.sh

# named TRACE NAME: at most three attempts, while the kernel skipped a preempted program. The last
# one counts in any case: the skipped run may have been a reader's.
named() {
	for attempt in 1 2 3; do
		"$@" writers --runs 3 || { echo "$2" >>/out/failed; return; }
		grep -q '"recursion":0' "/out/$2.json" && return
		echo "$2 $attempt" >>/out/again
	done
}

named trace_pid writers-pid
named trace_all writers-all
named trace_command writers-command
uffdretry -- uffdload writers --runs 1 >/out/text 2>/out/text.err || echo text >>/out/failed
left >/out/left
exit 0
