#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: `make dist` packs the last commit, each time into the same bytes, and fails without a commit.
set -u
root=$(realpath "$(dirname "$0")/../..")
# shellcheck source=../tap.sh
. "$root/tests/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# dist NAME: pack into a directory of that name. Prints the tarball's path.
dist() {
	env -u MAKEFLAGS -u MAKELEVEL make -s -C "$root" dist DIST="$work/$1"
}

without_git() {
	! GIT_DIR=$work/none dist none && [ -z "$(find "$work/none" -name '*.gz')" ]
}

same_twice() {
	dist a && dist b && cmp "$work"/a/*.gz "$work"/b/*.gz
}

# The caller's git configuration changes nothing.
same_with() {
	GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=$1 GIT_CONFIG_VALUE_0=$2 dist c && cmp "$work"/a/*.gz "$work"/c/*.gz
}

# gzip takes options from there, and says that it is deprecated.
same_with_gzip() {
	GZIP=--rsyncable dist c && cmp "$work"/a/*.gz "$work"/c/*.gz
}

has_the_commit() {
	local named # .gitattributes leaves itself out
	named=$(git -C "$root" ls-tree -r --name-only HEAD | grep -vx .gitattributes | sort)
	[ "$(tar -tzf "$work"/a/*.gz | sed 's|^[^/]*/||' | grep -v '/$' | sed '/^$/d' | sort)" = "$named" ]
}

[ "$(git -C "$root" rev-parse --show-toplevel 2>/dev/null)" = "$root" ] || skip_all 'no commit here'
check 'without a commit: an error, and no tarball' without_git
check 'two tarballs are the same' same_twice
echo '*.md export-ignore' >"$work/attributes"
check '... with a umask of git' same_with tar.umask 0077
check '... with its ends of lines' same_with core.autocrlf true
check '... with its attributes' same_with core.attributesFile "$work/attributes"
check '... with options of gzip' same_with_gzip
check 'a tarball has the files of the commit' has_the_commit
done_testing
