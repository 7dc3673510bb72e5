#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: make builds an object again when the flags change, and only then.
set -u
root=$(realpath "$(dirname "$0")/../..")
# shellcheck source=../tap.sh
. "$root/tests/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
object=$work/lib/rig_copy.o

# made OPTION...: does make build the object with these?
made() {
	local before=
	[ ! -e "$object" ] || before=$(stat -c %y "$object")
	make -s -C "$root" BUILD="$work" WERROR= "$@" "$object" >&2 || return
	[ "$(stat -c %y "$object")" != "$before" ]
}

kept() {
	! made "$@"
}

# make install: would it build the object?
installs() {
	make -n -C "$root" BUILD="$work" CFLAGS=-O3 install | grep -qF -- "-c lib/rig_copy.c -o $object"
}

check 'an object is built' made CFLAGS=-O2
check '... not with the same flags' kept CFLAGS=-O2
check '... nor where warnings are errors' kept CFLAGS=-O2 WERROR=1
check '... with another optimization' made CFLAGS=-O1
check '... with a definition that has quotes' made CFLAGS=-O1 CPPFLAGS="-DNAME='\"it'"
check '... not again' kept CFLAGS=-O1 CPPFLAGS="-DNAME='\"it'"
ln -s "$(command -v gcc)" "$work/cc"
check '... with another compiler' made CFLAGS=-O1 CPPFLAGS="-DNAME='\"it'" CC="$work/cc"
check '... not again with that' kept CFLAGS=-O1 CPPFLAGS="-DNAME='\"it'" CC="$work/cc"
check '... with another linker option' made CFLAGS=-O1 LDFLAGS=-Wl,-O1
check '... not by make install' test "$(installs; echo $?)" = 1
done_testing
