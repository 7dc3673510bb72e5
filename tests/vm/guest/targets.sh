# shellcheck shell=sh source=tests/vm/guest/lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# shellcheck disable=SC2086,SC2317 # lists of words; `whole` calls functions
# In the guest: which processes are traced. Loads with known windows, in and outside of cgroups and
# pid namespaces; they exec, fork and exit.
. /bin/lib.sh

cgroups=/sys/fs/cgroup
find_kernel
# shellcheck disable=SC2154 # find_kernel sets them
export kernel="--kernel-check=$check --locks=$locks"
scenarios=nothing,mprotect-same,mprotect,unmap
external=nothing-external,mmap-elsewhere-external,mprotect-external,map-fixed-external

# in_cgroup CGROUP COMMAND...
in_cgroup() {
	cgroup=$1
	shift
	sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$cgroups/$cgroup" "$@"
}

# tool NAME ARG...: start it, and wait until it traces.
tool() {
	name=$1
	shift
	"${program:-uffdretry}" -j -o "/out/$name.json" "$@" 2>"/out/$name.err" &
	tool=$!
	wait_for 60 has_line '"type":"start"' "/out/$name.json" || echo "$name start" >>/out/failed
}

# end NAME
end() {
	kill -TERM $tool
	wait $tool || echo "$1 end" >>/out/failed
}

# load NAME COMMAND...: run a load; notes a failure in /out/failed.
load() {
	name=$1
	shift
	"$@" >"/out/$name.truth" 2>"/out/$name.load" || echo "$name load" >>/out/failed
}

mkdir -p $cgroups/a/deep/er $cgroups/b

# A task enters the cgroup below after the tool started: counted. The same load in another cgroup is
# not.
of_cgroup() {
	tool cgroup -c a
	load cgroup in_cgroup a/deep/er uffdload exact $kernel --runs 3 --only $scenarios
	load cgroup-other in_cgroup b uffdload exact $kernel --runs 7 --only $scenarios
	end cgroup
}
whole /out/cgroup.json -- of_cgroup
# A task's cgroups are looked for on 63 levels.
levels() {
	n=0
	while [ $n -lt "$1" ]; do
		printf /level
		n=$((n + 1))
	done
}
mkdir -p "$cgroups$(levels 64)"
keep cgroup-deep uffdretry -d 10ms -c "$cgroups$(levels 64)"
of_deep_cgroup() {
	tool cgroup-63 -c "$cgroups$(levels 63)"
	load cgroup-63 in_cgroup "$(levels 63)" uffdload exact $kernel --runs 1 --only $scenarios
	end cgroup-63
}
whole /out/cgroup-63.json -- of_deep_cgroup
# It is removed and made again, as when a service restarts.
mkdir $cgroups/again
tool cgroup-again -c again
rmdir $cgroups/again && mkdir $cgroups/again
wait_for 20 has_line 'was removed' /out/cgroup-again.err
end cgroup-again
# The cgroup by its full path; it has no tasks.
tool cgroup-empty -c $cgroups/a/deep
load cgroup-empty-other in_cgroup a uffdload exact $kernel --runs 2 --only $scenarios
end cgroup-empty

# The handler in one cgroup, the owner of the memory in another: counted for both cgroups.
# of_external CGROUP
of_external() {
	tool external-$1 -c $1
	in_cgroup a uffdload exact $kernel --runs 2 --only $external,nothing --wait >/out/external-$1.truth 2>/out/external-$1.load &
	shell=$!
	wait_for 60 has_line '^ready' /out/external-$1.load
	load=$(sed -n 's/^ready //p' /out/external-$1.load)
	tr ' ' '\n' <"/proc/$load/task/$load/children" | while read -r child; do
		echo "$child" >$cgroups/b/cgroup.procs
	done
	kill -USR1 "$load"
	wait $shell || echo "external-$1 load" >>/out/failed
	end external-$1
}
whole /out/external-a.json -- of_external a
whole /out/external-b.json -- of_external b

# -p: an exec keeps the process; a child is another one.
of_exec() {
	rm -f /tmp/go-exec
	sh -c 'until [ -e /tmp/go-exec ]; do sleep 0.1; done
		exec uffdload exact $kernel --runs 3 --only '$scenarios' >/out/exec.truth 2>/out/exec.load' &
	target=$!
	tool exec -p $target
	touch /tmp/go-exec
	wait $target || echo "exec load" >>/out/failed
	wait $tool || echo "exec end" >>/out/failed
}
whole /out/exec.json -- of_exec
sh -c 'until [ -e /tmp/go-fork ]; do sleep 0.1; done
	uffdload exact $kernel --runs 3 --only '$scenarios' >/out/fork.truth 2>/out/fork.load; exit 0' &
target=$!
tool fork -p $target
touch /tmp/go-fork
wait $target
wait $tool || echo "fork end" >>/out/failed

