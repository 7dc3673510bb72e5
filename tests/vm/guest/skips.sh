# shellcheck shell=sh source=tests/vm/guest/lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: known windows and failures under the test build of the tool, while it skips runs of
# one hook after the other.
# usage: skips.sh WINDOWS PLAN [VARIANT/TARGET:N[:LENGTH]...]
# PLAN is "any", or forced. Without a list: every attached hook, each run, every second and third.
. /bin/lib.sh
windows=$1 plan=$2
shift 2
[ "$plan" != any ] || plan=

find_kernel
echo 64 >/proc/sys/vm/nr_hugepages

# Not those with hundreds of windows at once or with a writer that sleeps: they take most of the time.
scenarios=$(uffdload exact --list | awk 'NF && $1 !~ /at-once-256|^asleep$|^still-in$|^in-all-along$/ { print $1 }' | tr '\n' ,)

load() {
	case $1 in
	known)
		uffdload exact --runs 1 --only "${scenarios%,}" --kernel-check "$check" --locks "$locks" &&
			uffdload random --windows "$windows" --kernel-check "$check" --locks "$locks"
		;;
	vanish) vanish 20 20 ;;
	causes) uffdload causes --runs 2 --kernel-check "$check" --locks "$locks" ;;
	esac
}

# Those on fork and exit are there with COMMAND only.
hooks() {
	uffdretry --self-test=off ${plan:+--plan "$plan"} -j -o /out/hooks.json -- true
	grep -o '{"name":"[^"]*","variant":"[^"]*","attached":true' /out/hooks.json | sort -u |
		sed 's/{"name":"\([^"]*\)","variant":"\([^"]*\)".*/\2\/\1/'
}

# Without the self-test, which takes seconds: it proves nothing while no run is skipped.
# started FILE: the tool has, or is dead.
# shellcheck disable=SC2317 # wait_for calls it
started() {
	has_line '"type":"start"' "$1" || ! kill -0 "$tool" 2>/dev/null
}

# under SKIP LOAD: /out/LOAD.VARIANT.TARGET.N.{json,truth}
under() {
	name=$2.$(echo "$1" | tr /: ..)
	export UFFDRETRY_SKIP="$1"
	case $1 in
	*/sched_process_*)
		uffdretry --self-test=off ${plan:+--plan "$plan"} -j -o "/out/$name.json" -- \
			sh /bin/skips.sh "$windows" child "$2" >"/out/$name.truth" 2>"/out/$name.load"
		return
		;;
	esac
	uffdretry --self-test=off ${plan:+--plan "$plan"} -a -j -o "/out/$name.json" &
	tool=$!
	wait_for 120 started "/out/$name.json" || return 1
	kill -0 $tool || return 1
	load "$2" >"/out/$name.truth" 2>"/out/$name.load" || return 1
	kill -TERM $tool
	wait $tool
}

if [ "$plan" = child ]; then
	load "$1"
	exit
fi
if [ $# -eq 0 ]; then
	for hook in $(hooks); do
		set -- "$@" "$hook:1" "$hook:2" "$hook:3"
	done
fi
loads='known causes'
! vanish 1 5 | grep -q '"EAGAIN":1' || loads="$loads vanish"
for skip; do
	for what in $loads; do
		under "$skip" "$what" || echo "$what $skip" >>/out/failed
	done
done
exit 0
