# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: run a script with a tool that leaves gcov's counters in /out/gcov, as any user.
mkdir -m 1777 /out/gcov
export GCOV_PREFIX=/out/gcov GCOV_ERROR_FILE=/dev/null
# The next run may be of another user. A umask would also change the modes of other files.
while sleep 0.5; do
	chmod -R a+rwX /out/gcov
done 2>/dev/null &
exec sh "$@"
