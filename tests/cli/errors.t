#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# Errors end with status 1, one line that says why, and a hint; with -j also as one JSON object.
. "$(dirname "$0")/lib.sh"

is_error='.type == "error" and .schema == 1 and .status == 1 and (.message | length > 0)'
no_pid=$(($(</proc/sys/kernel/pid_max) + 1)) # a number that no process can have

# A thread on this machine that is not the first of its process.
a_thread() {
	local task
	for task in /proc/[0-9]*/task/*; do
		[ "$(cut -d/ -f3 <<<"$task")" != "${task##*/}" ] && echo "${task##*/}" && return
	done
}

check 'no such process' 1 '^$' "$(says "$no_pid")" -- -p $no_pid
check 'no such process among others' 1 '^$' "$(says "$no_pid")" -- -p $$,$no_pid
check_json '-j: no such process' 1 "$is_error and (.message | test(\"$no_pid\"))" -- -j -p $no_pid
thread=$(a_thread)
if [ -n "$thread" ]; then
	check 'a thread instead of a process' 1 '^$' "^uffdretry: $thread [^$nl]*thread[^$nl]*${nl}hint: [^$nl]*Tgid" -- -p "$thread"
else
	skip 'a thread instead of a process: no process has a second thread'
fi

check 'no such cgroup' 1 '^$' "$(says 'no such cgroup: /sys/fs/cgroup/no/such')" -- -c no/such
check 'no such cgroup, absolute' 1 '^$' "$(says 'no such cgroup: /no/such')" -- -c /no/such
check 'a directory that is no cgroup' 1 '^$' "$(says "not a cgroup: $tmp")" -- -c "$tmp"
check 'a file that is no cgroup' 1 '^$' "$(says 'not a cgroup: /etc/passwd')" -- -c /etc/passwd

for file in "$tmp" /nonexistent/x ''; do
	check "-o '$file'" 1 '^$' "$(says 'cannot write')" -- -o "$file"
	check_json "-j -o '$file'" 1 "$is_error and (.message | test(\"cannot write\"))" -- -j -o "$file"
done
run -j -o "$tmp/report" -p $no_pid
[ $status -eq 1 ] && [ -z "$out" ] && is_json "$tmp/report" "$is_error"
report $? '-j -o: an error after the file is open goes there'

"$UFFDRETRY" -j -o "$tmp/report" -p $no_pid 2>&- >"$tmp/out"
status=$? out=$(<"$tmp/report")
[ $status -eq 1 ] && is_json "$tmp/report" "$is_error"
report $? '-j -o with stderr closed: no text in the JSON'
check_closed() {
	# shellcheck disable=SC2086 # words
	"$UFFDRETRY" $1 >&- 2>"$tmp/err"
	status=$? out='' err=$(<"$tmp/err")
	matches 1 '^$' 'uffdretry: cannot write[^:]*: Bad file descriptor'
	report $? "$1 with stdout closed: an error, not a report to nowhere"
}
check_closed --probe
check_closed '--probe -j'

# A pipe without a reader, as head leaves it. The tool tells what it found, and nothing of the pipe.
mkfifo "$tmp/pipe"
exec 3<>"$tmp/pipe"
exec 4>"$tmp/pipe"
exec 3<&-
for options in --probe '--probe -j'; do
	# shellcheck disable=SC2086 # words
	run $options
	found=$status said=$err
	# shellcheck disable=SC2086 # words
	"$UFFDRETRY" $options >&4 2>"$tmp/err"
	status=$? out='' err=$(<"$tmp/err")
	[ $status -eq $found ] && [ "$err" = "$said" ]
	report $? "$options: a reader that stopped is no error"
done
exec 4>&-
# Who reads stderr has stopped: the tool must end all the same.
exec 3<>"$tmp/pipe"
dd if=/dev/zero of=/dev/stdout bs=4k count=16 status=none >&3
timeout -s KILL 20 "$UFFDRETRY" -p $no_pid >"$tmp/out" 2>"$tmp/pipe" </dev/null
status=$? out=$(<"$tmp/out") err=''
matches 1 '^$' ''
report $? 'an error that nobody reads does not hold the tool'
exec 3<&-
for options in --help --version; do
	"$UFFDRETRY" $options 2>"$tmp/err" >/dev/full
	status=$? out='' err=$(<"$tmp/err")
	matches 1 '^$' '^uffdretry: cannot write to stdout: No space left'
	report $? "$options to a full disk: an error"
