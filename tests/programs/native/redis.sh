# shellcheck shell=bash source=tests/programs/native/lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# The work of a redis server that listens on $dir/socket: all the time GET and SET of 200,000 keys.
. "$(dirname "$0")/lib.sh"

ask() {
	redis-cli -s "$dir/socket" "$@"
}

commands() {
	ask info stats | tr -d '\r' | sed -n 's/^total_commands_processed://p'
}

benchmark() {
	redis-benchmark -q -s "$dir/socket" -t get,set -d 128 -r 200000 "$@" >/dev/null
}

# Wait until it runs, and fill it with the keys.
fill() {
	wait_for 30 ask ping
	benchmark -n 400000 -P 16
}

work() {
	local before
	before=$(commands)
	timeout "$seconds" bash -c "$(declare -f benchmark); dir=$dir; benchmark -l -c 8" || [ $? = 124 ]
	echo $(($(commands) - before))
}
