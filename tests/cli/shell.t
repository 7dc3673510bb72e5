#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: every shell script of the project passes shellcheck.
set -u
cd "$(dirname "$0")/../.." || exit 1

n=0 nl=$'\n'
while read -r file; do
	n=$((n + 1))
	if said=$(shellcheck "$file"); then
		echo "ok $n - $file"
	else
		echo "not ok $n - $file"
		printf "# %s\n" "${said//$nl/$nl# }"
	fi
done < <(grep -rlE --exclude-dir=.git --exclude-dir=build '^#!/bin/(ba)?sh|^# shellcheck shell=' .)
echo "1..$n"
