# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# shellcheck shell=bash
# Completion of uffdretry's command line for bash.

# The words after COMMAND belong to it: use its own completion.
_uffdretry_command() {
	local i
	for ((i = 1; i < COMP_CWORD; i++)); do
		[ "${COMP_WORDS[i]}" != -- ] || {
			_command_offset $((i + 1))
			return 0
		}
	done
	return 1
}

# The processes that hold a userfaultfd, by the tool that is being completed; if there is none, all.
_uffdretry_pids() {
	local pids
	pids=$("${COMP_WORDS[0]/#\~/$HOME}" list --brief 2>/dev/null)
	echo "${pids:-$(cd /proc && echo [0-9]*)}"
}

_uffdretry() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local options='-p --pid -c --cgroup -a --all -d --duration -e --events -j --json -o --output --openmetrics
		--claims --relock --no-writers --witness --overhead --fail-above --probe --self-test --plan --user -T --timestamp
		-v --verbose -V --version -h --help --brief --'

	COMPREPLY=()
	! _uffdretry_command 2>/dev/null || return 0
	case $prev in
	-p | --pid) mapfile -t COMPREPLY < <(compgen -W "$(_uffdretry_pids)" -- "${cur##*,}") ;;
	-c | --cgroup) mapfile -t COMPREPLY < <(compgen -d -- "${cur:-/sys/fs/cgroup/}") ;;
	-o | --output | --openmetrics) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	-d | --duration) mapfile -t COMPREPLY < <(compgen -W '10s 1m 10m 1h' -- "$cur") ;;
	--fail-above) mapfile -t COMPREPLY < <(compgen -W '0.1% 1%' -- "$cur") ;;
	--user) mapfile -t COMPREPLY < <(compgen -u -- "$cur") ;;
	--plan) mapfile -t COMPREPLY < <(compgen -W 'retry_fn retry_state interval legacy' -- "$cur") ;;
	*)
		case $cur in
		--self-test=*) mapfile -t COMPREPLY < <(compgen -P --self-test= -W 'only off' -- "${cur#*=}") ;;
		-*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur") ;;
		l*) mapfile -t COMPREPLY < <(compgen -W list -- "$cur") ;;
		esac
		;;
	esac
}

complete -F _uffdretry uffdretry
