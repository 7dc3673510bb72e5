# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# shellcheck shell=bash
# TAP for the tests of the command line, sourced by *.t: run the tool, compare status, stdout and
# stderr.
#
# UFFDRETRY is the tool under test, by default the one built in this tree.
set -u
export LC_ALL=C # bytes, whatever they are

UFFDRETRY=$(realpath "${UFFDRETRY:-$(dirname "$0")/../../uffdretry}")
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
chmod 755 "$tmp"
tests=0 status=0 out='' err=''
nl=$'\n'

# stderr after an error: one line with the given text (an extended regex), and one hint.
says() {
	printf '%s' "^uffdretry: [^$nl]*$1[^$nl]*${nl}hint: [^$nl]+\$"
}

# Run the tool; sets $status, $out and $err (without their last newlines).
run() {
	"$UFFDRETRY" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
	out=$(<"$tmp/out") err=$(<"$tmp/err")
	grep -a '^{"type":' "$tmp/out" >>"$tmp/records"
}

# report CONDITION DESCRIPTION: CONDITION is a status, as in $?.
report() {
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
		return
	fi
	echo "not ok $tests - $2"
	printf '%s\n' "status $status" "stdout:" "$out" "stderr:" "$err" | sed 's/^/# /'
}

skip() {
	tests=$((tests + 1))
	echo "ok $tests # SKIP $1"
}

# matches STATUS STDOUT STDERR: compare with the last run. Extended regexes, over all lines at once.
matches() {
	[ "$status" -eq "$1" ] && [[ $out =~ $2 ]] && [[ $err =~ $3 ]]
}

# check DESCRIPTION STATUS STDOUT STDERR -- ARG...
check() {
	local description=$1 want=$2 stdout=$3 stderr=$4
	shift 5
	run "$@"
	matches "$want" "$stdout" "$stderr"
	report $? "$description"
}

# usage_error DESCRIPTION TEXT -- ARG...: the tool refuses. stdout is empty, stderr has one line
# with TEXT (no regex) and a hint.
usage_error() {
	local description=$1 text=${2//[^[:alnum:]]/.}
	shift 3
	check "$description" 64 '^$' "$(says "$text")" -- "$@"
}

# check_json DESCRIPTION STATUS FILTER -- ARG...: stdout is one line, an object that jq's FILTER
# accepts.
check_json() {
	local description=$1 want=$2 filter=$3
	shift 4
	run "$@"
	[ "$status" -eq "$want" ] && is_json "$tmp/out" "$filter"
	report $? "$description"
}

# is_json FILE FILTER
is_json() {
	[ "$(wc -l <"$1")" -eq 1 ] && [ "$(head -c 8 "$1")" = '{"type":' ] && jq -e "$2" "$1" >"$tmp/jq" 2>&1
}

# Run a command without any right, if can_be_nobody says that this is possible here.
as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all --bounding-set=-all "$@"
}

can_be_nobody() {
	as_nobody test -x "$UFFDRETRY" 2>"$tmp/err"
}

# Can this machine trace? Tests of a machine that cannot are skipped.
can_trace() {
	[ "$("$UFFDRETRY" --probe -j 2>"$tmp/err" | jq -r 'select(.type == "probe").works')" = true ]
}

done_testing() {
	if [ -s "$tmp/records" ]; then
		out=$("$(dirname "$0")/../check-json" "$tmp/records" 2>&1)
		report $? 'each JSON record fits the schema'
	fi
	echo "1..$tests"
}
