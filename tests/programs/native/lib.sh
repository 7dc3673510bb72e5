# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# What the scripts of this directory share. record calls each in two ways:
#   NAME prepare SHARED              once: what all runs need, in the directory SHARED
#   NAME run SHARED DIR SECONDS      one run, in its own directory DIR
# A script defines prepare(), start() and work(). start() ends when the program is ready. work()
# makes it work for SECONDS and prints how much it did; DIR/result then says that, and from when
# until when. DIR/version can name another program that took part. With STRACE, the words of a
# command, the program runs under it.
set -euo pipefail
export LC_ALL=C
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck disable=SC2034 # for the scripts
root=$(realpath "$here/../../..")
attached= # the program, when strace was not there when it began
# shellcheck disable=SC2034
action=${1:?} shared=${2:?} dir=${3:-} seconds=${4:-}

# Many programs refuse to run as root.
user=()
[ "$(id -u)" != 0 ] || user=(setpriv --reuid=nobody --regid=nogroup --clear-groups)

as_user() {
	"${user[@]}" env HOME="${dir:-$shared}" "$@"
}

# launch COMMAND...: start the program that is measured, under strace if asked.
launch() {
	local tracer
	read -ra tracer <<<"${STRACE:-}"
	# Without the redirection, what is in the background reads /dev/null.
	# shellcheck disable=SC2016 # for sh
	as_user "${tracer[@]}" sh -c 'echo $$ >"$0"; exec "$@"' "$dir/pid" "$@" <&0 &
	launched=$!
}

# End the program. Not strace, which would leave it alone: strace ends with it.
halt() {
	[ -n "${launched:-}" ] || return 0
	[ ! -s "$dir/pid" ] || kill "$(cat "$dir/pid")" 2>/dev/null || :
	wait "$launched" || :
	launched=
}

running() {
	[ -n "${launched:-}" ] && kill -0 "$launched" 2>/dev/null
}

# wait_for SECONDS COMMAND...: until it succeeds.
wait_for() {
	local until=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $until ] || fail "not in time: $*"
		sleep 0.1
	done
}

fail() {
	echo "$*" >&2
	exit 1
}

free_port() {
	python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

answers() {
	: <"/dev/tcp/127.0.0.1/$1"
}

# requests URL SECONDS [OPTION...]: ask for it all the time. Prints how many answers came.
requests() {
	local said
	said=$(wrk -t1 -c8 -d"$2s" "${@:3}" "$1")
	! grep -q 'Non-2xx\|Socket errors' <<<"$said" || fail "$said"
	sed -n 's/^ *\([0-9]*\) requests in .*/\1/p' <<<"$said"
}

main() {
	local begin end work
	if [ "$action" = prepare ]; then
		prepare
		return
	fi
	trap halt EXIT
	start
	begin=$EPOCHREALTIME
	work=$(work)
	end=$EPOCHREALTIME
	[[ $work =~ ^[0-9]+$ && $work -gt 0 ]] || fail "no work was done: '$work'"
	printf '{"begin": %s, "end": %s, "work": %s, "attached": "%s"}\n' \
		"$begin" "$end" "$work" "$attached" >"$dir/result"
	halt
}

# nginx_config PORT ROOT: one worker, in the foreground, that writes below its prefix only.
nginx_config() {
	cat <<-END
	daemon off;
	worker_processes 1;
	pid nginx.pid;
	events { worker_connections 256; }
	http {
		types { text/html html; }
		gzip on;
		access_log access.log combined;
		client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;
		uwsgi_temp_path tmp; scgi_temp_path tmp;
		keepalive_requests 1000000;
		server {
			listen 127.0.0.1:$1;
			root $2;
		}
	}
	END
}
