#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# --probe, and the messages where the tool cannot trace: without rights, or without a usable plan.
. "$(dirname "$0")/lib.sh"

# run, without any right
run_as_nobody() {
	as_nobody "$UFFDRETRY" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
	out=$(<"$tmp/out") err=$(<"$tmp/err")
}

is_error='.type == "error" and .schema == 1 and .status == 1 and (.message | length > 0) and (.hint | length > 0)'
is_probe='.type == "probe" and .schema == 1 and (.kernel | length > 0) and .arch != null and .version != null
	and (.btf | type) == "boolean" and (.lockdown | length > 0) and (.works | type) == "boolean"
	and (.works == (.plan != null))'
# Not so in a rootless container.
in_first_user_namespace() {
	[ "$(stat -Lc %i /proc/self/ns/user)" -eq $((0xEFFFFFFD)) ]
}

# hint_without DESCRIPTION HINT COMMAND...: run by COMMAND, the tool lacks rights, and this is the hint.
hint_without() {
	local description=$1 hint=$2
	shift 2
	in_first_user_namespace || hint='run it outside of this user namespace'
	if ! "$@" true 2>"$tmp/err"; then
		skip "$description: $1 is refused"
		return
	fi
	"$@" "$UFFDRETRY" >"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
	out=$(<"$tmp/out") err=$(<"$tmp/err")
	matches 1 '^$' "^uffdretry: missing capability: CAP_BPF, CAP_PERFMON${nl}hint: ${hint}[^$nl]*\$"
	report $? "$description"
}

# Where the BTF is readable, --probe lists all plans and their hooks.
has_plans='(.plans | length > 0) and all(.plans[]; (.hooks | length > 0) and (.possible | type) == "boolean"
	and all(.hooks[]; (.in_btf | type) == "boolean" and (.required | type) == "boolean"))'

if can_trace; then works=true wanted=0; else works=false wanted=1; fi

run --probe
for line in "uffdretry +[0-9.]+, libbpf" "kernel +$(uname -r) $(uname -m)" 'capabilities ' 'lockdown ' 'BTF ' 'plan retry_state ' \
	'  [a-zA-Z ]+ fexit +userfaultfd_ioctl ' 'not measured: ' 'result '; do
	[ $status -eq $wanted ] && grep -qE "^$line" "$tmp/out"
	report $? "--probe shows: $line"
done
! grep -nE '.{81}' "$tmp/out"
report $? '--probe fits in 80 columns'
check_json '--probe -j is one object' $wanted "$is_probe and $has_plans and .works == $works" -- --probe -j
run --probe -o "$tmp/probe"
[ -z "$out" ] && grep -q '^result' "$tmp/probe"
report $? '--probe -o writes there'

if can_be_nobody; then
	run_as_nobody
	matches 1 '^$' "$(says 'CAP_BPF, CAP_PERFMON')"
	report $? 'missing capabilities are named'
	[[ $err =~ hint:.*'let one group execute it (chgrp, chmod 750)'.*setcap ]] || ! in_first_user_namespace
	report $? '... and setcap comes with who may execute it'
	run_as_nobody -j
	[ $status -eq 1 ] && is_json "$tmp/out" "$is_error and (.message | test(\"CAP_BPF, CAP_PERFMON\"))"
	report $? '-j: missing capabilities are named'
	run_as_nobody --probe
	[ $status -eq 1 ] && grep -qE '^capabilities +missing CAP_BPF, CAP_PERFMON' "$tmp/out" && grep -q '^result' "$tmp/out"
	report $? '--probe without rights is complete'
	run_as_nobody --probe -j
	[ $status -eq 1 ] && is_json "$tmp/out" "$is_probe and .missing_capabilities == \"CAP_BPF, CAP_PERFMON\" and .works == false"
	report $? '--probe -j without rights is complete'
	run_as_nobody --plan nosuch
	matches 64 '^$' "$(says 'nosuch')"
	report $? 'a wrong --plan is a wrong command line, rights or not'

	best=1000000
	for _ in {1..20}; do # the machine may be busy
		[ $best -lt 200000 ] && break
		start=${EPOCHREALTIME/[.,]/}
		run_as_nobody
		took=$((${EPOCHREALTIME/[.,]/} - start))
		best=$((took < best ? took : best))
	done
	[ $best -lt 200000 ]
	report $? "refused within 200 ms ($((best / 1000)) ms)"
else
	for what in 'missing capabilities' '-j' '--probe' '--probe -j' '--plan' 'within 200 ms'; do
		skip "$what, without rights: setpriv is refused"
	done
fi

# Who did already what the hint says, or cannot, gets another one.
hint_without 'with no_new_privs sudo and setcap are no hint' 'run it without no_new_privs' as_nobody setpriv --no-new-privs
hint_without 'root is not told to be root' 'root has lost it here' setpriv --bounding-set=-all --inh-caps=-all
hint_without 'a user namespace is named' 'run it outside of this user namespace' unshare -U
if unshare -Ur true 2>"$tmp/err"; then
	unshare -Ur "$UFFDRETRY" --probe >"$tmp/out" 2>"$tmp/err"
	out=$(<"$tmp/out") err=$(<"$tmp/err")
	[[ $out =~ ${nl}capabilities\ +'all there, but only in a user namespace'$nl ]]
	report $? '--probe: capabilities of a user namespace are no more than that'
else
	skip '--probe in a user namespace: unshare is refused'
fi

check '--plan that is none' 64 '^$' "$(says 'nosuch')" -- --plan nosuch
if $works; then
	for what in 'no usable plan' '-j' '--plan' '--self-test=only'; do
		skip "$what: this machine can trace"
	done
elif [ "$("$UFFDRETRY" --probe -j 2>"$tmp/err" | jq 'select(.plans).plans | any(.possible)')" = true ]; then
	for what in 'no usable plan' '-j' '--plan' '--self-test=only'; do
		skip "$what: this kernel has what a plan needs, and refuses it"
	done
else
	check 'no usable plan: the nearest is named, and what it lacks' 1 '^$' "$(says 'no usable plan.*the nearest, [a-z_]*, lacks [a-z_]')" --
	check_json '-j: no usable plan' 1 "$is_error and (.message | test(\"the nearest, [a-z_]+, lacks [a-z_]\"))" -- -j
	check '--plan that cannot run here' 1 '^$' "$(says 'retry_state.*mfill_retry_state_changed')" -- --plan retry_state
	check '--self-test=only where nothing can be tested' 1 '^$' "$(says 'no usable plan')" -- --self-test=only
fi

done_testing
