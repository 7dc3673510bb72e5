#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: each action of the CI is named by a commit, which nobody can move, and by its version.
set -u
root=$(realpath "$(dirname "$0")/../..")
# shellcheck source=../tap.sh
. "$root/tests/tap.sh"

# pinned FILE: it uses actions, each as OWNER/NAME@COMMIT # vN.
pinned() {
	local used
	used=$(grep -E '^ *(- )?uses:' "$1") && ! grep -Ev 'uses: [a-z-]+/[a-z-]+@[0-9a-f]{40} # v[0-9.]+$' <<<"$used"
}

for file in "$root"/.github/workflows/*.yml; do
	check "$(basename "$file"): its actions have digests" pinned "$file"
done
check 'a tag is found' test "$(pinned <(echo '- uses: actions/checkout@v4'))" = '- uses: actions/checkout@v4'
done_testing
