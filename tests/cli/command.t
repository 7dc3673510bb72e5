#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# Where tracing cannot start, COMMAND does not run, and no process is left.
. "$(dirname "$0")/lib.sh"

is_error='.type == "error" and .status == 1'

# gone: wait until no process has COMMAND's file among its arguments.
gone() {
	for _ in {1..100}; do
		pgrep -f "$tmp/ran" >"$tmp/pgrep" || return 0
		sleep 0.1
	done
	return 1
}

# not_run DESCRIPTION ARG...: the tool refuses, and COMMAND (touch $tmp/ran) did not run and cannot.
not_run() {
	local description=$1
	shift
	check "$description" 1 '^$' "(^|$nl)uffdretry: " -- "$@" # -v has libbpf's lines before it
	gone
	report $? "$description: no process is left"
	[ ! -e "$tmp/ran" ]
	report $? "$description: COMMAND is not run"
	rm -f "$tmp/ran"
}

if can_trace; then
	skip 'COMMAND without tracing: this machine can trace'
else
	not_run 'COMMAND' -- touch "$tmp/ran"
	not_run 'COMMAND with INTERVAL' 1 -- touch "$tmp/ran"
	not_run 'COMMAND with options' -v -d 1 -- touch "$tmp/ran"
	check_json '-j: COMMAND' 1 "$is_error" -- -j -- touch "$tmp/ran"
	gone && [ ! -e "$tmp/ran" ]
	report $? '-j: COMMAND is not run'
fi
# With stdout and stderr closed, their numbers must not become those of the pipe to COMMAND.
for closed in '>&-' '2>&-' '>&- 2>&-' '<&- >&- 2>&-'; do
	if can_trace; then
		skip "COMMAND, $closed: this machine can trace"
		continue
	fi
	eval '"$UFFDRETRY" -- touch "$tmp/ran" 2>"$tmp/err"' "$closed"
	status=$?
	gone && [ $status -eq 1 ] && [ ! -e "$tmp/ran" ]
	report $? "COMMAND, $closed: it is not run"
	rm -f "$tmp/ran"
done
# Told before tracing begins, hence also here.
hint="${nl}hint: "
check 'COMMAND that does not exist' 127 '^$' "^uffdretry: cannot execute $tmp/no/such: No such file.*$hint" -- -- "$tmp/no/such"
check '... nor is in PATH' 127 '^$' "^uffdretry: cannot execute no-such: command not found$hint" -- -- no-such
check '... that is no program' 126 '^$' "^uffdretry: cannot execute /etc/passwd: Permission denied$hint" -- -- /etc/passwd
check_json '-j: COMMAND that does not exist' 127 '.type == "error" and .status == 127' -- -j -- no-such
if [ "$(id -u)" -eq 0 ]; then
	# Root may, its user may not.
	mkdir -m 700 "$tmp/private"
	ln -s /bin/true "$tmp/private/program"
	check 'COMMAND that its user may not execute' 126 '^$' '^uffdretry: cannot execute .*: Permission denied' -- --user nobody -- "$tmp/private/program"
	PATH=$tmp/private:$PATH check '... nor find in PATH' 126 '^$' '^uffdretry: cannot execute program: Permission denied' -- --user nobody -- program
else
	skip 'COMMAND that its user may not execute: not root'
	skip '... nor find in PATH: not root'
fi
not_run 'COMMAND whose report cannot be written' -o /nonexistent/x -- touch "$tmp/ran"
check 'options behind -- are COMMAND'"'"'s' 127 '^$' '^uffdretry: cannot execute ' -- -- "$tmp/nosuch" --help

done_testing
