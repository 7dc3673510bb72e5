# shellcheck shell=sh source=tests/vm/guest/lib.sh disable=SC2086,SC2317
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: the rights that the tool needs and keeps, and those of COMMAND and of files.
. /bin/lib.sh

echo 'tester:x:1000:1000::/home/tester:/bin/sh' >>/etc/passwd
printf '%s\n' tester:x:1000: extra:x:2000:tester >>/etc/group

# The environment of sudo, called by tester.
as_tester='env SUDO_UID=1000 SUDO_GID=1000 SUDO_USER=tester'

# Sets of capabilities: all that are documented, then fewer.
with() {
	keep "$1" withcaps 65534 "$2" uffdretry --probe -j
}
echo 0 >/proc/sys/vm/unprivileged_userfaultfd
with all bpf,perfmon,sys_ptrace,sys_admin
with no-admin bpf,perfmon,sys_ptrace
with no-ptrace bpf,perfmon
with no-bpf perfmon,sys_ptrace
with no-perfmon bpf,sys_ptrace
with only-admin sys_admin

# COMMAND shows its own rights and file descriptors, and those that its parent, the tool, has kept.
# shellcheck disable=SC2016 # for COMMAND's shell
show='id; echo "$USER $HOME $SHELL"; ls /proc/self/fd; cat /proc/self/status; ls /proc/$PPID/fd >/out/$0.fds 2>&1; cat /proc/$PPID/status >/out/$0.tool'
keep command-root uffdretry -- sh -c "$show" command-root
keep command-sudo $as_tester uffdretry -- sh -c "$show" command-sudo
keep command-two withcaps 65534 bpf,perfmon uffdretry -- sh -c "$show" command-two
keep command-files uffdretry -e -o /tmp/events --openmetrics /tmp/metrics --trace /tmp/trace -- sh -c "$show" command-files
keep command-neither withcaps 65534 bpf,perfmon uffdretry --user tester -- true
keep command-setuid withcaps 65534 bpf,perfmon,setuid uffdretry --user tester -- true
keep command-setgid withcaps 65534 bpf,perfmon,setgid uffdretry --user tester -- true
# Not root, but able to change users; root of a user namespace, which cannot set groups.
keep user-other withcaps 65534 bpf,perfmon,setuid,setgid uffdretry --user tester -o /tmp/as-tester -- id
stat -c '%u:%g' /tmp/as-tester >/out/user-other.owner
keep user-root withcaps 65534 bpf,perfmon,setuid,setgid uffdretry --user root -o /tmp/as-root -d 10ms
keep user-namespace su nobody -c 'unshare -Ur uffdretry --user tester -o /tmp/as-tester-too -d 10ms'

# A signal reaches COMMAND although neither it nor the tool is root any more.
$as_tester uffdretry -- sleep 1000 >/out/signal.out 2>/out/signal.err &
tool=$!
wait_for 60 has_line '^Tracing' /out/signal.err
wait_for 20 pgrep sleep >/dev/null
kill -TERM $tool
wait $tool
echo $? >/out/signal.status
wait_for 10 sh -c '! pgrep sleep' && echo gone >/out/signal.command

# Without its rights the tool still counts every window of the user's load.
echo 1 >/proc/sys/vm/unprivileged_userfaultfd
find_kernel
# on_exact CASE TOOL...
on_exact() {
	case=$1
	shift
	# shellcheck disable=SC2154 # find_kernel's
	"$@" -j -o "/tmp/$case.json" -- uffdload exact --kernel-check "$check" --locks "$locks" >"/out/$case.truth" 2>"/out/$case.err"
	echo $? >"/out/$case.status"
}

# counted CASE TOOL...
counted() {
	case=$1
	whole "/tmp/$case.json" -- on_exact "$@"
	stat -c '%u:%g %a' "/tmp/$case.json" >"/out/$case.owner"
	cat "/tmp/$case.json" >"/out/$case.json"
}
counted exact uffdretry --user tester
counted only-two withcaps 65534 bpf,perfmon uffdretry

# Files. The metrics are replaced during the run, with the user's rights.
mkdir -m 755 /metrics && chown 1000:1000 /metrics
keep metrics $as_tester uffdretry --openmetrics /metrics/x.prom -d 300ms 0.1
ls /metrics >/out/metrics.left
$as_tester uffdretry --trace /metrics/trace -d 10ms >/dev/null 2>&1
stat -c '%u:%g %a' /metrics/trace >/out/trace.owner
stat -c '%u:%g %a' /metrics/x.prom >/out/metrics.owner
keep output-denied $as_tester uffdretry -o /root/x -d 10ms
# COMMAND fails after the tool gave up its rights: the report stays, and the status is COMMAND's.
keep failed-command $as_tester uffdretry -o /metrics/report -- false
cp /metrics/report /out/failed-command.report
# The tool can open a descriptor of its caller.
: >/out/fd3 && chmod 666 /out/fd3
keep fd3 withcaps 65534 bpf,perfmon uffdretry -o /proc/self/fd/3 -- true 3>>/out/fd3
rm /tmp/as-tester
# In a sticky directory: a symbolic link, a hard link, a dangling link, another user's file. The
# kernel's own guards are off.
for guard in hardlinks symlinks regular; do
	echo 0 >/proc/sys/fs/protected_$guard
done
mkdir -m 1777 /sticky
echo precious >/sticky/precious
ln /sticky/precious /sticky/hard
echo precious >/root/precious
ln -s /root/precious /tmp/link
ln -s /root/made /tmp/dangling
su tester -c 'echo theirs >/tmp/theirs; chmod 666 /tmp/theirs'
keep link uffdretry -o /tmp/link -d 10ms
keep dangling uffdretry -o /tmp/dangling -d 10ms
keep theirs uffdretry -o /tmp/theirs -d 10ms
keep hard uffdretry -o /sticky/hard -d 10ms
keep trace-link uffdretry --trace /tmp/link -d 10ms
keep trace-theirs uffdretry --trace /tmp/theirs -d 10ms
keep metrics-link uffdretry --openmetrics /tmp/link -d 10ms
keep metrics-theirs uffdretry --openmetrics /tmp/theirs -d 10ms
keep metrics-ours uffdretry --openmetrics /sticky/ours -d 50ms 0.01
cat /root/precious /tmp/theirs /sticky/hard /tmp/link >/out/untouched
ls /sticky >/out/sticky-files
readlink /tmp/link >/out/link-is
ls /root >/out/root-files
# A run that fails at the start leaves no file.
mkdir -m 755 /plain
mount -t tmpfs none /sys/kernel/btf
keep never-began uffdretry -o /plain/new -d 10ms
umount /sys/kernel/btf
ls /plain >/out/plain-files

left >/out/left
exit 0