done
# Beyond RLIMIT_FSIZE: an error like any other, whatever is printed. stderr is a pipe, for the limit is of files.
printed_into_limit() {
	local want=$1 text=$2
	shift 2
	err=$(ulimit -f 0 && GCOV_PREFIX=/dev/null exec "$UFFDRETRY" "$@" 2>&1 >"$tmp/out" </dev/null)
	status=$? out=$(<"$tmp/out")
	matches "$want" '^$' "^uffdretry: $text"
	report $? "$* beyond a limit of the file's size: status $want"
}
for options in --help --version; do
	printed_into_limit 1 'cannot write to stdout: File too large$' "$options"
done
printed_into_limit 1 'cannot write the report: File too large$' list
printed_into_limit 64 'no such option: --nope' -j --nope

# One file for the report and for the metrics: the second would replace the first.
cd "$tmp" || exit
check '-o and --openmetrics of one name' 64 '^$' "$(says 'same file: both')" -- -o both --openmetrics both
check '... of two names' 64 '^$' "$(says 'same file')" -- -o both --openmetrics "$tmp/./both"
[ ! -e both ]
report $? '... and no file is left'
# shellcheck disable=SC2094 # that is the mistake
"$UFFDRETRY" --openmetrics both >both 2>"$tmp/err"
status=$? out='' err=$(<"$tmp/err")
matches 64 '^$' "$(says 'same file: both')"
report $? '... stdout and --openmetrics'
rm both
check '-o and --trace of one name' 64 '^$' "$(says 'the report and --trace have the same file: both')" -- -o both --trace both
check '... of two names' 64 '^$' "$(says 'the report and --trace have the same file')" -- -o both --trace "$tmp/./both"
check '--trace and --openmetrics of two names' 64 '^$' "$(says '[-]-trace and --openmetrics have the same file')" -- --trace both --openmetrics "$tmp/./both"
[ ! -e both ]
report $? '... and no file is left'
# shellcheck disable=SC2094 # that is the mistake
"$UFFDRETRY" --trace both >both 2>"$tmp/err"
status=$? out='' err=$(<"$tmp/err")
matches 64 '^$' "$(says 'same file: both')"
report $? '... stdout and --trace'
rm both
cd "$OLDPWD" || exit

mkfifo "$tmp/trace-fifo"
for file in "$tmp" /nonexistent/x '' /dev/null "$tmp/trace-fifo"; do
	check "--trace '$file'" 1 '^$' "$(says 'cannot write')" -- --trace "$file"
done
exec 3<>"$tmp/trace-fifo"
check '--trace to a FIFO with a reader' 1 '^$' "$(says 'cannot write .*: Invalid argument')" -- --trace "$tmp/trace-fifo"
exec 3>&-
run --trace "$tmp/fresh" -p $no_pid
[ $status -eq 1 ] && [ ! -e "$tmp/fresh" ]
report $? '--trace: a run that never began leaves no file'
echo kept >"$tmp/there"
run --trace "$tmp/there" -p $no_pid
[ $status -eq 1 ] && [ "$(cat "$tmp/there")" = kept ]
report $? '--trace: ... and keeps the one that was there'

check '-c of an empty name' 1 '^$' "$(says 'no such cgroup: the name is empty')" -- -c ''
check '--user that is none' 1 '^$' "$(says 'no such user: nosuch')" -- --user nosuch
ln -s /nonexistent "$tmp/dangling"
check '-o through a link to nowhere' 1 '^$' "$(says 'cannot write .*dangling')" -- -o "$tmp/dangling/x"
run -o "$tmp/fresh" -p $no_pid
[ $status -eq 1 ] && [ ! -e "$tmp/fresh" ]
report $? '-o: a run that never began leaves no file'
echo kept >"$tmp/there"
run -o "$tmp/there" -p $no_pid
[ $status -eq 1 ] && [ "$(cat "$tmp/there")" = kept ]
report $? '-o: ... and keeps the one that was there'
run -j -o "$tmp/there" -p $no_pid
[ "$(cat "$tmp/there")" = kept ] && is_json "$tmp/out" "$is_error"
report $? '-j -o: ... the error is on stdout then'
if can_trace; then
	skip '-o: a run that cannot trace keeps it, too: this machine can trace'
