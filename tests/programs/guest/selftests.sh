# shellcheck shell=sh source=tests/programs/guest/lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# The kernel's own tests of userfaultfd: tools/testing/selftests/mm.
. /programs/lib.sh

# Their counts, from the last lines.
of_ksft() {
	grep '^# Totals:' "/out/$1.log" | tail -n 1 | sed 's/^# Totals: //'
}

echo 64 >/proc/sys/vm/nr_hugepages
under uffd-unit-tests uffd-unit-tests
result uffd-unit-tests "$(of_ksft uffd-unit-tests)"
for type in anon shmem hugetlb; do
	under "uffd-stress-$type" uffd-stress $type 16 4
	result "uffd-stress-$type" "$(of_ksft uffd-stress-$type)"
done
