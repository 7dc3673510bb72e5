#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: tools/stacks.py folds known stacks, names what it can prove, and refuses bad input with one line.
set -u
root=$(realpath "$(dirname "$0")/../..")
# shellcheck source=../tap.sh
. "$root/tests/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
nl=$'\n'

# A program whose addresses are not its offsets: functions known and other.
build() {
	printf 'int known(void) { return 1; }\nint other(void) { return 2; }\nint main(void) { return 0; }\n' >"$work/a.c"
	"${CC:-cc}" -O0 -no-pie -Wl,-Ttext-segment=0x600000 "$work/a.c" -o "$work/a;out" || return
	known=0x$(nm "$work/a;out" | sed -n 's/^\([0-9a-f]*\) T known$/\1/p')
	offset=$(printf '0x%x' $((known - 0x600000)))
}

# A stripped library: behind shown, a function that has no symbol any more.
build_stripped() {
	printf 'static int hidden(void);\nint shown(void) { return hidden(); }\nstatic int hidden(void) { return 1; }\n' >"$work/b.c"
	"${CC:-cc}" -O0 -shared -fPIC "$work/b.c" -o "$work/b.so" || return
	hidden=0x$(nm "$work/b.so" | sed -n 's/^0*\([0-9a-f]*\) t hidden$/\1/p')
	shown=0x$(nm "$work/b.so" | sed -n 's/^0*\([0-9a-f]*\) T shown$/\1/p')
	strip "$work/b.so"
	jq -nc --argjson time "$later" --arg hidden "$work/b.so+$hidden" --arg shown "$work/b.so+$shown" '
		{type: "summary", schema: 1, time: $time, elapsed_s: 1, stacks: [
			{pid: 1, comm: "s", user: [$shown, $hidden], kernel: null, sections: 1}]}' >"$work/stripped"
}

# record TIME: a run of a second that ends then.
record() {
	jq -nc --argjson time "$1" --arg known "$work/a;out+$offset" '
		{type: "start", schema: 1},
		{type: "summary", schema: 1, time: $time, elapsed_s: 1, stacks: [
			{pid: 1, comm: "a;b\n", user: ["[deeper]", "0x7f00", $known], kernel: ["entry", "do_munmap"], sections: 3},
			{pid: 2, comm: "a;b\n", user: ["[deeper]", "0x7f00", $known], kernel: ["entry", "do_munmap"], sections: 4},
			{pid: 3, comm: "khugepaged", user: null, kernel: ["collapse"], sections: 9},
			{pid: 4, comm: "x", user: ["/nosuch/lib.so (deleted)+0x12", "/dev/null+0x1", ".../deep+0x5"], kernel: null, sections: 1}]}'
}

# folds WANT ARGUMENT...: this is its whole stdout.
folds() {
	local want=$1
	shift
	timeout 30 "$root/tools/stacks.py" "$@" >"$work/out" 2>"$work/err" || return
	diff "$work/out" - <<<"$want"
}

# refuses STATUS TEXT ARGUMENT...: with one line on stderr, and nothing on stdout.
refuses() {
	local status=$1 text=$2
	shift 2
	"$root/tools/stacks.py" "$@" >"$work/out" 2>"$work/err"
	[ $? = "$status" ] && [ ! -s "$work/out" ] && [ "$(wc -l <"$work/err")" = 1 ] && grep -qF "$text" "$work/err" && return
	cat "$work/out" "$work/err"
	return 1
}

full_disk() {
	! "$root/tools/stacks.py" "$work/run" >/dev/full 2>"$work/err" && grep -q 'stdout: No space left' "$work/err"
}

without_binutils() {
	PATH=/nosuch "$root/tools/stacks.py" "$work/run" 2>"$work/err"
	[ $? = 1 ] && [ "$(wc -l <"$work/err")" = 1 ] && grep -q 'readelf: No such file or directory' "$work/err"
}

