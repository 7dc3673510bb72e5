# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# shellcheck shell=bash
# TAP for what is built twice from a tarball; sourced with that as the argument. $work is removed at
# the end.
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
tarball=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source-path=SCRIPTDIR source=../../tests/tap.sh
. "$here/../../tests/tap.sh"

# Two directories, two umasks, two time zones, two languages.
build_twice() {
	(umask 022 && TZ=UTC LC_ALL=C "$here/build" "$1" "$tarball" "$work/$1-first" "$work/a") || return
	(umask 002 && TZ=Asia/Tokyo LC_ALL=C.UTF-8 "$here/build" "$1" "$tarball" "$work/$1-second" "$work/another/directory")
}

same() {
	local file n=0
	for file in "$work/$1-first"/$2; do
		n=$((n + 1))
		cmp "$file" "$work/$1-second/$(basename "$file")" || return
		sha256sum "$file"
	done
	[ $n -gt 0 ]
}
