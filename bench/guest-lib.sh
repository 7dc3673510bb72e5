# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# What the guest's scripts share: the end with an error, and waiting.

fail() {
	echo "${0##*/}: $*" >&2
	exit 1
}

# await FILE TEXT: until TEXT is in FILE.
await() {
	tries=0
	until grep -q "$2" "$1" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 1200 ] || { cat "$1" "$1.err" >&2; fail "no '$2' in $1"; }
		sleep 0.1
	done
}
