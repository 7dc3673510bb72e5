#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# --help and --version are complete and fit a terminal.
. "$(dirname "$0")/lib.sh"

narrow() {
	[ -s "$tmp/out" ] && ! grep -nE '.{81}' "$tmp/out"
}

for option in --help -h; do
	check "$option" 0 "^Usage: uffdretry .*EXAMPLES:$nl" '^$' -- $option
	[ "$(wc -l <"$tmp/out")" -lt 60 ]
	report $? "$option is shorter than 60 lines"
	narrow
	report $? "$option fits in 80 columns"
done
for option in list report diff BEFORE AFTER --brief -p -c -a -d -e -j -o -T -v -V -h --pid --cgroup --all --duration --events --json --output --timestamp --openmetrics --trace --by --top --stacks --fail-above --probe --self-test \
	--plan --user --verbose --version --help INTERVAL COUNT COMMAND; do
	grep -qE "(^|[^-[:alnum:]])$option([^[:alnum:]]|\$)" "$tmp/out"
	report $? "--help tells of $option"
done
for n in 0 1 2 64; do
	sed -n '/^Exit status/,$p' "$tmp/out" | grep -qw $n
	report $? "--help tells of exit status $n"
done

for option in --version -V; do
	check "$option" 0 "^uffdretry [0-9]+\.[0-9]+\.[0-9]+${nl}libbpf [0-9]+\.[0-9]+\$" '^$' -- $option
done
check '--help needs no right command line behind it' 0 '^Usage' '^$' -- --help --nosuch

done_testing
