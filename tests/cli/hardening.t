#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: what ships is hardened, as its ELF headers tell. `make static` checks its programs itself.
set -u
root=$(realpath "$(dirname "$0")/../..")
# shellcheck source=../tap.sh
. "$root/tests/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# misses OPTION TEXT: without it the check says so.
misses() {
	local all=(-O2 -fPIE -pie -fstack-protector-all -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 "-Wl,-z,relro,-z,now")
	printf '%s\n' '#include <stdio.h>' 'int main(int n, char **v) { char s[9]; return sprintf(s, v[0], n) + puts(s); }' >"$work/a.c"
	# shellcheck disable=SC2086 # words
	gcc -w "${all[@]}" $1 "$work/a.c" -o "$work/a" || return
	[ "$("$root/tools/package/check-hardened" "$work/a")" = "${2:+$work/a: $2}" ]
}

# From the Intel manual: the linker keeps the mark only where the C library has it, too.
branches_are_checked() {
	local object
	for object in "$root"/build/src/uffdretry.o "$root"/build/src/*/*.o "$root"/build/lib/*.o; do
		readelf -nW "$object" | grep -q 'x86 feature: IBT, SHSTK' || { echo "$object: no CET"; return 1; }
	done
}

for program in uffdretry uffdload; do
	check "$program is hardened" "$root/tools/package/check-hardened" "$root/$program"
done
check 'what we compile has landing pads and shadow stacks (CET)' branches_are_checked
check 'a hardened program passes' misses '' ''
check 'without PIE' misses '-fno-pie -no-pie' 'no position-independent executable'
check 'without RELRO' misses '-Wl,-z,norelro' 'no RELRO'
check 'without BIND_NOW' misses '-Wl,-z,lazy' 'no BIND_NOW'
check 'with an executable stack' misses '-Wl,-z,execstack' \
	"no stack that is not executable$(printf '\n%s' "$work/a: TEXTREL, RPATH, RUNPATH, or a segment that is writable and executable")"
check 'without a stack protector' misses '-fno-stack-protector' 'no stack protector'
check 'without _FORTIFY_SOURCE' misses '-U_FORTIFY_SOURCE' 'no _FORTIFY_SOURCE'
check 'with a path for libraries' misses '-Wl,-rpath,/tmp' \
	'TEXTREL, RPATH, RUNPATH, or a segment that is writable and executable'
done_testing
