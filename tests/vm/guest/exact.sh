# shellcheck shell=sh source=tests/vm/guest/lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: the loads whose truth is known, traced with -p, with -a and as COMMAND.
# `short`: with -a only, and each scenario once.
. /bin/lib.sh
seed=$1 windows=$2 short=$3 runs=5
[ -z "$short" ] || runs=1

# Some destinations are huge pages.
echo 64 >/proc/sys/vm/nr_hugepages

find_kernel

uffdretry --probe -j >/out/probe.json

# With the programs of all options loaded.
uffdretry -a -e --relock --witness --stacks --by process -j -o /out/verified.json &
tool=$!
wait_for 60 has_line '"type":"start"' /out/verified.json && bpfleft verified >/out/verified
kill -TERM $tool
wait $tool

exactly trace_all exact-all exact --runs $runs --seed "$seed"
# The second witness must have seen each lock that the sequence numbers prove. Nothing else may
# differ with it.
witness=yes
exactly trace_all random-all random --windows "$windows" --seed "$seed"
witness=
if [ -n "$short" ]; then
	left >/out/left
	exit 0
fi
exactly trace_pid exact-pid exact --runs 2 --seed "$seed"
exactly trace_command exact-command exact --runs 2 --seed "$seed"
exactly trace_pid random-pid random --windows 1000 --seed $((seed + 1)) --at-once 8
# One process after the other gets the mm_struct of the last one, whose write sections are none of its own.
# shellcheck disable=SC2317 # `whole` calls it
one_after_the_other() {
	uffdretry --witness -j -o /out/one-after-the-other.json -- sh -c 'for n in 1 2 3 4 5 6 7 8 9 10; do
		uffdload exact --runs 3 --only nothing,thread-fresh-stack || exit
	done' >/out/one-after-the-other.truth 2>/out/one-after-the-other.load
}
whole /out/one-after-the-other.json -- one_after_the_other || echo one-after-the-other >>/out/failed
# free NAME WHAT RATE DURATION [OPTION...]
free() {
	name=$1 what=$2 rate=$3 duration=$4
	shift 4
	run trace_all "$name-$what" free --duration "$duration" --copiers 4 --writers 2 --rate "$rate" --what "$what" \
		--seed "$seed" --log "/out/$name-$what.log" "$@"
}
# As fast as they can; and with a handler that knows when each window is open, one by one.
for what in unrelated benign replaced; do
	relock=yes
	free free "$what" 0 3s
	relock=
	events=yes
	free held "$what" 100 3s --handled
	events=
done
left >/out/left
exit 0
