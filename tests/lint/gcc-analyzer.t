#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: gcc -fanalyzer finds nothing in the user side and the programs of the VM tests.
. "$(dirname "$0")/lib.sh"

gcc_analyzer() {
	printf '%s\n' "${user_side[@]}" "${test_programs[@]}" |
		xargs -P "$(nproc)" -n 1 gcc -std=gnu11 -O1 -fanalyzer -Werror "${includes[@]}" -o /dev/null -c
}

check 'gcc -fanalyzer' gcc_analyzer
done_testing
