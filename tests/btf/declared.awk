# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
#
# Turn a header of kernel types into C that refers to each type, so that clang puts them all in BTF.
# Write its "optional" comments to the file named by -v marks=, as btfcheck reads them.

function reference(type) { references = references type " *btfcheck_reference_" ++n ";\n" }

function complain(what) { print FILENAME ":" FNR ": " what >"/dev/stderr"; failed = 1 }

# A mark on this line is for FIELD of the current type ("-": the type). The name of a typedef'd
# struct comes at its end, so marks wait in pending.
function mark(field, word) {
	if (!match($0, /\/\* *optional/))
		return
	word = substr($0, RSTART)
	if (word !~ /^\/\* *optional(-everywhere)?: *[^ *]/)
		complain("an optional mark without a reason")
	pending[++waiting] = field (word ~ /^\/\* *optional-everywhere/ ? " everywhere" : " optional")
}

function flush_marks(type, i) {
	for (i = 1; i <= waiting; i++)
		print type, pending[i] >marks
	waiting = 0
}

# The name that a declaration declares: int (*f)(int); int x : 3; struct y z[2]; A = 1,
function declared(line) {
	sub(/\/\*.*/, "", line)
	sub(/\/\/.*/, "", line)
	if (match(line, /\(\*[A-Za-z0-9_]+\)/))
		return substr(line, RSTART + 2, RLENGTH - 3)
	sub(/[ \t]*[;,][ \t]*$/, "", line)
	sub(/[ \t]*=.*/, "", line)
	sub(/[ \t]*:[ \t]*[0-9]+$/, "", line)
	gsub(/[ \t]*\[[^]]*\]/, "", line)
	sub(/[ \t]*__attribute__.*/, "", line)
	return match(line, /[A-Za-z0-9_]+[ \t]*$/) ? substr(line, RSTART, RLENGTH) : "-"
}

BEGIN { printf "" >marks }

depth == 0 && /^enum[ \t]*\{/ {
	type = "enum"
	sub(/^enum/, "enum btfcheck_anon_" ++anonymous)
	reference("enum btfcheck_anon_" anonymous)
}
depth == 0 && /^(struct|union|enum)[ \t]+[A-Za-z0-9_]+[ \t]*[{;]/ && !/btfcheck_anon_/ {
	type = $2
	sub(/[{;].*/, "", type)
	reference($1 " " type)
	mark("-")
}
depth == 0 && /^typedef/ {
	mark("-")
	type = ""
	if (!/\{/)
		reference(type = declared($0))
}
depth > 0 && !/^}/ { mark(declared($0)) }
depth == 1 && /^}/ && type == "" { reference(type = declared($0)) }

{
	code = $0
	sub(/\/\*.*/, "", code) # comments end their lines here
	sub(/^ *\*.*/, "", code)
	depth += gsub(/\{/, "", code) - gsub(/\}/, "", code)
	if (depth == 0)
		flush_marks(type)
	print
}

END {
	printf "%s", references
	exit failed
}
