# shellcheck shell=sh source=tests/vm/guest/lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest of tests/checks/check: loads under the tool, on a kernel with CHECK, or under each PLAN;
# or the kernel's own userfaultfd tests; or the cost of a copy.
#
# usage: checks.sh check CHECK SEED WINDOWS | plans "PLAN..." SEED WINDOWS | selftests NAME | cost NAME
. /bin/lib.sh
what=$1 of=$2 seed=${3:-} windows=${4:-}

echo 64 >/proc/sys/vm/nr_hugepages

check_loads() {
	check=$of
	exactly trace_pid "$of-exact" exact --runs 5 --seed "$seed"
	exactly trace_all "$of-random" random --windows "$windows" --seed "$seed"
	for writer in unrelated benign replaced; do
		run trace_all "$of-free-$writer" free --duration 20s --copiers 4 --writers 2 --rate 0 --what $writer --seed "$seed"
	done
}

plan_loads() {
	check=snapshot
	for plan in $of; do
		exactly trace_all "plan-$plan-exact" exact --runs 5 --seed "$seed"
		exactly trace_all "plan-$plan-random" random --windows "$windows" --seed "$seed"
	done
}

# Their output is TAP. uffd-unit-tests sets the number of huge pages itself.
selftests() {
	keep "selftests-$of-unit" uffd-unit-tests
	echo 64 >/proc/sys/vm/nr_hugepages
	for kind in anon shmem hugetlb; do
		keep "selftests-$of-stress-$kind" uffd-stress $kind 16 4
	done
}

case $what in
selftests) selftests ;;
cost) cost >"/out/cost-$of" || exit ;;
check) check_loads ;;
plans) plan_loads ;;
esac
left >/out/left
exit 0
