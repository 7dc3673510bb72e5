#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# `uffdretry report` prints saved records of real runs (7.3: device, balloon; 6.1: legacy), and refuses what is none.
# That its text is the live run's, byte for byte, is tested in tests/unit/test_saved.c and tests/fuzz/fuzz_report.c.
. "$(dirname "$0")/lib.sh"
records=$(realpath "$(dirname "$0")/records")

# same_text DESCRIPTION: the last run printed what it prints of balloon.json.
same_text() {
	[ $status -eq 0 ] && [ -z "$err" ] && cmp -s "$tmp/out" "$tmp/balloon"
	report $? "$1"
}

# refused DESCRIPTION TEXT FILE: one line with TEXT on stderr, and status 1.
refused() {
	run report "$3"
	matches 1 '^$' "^uffdretry: [^$nl]*$2[^$nl]*($nl""hint: [^$nl]+)?\$"
	report $? "$1"
}

run report "$records/balloon.json"
cp "$tmp/out" "$tmp/balloon"
matches 0 "^UFFDIO_COPY of uffdload restore --duration 4s[^$nl]*, 4.3 s${nl}kernel 7\.3\.4\+deb13-cloud-amd64, its check: snapshot${nl}" '^$'
report $? 'the head of a record of 7.3'
grep -q '^EAGAIN   9643 of 12413 copies (77.7%). Cause: unread userfaultfd event (9643)$' "$tmp/out" &&
	grep -q '^         madvise(MADV_DONTNEED) of uffdload (pid 175) raised 402 events, each$' "$tmp/out" &&
	grep -q '^PER-MM   a per-MM check would needlessly fail [0-9]* of a million successful$' "$tmp/out" &&
	grep -q '^         copies: 22 of 286 checked retry windows, ' "$tmp/out" &&
	grep -q '^TRUST    plan retry_state (exact, mm_lock_seq nearly), self-test passed$' "$tmp/out"
report $? '... its answers'
! grep -nE '.{81}' "$tmp/out" && ! grep -q '^copies ' "$tmp/out"
report $? '... in 80 columns, and not the whole report'
run report -v "$records/balloon.json"
[ $status -eq 0 ] && grep -q '^copies    12413 calls, 2770 pages, 10.8 MiB$' "$tmp/out"
report $? '-v prints the whole report'
run report "$records/device.json"
[ $status -eq 0 ] && grep -q '^claims about the check after the retry' "$tmp/out" && grep -q '^BPF programs, as the kernel counts them' "$tmp/out" &&
	grep -q '^relock  *[0-9]* times: p50 ' "$tmp/out"
report $? 'the tables that the run was asked for are there'
run report "$records/balloon.json"
grep -q '^owner of the memory             pid   copies   EAGAIN  windows needless     p99$' "$tmp/out" &&
	grep -q '^uffdload                        175    12413     9643      293       22  5.24ms$' "$tmp/out"
report $? '... and that of --by'
run report "$records/legacy.json"
[ $status -eq 0 ] && grep -q '^PER-MM   not on this kernel: it has no mm_lock_seq$' "$tmp/out" && ! grep -q 'per_mm_seq  *[0-9]' "$tmp/out"
report $? 'null is "not on this kernel", in a record of 6.1'
TZ=UTC run report -T "$records/balloon.json"
[[ $out == "$(TZ=UTC date -d "@$(tail -n 1 "$records/balloon.json" | jq '.time | floor')" +%T) UFFDIO_COPY of "* ]]
report $? '-T prints the time of the run'

"$UFFDRETRY" report - <"$records/balloon.json" >"$tmp/out" 2>"$tmp/err"
status=$? err=$(<"$tmp/err")
same_text '- reads standard input'
"$UFFDRETRY" report <(cat "$records/balloon.json") >"$tmp/out" 2>"$tmp/err"
status=$? err=$(<"$tmp/err")
same_text 'a pipe is read'
jq . "$records/balloon.json" >"$tmp/pretty"
run report "$tmp/pretty"
same_text 'JSON of several lines is read'
{
	echo 'restored "12 {'
	cat "$records/device.json"
	echo '{"type":"load","schema":2}'
	cat "$records/balloon.json"
	echo bye
} >"$tmp/several"
run report "$tmp/several"
same_text 'the last summary counts, and the output of COMMAND is skipped'
run report -o "$tmp/file" "$records/balloon.json"
cp "$tmp/file" "$tmp/out"
same_text '-o FILE'
{
	cat "$records/balloon.json"
	head -n 1 "$records/device.json"
} >"$tmp/again"
check 'a later run without a summary is told' 0 'EAGAIN   9643' 'warning: [^ ]*/again: a later run in it has no summary, and is left out$' -- report "$tmp/again"
if can_be_nobody; then
	cp "$records/balloon.json" "$tmp/readable"
	chmod 644 "$tmp/readable"
	as_nobody "$UFFDRETRY" report "$tmp/readable" >"$tmp/out" 2>"$tmp/err"
	status=$? err=$(<"$tmp/err")
	same_text 'it needs no right'
	chmod 600 "$tmp/readable"
	as_nobody "$UFFDRETRY" report "$tmp/readable" >"$tmp/out" 2>"$tmp/err"
	status=$? out=$(<"$tmp/out") err=$(<"$tmp/err")
	matches 1 '^$' '^uffdretry: cannot read [^ ]*/readable: Permission denied$'
	report $? '... but that of the file'
else
	skip 'report without rights: this user cannot become another'
fi

