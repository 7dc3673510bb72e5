# shellcheck shell=sh source=tests/programs/guest/lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# CRIU dumps a redis server and restores it lazily, with clients from the first moment on. The tool
# traces the lazy-pages daemon, and so the memory that it fills.
. /programs/lib.sh
keys=20000
# Only a Unix socket: CRIU 4.1 asks internet sockets for options that 6.16 and later refuse there.
socket=/tmp/redis.socket

fail() {
	result criu-lazy-pages "$1"
	cp /tmp/img/*.log /tmp/redis.log /out 2>/dev/null
	exit 1
}

pong() {
	[ "$(redis-cli -s $socket ping 2>/dev/null)" = PONG ]
}

for module in inet unix tcp udp raw netlink af_packet; do
	insmod /programs/modules/${module}_diag.ko
done
mkdir -p /tmp/img
setsid redis-server --port 0 --unixsocket $socket --save '' --enable-debug-command yes --dir /tmp </dev/null >/tmp/redis.log 2>&1 &
wait_for 240 pong || fail 'redis-server did not start'
redis-cli -s $socket debug populate $keys key 512 >/out/criu-populate.log
criu dump -t "$(pidof redis-server)" -D /tmp/img -v2 -o dump.log >/out/criu-dump.log 2>&1 || fail "criu dump failed: $(grep Error /tmp/img/dump.log | tr '\n' ';')"
under criu-lazy-pages criu lazy-pages -D /tmp/img -v2 -o lazy.log &
wait_for 240 test -S /tmp/img/lazy-pages.socket || fail 'criu lazy-pages did not start'
criu restore -D /tmp/img --lazy-pages -d -v2 -o restore.log >/out/criu-restore.log 2>&1 || fail "criu restore failed: $(grep Error /tmp/img/restore.log | tr '\n' ';')"
redis-benchmark -s $socket -t get,set -n 5000 -c 8 -r $keys -q >/out/criu-benchmark.log 2>&1
wait
result criu-lazy-pages "restored, $(redis-cli -s $socket dbsize) keys; redis-benchmark: $(tr '\r' '\n' <"/out/criu-benchmark.log" | grep 'requests per second' | sed 's/,.*//' | tr '\n' ';')"
cp /tmp/img/*.log /out
redis-cli -s $socket shutdown nosave
