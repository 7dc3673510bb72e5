#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# `uffdretry diff` compares records of real runs: see report.t. Its intervals are tested in tests/unit/test_diff.c.
. "$(dirname "$0")/lib.sh"
records=$(realpath "$(dirname "$0")/records")
cd "$records" || exit 1

has() {
	grep -qE "$1" "$tmp/out"
}

run diff device.json balloon.json
[ $status -eq 0 ] && [ -z "$err" ] && has '^file +device.json +balloon.json$' && has '^kernel +7.3.4\+deb13-cloud-amd64 in both$' &&
	has '^options +--relock --claims --overhead +--by process$'
report $? 'the head names both, and what differs'
has '^EAGAIN +0 +776847 +\+776847$' && has '^ +< 364 +769437 \.\.\. 784085 ' && has '^ +0 of 8235 +9643 of 12413 +more$'
report $? 'a share with its intervals, its counts and the verdict'
has '^needless by per-MM +1\.7% +7\.7% +\+6\.0%$' && has '^ +9 of 523 +22 of 286 +more$'
report $? 'needless EAGAIN of a per-MM check'
has '^pages filled wrongly +0% +0% +0%$' && has '^ +0 of 523 +0 of 286 +no difference seen$'
report $? 'no difference seen'
! grep -nE '.{81}| $' "$tmp/out"
report $? 'it fits in 80 columns'

check_json '-j' 0 '.type == "diff" and .before.file == "device.json" and .after.copies == 12413 and .warning == null and
	(.shares[] | select(.name == "EAGAIN") | .verdict == "more" and .before.number == 0 and .before.of == 8235 and .after.number == 9643 and
	.difference.low > 769000 and .difference.high < 785000) and (.window_ns | map(.name)) == ["p50", "p99"] and
	(.losses[] | select(.name == "skipped program runs") | .before == 2 and .after == 10)' -- diff -j device.json balloon.json
run -o "$tmp/file" diff device.json balloon.json
[ $status -eq 0 ] && [ -z "$out" ] && grep -q '^EAGAIN ' "$tmp/file"
report $? '-o FILE'

run diff balloon.json balloon.json
[ $status -eq 0 ] && [ "$(grep -c 'no difference seen$' "$tmp/out")" -ge 6 ] && ! has '(more|less)$'
report $? 'a run does not differ from itself'
run diff legacy.json device.json
[ $status -eq 0 ] && has '^needless by per-MM +not on this kernel +1\.7%$' && has '^kernel +6\.1\.[^ ]+ +7\.3\.4' && has '^plan +legacy \(exact' && has '^ +AFTER: retry_state \(exact'
report $? 'what one kernel cannot tell'
"$UFFDRETRY" diff - balloon.json <device.json >"$tmp/out" 2>"$tmp/err"
status=$? out=$(<"$tmp/out") err=$(<"$tmp/err")
[ $status -eq 0 ] && has '^file +standard input +balloon.json$' && has '^EAGAIN +0 +776847 '
report $? '- reads standard input'

jq -c '.host.hypervisor = null' balloon.json >"$tmp/native"
run diff device.json "$tmp/native"
[ $status -eq 0 ] && has '^WARNING: BEFORE ran in emulation: do not compare its times and shares'
report $? 'emulated and native are not compared without a warning'
check_json '... also in JSON' 0 '.warning | startswith("AFTER ran in emulation")' -- diff -j "$tmp/native" device.json

check 'a file that is not there' 1 '^$' '^uffdretry: cannot read nosuch: No such file or directory$' -- diff device.json nosuch
head -n 1 device.json >"$tmp/cut"
check 'a run that was interrupted' 1 '^$' "$(says 'cut has no summary: its run was interrupted')" -- diff "$tmp/cut" device.json
check_json 'with -j an error is a record' 1 '.type == "error" and (.message | test("has no summary"))' -- diff -j device.json "$tmp/cut"
usage_error 'one FILE' 'two FILEs' -- diff device.json
usage_error 'three FILEs' "'c'" -- diff a b c
usage_error 'standard input twice' 'standard input' -- diff - -
usage_error 'an option of a run' 'verbose' -- diff -v a b
cd "$OLDPWD" || exit 1
done_testing
