# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: run a script of this directory with a tool that leaves gcov's counters in /out/gcov, whoever it is then.
mkdir -m 1777 /out/gcov
export GCOV_PREFIX=/out/gcov GCOV_ERROR_FILE=/dev/null
# The next one may be somebody else. A umask would do it too, and would be seen in the modes of other files.
while sleep 0.5; do
	chmod -R a+rwX /out/gcov
done 2>/dev/null &
exec sh "$@"
