# shellcheck shell=sh source=tests/vm/guest/lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: how the tool starts, ends and fails. Each case leaves its output in
# /out/CASE.{out,err,status}. $1: a scenario with an unrelated writer; $2: how many starts and
# stops, at most ten.
. /bin/lib.sh

# stop CASE SIGNAL: start the tool, let it trace, send the signal.
stop() {
	uffdretry >"/out/$1.out" 2>"/out/$1.err" &
	tool=$!
	wait_for 60 has_line '^Tracing' "/out/$1.err"
	kill "-$2" $tool
	wait $tool
	echo $? >"/out/$1.status"
}

keep probe uffdretry --probe
keep probe-json uffdretry --probe -j
keep self-test uffdretry -v --self-test=only
keep self-test-json uffdretry -j --self-test=only
# socket() and socketpair() kill.
no_socket='failcall 41 -1 -1 failcall 53 -1 -1'
# shellcheck disable=SC2086 # words
{
	keep duration $no_socket uffdretry -d 500ms
	keep socket-killed $no_socket nc -l -p 1000
}
keep intervals uffdretry -T 0.3 3
keep no-self-test uffdretry --self-test=off -d 100ms
keep plan uffdretry --plan retry_state -d 100ms
keep command-status uffdretry -- sh -c 'exit 7'
keep command-killed uffdretry -- sh -c 'kill -9 $$'
keep command-no-sigchld sh -c "trap '' CHLD; exec uffdretry -- sh -c 'exit 7'"
keep command-missing uffdretry -- /nonexistent/program
keep threshold-none uffdretry --fail-above 0.1% -d 100ms
keep threshold-not-met uffdretry --fail-above 100% -- uffdload exact --runs 1 --only "$1"
# shellcheck disable=SC2016 # of the inner shell
keep threshold-command uffdretry --fail-above 0.1% -- sh -c 'uffdload exact --runs 1 --only "$1"; exit 7' sh "$1"
keep threshold-none-command uffdretry --fail-above 0.1% -- sh -c 'exit 7'
hold 1 0 2>/tmp/hold.err &
hold=$!
wait_for 60 has_line '^ready' /tmp/hold.err
keep idle uffdretry -d 100ms
kill $hold
keep threshold-met uffdretry --fail-above 0.1% -- uffdload exact --runs 1 --only "$1"
keep overhead uffdretry --overhead -j -- uffdload exact --runs 3 --only "$1"
keep no-writers uffdretry --no-writers -j -- uffdload exact --runs 3 --only "$1"
keep longcopy uffdretry -j -o /out/longcopy.json -- longcopy
stop sigterm TERM
stop sighup HUP
# It leaves no core, where another program does.
echo '/out/core.%e' >/proc/sys/kernel/core_pattern
(
	# shellcheck disable=SC3045 # busybox has it
	ulimit -c unlimited
	stop crash SEGV
	sh -c 'kill -SEGV $$'
)
for core in /out/core.*; do
	basename "$core"
done >/out/cores
rm -f /out/core.*
# The run ends with its target.
sleep 2 &
keep target-ends uffdretry -p $!
# The reader closes the pipe.
(
	uffdretry 0.2 2>/out/pipe.err
	echo $? >/out/pipe.status
) | head -n 2 >/out/pipe.out
# Stopped during five intervals.
uffdretry -j -o /out/stopped.json 0.2 6 &
tool=$!
wait_for 60 has_line '"type":"interval"' /out/stopped.json
kill -STOP $tool
sleep 1
kill -CONT $tool
wait $tool
# The reader does not read: a full pipe. The run ends in time, or by a signal, and a second one kills.
mkfifo /tmp/unread
exec 9<>/tmp/unread
dd if=/dev/zero bs=4k count=16 >&9 2>/dev/null
uffdload free --duration 2s --copiers 2 >/dev/null 2>&1 &
keep unread uffdretry -e -j -o /tmp/unread -d 1s
# twice CASE SIGNAL SIGNAL: two of them, the second while the end waits for a reader.
twice() {
	uffdretry -e -o /tmp/unread 0.1 2>"/out/$1.err" &
	tool=$!
	wait_for 60 has_line '^Tracing' "/out/$1.err"
	kill "-$2" $tool
	sleep 0.4
	kill "-$3" $tool
	wait $tool
	echo $? >"/out/$1.status"
}
twice unread-killed TERM INT
# A terminal that is closed can send two SIGHUP.
twice hup-twice HUP HUP
# Nobody reads stderr: the run ends in time all the same, and the report is whole.
timeout -s KILL 100 uffdretry -j -o /out/mute.out -d 1s 2>/tmp/unread
echo $? >/out/mute.status
exec 9>&-
# The second signal also kills while the tool starts. The same one: it would be pending once.
uffdretry 2>/out/starting.err >/out/starting.out &
tool=$!
# Before it catches any, the first one kills.
# shellcheck disable=SC2317 # wait_for calls it
catches_term() {
	[ $((0x$(sed -n 's/^SigCgt:[^0-9a-f]*//p' "/proc/$tool/status") & 0x4000)) -ne 0 ]
}
wait_for 20 catches_term
kill -TERM $tool
sleep 0.4
kill -TERM $tool
wait $tool
echo $? >/out/starting.status
# After a single one COMMAND does not begin.
uffdretry -- touch /out/begun 2>/out/command-starting.err >/out/command-starting.out &
tool=$!
sleep 1
kill -TERM $tool
wait $tool
echo $? >/out/command-starting.status
# Ctrl-Z and fg, again and again while it starts: the verifier gives up when a signal is pending.
uffdretry -d 100ms >/out/ctrl-z.out 2>/out/ctrl-z.err &
tool=$!
until has_line '^Tracing' /out/ctrl-z.err || ! kill -TSTP $tool 2>/dev/null; do
	sleep 0.1
	kill -CONT $tool
	sleep 0.1
