# shellcheck shell=sh source=tests/vm/guest/lib.sh
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
left >/out/left
exit 0
