#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
#
# TAP: the harness itself: what tests/vm/run promises, on one kernel ($KERNEL, default 7.3).
set -u

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$(realpath "$0")")/lib.sh"
kernel=${KERNEL:-7.3}

"$here/kernels" path "$kernel" >/dev/null 2>&1 || "$here/kernels" fetch "$kernel" >/dev/null ||
	skip_all "no $kernel kernel"

# vm NAME ARGUMENT...: run a guest; its output, messages and status go to files called NAME.
vm() {
	local name=$1
	shift
	"$here/run" --name "$name" "$@" >"$out/$name.out" 2>"$out/$name.err"
	echo $? >"$out/$name.status"
}

status_is() {
	[ "$(cat "$out/$1.status")" = "$2" ] || {
		tail -n 20 "$out/$1.status" "$out/$1.err"
		false
	}
}

# --- The guests -----------------------------------------------------------------------------------

odd_word="it's \"odd\" \$HOME \\ *"
# shellcheck disable=SC2016 # for the guest
plain='
	cat /blob
	echo "to stderr" >/dev/stderr
	cp /blob /out
	echo "$1" >/out/word
	su nobody -c "id -u; cat /blob >/root/x || touch /out/by-nobody" >/out/id 2>/dev/null
	for place in /proc /sys /dev /tmp /sys/fs/cgroup /sys/kernel/tracing /sys/kernel/security /sys/fs/bpf; do
		grep -q " $place " /proc/mounts || echo $place
	done >/out/unmounted
	ip addr show dev lo up >/out/lo
	sleep 1000 &
	exit 7'

head -c 3000000 /dev/urandom >"$out/blob"
(
	vm plain --add "$out/blob:/blob" --out "$out/files" --log "$out/log" "$kernel" -- sh -c "$plain" sh "$odd_word"
	vm complaint "$kernel" -- 'echo "WARNING: CPU: 0 test" >/dev/kmsg'
	vm panic "$kernel" -- 'echo c >/proc/sysrq-trigger; sleep 10'
) &
vm timeout --timeout 5 --kernel "$("$here/kernels" path "$kernel")" -- 'echo before; sleep 1000'
wait

for name in plain complaint panic timeout; do
	! grep -q 'booting it again' "$out/$name.err" || again "$name" 'the guest died before it ran anything'
done

# --- Results --------------------------------------------------------------------------------------

check 'the exit status passes through' status_is plain 7
check 'stdout is the command'\''s, byte for byte' cmp "$out/blob" "$out/plain.out"
check 'stderr is the command'\''s' diff "$out/plain.err" - <<<'to stderr'
check 'files in /out come back' cmp "$out/blob" "$out/files/blob"
check 'arguments arrive as they are' diff "$out/files/word" - <<<"$odd_word"
check 'su nobody drops the rights' diff "$out/files/id" - <<<65534
check 'nobody may write to /out' test -e "$out/files/by-nobody"
check 'the file systems are mounted' diff "$out/files/unmounted" /dev/null
check 'the loopback device is up' grep -q 127.0.0.1 "$out/files/lo"
check 'the console log is kept' grep -q 'Run /init' "$out/log"
check 'a complaint in the kernel log gives 70' status_is complaint 70
check 'the complaint is printed' grep -q 'WARNING: CPU: 0 test' "$out/complaint.err"
check 'a panic gives 71' status_is panic 71
check 'the end of the log is printed' grep -q 'sysrq' "$out/panic.err"
check 'a timeout gives 124' status_is timeout 124
check 'what came before the timeout is kept' diff "$out/timeout.out" - <<<before

# --- Without a guest, or with one that is killed --------------------------------------------------

scan() {
	"$here/scanlog" - <<<"$1"
}

finds() {
	! scan "$1"
}

check 'scanlog allows what the list explains' scan '[    0.5] LSM support for eBPF active'
check 'scanlog finds a complaint about BPF' finds '[    0.5] BPF: type_id=1 Invalid name'
while IFS='|' read -r what line; do
	check "scanlog finds $what" finds "[   12.345678] $line"
done <<'END'
a bad access|BUG: KASAN: slab-use-after-free in mfill_atomic_copy+0x1f0/0x9a0
a bad access, with its line's begin lost|==KASAN: wild-memory-access in range [0x0, 0x7]
an order of locks|WARNING: possible circular locking dependency detected
... without its first line|uffdretry/123 is trying to acquire lock: possible recursive locking detected
a lock in the wrong context|inconsistent lock state
sleeping in atomic context|BUG: sleeping function called from invalid context at mm/userfaultfd.c:100
... without its first word|sleeping function called from invalid context at kernel/locking/rwsem.c:1523
RCU misused|WARNING: suspicious RCU usage
a lock that was not taken|WARNING: bad unlock balance detected!
a lock without a class|INFO: trying to register non-static key.
lockdep that is off|INFO: lockdep is turned off.
... for its table is full|BUG: MAX_LOCKDEP_ENTRIES too low!
... without its first word|MAX_STACK_TRACE_ENTRIES too low!
... and says so|turning off the locking correctness validator.
a broken list|list_del corruption. next->prev should be ffff888004b5e0c8
END
check 'scanlog passes what KASAN says of itself' scan '[    0.1] kasan: KernelAddressSanitizer initialized (generic)'
check 'scanlog passes what lockdep says of itself' scan '[    0.1] ... MAX_LOCKDEP_ENTRIES:     131072'
check 'scanlog passes harmless lines' scan '[    0.5] Run /init as init process'

vm nofile --kernel "$out/none" -- true
check 'a --kernel that is no file is named' grep -qx "vm: cannot read $out/none" "$out/nofile.err"
check '... and is an error' status_is nofile 1
vm two --kernel "$out/none" 7.3 -- true
check 'a --kernel beside a KERNEL is a wrong command line' status_is two 64
vm unknown 0.99 -- true
check 'a kernel that is not available gives 77' status_is unknown 77

guests() {
	cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep -cx "uffdretry-vm-signal-$$"
}

# killed SIGNAL: end tests/vm/run while its guest boots. No QEMU may be left.
killed() {
	local run tries
	mkdir -p "$out/tmp"
	TMPDIR=$out/tmp "$here/run" --name "signal-$$" "$kernel" -- true &
	run=$!
	for ((tries = 0; tries < 100 && $(guests) == 0; tries++)); do
		sleep 0.1
	done
	kill "-$1" $run
	wait $run 2>/dev/null
	echo "status $?"
	for ((tries = 0; tries < 100 && $(guests) > 0; tries++)); do
		sleep 0.1
	done
	[ "$tries" -lt 100 ]
}

check 'a signal leaves no QEMU behind' killed TERM
check 'a signal leaves no files behind' rmdir "$out/tmp"
check 'nor does SIGKILL leave QEMU' killed KILL
done_testing
