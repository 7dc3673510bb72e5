#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: what tests/run makes of its tests: passed, failed, skipped, run again, and killed because they do
# not end.
set -u
root=$(realpath "$(dirname "$0")/../..")
# shellcheck source=../tap.sh
. "$root/tests/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# made NAME TESTS AGAIN [LINE...]: TAP of so many tests, that many of them run again, and these lines.
made() {
	local name=$1 tests=$2 again=$3
	shift 3
	{
		seq "$tests" | sed 's/.*/ok & - a test/'
		[ "$again" -eq 0 ] || yes '# again: exact-pid: the kernel skipped programs' | head -n "$again"
		[ $# -eq 0 ] || printf '%s\n' "$@"
		echo "1..$tests"
	} >"$work/$name.tap"
}

# counts STATUS LINES NAME...: tests/run ends with this status and these last lines.
counts() {
	local want=$1 lines=$2 got
	shift 2
	"$root/tests/run" --count "${@/#/$work/}" >"$work/out"
	got=$?
	cat "$work/out"
	[ $got -eq "$want" ] && [ "$(tail -n "$(wc -l <<<"$lines")" "$work/out")" = "$lines" ]
}

made plain 150 0
made again 50 2
made often 50 3
made small 20 1
made failed 1 0 'not ok 2 - another'
made skipped 1 0 'ok 2 - another # SKIP no kernel'
check 'no test was run again' counts 0 '150 passed, 0 failed' plain.tap
check 'as many as 1 % were' counts 0 $'2 of 200 tests run again\n200 passed, 0 failed' plain.tap again.tap
check 'more than 1 %: the run fails' counts 1 \
	$'not ok - more than 1 % of the tests were run again\n3 of 200 tests run again\n200 passed, 1 failed' plain.tap often.tap
check 'of a few tests one may be run again' counts 0 $'1 of 20 tests run again\n20 passed, 0 failed' small.tap
check '... which is shown' grep -qx '    # again: exact-pid: the kernel skipped programs' "$work/out"
check 'a failure' counts 1 '1 passed, 1 failed' failed.tap
check 'skipped tests are no tests' counts 0 '1 passed, 0 failed, 1 skipped' skipped.tap
cp "$work/skipped.tap" "$work/vm-exact-7.3.tap"
REQUIRE='btf vm' check '... but in a group that is required they are failures' counts 1 \
	$'not ok - 1 of vm-exact-7.3 skipped, and REQUIRE has vm\n1 passed, 1 failed, 1 skipped' vm-exact-7.3.tap
REQUIRE='btf vm' check '... not in another' counts 0 '1 passed, 0 failed, 1 skipped' skipped.tap
REQUIRE=v check '... nor by a part of the name' counts 0 '1 passed, 0 failed, 1 skipped' vm-exact-7.3.tap
check 'no test at all' counts 1 '0 passed, 0 failed'
# The lines above are those that tests write.
check 'a test says so in this form' test "$(again exact-pid 'the kernel skipped programs')" = \
	'# again: exact-pid: the kernel skipped programs'

# ends SECONDS STATUS LAST COMMAND...: the verdict of a test that may take so long.
ends() {
	local status
	TEST_SECONDS=$1 "$root/tests/run" --one harness-count-one "${@:4}" >"$work/out"
	status=$?
	cat "$work/out"
	[ $status -eq "$2" ] && [ "$(tail -n 1 "$work/out")" = "$3" ]
}

# Its child, too, would run for an hour.
# shellcheck disable=SC2016 # of the inner shell
endless='echo "ok 1 - begun"; echo "1..2"; echo "its last words" >&2; sleep 3600 & echo $! >"$0"; wait'
check 'a test that ends' ends 20 0 '1 passed, 0 failed' sh -c 'echo "ok 1 - a test"; echo "1..1"'
check 'one that does less than its plan fails' ends 20 1 '1 passed, 1 failed' sh -c 'echo "1..5"; echo "ok 1 - a test"; echo "Bail out!"'
check '... which is said' grep -q 'ended with 1 tests, planned: 5$' "$work/out"
check 'a test that does not end fails' ends 1 1 '1 passed, 1 failed' sh -c "$endless" "$work/child"
check '... which is said' grep -q 'did not end in 1 s, and was killed' "$work/out"
check '... with its last words' grep -q 'its last words' "$work/out"
check '... and nothing of it is left' timeout 10 tail --pid="$(cat "$work/child")" -s 0.1 -f /dev/null
done_testing
