#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# docs/evidence/programs.md agrees with the records of make check-programs.
. "$(dirname "$0")/lib.sh"
root=$(realpath "$(dirname "$0")/../..")

"$root/tests/programs/report" --check
report $? 'docs/evidence/programs.md is made of docs/evidence/data/programs'
for file in "$root"/docs/evidence/data/programs/*.json; do
	jq -es '.[0] | .type == "program" and .schema == 1 and (.name | length > 0) and (.version | length > 0)
		and (.result | length > 0) and (.summary == null or (.summary.type == "summary" and .summary.anomalies == 0
		and ([.summary.windows | to_entries[] | select(.key != "total").value // 0] | add) == .summary.windows.total))' \
		"$file" >"$tmp/jq" 2>&1
	report $? "${file##*/} is a record, and its classes sum to the windows"
done
done_testing
