#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# --help, the man page and the completions have the same options. The README names no others.
. "$(dirname "$0")/lib.sh"
root=$(realpath "$(dirname "$0")/../..")
man=$root/docs/reference/uffdretry.8

# Print the options among the words of stdin, one a line.
words() {
	grep -oE '(^|[^[:alnum:]-])--?[a-zA-Z][a-z-]*' | grep -oE -- '--?[a-zA-Z][a-z-]*' | sort -u
}

# same DESCRIPTION FILE: its words are those of --help.
same() {
	diff "$tmp/help" "$2" >"$tmp/out"
	local differ=$?
	out=$(<"$tmp/out")
	report $differ "$1"
}

run --help
# Only the first words of option lines count; examples and prose do not.
grep -E '^  (-|    --)' <<<"$out" | cut -c1-28 | words >"$tmp/help"
[ "$(wc -l <"$tmp/help")" -gt 20 ]
report $? '--help has options to compare'

sed -n '/^\.It Fl/{s/Fl Fl /--/g; s/Fl /-/g; s/ , / /g; p}' "$man" | words >"$tmp/man"
same 'the man page has the options of --help' "$tmp/man"

sed -n "/local options=/,/--'\$/p" "$root/contrib/uffdretry.bash" | words >"$tmp/completion"
same 'the completion for bash has the options of --help' "$tmp/completion"
sed -n "/_arguments/,/_normal/{/_arguments/d; s/\[.*//; p}" "$root/contrib/uffdretry.zsh" | words >"$tmp/completion"
same '... for zsh too' "$tmp/completion"
grep '^complete' "$root/contrib/uffdretry.fish" | grep -oE ' -(s .|l [a-z-]+)' | sed 's/ -s /-/; s/ -l /--/' | sort -u >"$tmp/completion"
same '... and for fish' "$tmp/completion"

grep -oE 'uffdretry [^|`]*' "$root/README.md" | grep -v uffdretry- | sed 's/ -- .*//; s/#.*//' | words >"$tmp/readme"
# shellcheck disable=SC2016 # backquotes of Markdown
grep -oE '`--?[a-z-]+[^`]*`' "$root/README.md" | words >>"$tmp/readme"
out=$(sort -u "$tmp/readme" | comm -23 - "$tmp/help" | grep -vx -- '--duration')
[ -z "$out" ]
report $? 'the README names no other options'

# What bash itself offers where the tool is not in PATH; completion.t has the rest.
offered() {
	bash -c '. "$1"; COMP_WORDS=(uffdretry "${@:2}"); COMP_CWORD=$(($# - 1)); _uffdretry; printf "%s\n" "${COMPREPLY[@]}"' _ \
		"$root/contrib/uffdretry.bash" "$@"
}
offered -p $$ | grep -qx $$
report $? 'bash completes -p to a process'

for n in 0 1 2 64; do
	sed -n '/^\.Sh EXIT STATUS/,/^\.Sh EXAMPLES/p' "$man" | grep -qx ".It $n"
	report $? "the man page tells of exit status $n"
done
if command -v mandoc >/dev/null; then
	# Which other manuals this machine has does not matter.
	out=$(mandoc -T lint -W style "$man" 2>&1 | grep -vE 'lacks .* entry|referenced manual not found')
	[ -z "$out" ]
	report $? 'the man page is clean'
else
	skip 'the man page is clean: mandoc is not installed'
fi
done_testing
