# shellcheck shell=sh source=tests/vm/guest/lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: the tool under each BTF of /btf; its output is kept in /out/CASE.{out,err,status}.
. /bin/lib.sh

# with_btf CASE COMMAND...
with_btf() {
	mount -o bind "/btf/${1%%-*}" /sys/kernel/btf/vmlinux
	keep "$@"
	umount /sys/kernel/btf/vmlinux
}

load='uffdload exact --runs 1 --only fork'
# shellcheck disable=SC2086 # a list of words
{
	with_btf silent uffdretry --witness -- $load
	with_btf unloadable uffdretry -- $load
	load='uffdload exact --runs 1 --only minor-added'
	with_btf minor uffdretry -- $load
	with_btf minor-untested uffdretry --self-test=off -- $load
}
with_btf silent-probe uffdretry --probe
with_btf missing uffdretry -d 100ms
with_btf nouffd uffdretry -d 100ms
with_btf missing-probe uffdretry --probe
# Another process takes the tool's mmap_lock for write (clear_refs: 5) from its start to its end.
for run in 1 2 3; do
	uffdretry --self-test=only >/out/disturbed-$run.out 2>&1 &
	while echo 5 >/proc/$!/clear_refs; do :; done 2>/dev/null
	wait $!
	echo $? >/out/disturbed-$run.status
done
keep forced uffdretry --plan legacy -d 100ms
exit 0
