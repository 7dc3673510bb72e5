# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# Completion of uffdretry's command line for fish.

# The processes that hold a userfaultfd; if there is none, all. Behind a comma, with what is before it.
function __uffdretry_pids
	set -l before (string match -r '^.*,' -- (commandline -ct | string replace -r '^(--pid=|-p)' ''))
	set -l tool (commandline -opc)[1]
	set -l pids ($tool list --brief 2>/dev/null)
	if test -z "$pids"
		set pids (string match -rg '^/proc/([0-9]+)$' /proc/*)
	end
	printf "$before%s\n" $pids
end

function __uffdretry_first
	test (count (commandline -opc)) -eq 1
end

function __uffdretry_files
	string match -qr '^(report|diff)$' -- (commandline -opc)[2]
end

complete -c uffdretry -f
complete -c uffdretry -n __uffdretry_first -a list -d 'who holds a userfaultfd'
complete -c uffdretry -n __uffdretry_first -a report -d 'a saved JSON as text'
complete -c uffdretry -n __uffdretry_first -a diff -d 'compare two runs'
complete -c uffdretry -n __uffdretry_files -F
complete -c uffdretry -s p -l pid -x -a '(__uffdretry_pids)' -d 'these processes'
complete -c uffdretry -s c -l cgroup -x -a '(__fish_complete_directories (commandline -ct) cgroup)' -d 'this cgroup'
complete -c uffdretry -s a -l all -d 'every process'
complete -c uffdretry -s d -l duration -x -a '10s 1m 10m 1h' -d 'stop after TIME'
complete -c uffdretry -s e -l events -d 'one line a window, failed copy and unread event'
complete -c uffdretry -s j -l json -d 'JSON lines'
complete -c uffdretry -s o -l output -r -F -d 'write the report to FILE'
complete -c uffdretry -l by -x -a 'process cgroup' -d 'add a table of processes or cgroups'
complete -c uffdretry -l top -d 'print that table each INTERVAL'
complete -c uffdretry -l openmetrics -r -F -d 'keep FILE current for Prometheus'
complete -c uffdretry -l trace -r -F -d 'write a trace for Perfetto to FILE'
complete -c uffdretry -l claims -d 'add the claims of the mails'
complete -c uffdretry -s T -l timestamp -d 'put the time on lines'
complete -c uffdretry -l fail-above -x -a '0.1% 1%' -d 'exit 2 above RATE'
complete -c uffdretry -l relock -d 'measure relocks'
complete -c uffdretry -l no-writers -d 'do not record writers'
complete -c uffdretry -l witness -d 'also hook every write lock of a VMA'
complete -c uffdretry -l stacks -d 'add the stacks of writers'
complete -c uffdretry -l overhead -d 'add the counts for each BPF program'
complete -c uffdretry -l user -x -a '(__fish_complete_users)' -d 'act for NAME'
complete -c uffdretry -l probe -d 'show what works here'
complete -c uffdretry -l self-test -f -a 'only off' -d 'prove the plan'
complete -c uffdretry -l plan -x -a 'retry_fn retry_state interval mmap_lock legacy' -d 'force a probe plan'
complete -c uffdretry -l brief -d 'with list: the PIDs alone'
complete -c uffdretry -s v -l verbose -d 'print more'
complete -c uffdretry -s V -l version -d 'print the version'
complete -c uffdretry -s h -l help -d 'print help'
