#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
#
# TAP: vmlinux/vmlinux.h agrees with the BTF of the cached kernels in $KERNELS, and btfcheck finds
# disagreements.
set -u
# shellcheck source-path=SCRIPTDIR source=../vm/lib.sh
. "$(dirname "$(realpath "$0")")/../vm/lib.sh"
btf=$root/tests/btf

# to_btf SOURCE OBJECT
to_btf() {
	clang -target bpf -g -O2 -Wno-unknown-attributes -c "$1" -o "$2"
}

# compare HEADER KERNEL=BTF...: one line a disagreement. Status 1: there is one; 2: cannot compare.
compare() {
	local header=$1
	shift
	awk -v marks="$out/marks" -f "$btf/declared.awk" "$header" >"$out/declared.c" || return 2
	to_btf "$out/declared.c" "$out/declared.o" || return 2
	"$out/btfcheck" "$out/declared.o" "$out/marks" "$@"
}

build() {
	"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE= -O2 -Wall -Wextra -Werror "$btf/btfcheck.c" -o "$out/btfcheck" -lbpf -lelf -lz
}

# --- btfcheck on two small kernels of our own -----------------------------------------------------

# Kernel "new" has what "old" has, and more.
make_kernels() {
	cat >"$out/old.c" <<-'END'
	struct inner { int x; };
	struct sample {
		unsigned long a;
		union { struct { int b; }; long c; };
		struct inner in, *p;
		unsigned int three : 3;
		char comm[16];
	#ifdef NEW
		int later;
	#endif
	};
	typedef unsigned int number;
	typedef struct { int counter; } boxed;
	typedef struct tag { int n; } tagged;
	enum colour { RED = 1, GREEN = 2 };
	enum { LOOSE = 5 };
	struct sample s; number n; boxed y; tagged t; enum colour c; int e = LOOSE;
	int get(void) { return LOOSE; }
	END
	sed '1i #define NEW' "$out/old.c" >"$out/new.c"
	to_btf "$out/old.c" "$out/old.o" && to_btf "$out/new.c" "$out/new.o"
}

# says HEADER [LINE]: comparing HEADER with both kernels prints just LINE, or nothing.
says() {
	printf '%s\n' "$1" >"$out/sample.h"
	compare "$out/sample.h" old="$out/old.o" new="$out/new.o" >"$out/said" 2>&1
	diff "$out/said" - <<<"${2-}" -B
}

# A disagreement that both kernels have.
both() {
	says "$1" "old: $2"$'\n'"new: $2"
}

check 'btfcheck compiles' build
check 'sample kernels compile' make_kernels
check 'a header that agrees' says 'typedef unsigned int number;
typedef struct {
	int counter;
} boxed;
enum colour {
	GREEN = 2,
};
struct inner;
struct sample {
	struct inner *p;
	void *private; /* optional-everywhere: no kernel of ours has it */
	char comm[4];
	int b;
	long c;
	unsigned int three : 3;
	int later; /* optional: newer kernels */
};
struct sample___small {
	unsigned long a;
};'
check 'a wrong size' both 'struct sample {
	unsigned int a;
};' 'sample.a: declared as u32, but the kernel has u64'
check 'a wrong sign' both 'struct sample {
	long a;
};' 'sample.a: declared as s64, but the kernel has u64'
check 'a wrong kind' both 'struct sample {
	void *a;
};' 'sample.a: declared as pointer to void, but the kernel has u64'
check 'a pointer to another struct' both 'struct sample {
	struct sample *p;
};' 'sample.p: declared as pointer to struct sample, but the kernel has pointer to struct inner'
check 'an array that is too long' both 'struct sample {
	char comm[17];
};' 'sample.comm: declared as array of 17 char, but the kernel has array of 16 char'
check 'a bit-field of another width' both 'struct sample {
	unsigned int three : 4;
};' 'sample.three: a bit-field of another width, or none'
check 'a nameless struct for a named one' both 'struct sample {
	struct {
		int x;
	} in;
};' 'sample.in: declared as struct (nameless), but the kernel has struct inner'
check 'a missing field' both 'struct sample {
	int none;
};' 'sample.none: the kernel has no such field'
check 'a field that is in one kernel only' says 'struct sample {
	int later;
};' 'old: sample.later: the kernel has no such field'
check 'a missing field of a flavour' both 'struct sample___small {
	int none;
};' 'sample___small.none: the kernel has no such field'
check 'a missing struct' both 'struct none {
	int x;
};' 'none: the kernel has no such type'
check 'a missing opaque struct' both 'struct none;' 'none: the kernel has no such type'
check 'a wrong typedef' both 'typedef unsigned long number;' 'number: declared as u64, but the kernel has u32'
check 'a wrong field in a typedef' both 'typedef struct {
	long counter;
} boxed;' 'boxed.counter: declared as s64, but the kernel has s32'
check 'a nameless struct for the named one of a typedef' says 'typedef struct {
	int n;
} tagged;'
check '... and a wrong field in it' both 'typedef struct {
	long n;
} tagged;' 'tagged.n: declared as s64, but the kernel has s32'
check 'a wrong enumerator' both 'enum colour {
	RED = 7,
};' 'colour.RED: the kernel has another value'
check 'a missing enumerator' both 'enum colour {
	BLUE = 3,
};' 'colour.BLUE: no such enumerator'
check 'a missing nameless enumerator' both 'enum {
	TIGHT = 5,
};' 'enum.TIGHT: no such enumerator'
check 'an optional field that no kernel has' says 'struct sample {
	int none; /* optional: I thought so */
};' 'all kernels: sample none: absent from all of them, but not marked optional-everywhere'
check 'an optional struct that no kernel has' says 'struct none { /* optional: I thought so */
	int x;
};' 'all kernels: none -: absent from all of them, but not marked optional-everywhere'
check 'an optional field of the wrong size' both 'struct sample {
	int a; /* optional: no excuse */
};' 'sample.a: declared as s32, but the kernel has u64'
check 'an optional flavour that fits no kernel' says 'struct sample___wide { /* optional: some kernels */
	int a;
};' 'all kernels: sample___wide -: absent from all of them, but not marked optional-everywhere'
check 'an optional flavour that fits one kernel' says 'struct sample___later { /* optional: newer kernels */
	int later;
};'
check 'a mark without a reason' says 'struct sample {
	int later; /* optional: */
};' "$out/sample.h:2: an optional mark without a reason"

# --- Our header on real kernels -------------------------------------------------------------------

no_line() {
	! grep "^$1: " "$out/report"
}

skip() {
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
}

# Sets found to KERNEL=BTF of those that are cached.
find_kernels() {
	local kernel path
	found=()
	for kernel in ${KERNELS:-7.1 7.2 7.3}; do
		if path=$("$root/tests/vm/kernels" btf "$kernel" 2>/dev/null); then
			found+=("$kernel=$path")
		else
			skip "vmlinux.h agrees with $kernel" "no $kernel kernel in the cache: tests/vm/kernels fetch $kernel"
		fi
	done
}

compare_ours() {
	compare "$root/vmlinux/vmlinux.h" "${found[@]}" >"$out/report" || [ $? -eq 1 ]
}

find_kernels
if [ ${#found[@]} -gt 0 ]; then
	check 'vmlinux.h can be compared' compare_ours
	for kernel in "${found[@]}"; do
		check "vmlinux.h agrees with ${kernel%%=*}" no_line "${kernel%%=*}"
	done
	check 'every optional mark is true of some kernel' no_line 'all kernels'
fi
done_testing
