#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# The installed documents: every link leads to a file, and `make uninstall` removes them all.
. "$(dirname "$0")/lib.sh"
root=$(realpath "$(dirname "$0")/../..")
installed="$tmp/a root/usr/share/doc/uffdretry"

# make_here TARGET: install below a directory of the test.
make_here() {
	out=$(env -u MAKEFLAGS -u MAKELEVEL make -s -C "$root" "$1" DESTDIR="$tmp/a root" PREFIX=/usr 2>&1)
}

# dead DIRECTORY: print the dead links of its Markdown files.
dead() {
	local file link
	find "$1" -name '*.md' | while read -r file; do
		grep -oP '\]\(\K[^)#]+' "$file" | grep -v '^https\?:' | while read -r link; do
			[ -e "$(dirname "$file")/$link" ] || echo "${file#"$1"/}: $link"
		done
	done
}

make_here install-docs
report $? 'make install-docs'
for file in README.md docs/reference/EXAMPLES.md docs/reference/json.md docs/evidence/mail.txt contrib/prometheus/rules.yml; do
	[ -s "$installed/$file" ]
	report $? "$file is installed"
done
out=$(dead "$installed")
[ -z "$out" ]
report $? 'no link of an installed document is dead'
rm "$installed/docs/reference/classes.md"
[ "$(dead "$installed" | grep -c ': docs/reference/classes.md$')" -gt 0 ]
report $? 'a dead one would be found'
mkdir -p "$installed/docs/another" "$tmp/a root/usr/share/uffdretry" "$installed/empty"
echo theirs >"$installed/docs/another/file"
echo theirs >"$tmp/a root/usr/share/uffdretry/file"
make_here uninstall
report $? 'make uninstall'
[ -s "$installed/docs/another/file" ] && [ -s "$tmp/a root/usr/share/uffdretry/file" ] && [ -d "$installed/empty" ]
report $? 'what is not ours stays'
rm -r "$installed/docs/another" "$installed/empty" "$tmp/a root/usr/share/uffdretry"
rmdir "$installed/docs" "$installed"
report $? '... and no directory of ours'
out=$(find "$tmp/a root" ! -type d)
[ -z "$out" ]
report $? 'nothing is left'
done_testing
