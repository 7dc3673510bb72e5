#compdef uffdretry
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# Completion of uffdretry's command line for zsh.

# The processes that hold a userfaultfd; if there is none, all.
_uffdretry_pid() {
	local -a pids
	pids=(${(f)"$(_call_program pids $words[1] list --brief 2>/dev/null)"})
	(($#pids)) || pids=(/proc/<->(N:t))
	compadd "$@" -a pids
}

_uffdretry() {
	if ((CURRENT > 2)) && [[ $words[2] == (report|diff) && $words[CURRENT] != -* ]]; then
		_files
		return
	fi
	_arguments -s -S \
		'(-p --pid)'{-p+,--pid=}'[these processes]:PID:_sequence _uffdretry_pid' \
		'(-c --cgroup)'{-c+,--cgroup=}'[this cgroup]:cgroup:_files -W /sys/fs/cgroup -/' \
		'(-a --all)'{-a,--all}'[every process]' \
		'(-d --duration)'{-d+,--duration=}'[stop after TIME]:TIME:(10s 1m 10m 1h)' \
		'(-e --events)'{-e,--events}'[one line a window, failed copy and unread event]' \
		'(-j --json)'{-j,--json}'[JSON lines]' \
		'(-o --output)'{-o+,--output=}'[write the report to FILE]:FILE:_files' \
		'--by=[add a table of processes or cgroups]:what:(process cgroup)' \
		'--top[print that table each INTERVAL]' \
		'--openmetrics=[keep FILE current for Prometheus]:FILE:_files' \
		'--trace=[write a trace for Perfetto to FILE]:FILE:_files' \
		'--claims[add the claims of the mails]' \
		'(-T --timestamp)'{-T,--timestamp}'[put the time on lines]' \
		'--fail-above=[exit 2 above RATE]:RATE:(0.1% 1%)' \
		'--relock[measure relocks]' \
		'--no-writers[do not record writers]' \
		'--witness[also hook every write lock of a VMA]' \
		'--stacks[add the stacks of writers]' \
		'--overhead[add the counts for each BPF program]' \
		'--user=[act for NAME]:user:_users' \
		'--probe[show what works here]' \
		'--self-test=-[prove the plan]::mode:(only off)' \
		'--plan=[force a probe plan]:plan:(retry_fn retry_state interval mmap_lock legacy)' \
		'--brief[with list\: the PIDs alone]' \
		'(-v --verbose)'{-v,--verbose}'[print more]' \
		'(-V --version)'{-V,--version}'[print the version]' \
		'(-h --help)'{-h,--help}'[print help]' \
		'1:INTERVAL, list, report, diff or --:(list report diff 1)' \
		'*::COMMAND:_normal'
}

_uffdretry "$@"
