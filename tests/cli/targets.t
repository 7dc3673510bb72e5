#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: `make help-all` lists exactly the targets that people call, and `make help` fits a screen.
. "$(dirname "$0")/lib.sh"
root=$(realpath "$(dirname "$0")/../..")

# make_here TARGET: print its output.
make_here() {
	env -u MAKEFLAGS -u MAKELEVEL make -s -C "$root" "$1"
}

# All phony targets but the default one and those that only build programs for others.
for_people() {
	cat "$root/Makefile" "$root"/mk/*.mk | sed -n 's/^\.PHONY: //p' | tr ' ' '\n' | grep -vxE 'all|help|always|(test|unit|fuzz|bench|coverage)-programs|.*INJECT_TOOL.*'
}

listed() {
	make_here help-all | sed -n 's/^make \([a-z0-9-]\+\) .*/\1/p'
}

out=$(diff <(for_people | sort) <(listed | sort))
report $? 'make help-all lists each target for people once'
out=$(make_here help)
[ "$(wc -l <<<"$out")" -le 20 ] && ! grep -E '.{91}' <<<"$out"
report $? 'make help is a screen: 20 lines of 90 columns'
out=$(make_here help-all | grep -E '.{141}')
[ -z "$out" ]
report $? 'no line of make help-all is longer than 140 columns'
done_testing
