# shellcheck shell=sh source=tests/vm/guest/lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: a kernel on which the tool cannot work. Its messages are kept in /out.
uffdretry -d 100ms >/out/run.out 2>/out/run.err
echo $? >/out/run.status
uffdretry --probe >/out/probe.out 2>/out/probe.err
echo $? >/out/probe.status
exit 0