done
wait $tool
echo $? >/out/ctrl-z.status
# stdout is closed: the tool waits all the same, and does not spin. No JSON: that fails at once.
(
	uffdretry -d 100ms >/dev/null 2>&1
	times >/out/short.times
)
(
	uffdretry -d 8s 2>/out/closed.err >&-
	echo $? >/out/closed.status
	times >/out/closed.times
)
# The disk fills up during the run: the summary must not be lost.
mkdir -p /full && mount -t tmpfs -o size=8k none /full && dd if=/dev/zero of=/full/fill bs=4k count=1 2>/dev/null
keep disk-full uffdretry -j -o /full/report 0.1 20
cp /full/report /out/disk-full.left
umount /full
# The file may not grow, before the first record is whole and during the run. A coverage build's
# counters must not be cut.
(
	ulimit -f 10
	GCOV_PREFIX=/dev/null uffdretry -j -o /tmp/limited 0.1 20 2>&1
	echo $? >/out/file-limit.status
) | cat >/out/file-limit.err # whose size has no limit
cp /tmp/limited /out/file-limit.left && rm /tmp/limited
keep disk-none sh -c "ulimit -f 1 && GCOV_PREFIX=/dev/null exec uffdretry -j -o /tmp/none -d 10ms"

# The file of metrics, and the summary of the same run. Another user can read the file.
umask 022
keep metrics uffdretry -j --openmetrics /out/metrics.prom 0.3 -- uffdload exact --runs 1
su nobody -c 'cat /out/metrics.prom' >/out/metrics.nobody
# The file is replaced during the run, and says that the run goes on.
uffdretry --openmetrics /tmp/current.prom 0.2 >/dev/null 2>&1 &
tool=$!
wait_for 60 has_line '^uffdretry_running 1' /tmp/current.prom
first=$(stat -c %i /tmp/current.prom)
wait_for 20 sh -c "test \$(stat -c %i /tmp/current.prom) != $first" && echo yes >/out/metrics.replaced
kill -TERM $tool
wait $tool
grep '^uffdretry_running' /tmp/current.prom >/out/metrics.ended
# After SIGKILL the file still says that the tool runs; its mtime tells.
# COMMAND cannot be executed, which is found when it is started.
printf '#!/nonexistent\n' >/out/no-interpreter && chmod +x /out/no-interpreter
keep metrics-command uffdretry --openmetrics /tmp/current.prom -- /out/no-interpreter
grep '^uffdretry_running' /tmp/current.prom >/out/metrics-command.ended
keep metrics-directory uffdretry --openmetrics /nonexistent/x.prom -d 100ms
keep metrics-device uffdretry --openmetrics /dev/null -d 100ms
# The disk fills up during the run.
mkdir -p /full && mount -t tmpfs -o size=64k none /full
uffdretry --openmetrics /full/metrics.prom 0.2 >/out/metrics-full.out 2>/out/metrics-full.err &
tool=$!
wait_for 60 has_line '^Tracing' /out/metrics-full.err
dd if=/dev/zero of=/full/fill bs=4k 2>/dev/null
wait_for 20 has_line 'warning: cannot write' /out/metrics-full.err
kill -TERM $tool
wait $tool
echo $? >/out/metrics-full.status
ls /full >/out/metrics-full.left
tail -n 1 /full/metrics.prom >/out/metrics-full.last
umount /full

# Rights.
keep unprivileged su nobody -c 'uffdretry -d 100ms'
keep unprivileged-json su nobody -c 'uffdretry -j -d 100ms'

# No BTF: an empty directory over it.
mount -t tmpfs none /sys/kernel/btf
keep no-btf uffdretry -d 100ms
umount /sys/kernel/btf

# Interval records add up to the totals: one record a tenth of a second, beside a load.
uffdretry -j -o /out/sums.json 0.1 -- uffdload free --duration 2s --copiers 2 --writers 1 --what unrelated \
	>/out/sums.truth 2>/out/sums.err
echo $? >/out/sums.status

ls /tmp >/out/tmp-files

left >/out/left-before

# SIGKILL at any moment, also while the tool loads, attaches or tests itself, leaves nothing
# attached.
for delay in $(printf '%s\n' 0.1 0.4 0.8 1.2 1.6 2.0 2.4 2.8 3.2 traces | tail -n "$2"); do
	uffdretry >/dev/null 2>/tmp/killed.err &
	tool=$!
	if [ "$delay" = traces ]; then
		wait_for 60 has_line '^Tracing' /tmp/killed.err
	else
		sleep "$delay"
	fi
	kill -9 $tool
	wait $tool
	has_line '^Tracing' /tmp/killed.err && echo "$delay tracing" || echo "$delay starting"
done >/out/killed-phases 2>/dev/null
left >/out/left-killed

for i in $(seq "$2"); do
	uffdretry -d 10ms >/dev/null 2>&1 || echo "start $i failed"
done >/out/starts
left >/out/left-starts
exit 0
