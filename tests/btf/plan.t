#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
#
# TAP: each cached kernel in $KERNELS gets the plan, and lacks the facts, that
# tests/unit/test_hook_table.c expects of its series.
set -u
# shellcheck source-path=SCRIPTDIR source=../vm/lib.sh
. "$(dirname "$(realpath "$0")")/../vm/lib.sh"

for series in $KERNELS; do
	if btf=$("$root/tests/vm/kernels" btf "$series"); then
		check "$series: its plan, from its BTF" env CMOCKA_MESSAGE_OUTPUT=TAP "$root/build/unit/test_hook_table" "$series" "$btf"
	else
		tests=$((tests + 1))
		echo "ok $tests - $series # SKIP this kernel is not available"
	fi
done
not_6_1() {
	! "$root/build/unit/test_hook_table" 6.1 "$btf"
}
check 'another series would be noticed' not_6_1
done_testing
