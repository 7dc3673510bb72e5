#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: where packages for arm64 are missing, a test for it is skipped, and names them. make install takes
# the program of that processor.
set -u
root=$(realpath "$(dirname "$0")/../..")
# shellcheck source=../tap.sh
. "$root/tests/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A Debian where no package is installed.
printf '#!/bin/sh\n' >"$work/dpkg-query"
cp "$work/dpkg-query" "$work/apt-get"
chmod +x "$work"/*
PATH=$work:$PATH "$root/tests/vm/exact" arm64-7.3 short >"$work/tap" 2>&1
check 'a test for arm64 without the cross compiler is skipped' grep -q '^1\.\.0 # SKIP .*gcc-aarch64-linux-gnu' "$work/tap"
check '... and does nothing else' test "$(wc -l <"$work/tap")" = 1

# installs ARCH FILE
installs() {
	PATH=$work:$PATH env -u MAKEFLAGS -u MAKELEVEL make -n -C "$root" ARCH="$1" install | grep -q "^install -D -m 755 $2 "
}

arm64=build/arm64/uffdretry-static
[ "$(uname -m)" != aarch64 ] || arm64=uffdretry
check 'make install takes the program for arm64' installs arm64 "$arm64"
check '... and of this one' installs "$(uname -m)" uffdretry
done_testing
