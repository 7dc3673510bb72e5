#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# A wrong command line gives status 64, one line that names the mistake, and a hint.
. "$(dirname "$0")/lib.sh"

usage_error 'unknown long option' '--nosuch' -- --nosuch
usage_error 'unknown short option' 'Z' -- -Z
usage_error 'unknown short option in a bundle' 'Z' -- -vZj
usage_error 'ambiguous abbreviation' '--p' -- --p 1
usage_error 'a value where none goes' '--probe' -- --probe=yes
usage_error '... of an option with a letter' '--json' -- --json=yes
for option in -p -c --cgroup -d -o --pid --duration --output --fail-above --plan --openmetrics --trace --user --by; do
	usage_error "$option without its value" "$option" -- $option
done

for value in '' 0 -1 +1 ' 1' 0x1 1.5 12abc self '1,' ',1' '1,,2' 99999999999; do
	usage_error "-p '$value'" "'$value'" -- -p "$value"
done
usage_error '-p with 1,025 PIDs' 'more than 1024 PIDs' -- -p "$(seq -s, 1025)"
for value in '' 0 -5 +5 ' 5' '5 s' 5d 5S 0x5 nan inf 1e400 s 1h30m; do
	usage_error "-d '$value'" "'$value'" -- -d "$value"
done
for value in '' -0.1 2 101% nan 0.1%% x; do
	usage_error "--fail-above '$value'" "'$value'" -- --fail-above "$value"
done
for value in '' x Process process,cgroup; do
	usage_error "--by '$value'" "'$value'" -- --by "$value"
done
usage_error '--self-test=maybe' 'maybe' -- --self-test=maybe
usage_error '--self-test=' "''" -- --self-test=
for value in '' 0 x 1x; do
	usage_error "INTERVAL '$value'" "'$value'" -- "$value"
	usage_error "COUNT '$value'" "'$value'" -- 1 "$value"
done
usage_error 'COUNT 1.5' "'1.5'" -- 1 1.5
usage_error 'a third argument' "'3'" -- 1 2 3

usage_error '--pid and --all' '--all' -- -p 1 -a
usage_error '--pid and COMMAND' '--pid' -- -p 1 -- true
usage_error '--all and COMMAND' '--all' -- -a -- true
usage_error '--probe and --pid' '--probe' -- --probe -p 1
usage_error '--probe and INTERVAL' '--probe' -- --probe 1
usage_error '--probe and COMMAND' '--probe' -- --probe -- true
usage_error '--self-test=only and --pid' '--self-test=only' -- --self-test=only -p 1
usage_error '--self-test=only and INTERVAL' '--self-test=only' -- --self-test=only 1
usage_error '--self-test=only and COMMAND' '--self-test=only' -- --self-test=only -- true
usage_error '--cgroup and --pid' '--cgroup' -- -c x -p 1
usage_error '--cgroup and COMMAND' '--cgroup' -- -c x -- true
usage_error '--cgroup and --all' '--all' -- -c x -a
usage_error '--probe and --cgroup' '--probe' -- --probe -c x
usage_error '--events and --probe' '--events' -- -e --probe
usage_error '--events and --self-test=only' '--events' -- -e --self-test=only
usage_error '--by and --probe' '--by' -- --by process --probe
usage_error '--top and --self-test=only' '--top' -- --top --self-test=only
usage_error '--top and --events' '--top' -- --top -e
usage_error 'list and --by' '--by' -- list --by process
usage_error '--stacks and --probe' '--stacks' -- --stacks --probe
usage_error '--stacks and --no-writers' '--stacks' -- --stacks --no-writers
usage_error '--openmetrics and --probe' '--openmetrics' -- --openmetrics x --probe
usage_error '--openmetrics and --self-test=only' '--openmetrics' -- --openmetrics x --self-test=only
usage_error '--trace and --probe' '--trace' -- --trace x --probe
usage_error '--trace and --self-test=only' '--trace' -- --trace x --self-test=only
usage_error 'report and --trace' '--trace' -- report x --trace y
# What judges nothing must not say with status 0 that all is well.
usage_error '--fail-above and --probe' '--fail-above' -- --probe --fail-above 0
usage_error '--fail-above and --self-test=only' '--fail-above' -- --self-test=only --fail-above 0
usage_error 'list and --fail-above' '--fail-above' -- list --fail-above 0
usage_error 'report and --fail-above' '--fail-above' -- report --fail-above 0 x
usage_error 'diff and --fail-above' '--fail-above' -- diff --fail-above 0 x y
usage_error '-- without COMMAND' 'COMMAND' -- --
usage_error '--plan that is none' 'nosuch' -- --plan nosuch

# The message repeats the user's words on one line, without control characters.
usage_error 'escape sequences' 'bad TIME' -- -d "1${nl}2"$'\e[2J\a'
[[ $err != *[$'\e\a']* ]]
report $? 'escape sequences are not repeated'
usage_error 'a value of 100,000 bytes' 'bad TIME' -- -d "$(head -c 100000 /dev/zero | tr '\0' 9)"

is_error='.type == "error" and .schema == 1 and .status == 64 and (.message | length > 0) and (.hint | length > 0)'
check_json '-j: a bad value' 64 "$is_error and (.message | test(\"'x'\"))" -- -j -d x
check_json '-j: an unknown option' 64 "$is_error and (.message | test(\"--nosuch\"))" -- -j --nosuch
check_json '-j: a refused combination' 64 "$is_error" -- -j -p 1 -a
check_json '-j behind it: a refused combination' 64 "$is_error" -- -p 1 -a -j
check_json '-j: bytes that are not UTF-8' 64 "$is_error" -- -j -d $'\xff\xfe\e"\\'
matches 64 '' "$(says 'bad TIME')"
report $? '-j: and stderr says it in words'

done_testing
