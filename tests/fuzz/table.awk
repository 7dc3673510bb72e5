# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# Print the table "The class of a window" of docs/reference/classes.md as C: one row a class, in
# order.
/^## / { inside = /The class of a window/ }
inside && /^\| `/ {
	gsub(/[`|]/, " ")
	n = split($0, words, " ")
	if (words[1] == "undetermined")
		next
	row = "{ \"" words[1] "\""
	for (i = n - 3; i <= n; i++)
		row = row ", " (words[i] == "EAGAIN" ? "SAYS_EAGAIN" : words[i] == "pass" ? "SAYS_PASS" : "SAYS_NOTHING")
	print row " },"
}