refused 'no file' 'cannot read /nonexistent/x: No such file' /nonexistent/x
refused 'a directory' 'cannot read .*: Is a directory' "$tmp"
: >"$tmp/bad"
refused 'an empty file' 'has no record of uffdretry' "$tmp/bad"
refused 'a program' 'has no record of uffdretry' "$UFFDRETRY"
head -n 1 "$records/device.json" >"$tmp/bad"
refused 'a run that was interrupted' 'has no summary: its run was interrupted' "$tmp/bad"
head -c 9000 "$records/device.json" >"$tmp/bad"
refused '... in its summary' 'has no summary: its run was interrupted' "$tmp/bad"
"$UFFDRETRY" list -j >"$tmp/bad"
refused 'a record of list' 'has no summary: it is not of a run that traced' "$tmp/bad"
jq -c '.schema = 2' "$records/balloon.json" >"$tmp/bad"
refused 'a newer schema' 'has JSON schema 2, and this version reads 1' "$tmp/bad"
jq -c 'if .lost then del(.lost.skipped.calls) else . end' "$records/balloon.json" >"$tmp/bad"
refused 'a count that is missing' "has no valid 'calls'" "$tmp/bad"
jq -c '.copy.calls = -1' "$records/balloon.json" >"$tmp/bad"
refused 'a negative count' "has no valid 'copy.calls'" "$tmp/bad"
printf '{"type":"summary","schema":1,"a":%s' "$(head -c 100000 /dev/zero | tr '\0' '[')" >"$tmp/bad"
refused 'deep nesting' 'has no record of uffdretry' "$tmp/bad"
sed 's/"elapsed_s":[0-9.]*/"elapsed_s":NaN/' "$records/balloon.json" >"$tmp/bad"
refused 'no number' "has no valid 'elapsed_s'" "$tmp/bad"
sed 's/"kernel":"[^"]*"/"kernel":"\\u001b[2J\\u009b\\u0007"/g; s/"comm":"[^"]*"/"comm":"\\n\\u001b]0;"/g; s/"op":"[^"]*"/"op":"\\u001bc"/g' \
	"$records/device.json" >"$tmp/bad"
run report -v "$tmp/bad"
[ $status -eq 0 ] && ! LC_ALL=C grep -q '[^ -~]' "$tmp/out" && grep -q '^kernel ?\[2J??' "$tmp/out"
report $? 'control characters do not reach the terminal'

cp "$records/balloon.json" "$tmp/kept"
ln "$tmp/kept" "$tmp/same"
usage_error '-o the record itself: it would be lost' 'same file' -- report -o "$tmp/same" "$tmp/kept"
usage_error '... with diff' 'same file' -- diff -o "$tmp/same" "$records/balloon.json" "$tmp/kept"
for command in 'report -o same -' 'diff -o same - balloon.json' 'diff -o same balloon.json -'; do
	# shellcheck disable=SC2086 # words
	(cd "$tmp" && cp "$records/balloon.json" . && "$UFFDRETRY" $command <kept >out 2>err)
	status=$? out=$(<"$tmp/out") err=$(<"$tmp/err")
	matches 64 '^$' "$(says 'the report and a saved run have the same file: standard input')"
	report $? "... $command, which is standard input"
done
cmp -s "$records/balloon.json" "$tmp/kept"
report $? '... it is as it was'
(cd "$tmp" && "$UFFDRETRY" report -o ./- - <kept >out 2>err)
status=$? err=$(<"$tmp/err") && cp "$tmp/-" "$tmp/out"
same_text '... and a file whose name is - is not standard input'
usage_error 'no FILE' 'FILE' -- report
usage_error 'two FILEs' "'y'" -- report x y
usage_error 'an option of a run' 'claims' -- report --claims x
check_json 'JSON' 64 '.type == "error" and (.message | contains("--json"))' -- report x --json
check '--help' 0 "^Usage: uffdretry .*uffdretry report .*uffdretry diff " '^$' -- report --help
"$UFFDRETRY" report "$records/balloon.json" >/dev/full 2>"$tmp/err"
status=$? out='' err=$(<"$tmp/err")
matches 1 '^$' '^uffdretry: cannot write the report: No space left on device'
report $? 'a full disk'
mkfifo "$tmp/fifo"
sleep 60 >"$tmp/fifo" &
begun=$SECONDS
timeout -s TERM 0.5 "$UFFDRETRY" report "$tmp/fifo" >"$tmp/out" 2>"$tmp/err"
status=$? out=$(<"$tmp/out") err=$(<"$tmp/err")
kill $!
[ $status -eq 124 ] && [ $((SECONDS - begun)) -lt 30 ]
report $? 'a signal ends it while it waits for its input'
if [ "$(id -u)" = 0 ]; then
	mkdir "$tmp/shared" && chgrp 65534 "$tmp/shared" && chmod 775 "$tmp" "$tmp/shared"
	echo old >"$tmp/shared/file" && chown 65534 "$tmp/shared/file"
	SUDO_UID=65534 SUDO_GID=65534 run report -o "$tmp/shared/file" "$UFFDRETRY"
	[ $status -eq 1 ] && grep -q old "$tmp/shared/file"
	report $? 'under sudo: what -o FILE held stays when there is no record'
	cp "$records/balloon.json" "$tmp/record" && chmod 644 "$tmp/record"
	SUDO_UID=65534 SUDO_GID=65534 run report -o "$tmp/shared/file" "$tmp/record"
	[ $status -eq 0 ] && cmp -s "$tmp/shared/file" "$tmp/balloon" && [ "$(stat -c %u "$tmp/shared/file")" = 65534 ]
	report $? '... else it is written as the caller'
	chmod 600 "$tmp/record"
	SUDO_UID=65534 SUDO_GID=65534 run report "$tmp/record"
	matches 1 '^$' '^uffdretry: cannot read [^ ]*/record: Permission denied$'
	report $? '... who must be able to read the record'
else
	skip 'report under sudo: this user is not root'
fi
done_testing
