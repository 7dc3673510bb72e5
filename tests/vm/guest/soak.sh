# shellcheck shell=sh source=tests/vm/guest/lib.sh disable=SC2086
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: copiers and writers that never stop, and the tool that starts, traces a second and ends, for $1 seconds.
. /bin/lib.sh

seconds=$1 starts=0 bad=0

# KiB of slabs that nobody can reclaim, once what waits for a grace period is gone.
slab() {
	sync
	sleep 3
	awk '/^SUnreclaim/ { print $2 }' /proc/meminfo
}

uffdload free --duration ${seconds}s --copiers 2 --writers 1 --what unrelated >/out/load.truth 2>/out/load.err &
load=$!
end=$(($(date +%s) + seconds))
while [ "$(date +%s)" -lt $end ]; do
	if uffdretry -j -e -o /tmp/soak.json -d 1s 2>/tmp/soak.err && [ "$(tail -1 /tmp/soak.json | cut -c1-17)" = '{"type":"summary"' ]; then
		: # whole, to its end
	else
		bad=$((bad + 1))
		cat /tmp/soak.err >>/out/bad.err
	fi
	starts=$((starts + 1))
	# What caches grow by at first is no leak.
	[ $starts -ne 3 ] || slab >/out/slab-before
	[ $((starts % 10)) -ne 0 ] || echo "soak: $starts starts, $bad bad, $((end - $(date +%s))) s left" >&2
done
wait $load
echo $? >/out/load.status
left >/out/left
slab >/out/slab-after
echo $starts >/out/starts
echo $bad >/out/bad
exit 0