# An addr2line that waits, as the real one does where a FIFO has the name of the debug file.
# Of a program with four frames it is asked once.
silent_binutils() {
	mkdir "$work/bin" && printf '#!/bin/sh\necho >>"%s/asked"\nexec sleep 60\n' "$work" >"$work/bin/addr2line" && chmod +x "$work/bin/addr2line" || return
	jq -nc --argjson time "$later" --arg file "$work/a;out" --argjson offset "$((offset))" '
		def hex: [recurse(. / 16 | floor; . > 0) % 16] | reverse | map("0123456789abcdef"[.:. + 1]) | add;
		{type: "summary", schema: 1, time: $time, elapsed_s: 1, stacks: [
			{pid: 1, comm: "a", user: [range(4) | "\($file)+0x\($offset + . | hex)"], kernel: null, sections: 1}]}' >"$work/four"
	PATH=$work/bin:$PATH /usr/bin/python3 -c "import sys; sys.path.insert(0, '$root/tools'); sys.dont_write_bytecode = True
import stacks; stacks.PATIENCE = 1; stacks.main()" "$work/four" >"$work/out" 2>"$work/err" || return
	grep -qE '^a(;[^;]*/a\?out\+0x[0-9a-f]+){4} 1$' "$work/out" && [ "$(wc -l <"$work/asked")" = 1 ] && [ "$(wc -l <"$work/err")" = 1 ] &&
		grep -q "addr2line had no answer for '[^']*/a;out' in 1 s, and is not asked again\$" "$work/err"
}

# Python's print() takes stdout where stderr is closed.
without_stderr() {
	"$root/tools/stacks.py" "$work/old" >"$work/out" 2>&- && ! grep -q newer "$work/out" && [ "$(wc -l <"$work/out")" = 3 ]
}

without_stdout() {
	"$root/tools/stacks.py" "$work/run" >&- 2>"$work/err"
	[ $? = 1 ] && [ "$(cat "$work/err")" = 'stacks.py: stdout: it is closed' ]
}

installed() {
	env -u MAKEFLAGS -u MAKELEVEL make -s -C "$root" install-stacks DESTDIR="$work/a root" PREFIX=/usr || return
	! "$work/a root/usr/bin/uffdretry-stacks" "$work/nosuch" 2>"$work/err" && grep -q '^uffdretry-stacks: .*nosuch: No such file' "$work/err" || return
	[ -s "$work/a root/usr/share/man/man1/uffdretry-stacks.1" ] || return
	env -u MAKEFLAGS -u MAKELEVEL make -s -C "$root" uninstall-stacks DESTDIR="$work/a root" PREFIX=/usr
	[ -z "$(find "$work/a root" ! -type d)" ]
}

man=$root/docs/reference/uffdretry-stacks.1
manual() {
	diff <("$root/tools/stacks.py" --help | grep -oE '^  --?[a-z]+(, --[a-z]+)?' | grep -oE -- '--?[a-z]+' | sort) \
		<(sed -n 's/^\.It //p' "$man" | grep -E '^Fl' | sed 's/Fl Fl /--/g; s/Fl /-/g; s/ Ar.*//; s/ , /\n/g' | sort)
}

clean_manual() {
	! mandoc -T lint -W style "$man" 2>&1 | grep -vE 'lacks .* entry|referenced manual not found'
}

