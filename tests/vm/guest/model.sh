# shellcheck shell=sh source=tests/vm/guest/lib.sh disable=SC2317
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: `uffdload native --measure overlap` under the tool, once for each argument "NAME OPTION...".
. /bin/lib.sh

# one NAME OPTION...: the tool's summary and the load's record in /out/NAME.{json,record}.
one() {
	name=$1
	shift
	uffdretry -j -o "/out/$name.json" -- uffdload native --measure overlap --copies 5000 "$@" >"/out/$name.record" 2>"/out/$name.load"
}

for row; do
	# shellcheck disable=SC2086 # a list of words
	one $row || echo "$row" >>/out/failed
done
left >/out/left
exit 0
