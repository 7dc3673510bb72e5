# shellcheck shell=sh source=tests/vm/guest/lib.sh disable=SC2317
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: run each reproducer alone and under the tool. Each argument is a command line.
. /bin/lib.sh

# under_tool NAME COMMAND...
under_tool() {
	name=$1
	shift
	uffdretry -j -o "/out/$name.json" -- "$@" >"/out/$name.tool.out" 2>"/out/$name.tool.err"
	echo $? >"/out/$name.tool.status"
}

find_kernel
# shellcheck disable=SC2154 # find_kernel sets them
{
	echo "$check" >/out/check
	echo "$locks" >/out/locks
}
uname -r >/out/release

keep no-huge-pages /bin/other-file
keep no-right su nobody -c /bin/split-front
echo 64 >/proc/sys/vm/nr_hugepages
for command; do
	name=$(echo "$command" | tr ' ' -)
	# shellcheck disable=SC2086 # a list of words
	{
		keep "$name" /bin/$command
		whole "/out/$name.json" -- under_tool "$name" /bin/$command
	}
done
left >/out/left
exit 0
