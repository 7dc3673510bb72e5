#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: the C files are as `make format` leaves them. Other versions of clang-format lay out the same
# code otherwise.
. "$(dirname "$0")/lib.sh"
version=14 # which .clang-format is made for
dry_run='clang-format --dry-run -Werror'

has=$(clang-format --version 2>/dev/null | grep -oE 'version [0-9]+') has=${has#version }
if [ "$has" != $version ]; then
	echo "ok 1 # SKIP the format is checked with clang-format $version, and this is ${has:-none}"
	echo 1..1
	exit
fi
bad_format_is_found() {
	! $dry_run <<<'int  x;'
}
check 'make format changes nothing' env -u MAKEFLAGS -u MAKELEVEL make -s format CLANG_FORMAT="$dry_run"
check 'a line of another format is found' bad_format_is_found
done_testing
