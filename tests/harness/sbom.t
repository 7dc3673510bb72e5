#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: the list of components of a static program (tools/package/sbom) has what was linked and what
# made it, in the version that is installed here, and nothing else.
set -u
root=$(realpath "$(dirname "$0")/../..")
# shellcheck source=../tap.sh
. "$root/tests/tap.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit
export SOURCE_DATE_EPOCH=86400

# json-c is given to the linker, and nothing of it is used.
printf '%s\n' '#include <zlib.h>' 'int main(void) { return !*zlibVersion(); }' >a.c
gcc -c a.c -o a.o && gcc -static a.o -lz -ljson-c -Wl,-Map=a.map -o a

sbom() {
	"$root/tools/package/sbom" made 1.2 a "$@"
}

# has FILTER: the list does.
has() {
	# jq takes an empty file for a true one.
	[ -s spdx ] || { echo 'no list'; return 1; }
	jq -e "$1" spdx || { cat spdx; return 1; }
}

version() {
	# shellcheck disable=SC2016 # dpkg's variable
	dpkg-query -W -f '${Version}' "$1"
}

# refused: an archive of no package is an error that names it.
refused() {
	local said
	cp a.o own.o && ar rcs own.a own.o
	printf '%s\n' "LOAD $work/own.a" "$work/own.a(own.o)" >own.map
	! said=$(sbom own.map 2>&1) && [ "$said" = "sbom: $work/own.a is of no package" ]
}

check 'the list is made' sbom a.map
sbom a.map >spdx
check '... of zlib, glibc and libgcc, and not of json-c' has \
	'[.packages[1:][].sourceInfo | split(" ")[2] | sub("-[0-9]+$"; "")] | sort == ["gcc", "glibc", "zlib"]'
check '... in the installed version' has ".packages | any(.name == \"zlib1g-dev\" and .versionInfo == \"$(version zlib1g-dev)\")"
check '... with its licence' has '.packages | any(.name == "zlib1g-dev" and .licenseDeclared == "Zlib")'
check '... all have one' has '[.packages[].licenseDeclared] | index("NOASSERTION") == null'
check '... linked into the program' has '[.relationships[] | select(.relationshipType == "STATIC_LINK").spdxElementId] == ["SPDXRef-made", "SPDXRef-made", "SPDXRef-made"]'
check 'the program has its checksum' has ".packages[0].checksums == [{algorithm: \"SHA256\", checksumValue: \"$(sha256sum a | cut -d' ' -f1)\"}]"
check 'the time is that of the source' has '.creationInfo.created == "1970-01-02T00:00:00Z"'
check 'the same list again' cmp spdx <(sbom a.map)
# of PROGRAM: its package, and that one's version, as JSON.
of() {
	local name
	name=$(dpkg-query -S "$(realpath "$(command -v "$1")")" | cut -d: -f1)
	printf '["%s", "%s"]' "$name" "$(version "$name")"
}

sbom a.map gcc ld >spdx
check 'tools are named' has "[.packages[] | select(.primaryPackagePurpose == \"APPLICATION\") | [.name, .versionInfo]] |
	.[1:] == ([$(of gcc), $(of ld)] | sort)"
check '... as such' has '[.relationships[] | select(.relationshipType == "BUILD_TOOL_OF").relatedSpdxElement] == ["SPDXRef-made", "SPDXRef-made"]'
check '... beside what is linked' has '[.relationships[] | select(.relationshipType == "STATIC_LINK")] | length == 3'
sbom a.map /usr/include/linux/types.h >spdx
check '... and so is a header' has "[.packages[] | select(.primaryPackagePurpose == \"APPLICATION\") | [.name, .versionInfo]] |
	.[1:] == [[\"linux-libc-dev\", \"$(version linux-libc-dev)\"]]"
check 'an archive of no package' refused
done_testing