else
	run -o "$tmp/there" -- touch "$tmp/ran"
	[ $status -eq 1 ] && [ "$(cat "$tmp/there")" = kept ] && [ ! -e "$tmp/ran" ]
	report $? '-o: a run that cannot trace keeps it, too'
fi
run --probe -o "$tmp/there"
head -n 1 "$tmp/there" | grep -q '^uffdretry ' && ! grep -q kept "$tmp/there"
report $? '-o: a report replaces it'
cp "$tmp/there" "$tmp/whole"
(ulimit -f 1 && GCOV_PREFIX=/dev/null run --probe -o "$tmp/there")
cmp "$tmp/there" "$tmp/whole" && [ "$(printf '%s ' "$tmp"/there*)" = "$tmp/there " ]
report $? '-o: ... when it is whole'
if unshare --mount true 2>"$tmp/err"; then
	echo old >"$tmp/mounted"
	# shellcheck disable=SC2016 # expanded there
	unshare --mount sh -c 'mount --bind "$2" "$2" && exec "$1" --probe -o "$2"' sh "$UFFDRETRY" "$tmp/mounted" >"$tmp/out" 2>"$tmp/err"
	status=$? out=$(<"$tmp/out") err=$(<"$tmp/err") left=$(sed -n 's/.*warning: the report is in //p' "$tmp/err")
	matches 1 '^$' 'cannot write the report: Device or resource busy' && [ "$(cat "$tmp/mounted")" = old ] && grep -q '^result' "$left"
	report $? '-o: ... a mount point cannot be replaced: the report is kept'
else
	skip '-o: ... a mount point cannot be replaced: no rights to mount'
fi

# give_by_acl UID DIRECTORY: all rights, as setfacl -m u:UID:rwx does.
give_by_acl() {
	/usr/bin/python3 - "$@" <<-'END' 2>"$tmp/err"
		import os, struct, sys
		uid, nobody = int(sys.argv[1]), 0xffffffff
		entries = (1, 7, nobody), (2, 7, uid), (4, 5, nobody), (16, 7, nobody), (32, 5, nobody)
		acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
		os.setxattr(sys.argv[2], "system.posix_acl_access", acl)
	END
}

