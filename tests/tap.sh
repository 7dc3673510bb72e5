# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# shellcheck shell=bash
# TAP for tests in bash: source it, call check for each test, end with done_testing.
tests=0 not_ok=0

# check DESCRIPTION COMMAND...: one test. Prints the start of the command's output if it fails.
check() {
	local what=$1 said
	shift
	tests=$((tests + 1))
	if said=$("$@" 2>&1); then
		echo "ok $tests - $what"
	else
		not_ok=$((not_ok + 1))
		echo "not ok $tests - $what"
		printf '# %s\n' "${said//$'\n'/$'\n# '}" | head -200
	fi
}

# again NAME REASON: NAME is run once more. tests/run counts these lines.
again() {
	echo "# again: $1: $2"
}

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}

done_testing() {
	echo "1..$tests"
}
