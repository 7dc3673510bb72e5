#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: cppcheck finds nothing in the user side, the loads and the other programs.
. "$(dirname "$0")/lib.sh"

# ctunullpointer and ctuuninitvar follow a pointer into another file and take "may be" for "is".
check cppcheck cppcheck --std=c11 -q -j "$(nproc)" --enable=warning,portability,performance --error-exitcode=1 \
	--suppress=missingIncludeSystem --suppress=normalCheckLevelMaxBranches --suppress=ctunullpointer --suppress=ctuuninitvar \
	-D_GNU_SOURCE= '-DLIBBPF_OPTS(type,name,...)=struct type name={0}' -I src -I load -I . \
	"${user_side[@]}" "${test_programs[@]}" load/*.c load/*/*.c load/*/*/*.c repro/*.c bench/*.c
done_testing
