# shellcheck shell=sh source=tests/programs/guest/lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# stress-ng's userfaultfd stressor beside those that map, remap and protect.
. /programs/lib.sh
under stress-ng stress-ng --userfaultfd 2 --userfaultfd-bytes 8M --mmap 1 --mmap-bytes 16M --mremap 1 --mremap-bytes 16M \
	--mprotect 1 --timeout 20s --metrics-brief --temp-path /tmp
result stress-ng "$(sed -nE 's/.*metrc.*\] +(userfaultfd +[0-9]+).*/\1 operations/p; s/.*info.*\] (passed|failed): /\1: /p' \
	/out/stress-ng.log | tr -s ' ' | tr '\n' ';')"
