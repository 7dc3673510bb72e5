# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# What the tests that boot a kernel share, with the TAP of tests/tap.sh.
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
root=$(realpath "$here/../..")
# shellcheck source=../tap.sh
. "$root/tests/tap.sh"
out=$(mktemp -d)
# KEEP=DIR: keep the guest's files there.
trap '[ -z "${KEEP:-}" ] || { mkdir -p "$KEEP" && cp -r "$out/." "$KEEP"; }; rm -rf "$out"' EXIT
vm_options=()
# Where the programs for this script's kernel are.
built=$root/build
if [[ ${1:-} == arm64-* ]]; then
	built+=/arm64
	why=$({ DEPS=no "$root/tools/deps" arm64 && "$root/tools/sysroot" arm64; } 2>&1 >/dev/null) || skip_all "${why##*$'\n'}"
fi

# none_left FILE: the guest found no BPF object.
none_left() {
	[ "$(cat "$out/$1")" = 'programs 0 maps 0 links 0' ] || { cat "$out/$1"; return 1; }
}

# boot KERNEL GUEST_SCRIPT [ARG...]: run tests/vm/guest/GUEST_SCRIPT in the guest. Its /out comes
# back in $out. The array vm_options has more options of tests/vm/run. With PARALLEL=yes its processors
# really run at once. APPEND has more kernel parameters.
boot() {
	local kernel=$1 script=$2 run=(sh "/bin/$2") status
	shift 2
	# tests/coverage uses another build of the tool, which leaves its counters in /out.
	if [ -n "${COVERAGE:-}" ]; then
		vm_options+=(--timeout 2700 --add "$root/build/cov/uffdretry:/bin/uffdretry" --add "$here/guest/coverage.sh")
		run=(sh /bin/coverage.sh "/bin/$script")
	fi
	"$here/run" ${PARALLEL:+--parallel} ${APPEND:+--append "$APPEND"} --timeout 900 --add "$here/guest/lib.sh" --add "$here/guest/$script" --add "$built/bpfleft" \
		--out "$out" --log "$out/log" "${vm_options[@]}" "$kernel" -- "${run[@]}" "$@"
	status=$?
	[ ! -d "$out/gcov" ] || cp -r "$out/gcov/." "$COVERAGE"
	return $status
}

# boot_or_skip KERNEL GUEST_SCRIPT [ARG...]: boot, and set status. The guest's stderr is in $out/stderr.
# Skips the test if the kernel, or the QEMU for it, is not available.
boot_or_skip() {
	boot "$@" 2>"$out/stderr"
	status=$?
	[ $status -ne 77 ] || skip_all "kernel $1 cannot be booted: $(tail -n 1 "$out/stderr")"
	show_again
}

# Print what was run again: by the guest, and boots of it.
show_again() {
	local line
	[ ! -e "$out/again" ] || while read -r line; do
		again "${line%%: *}" "${line#*: }"
	done <"$out/again"
}

# The last test of each: whatever it looked at, the guest's records fit the schema.
done_testing() {
	check 'each JSON record fits the schema' "$root/tests/check-json" "$out"
	echo "1..$tests"
}

# The guest's script succeeded, and noted no failure.
no_failure() {
	[ $status -eq 0 ] && [ ! -e "$out/failed" ] && return
	echo "status $status, failed: $(cat "$out/failed" 2>/dev/null)"
	tail -n 20 "$out/stderr" "$out"/*.load "$out"/*.err 2>/dev/null
	return 1
}
