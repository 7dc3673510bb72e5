#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: clang-tidy finds nothing in the user side and the programs of the VM tests. .clang-tidy says
# what it looks for.
. "$(dirname "$0")/lib.sh"

clang_tidy() {
	# shellcheck disable=SC2016 # for sh
	printf '%s\n' "${user_side[@]}" "${test_programs[@]}" | xargs -P "$(nproc)" -n 4 sh -c \
		'includes=$1; shift; files=$*; shift $#; exec clang-tidy --quiet $files -- -std=gnu11 $includes' _ "${includes[*]}"
}

check clang-tidy clang_tidy
done_testing