# The target dies and another process gets its number, while the tool is stopped.
sleep 1000 &
target=$!
tool reused -p $target
kill -STOP $tool
kill -KILL $target
wait $target
echo $((target - 1)) >/proc/sys/kernel/ns_last_pid
uffdload exact $kernel --runs 3 --only $scenarios >/out/reused.truth 2>&1 &
[ $! = $target ] || echo "reused: $! is not $target" >>/out/failed
wait $! || echo "reused load" >>/out/failed
kill -CONT $tool
wait $tool || echo "reused end" >>/out/failed

# The same while the tool starts; the load goes on until the tool has ended.
has_pidfd() {
	for fd in "/proc/$tool/fd/"*; do
		case $(readlink "$fd") in *pidfd*) return 0 ;; esac
	done
	return 1
}
sleep 1000 &
target=$!
uffdretry -j -o /out/reused-early.json -p $target 2>/out/reused-early.err &
tool=$!
wait_for 20 has_pidfd || echo "reused-early start" >>/out/failed
kill -STOP $tool
kill -KILL $target
wait $target
echo $((target - 1)) >/proc/sys/kernel/ns_last_pid
uffdload free --duration 60s --copiers 2 >/dev/null 2>&1 &
[ $! = $target ] || echo "reused-early: $! is not $target" >>/out/failed
kill -CONT $tool
wait $tool || echo "reused-early end" >>/out/failed
kill -0 $target || echo "reused-early: the load had ended" >>/out/failed
kill -KILL $target
wait $target

# In a pid namespace, which has its own numbers. The load outside does not belong to it.
cat >/tmp/namespace.sh <<-'END'
	. /bin/lib.sh
	of_command() {
		uffdretry -e -j -o /out/namespace-command.json -- uffdload exact $kernel --runs 2 --only $1 \
			>/out/namespace-command.truth 2>/out/namespace-command.load
	}
	whole /out/namespace.json -- trace_pid namespace exact $kernel --runs 3 --only $1
	whole /out/namespace-command.json -- of_command $1
	sed -n 's/^ready //p' /out/namespace.load >/out/namespace.target
	uffdretry -d 100ms -p $$ 2>/out/namespace.banner >/dev/null
END
while :; do
	uffdload exact $kernel --runs 1 --only $scenarios >/dev/null 2>&1
	sleep 0.5
done &
outside=$!
unshare -p -f --mount-proc sh /tmp/namespace.sh "$scenarios,$external" || echo namespace >>/out/failed
kill $outside
# A tool outside traces a process inside, by its number outside.
of_inside() {
	unshare -p -f --mount-proc uffdload exact $kernel --runs 3 --only $scenarios --wait >/out/inside.truth 2>/out/inside.load &
	unshare=$!
	wait_for 60 has_line '^ready' /out/inside.load
	inside=$(cat /proc/$unshare/task/$unshare/children)
	tool inside -p "${inside% }"
	kill -USR1 "${inside% }"
	wait $unshare || echo "inside load" >>/out/failed
	wait $tool || echo "inside end" >>/out/failed
}
whole /out/inside.json -- of_inside

# --by process: two tools watch the same loads. The second, the test build, has room for two
# processes. The first load ends before the others begin; the second has a handler in another process;
# `causes` has one copy into the memory of a process that is gone.
by_process() {
	tool by-process --by process
	process=$tool
	export UFFDRETRY_BY_ROWS=2
	[ ! -x /bin/uffdretry-inject ] || program=/bin/uffdretry-inject
	tool by-few --by process
	program=
	load by-early uffdload exact $kernel --runs 1 --only $scenarios
	load by-handler uffdload exact $kernel --runs 2 --only $external,remove-event-external
	load by-late uffdload exact $kernel --runs 3 --only $scenarios,$external
	load by-causes uffdload causes $kernel --runs 1
	end by-few
	tool=$process end by-process
}
whole /out/by-process.json /out/by-few.json -- by_process

# --by cgroup: the first cgroup is removed before the tool ends.
by_cgroup() {
	mkdir -p $cgroups/gone
	tool by-cgroup --by cgroup 2
	load by-gone in_cgroup gone uffdload exact $kernel --runs 1 --only $scenarios
	wait_for 20 has_line 'gone"' /out/by-cgroup.json || echo "by-cgroup gone" >>/out/failed
	rmdir $cgroups/gone
	load by-a in_cgroup a uffdload exact $kernel --runs 2 --only $external
	load by-b in_cgroup b uffdload exact $kernel --runs 3 --only $scenarios
	end by-cgroup
}
whole /out/by-cgroup.json -- by_cgroup

# On a fast machine the load lasts half a second: several tables.
for attempt in 1 2 3; do
	uffdretry --top 50ms -- uffdload exact $kernel --runs 50 --only $scenarios 2>/out/top.err >/out/top.out || echo "top" >>/out/failed
	! has_line '^ *nothing lost' /out/top.out || break
	[ $attempt = 3 ] || again top 'the kernel skipped programs'
done
grep '^{' /out/top.out >/out/top.truth

left >/out/left
exit 0
