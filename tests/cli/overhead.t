#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# docs/evidence/overhead.md and the man page agree with the measured costs
# (docs/evidence/data/bench.json), and a worse run is reported as worse.
. "$(dirname "$0")/lib.sh"
root=$(realpath "$(dirname "$0")/../..")

out=$("$root/bench/report.py" docs --check 2>&1)
report $? 'the documents have the numbers of docs/evidence/data/bench.json'

# worse KERNEL CONFIG OPERATION FACTOR: compare with a measurement that is FACTOR times as high.
worse() {
	python3 - "$root/docs/evidence/data/bench.json" "$tmp/now.json" "$@" <<-'END'
	import json, sys
	bench = json.load(open(sys.argv[1]))
	bench["kernels"][sys.argv[3]]["added"][sys.argv[4]][sys.argv[5]] *= float(sys.argv[6])
	json.dump(bench, open(sys.argv[2], "w"))
	END
	out=$("$root/bench/report.py" compare "$root/docs/evidence/data/bench.json" "$tmp/now.json" 1.1 2>&1)
}
worse 7.3 traced copy_mapped 1
report $? 'the same numbers pass'
worse 7.3 traced copy_mapped 1.09
report $? '9 % more pass'
for op in copy_mapped copy_window copy_64_pages mmap_munmap; do
	worse 7.3 traced $op 1.12
	[ $? -eq 2 ]
	report $? "12 % more for $op fail"
done
done_testing
