#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: make refuses a directory whose name its rules cannot hold, and takes others. It removes no directory
# that the environment names.
set -u
root=$(realpath "$(dirname "$0")/../..")
# shellcheck source=../tap.sh
. "$root/tests/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# made NAME: what does make say in a directory of that name?
made() {
	mkdir "$work/$1" && cp -r "$root/Makefile" "$root/mk" "$root/tools" "$work/$1" &&
		make -s -C "$work/$1" help 2>&1
}

# linked LINK REGEX: as a shell that has gone there by the link sees it
linked() {
	(cd "$work/$1" && make -s help 2>&1) | grep -q "$2"
}

taken() {
	made "$1" | grep -q '^make demo '
}

refused() {
	made "$1" | grep -q 'cannot build in a directory whose name has'
}

for name in plain 'a,b:c@d~e+f%g#h{i}' grün; do
	check "takes $name" taken "$name"
done
ln -s plain "$work/q=r"
ln -s 'a=b' "$work/link"
check 'takes a directory behind a link with such a name' linked 'q=r' '^make demo '
# shellcheck disable=SC2016 # they are names
for name in 'a b' 'a=b' 'a$b' 'a&b' "a'b" 'a"b' 'a\b' 'a`b' 'a;b' 'a|b' 'a<b' 'a(b' 'a[b' 'a]b' 'a*b' 'a?b'; do
	check "refuses $name" refused "$name"
done
check 'refuses two lines' refused $'a\nb'
check 'refuses one behind a harmless link' linked link 'cannot build in a directory whose name has'
cleans() {
	BUILD=/nosuch make -n -C "$root" clean | grep -q '^rm -rf build '
}
check 'make clean does not read BUILD in the environment' cleans
done_testing
