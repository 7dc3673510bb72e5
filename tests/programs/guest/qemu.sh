# shellcheck shell=sh source=tests/programs/guest/lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# A post-copy migration between two QEMU processes, of a machine that dirties its memory all the
# time. The tool traces the destination.
. /programs/lib.sh

machine='-accel tcg -m 64 -nodefaults -display none -drive file=/programs/dirty.img,format=raw,if=floppy,readonly=on'

# hmp src|dst COMMAND: print the monitor's answer. Drops the lines with cursor movements, which echo
# the command.
hmp() {
	printf '%s\n' "$2" | socat -t 2 - "UNIX-CONNECT:/tmp/$1.monitor" | tr -d '\r' | grep -v '^(qemu)\|^QEMU'
}

# How many rounds the guest has made through its memory.
rounds() {
	wc -c <"/tmp/$1.serial"
}

runs() {
	[ "$(rounds "$1")" -gt "$2" ]
}

migration() {
	hmp src 'info migrate' | sed -n 's/^\(Migration s\|S\)tatus: *//p'
}

ended() {
	case $(migration) in
	*completed* | *failed*) return 0 ;;
	*) return 1 ;;
	esac
}

: >/tmp/src.serial
: >/tmp/dst.serial
# shellcheck disable=SC2086 # lists of words
qemu-system-x86_64 $machine -serial file:/tmp/src.serial -monitor unix:/tmp/src.monitor,server,nowait >/out/qemu-src.log 2>&1 &
wait_for 240 runs src 3 || { result qemu-postcopy 'the source did not start'; exit 1; }
# shellcheck disable=SC2086
under qemu-postcopy qemu-system-x86_64 $machine -serial file:/tmp/dst.serial -monitor unix:/tmp/dst.monitor,server,nowait \
	-incoming unix:/tmp/migration &
wait_for 240 test -S /tmp/migration || { result qemu-postcopy 'the destination did not start'; exit 1; }
hmp dst 'migrate_set_capability postcopy-ram on'
hmp src 'migrate_set_capability postcopy-ram on'
hmp src 'migrate_set_parameter max-bandwidth 2M'
hmp src 'migrate -d unix:/tmp/migration'
sleep 4
hmp src 'migrate_start_postcopy'
wait_for 120 ended
before=$(rounds dst)
wait_for 240 runs dst "$before"
hmp src 'info migrate' >/out/qemu-migration.log
result qemu-postcopy "migration $(migration), $(sed -n 's/^postcopy request count: */pages asked for: /p' /out/qemu-migration.log), \
rounds of the guest after it: $(($(rounds dst) - before))"
hmp dst quit
hmp src quit
wait