mkdir -m 1777 "$tmp/sticky"
ln -s "$tmp/there" "$tmp/sticky/link"
check '-o: a link in a sticky directory' 1 '^$' "$(says 'cannot write .*sticky/link')" -- -o "$tmp/sticky/link"
ln "$tmp/there" "$tmp/sticky/hard"
echo kept >"$tmp/there"
check '-o: ... a hard link' 1 '^$' "$(says 'cannot write .*sticky/hard: Too many links')" -- -o "$tmp/sticky/hard"
[ "$(cat "$tmp/there")" = kept ]
report $? '-o: ... what they name is as it was'
if [ "$(id -u)" -eq 0 ]; then
	echo theirs >"$tmp/sticky/theirs"
	chown 65534 "$tmp/sticky/theirs"
	check '-o: a file of another user in a sticky directory' 1 '^$' "$(says 'cannot write .*Permission denied')" -- -o "$tmp/sticky/theirs"
	[ "$(cat "$tmp/sticky/theirs")" = theirs ]
	report $? '-o: ... it is as it was'
	mkdir -m 700 "$tmp/private"
	SUDO_UID=65534 SUDO_GID=65534 run -o "$tmp/private/x" -p $no_pid
	matches 1 '^$' "$(says 'cannot write .*Permission denied')"
	report $? "-o under sudo: with the caller's rights"
	run --user nobody -o "$tmp/private/x" -p $no_pid
	matches 1 '^$' "$(says 'cannot write .*Permission denied')"
	report $? "-o with --user: with that user's rights"
	# Without its capabilities root cannot give a new file away, so it writes the old one.
	echo precious >"$tmp/private/theirs" && chmod 640 "$tmp/private/theirs" && chown 65534:65533 "$tmp/private/theirs"
	run --probe -o "$tmp/private/theirs"
	[ "$(stat -c '%u:%g %a' "$tmp/private/theirs")" = '65534:65533 640' ] && head -n 1 "$tmp/private/theirs" | grep -q '^uffdretry ' &&
		! grep -q precious "$tmp/private/theirs"
	report $? "-o: root's report in another user's file stays that user's"
	mkdir -m 777 "$tmp/public"
	run --user nobody --probe -o "$tmp/public/x"
	[ "$(stat -c %u "$tmp/public/x")" = 65534 ] && grep -q '^result' "$tmp/public/x"
	report $? "-o with --user: the file is that user's"
	SUDO_UID=65534 SUDO_GID=65534 run --user root --probe -o "$tmp/private/x"
	[ "$(stat -c %u "$tmp/private/x")" = 0 ] && grep -q '^result' "$tmp/private/x"
	report $? '-o with --user root under sudo'
	mkdir "$tmp/ours"
	ln -s target "$tmp/ours/link"
	run --probe -o "$tmp/ours/link"
	grep -q '^result' "$tmp/ours/target"
	report $? '-o: a link elsewhere is followed'
	# Another user may have made what is in these: its own directory, and ones that all, its group or an
	# access control list let it write.
	mkdir -m 755 "$tmp/home"
	mkdir -m 2775 "$tmp/group"
	mkdir "$tmp/precious" "$tmp/acl"
	echo kept >"$tmp/precious/file"
	directories=(home public group)
	if give_by_acl 65534 "$tmp/acl"; then
		directories+=(acl)
	else
		skip '-o: a directory with an access control list: there are none here'
	fi
	for shared in "${directories[@]}"; do
		ln -s "$tmp/precious/file" "$tmp/$shared/link-to-file"
		ln -s "$tmp/precious" "$tmp/$shared/link-to-directory"
	done
	chown 65534 "$tmp/home"
	chgrp 65534 "$tmp/group"
	for shared in "${directories[@]}"; do
		for link in link-to-{file,directory/file}; do
			check "-o $shared/$link: not followed" 1 '^$' "$(says 'cannot write .*Too many levels')" -- \
				--probe -o "$tmp/$shared/$link"
		done
	done
	[ "$(cat "$tmp/precious/file")" = kept ]
	report $? '... what they name is as it was'
	run --probe -o "$tmp/home/new"
	[ "$(stat -c %u "$tmp/home/new")" = 0 ] && grep -q '^result' "$tmp/home/new"
	report $? "-o: root writes a new file in another user's directory"
	# Only the user may replace it, so the file is a new one when the rights were dropped before.
	mkdir "$tmp/users" && echo earlier >"$tmp/users/report" && chown -R 65534:65534 "$tmp/users"
	before=$(stat -c %i "$tmp/users/report")
	SUDO_UID=65534 SUDO_GID=65534 run --probe -o "$tmp/users/report"
	[ "$(stat -c %u "$tmp/users/report")" = 65534 ] && [ "$(stat -c %i "$tmp/users/report")" != "$before" ] &&
		grep -q '^result' "$tmp/users/report"
	report $? '--probe -o under sudo: the user replaces an earlier report'
	SUDO_UID=x SUDO_GID=0 run -p $no_pid
	matches 1 '^$' "$(says 'SUDO_UID')"
	report $? 'SUDO_UID that is no number'
else
	for what in 'another user' 'it is as it was' 'under sudo' 'with --user' "stays that user's" "the file is that user's" '--user root' 'a link elsewhere' 'planted links' 'replaces' 'SUDO_UID'; do
		skip "-o: $what: not root"
	done
