# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: run a script of this directory with a tool that leaves gcov's counters in /out/gcov, whoever it is then.
mkdir -m 1777 /out/gcov
umask 0
export GCOV_PREFIX=/out/gcov
exec sh "$@"
