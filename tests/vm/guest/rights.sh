# shellcheck shell=sh source=tests/vm/guest/lib.sh disable=SC2086
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: with which rights the tool works, which it keeps, and which COMMAND and the files have.
. /bin/lib.sh

echo 'tester:x:1000:1000::/home/tester:/bin/sh' >>/etc/passwd
printf '%s\n' tester:x:1000: extra:x:2000:tester >>/etc/group

# keep CASE COMMAND...
keep() {
	case=$1
	shift
	"$@" >"/out/$case.out" 2>"/out/$case.err"
	echo $? >"/out/$case.status"
}

# tracing CASE COMMAND...: start the tool in the background; sets tool.
tracing() {
	case=$1
	shift
	"$@" >"/out/$case.out" 2>"/out/$case.err" &
	tool=$!
	wait_for 60 has_line '^Tracing' "/out/$case.err"
}

# ended CASE: how the tool ended.
ended() {
	wait $tool
	echo $? >"/out/$1.status"
}

# As sudo runs it when tester calls.
as_tester='env SUDO_UID=1000 SUDO_GID=1000 SUDO_USER=tester'

# What each set of capabilities is good for: all that are documented, then one less each time.
with() {
	keep "$1" withcaps 65534 "$2" uffdretry -j -d 10ms
}
with all bpf,perfmon,sys_ptrace,sys_admin
with no-admin bpf,perfmon,sys_ptrace
with no-ptrace bpf,perfmon
with no-bpf perfmon,sys_ptrace
with no-perfmon bpf,sys_ptrace
with only-admin sys_admin
keep probe-all withcaps 65534 bpf,perfmon,sys_ptrace,sys_admin uffdretry --probe -j
keep probe-no-admin withcaps 65534 bpf,perfmon,sys_ptrace uffdretry --probe -j

# What is kept after attaching: by root, and by who has just the two.
tracing root uffdretry
cat /proc/$tool/status >/out/root.proc
kill -TERM $tool
ended root
tracing two withcaps 65534 bpf,perfmon uffdretry
cat /proc/$tool/status >/out/two.proc
kill -TERM $tool
ended two

# COMMAND: whose rights and whose file descriptors it has.
# shellcheck disable=SC2016 # for COMMAND's shell
show='id; echo "$USER $HOME $SHELL"; ls /proc/self/fd; cat /proc/self/status'
keep command-root uffdretry -o /dev/null -- sh -c "$show"
keep command-sudo $as_tester uffdretry -o /dev/null -- sh -c "$show"
keep command-user uffdretry --user nobody -o /dev/null -- sh -c "$show"
keep command-two withcaps 65534 bpf,perfmon uffdretry -o /dev/null -- sh -c "$show"
keep command-sudo-root $as_tester uffdretry --user root -o /dev/null -- sh -c "$show"
keep command-no-setuid withcaps 65534 bpf,perfmon uffdretry --user tester -- true

# A signal reaches COMMAND although neither we nor it are root any more.
$as_tester uffdretry -- sleep 1000 >/out/signal.out 2>/out/signal.err &
tool=$!
wait_for 60 has_line '^Tracing' /out/signal.err
wait_for 20 pgrep sleep >/dev/null
cat /proc/$tool/status >/out/signal.proc
kill -TERM $tool
ended signal
wait_for 10 sh -c '! pgrep sleep' && echo gone >/out/signal.command

# Nothing is lost with the rights: every window of a load that knows them, run by the user.
echo 1 >/proc/sys/vm/unprivileged_userfaultfd
find_kernel
$as_tester uffdretry -j -o /tmp/exact.json -- uffdload exact --kernel-check "$check" --locks "$locks" >/out/exact.truth 2>/out/exact.err
echo $? >/out/exact.status
stat -c '%u:%g %a' /tmp/exact.json >/out/exact.owner
cat /tmp/exact.json >/out/exact.json

# Files. The metrics, replaced while it runs, by the user's rights.
mkdir -m 755 /metrics && chown 1000:1000 /metrics
keep metrics $as_tester uffdretry --openmetrics /metrics/x.prom -d 300ms 0.1
ls /metrics >/out/metrics.left
stat -c '%u:%g %a' /metrics/x.prom >/out/metrics.owner
keep metrics-denied $as_tester uffdretry --openmetrics /root/x.prom -d 10ms
keep output-denied $as_tester uffdretry -o /root/x -d 10ms
# In a sticky directory: a link, a link to nothing, somebody else's file.
echo precious >/root/precious
ln -s /root/precious /tmp/link
ln -s /root/made /tmp/dangling
su tester -c 'echo theirs >/tmp/theirs; chmod 666 /tmp/theirs'
keep link uffdretry -o /tmp/link -d 10ms
keep dangling uffdretry -o /tmp/dangling -d 10ms
keep theirs uffdretry -o /tmp/theirs -d 10ms
keep metrics-link uffdretry --openmetrics /tmp/link -d 10ms
cat /root/precious /tmp/theirs >/out/untouched
ls /root >/out/root-files
# Elsewhere a link is one.
mkdir -m 755 /plain && ln -s target /plain/link
keep plain-link uffdretry -o /plain/link -d 10ms
cp /plain/target /out/plain-target

# Nothing half done is left: of a run that never began, and on a disk that fills up.
mount -t tmpfs none /sys/kernel/btf
keep never-began uffdretry -o /plain/new -d 10ms
umount /sys/kernel/btf
ls /plain >/out/plain-files
mkdir /full && mount -t tmpfs -o size=16k none /full
keep full uffdretry -j -o /full/report 0.05 40
cp /full/report /out/full.json
umount /full

left >/out/left
exit 0