fi
# becomes COMMAND...: run it as nobody, with the capabilities to change users. Sets $status, $out
# and $err like run.
becomes() {
	setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps +setuid,+setgid,+dac_override \
		--ambient-caps +setuid,+setgid,+dac_override "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	status=$? out=$(<"$tmp/out") err=$(<"$tmp/err")
}
becomes true
if [ $status -eq 0 ]; then
	becomes "$UFFDRETRY" --user root --probe -o "$tmp/public/as-root"
	matches 1 '^$' "$(says 'cannot become user root: only root can')"
	report $? '--user root by one who may become others'
	becomes "$UFFDRETRY" --user daemon --probe -o "$tmp/public/as-daemon"
	matches 1 '^$' '' && [ "$(stat -c %U "$tmp/public/as-daemon")" = daemon ] && grep -q '^result' "$tmp/public/as-daemon"
	report $? '... another user: the file is theirs'
	becomes "$UFFDRETRY" --user daemon --probe -o "$tmp/private/x"
	matches 1 '^$' "$(says 'cannot write .*Permission denied')"
	report $? '... and a capability of ours does not open one'
else
	for what in 'root' 'another user' 'a capability'; do
		skip "--user $what by one who may become others: setpriv is refused"
	done
fi
# Root of a user namespace cannot set groups there.
if unshare -Ur true 2>/dev/null; then
	unshare -Ur "$UFFDRETRY" --user daemon --probe -o "$tmp/fresh" >"$tmp/out" 2>"$tmp/err"
	status=$? out=$(<"$tmp/out") err=$(<"$tmp/err")
	matches 1 '^$' "$(says 'cannot write .*fresh: Operation not permitted')"
	report $? '--user where groups cannot be set'
else
	skip '--user where groups cannot be set: no user namespaces'
fi
if can_be_nobody; then
	as_nobody "$UFFDRETRY" --user root -p $no_pid >"$tmp/out" 2>"$tmp/err"
	status=$? out=$(<"$tmp/out") err=$(<"$tmp/err")
	matches 1 '^$' "$(says 'cannot become user root: only root can')"
	report $? '--user without the right to'
	as_nobody "$UFFDRETRY" -o "$tmp/x" >"$tmp/out" 2>"$tmp/err"
	status=$? out=$(<"$tmp/out") err=$(<"$tmp/err")
	matches 1 '^$' "$(says 'cannot write .*Permission denied')"
	report $? '-o where one may not write'
else
	skip '--user without the right to: setpriv is refused'
	skip '-o where one may not write: setpriv is refused'
fi

# Planted where root writes, it would hold the tool for ever.
mkfifo "$tmp/fifo"
timeout -s KILL 20 "$UFFDRETRY" -o "$tmp/fifo" -p $no_pid >"$tmp/out" 2>"$tmp/err"
status=$? out=$(<"$tmp/out") err=$(<"$tmp/err")
matches 1 '^$' "$(says 'cannot write .*fifo: No such device or address')" && [[ $err =~ 'reader of a FIFO' ]]
report $? '-o: a FIFO that nobody reads'

# One who does not read holds nothing: the tool waits a while, less after a signal.
exec {fifo}<>"$tmp/fifo"
dd if=/dev/zero bs=4096 count=16 status=none >&$fifo
for signal in '' TERM; do
	timeout -s KILL 20 "$UFFDRETRY" --probe -o "$tmp/fifo" >"$tmp/out" 2>"$tmp/err" </dev/null &
	[ -z "$signal" ] || { sleep 0.5; kill -s $signal $!; }
	wait $!
	status=$? out=$(<"$tmp/out") err=$(<"$tmp/err")
	matches 1 '^$' 'nobody reads the report: its last [0-9]+ bytes are lost$'
	report $? "-o: a reader that does not read${signal:+, and SIG$signal}"
done
exec {fifo}<&-

# A full disk is an error.
for options in --probe '--probe -j'; do
	# shellcheck disable=SC2086 # words
	check "$options on a full disk" 1 '^$' 'uffdretry: cannot write' -- $options -o /dev/full
done

# No partial file is left, and the limit does not kill (SIGXFSZ). GCOV_PREFIX: the limit must not stop a coverage build's counters.
for options in --probe '--probe -j'; do
	# shellcheck disable=SC2086 # words
	(ulimit -f 1 && GCOV_PREFIX=/dev/null run $options -o "$tmp/long"; echo "$status" >&3) 3>"$tmp/status" || :
	status=$(<"$tmp/status")
	[ "$status" -eq 1 ] && [ ! -e "$tmp/long" ]
	report $? "$options on a full disk: no file is left"
done

done_testing
