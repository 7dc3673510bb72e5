# shellcheck shell=sh source=tests/vm/guest/lib.sh disable=SC2317
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: every way to write to an mm, under the tool.
. /bin/lib.sh

# named TRACE NAME: the last attempt counts in any case: the skipped run may have been a reader's.
named() {
	whole "/out/$2.json" -- "$@" writers --runs 3 || echo "$2" >>/out/failed
}

named trace_pid writers-pid
named trace_all writers-all
named trace_command writers-command
uffdretry -- uffdload writers --runs 1 >/out/text 2>/out/text.err || echo text >>/out/failed

# --stacks: a known writer, whose name must not spoil a line; and with two capabilities alone, of root's process, where the kernel
# hides its addresses.
whole /out/stacks.json -- uffdretry --stacks -j -o /out/stacks.json -- stacked 7 || echo stacks >>/out/failed
uffdretry --stacks -- stacked 5 >/out/stacks.out 2>/out/stacks.err || echo stacks-text >>/out/failed
whole /out/memfd.json -- uffdretry --stacks -j -o /out/memfd.json -- stacked 3 forty-one-bytes-of-this-name-fill-the-row-and-no-more || echo memfd >>/out/failed
stacks_of_root() {
	withcaps 65534 bpf,perfmon uffdretry --stacks -j -a >/out/stacks-caps.json 2>/out/stacks-caps.err &
	tool=$!
	wait_for 60 has_line '"type":"start"' /out/stacks-caps.json || return 1
	stacked 6 || return 1
	kill -TERM "$tool"
	wait "$tool"
}
echo 2 >/proc/sys/kernel/kptr_restrict
whole /out/stacks-caps.json -- stacks_of_root || echo stacks-caps >>/out/failed
left >/out/left
exit 0