rest='khugepaged;collapse_[k] 9'
plain="/nosuch/lib.so (deleted)+0x12;/dev/null+0x1;.../deep+0x5 1"
known='' offset='' shown='' hidden=''
build
check 'a program with known addresses is built' [ -n "$offset" ]
later=$(($(date +%s) + 1000))
record $later >"$work/run"
check 'stacks that read alike are one line, with names' folds "$rest${nl}a?b?;[deeper];0x7f00;known;entry_[k];do_munmap_[k] 7${nl}x;$plain" "$work/run"
check '... from stdin' folds "$rest${nl}a?b?;[deeper];0x7f00;known;entry_[k];do_munmap_[k] 7${nl}x;$plain" <"$work/run"
check 'below another root there is no such file' folds "$rest${nl}a?b?;[deeper];0x7f00;$work/a?out+$offset;entry_[k];do_munmap_[k] 7${nl}x;$plain" --sysroot /nosuch "$work/run"
{
	printf 'hello\n{ no JSON\n{"x": {"type":"summary"}}\n\377restored 100%%'
	record $later
	record $later | head -c -9
} >"$work/among"
check 'what is no record is skipped, also in a line, and a record that is cut off' folds "$rest${nl}a?b?;[deeper];0x7f00;known;entry_[k];do_munmap_[k] 7${nl}x;$plain" "$work/among"
{
	printf '%s\n' '{"type":"load","schema":2}' '{"type":"summary","passed":3}' '{"type":"summary","schema":true}'
	record $later
	printf '{"type":"summary","passed":3}\n'
} >"$work/theirs"
check 'JSON of the command that has our types is skipped' folds "$rest${nl}a?b?;[deeper];0x7f00;known;entry_[k];do_munmap_[k] 7${nl}x;$plain" "$work/theirs"
{
	printf 'x'
	printf '{"type": "a\\%.0s' {1..200000}
	echo
	record $later
} >"$work/marks"
check 'many beginnings of a record in one line cost less than half a minute' folds "$rest${nl}a?b?;[deeper];0x7f00;known;entry_[k];do_munmap_[k] 7${nl}x;$plain" "$work/marks"
record 1000000000 >"$work/old"
check 'a file that is newer than the run gives no name' folds "$rest${nl}a?b?;[deeper];0x7f00;$work/a?out+$offset;entry_[k];do_munmap_[k] 7${nl}x;$plain" "$work/old"
check '... and is told of' grep -q 'is newer than the run' "$work/err"
named="a?b?;[deeper];0x7f00;known;entry_[k];do_munmap_[k] 7"
unnamed="a?b?;[deeper];0x7f00;$work/a?out+$offset;entry_[k];do_munmap_[k] 7"
both="khugepaged;collapse_[k] 18$nl$unnamed$nl$named${nl}x;${plain% 1} 2"
check 'with a run before and one after it, each has its names' folds "$both" "$work/old" "$work/run"
check '... in the other order' folds "$both" "$work/run" "$work/old"
build_stripped
check 'a stripped library is built' [ -n "$hidden" ]
check 'a function without a symbol has not the name of the one before it' folds "s;shown;$work/b.so+$hidden 1" "$work/stripped"
check 'a file that is not there' refuses 1 'nosuch: No such file or directory' "$work/nosuch"
echo '{"type":"summary","schema":1,"time":1,"elapsed_s":1}' >"$work/without"
check 'a run without --stacks' refuses 1 'the summary has no stacks' "$work/without"
record $later | head -n 1 >"$work/started"
check 'a run that was interrupted' refuses 1 'started: no summary' "$work/started"
record $later | jq -c '.schema = 2' >"$work/newer"
check 'a newer schema' refuses 1 'newer: schema 2 is newer than this program, which knows 1' "$work/newer"
for bad in '{' '[]' '1' '{"type":"summary","schema":1}' '{"type":"summary","schema":1,"time":1,"elapsed_s":1,"stacks":[{}]}' \
	'{"type":"summary","schema":1,"time":1,"elapsed_s":1,"stacks":[{"comm":"a","user":[1],"kernel":null,"sections":1}]}' \
	'{"type":"summary","schema":1,"time":1,"elapsed_s":1,"stacks":5}' $'\xff' \
	"{\"type\":\"summary\",\"schema\":1,\"time\":$(printf '9%.0s' {1..400}),\"elapsed_s\":1.5,\"stacks\":[]}" \
	"{\"type\":\"summary\",\"schema\":1,\"time\":1,\"elapsed_s\":1,\"stacks\":[{\"comm\":\"a\",\"user\":null,\"kernel\":null,\"sections\":$((1 << 62))0}]}"; do
	printf '%s\n' "$bad" >"$work/bad"
	check "bad input: $(printf %q "${bad::80}")" refuses 1 "$work/bad: no" "$work/bad"
done
printf '[%.0s' {1..100000} >"$work/deep"
check 'JSON that is nested too deeply' refuses 1 "$work/deep: no summary" "$work/deep"
check 'control characters in the name of a file' refuses 1 'stacks.py: ?]0;x?: No such file' $'\e]0;x\a'
check 'stderr is closed: no message among the stacks' without_stderr
check 'stdout is closed' without_stdout
check 'a machine without binutils' without_binutils
check 'an addr2line that waits is asked once for a file' silent_binutils
check 'bad usage' refuses 64 'see --help' --nosuch
check 'a full disk' full_disk
check 'the installed program has its name' installed
check 'the manual has the options of --help' manual
if command -v mandoc >/dev/null; then
	check 'the manual is clean' clean_manual
fi
done_testing
