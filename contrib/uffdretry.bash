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

# What can be the value of option $1, which begins with $2. Fails if there is nothing.
_uffdretry_value() {
	local before=
	case $1 in
	-p | --pid)
		[[ $2 != *,* ]] || before=${2%,*},
		compgen -P "$before" -W "$(_uffdretry_pids)" -- "${2##*,}"
		;;
	-c | --cgroup) compgen -d -- "${2:-/sys/fs/cgroup/}" ;;
	-o | --output | --openmetrics | --trace) compgen -f -- "$2" ;;
	-d | --duration) compgen -W '10s 1m 10m 1h' -- "$2" ;;
	--fail-above) compgen -W '0.1% 1%' -- "$2" ;;
	--by) compgen -W 'process cgroup' -- "$2" ;;
	--user) compgen -u -- "$2" ;;
	--plan) compgen -W 'retry_fn retry_state interval mmap_lock legacy' -- "$2" ;;
	--self-test) compgen -W 'only off' -- "$2" ;;
	*) return 1 ;;
	esac
}

# Is the first word report or diff? Then what is no option is a file.
_uffdretry_takes_files() {
	[[ $COMP_CWORD -gt 1 && ${COMP_WORDS[1]} =~ ^(report|diff)$ ]]
}

_uffdretry() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} option='' value='' before='' words
	local options='-p --pid -c --cgroup -a --all -d --duration -e --events -j --json -o --output --openmetrics --trace
		--by --top --claims --relock --no-writers --witness --overhead --stacks --fail-above --probe --self-test --plan --user -T --timestamp
		-v --verbose -V --version -h --help --brief --'

	COMPREPLY=()
	! _uffdretry_command 2>/dev/null || return 0
	# --plan=re: where = ends a word (COMP_WORDBREAKS) these are the three words --plan, = and re.
	if [[ $cur == --*=* ]]; then
		option=${cur%%=*} value=${cur#*=} before=$option=
	elif [ "$cur" = = ]; then
		option=$prev
	elif [ "$prev" = = ]; then
		option=${COMP_WORDS[COMP_CWORD - 2]} value=$cur
	elif [ "$prev" != --self-test ]; then
		option=$prev value=$cur
	fi
	case $option in -c | --cgroup | -o | --output | --openmetrics | --trace) compopt -o filenames 2>/dev/null ;; esac
	if words=$(_uffdretry_value "$option" "$value"); then
		mapfile -t COMPREPLY <<<"$words"
		COMPREPLY=("${COMPREPLY[@]/#/$before}")
		return
	fi
	case $cur in
	-*) mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur") ;;
	*)
		if _uffdretry_takes_files; then
			compopt -o filenames 2>/dev/null
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		elif [ "$COMP_CWORD" -eq 1 ] && [ -n "$cur" ]; then
			mapfile -t COMPREPLY < <(compgen -W 'list report diff' -- "$cur")
		fi
		;;
	esac
}

complete -F _uffdretry uffdretry
