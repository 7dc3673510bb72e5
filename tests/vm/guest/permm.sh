# shellcheck shell=sh source=tests/vm/guest/lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest of tests/permm/check: loads under the tool, on a kernel with CHECK, or under each
# PLAN.
#
# usage: permm.sh check CHECK SEED WINDOWS | plans "PLAN..." SEED WINDOWS
. /bin/lib.sh
what=$1 of=$2 seed=$3 windows=$4

echo 64 >/proc/sys/vm/nr_hugepages

check_loads() {
	check=$of
	exactly trace_pid "$of-exact" exact --runs 5 --seed "$seed"
	exactly trace_all "$of-random" random --windows "$windows" --seed "$seed"
	for writer in unrelated benign replaced; do
		run trace_all "$of-free-$writer" free --duration 10s --copiers 4 --writers 2 --rate 0 --what $writer --seed "$seed"
	done
}

plan_loads() {
	check=snapshot
	for plan in $of; do
		exactly trace_all "plan-$plan-exact" exact --runs 5 --seed "$seed"
		exactly trace_all "plan-$plan-random" random --windows "$windows" --seed "$seed"
	done
}

case $what in
check) check_loads ;;
plans) plan_loads ;;
esac
left >/out/left
exit 0
