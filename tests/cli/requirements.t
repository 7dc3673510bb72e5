#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# The table of requirements in README.md says what the runs said: docs/reference/kernels.md (make check-kernels), the tool itself, tools/deps
# and docs/development/dependencies.md, whose versions tools/package/check-deb compares with what it installs.
. "$(dirname "$0")/lib.sh"
root=$(realpath "$(dirname "$0")/../..")
readme=$root/README.md

# row WHAT: the text of a row of the table in $readme, and of those below it that go on with it.
row() {
	awk -v what="$1" -F ' *[|] *' '/^## /{ here = /Requirements/ } here && /^[|]/ && NF >= 4 { if ($2 != "") name = $2; if (name == what) print $3 }' "$readme"
}

# kernels: a line each of docs/reference/kernels.md's table: SERIES PLAN exact|early PROVED(yes|no)
kernels() {
	awk -F ' *[|] *' '/^[|] [0-9]/ {
		split($4, plan, "`"); split($7, right, " / ")
		split($10, rights, " / ")
		print $2, plan[2], ($4 ~ /begin early/ ? "early" : "exact"), ($5 == "passed" && right[1] == right[2] && right[1] > 0 &&
			rights[1] == rights[2] && rights[1] > 0 ? "yes" : "no")
	}' "$root/docs/reference/kernels.md"
}

# series PLAN...: the first and the last of docs/reference/kernels.md that have one of these plans
series() {
	kernels | grep -E " ($(tr ' ' '|' <<<"$*")) " | sed -n '1s/ .*//p; $s/ .*//p' | xargs
}

kernels_are_those_of_the_runs() {
	local first last exact_from early
	read -r first last < <(series retry_fn retry_state interval legacy) &&
		[[ $(row kernel) == *"Debian's from $first to $last are tested"* ]] &&
		! kernels | grep -v ' yes$' || return
	# Which are exact, and from where on.
	read -r exact_from _ < <(series retry_state retry_fn)
	early=$(series interval | sed 's/ / to /')
	[[ $(row kernel) == *"$exact_from and later: exact. $early: a window's begin is seen a little early"* ]] &&
		! kernels | awk '$2 == "interval" && $3 != "early" || $2 != "interval" && $3 != "exact"' | grep . || return
	# Which have no mm_lock_seq.
	[[ $(row kernel) == *"$(awk '/^### / { s = $2; sub(":", "", s) } /Not measurable:.*mm_lock_seq: / { print s }' "$root/docs/reference/kernels.md"): exact, but there is no \`mm_lock_seq\`"* ]]
}

# The capabilities that the text on stdin names, sorted.
capabilities() {
	grep -o 'CAP_[A-Z_]*' | sort -u | tr '\n' ' '
}

# The manual's list of those without which nothing works.
in_the_manual() {
	sed -n '/^Needed until everything is attached/,/^\.El/p' "$root/docs/reference/uffdretry.8" | sed -n 's/^\.It Dv //p' | capabilities
}

rights_are_what_the_tool_misses() {
	[ -n "$(in_the_manual)" ] && [ "$(row rights | capabilities)" = "$(in_the_manual)" ] || return
	can_be_nobody || return 0
	[ "$(row rights | capabilities)" = "$(as_nobody "$UFFDRETRY" 2>&1 | grep 'missing capability' | capabilities)" ]
}

# Of what is built with: a package of tools/deps build, and of the Debian package's Build-Depends but for gcc and make.
packages_are_installed() {
	local build control name package
	build=" $("$root/tools/deps" --help | sed -n 's/^ *build *//p')"
	control=$(sed -n '/^Build-Depends:/,/^[^ B]/p' "$root/debian/control")
	while read -r name package; do
		[[ $(row 'to build') == *"$name"* && $build == *" $package "* ]] || return
		[ "$package" = gcc ] || grep -Eq "[ ,]$package\b" <<<"$control" || return
	done <<-'END'
		gcc gcc
		clang clang
		bpftool bpftool
		libbpf libbpf-dev
		libelf libelf-dev
		zlib zlib1g-dev
		json-c libjson-c-dev
		libcap-ng libcap-ng-dev
	END
	[ "$(row 'to build' | sed 's/:.*//' | tr ',' '\n' | wc -l)" -eq 8 ]
}

# The oldest libbpf that was tested is the one that is asked for.
libbpf_is_the_oldest_tested() {
	local oldest
	oldest=$(awk -F ' *[|] *' '$3 == "libbpf1" { split($4, v, /[.,]/); print v[1] "." v[2] }' "$root/docs/development/dependencies.md")
	[ -n "$oldest" ] && [[ $(row 'to build') == *"libbpf $oldest,"* ]] && grep -q "libbpf-dev (>= 1:$oldest)" "$root/debian/control"
}

check_all() {
	kernels_are_those_of_the_runs && rights_are_what_the_tool_misses && packages_are_installed && libbpf_is_the_oldest_tested
}

for what in kernels_are_those_of_the_runs rights_are_what_the_tool_misses packages_are_installed libbpf_is_the_oldest_tested; do
	out=$($what 2>&1)
	report $? "${what//_/ }"
done
# Each of these is false.
# shellcheck disable=SC2016 # no variables
for wrong in 's/from 6.1 to 7.3/from 6.1 to 7.4/' 's/7.1 and later: exact/7.0 and later: exact/' 's/6.12 to 7.0:/6.12 to 7.1:/' \
	's/| 6.1: exact, but/| 6.12: exact, but/' 's/, or `CAP_BPF` and/, or/' 's/`CAP_BPF` and/`CAP_BPF`, `CAP_SYS_PTRACE` and/' \
	's/json-c, //' 's/libbpf 1.1,/libbpf 1.2,/'; do
	readme=$tmp/README.md
	sed "$wrong" "$root/README.md" >"$readme"
	! cmp -s "$readme" "$root/README.md" && ! check_all >"$tmp/said" 2>&1
	report $? "a wrong table is noticed: $wrong"
done
done_testing
