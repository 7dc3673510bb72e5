#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: the soak finds memory that grows with each start, and no peak of its load.
set -u
root=$(realpath "$(dirname "$0")/../..")
# shellcheck source=../tap.sh
. "$root/tests/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# samples KIB...: one every ten starts, beside another kind that grows.
samples() {
	local start=0 kib
	for kib; do
		start=$((start + 10))
		echo "$start Percpu:$((start * 1000)) Slab:$kib"
	done >"$work/memory"
}

grows() {
	! "$root/tests/vm/growth" Slab 2048 "$work/memory"
}

# says TEXT: the line has it.
says() {
	"$root/tests/vm/growth" Slab 2048 "$work/memory" | grep -qF -- "$1"
}

has_stopped() {
	"$root/tests/vm/growth" Slab 2048 "$work/memory"
}

# A soak of an hour on 6.12.
samples 11980 11956 12136 11960 11876 12216 12048 12088 12040 12012 12156 12164 11872 11916 12008 12056 12064
check 'memory that stays' has_stopped
check '... by how little' says '-4 KiB more at start 160 than at 90; 14.6 KiB a start would have been seen'
samples 11980 11956 12136 11960 11876 12216 12048 12088 12040 12012 12156 12164 11872 11916 12008 12056 13144
check 'a peak at the last sample' has_stopped
samples 12000 12200 12400 12600 12800 13000 13200 13400 13600 13800 14000 14200
check '20 KiB a start are too few in a hundred' has_stopped
check '... and what would not be' says '1000 KiB more at start 110 than at 60; 20.5 KiB a start'
samples 12000 12300 12600 12900 13200 13500 13800 14100 14400 14700 15000 15300
check '30 KiB a start' grows
samples 12000 12000 12000
check 'too few samples' grows
: >"$work/memory"
check 'none' grows
done_testing
