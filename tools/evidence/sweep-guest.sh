# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest of tools/evidence/sweep: run each cell of /cells under the tool, print a line of
# JSON. A line of /cells is KEY<TAB>COMMAND. Status 77 of COMMAND: the load cannot run on this
# kernel.

# json FILE PATTERN: the last line of FILE that matches, or null.
json() {
	line=$(grep -s "$2" "$1" | tail -n 1)
	echo "${line:-null}"
}

# A disk for swap and for files that can leave the page cache. No cell needs it on a kernel without
# its driver.
prepare_disk() {
	[ -b /dev/nvme0n1 ] || return 0
	mke2fs /dev/nvme0n1 >/dev/null 2>&1
	mkdir -p /mnt && mount -t ext4 /dev/nvme0n1 /mnt || return 0
	dd if=/dev/zero of=/mnt/swap bs=1M count=128 2>/dev/null &&
		mkswap /mnt/swap >/dev/null && swapon /mnt/swap
}

prepare_disk
echo 64 >/proc/sys/vm/nr_hugepages
tab=$(printf '\t')
while IFS=$tab read -r key command; do
	rm -f /tmp/summary /tmp/load
	# shellcheck disable=SC2086 # a list of words
	timeout -s INT 240 uffdretry -j --claims --relock -o /tmp/summary -- $command \
		>/tmp/load 2>/tmp/said </dev/null
	status=$?
	[ $status -eq 0 ] || sed "s|^|$key: |" /tmp/said >&2
	printf '{"key":"%s","status":%d,"result":%s,"summary":%s}\n' "$key" $status \
		"$(json /tmp/load '^{"type":"\(load\|truth\)"')" "$(json /tmp/summary '^{"type":"summary"')"
done </cells
