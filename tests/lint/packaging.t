#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: the spec file for Fedora and the PKGBUILD for Arch can be read by their tools, have this version,
# and name every file that is installed. Nothing is built with them here.
. "$(dirname "$0")/lib.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
version=$(sed -n 's/^#define UFFDRETRY_VERSION "\(.*\)"$/\1/p' src/version.h)
spec=contrib/rpm/uffdretry.spec pkgbuild=contrib/arch/PKGBUILD

# has_tool TOOL WHAT: else a skipped test stands for those that need it.
has_tool() {
	command -v "$1" >/dev/null && return
	echo "ok $((++tests)) - $2 # SKIP $1 is missing"
	return 1
}

query() {
	rpmspec -q --qf "$2" "$1"
}

# The paths below %files, with the macros of this machine replaced, and / for the root of installed files.
packaged() {
	rpmspec -P "$1" | sed -n '/^%files/,$p' | sed -nE 's/^(%doc )?(\/[^ ]*)$/\2/p' | sed 's/\*$//' | sort
}

# installs_what_it_lists SPEC: each file that `make install` copies is in the list, and the list has no other.
installs_what_it_lists() {
	local file rest
	rest=$(packaged "$1")
	make -s install DESTDIR="$work/root" PREFIX=/usr SBINDIR="$(rpm -E %_sbindir)" MANDIR="$(rpm -E %_mandir)" \
		DOCDIR="$(rpm -E %_docdir)/uffdretry" >&2 || return
	while read -r file; do
		grep -qE "^${file%/}(/|$)" < <(cd "$work/root" && find . ! -type d | cut -c2-) || { echo "not installed: $file"; return 1; }
	done <<<"$rest"
	while read -r file; do
		while read -r some; do
			[[ $file != "$some" && $file != "$some"/* ]] || continue 2
		done <<<"$rest"
		echo "not in the list: $file"
		return 1
	done < <(cd "$work/root" && find . ! -type d | cut -c2-)
}

# makepkg refuses root, and wants a pacman, which Debian lacks.
srcinfo() {
	local as=()
	[ "$(id -u)" -ne 0 ] || as=(setpriv --reuid 65534 --regid 65534 --clear-groups)
	install -d -m 777 "$work/arch"
	chmod 755 "$work"
	install -m 644 "$1" "$work/arch/PKGBUILD"
	(cd "$work/arch" && HOME=$work/arch PACMAN=true "${as[@]}" makepkg --printsrcinfo)
}

has_line() {
	grep -qE "$2" <<<"$1" || { echo "$1"; return 1; }
}

bad_spec_is_found() {
	sed 's/^Version: .*//' $spec >"$work/bad.spec"
	! rpmspec -P "$work/bad.spec" >/dev/null 2>&1
}

forgotten_file_is_found() {
	grep -v 'man8' $spec >"$work/short.spec"
	! installs_what_it_lists "$work/short.spec"
}

bad_pkgbuild_is_found() {
	sed 's/^pkgver=.*/pkgver=0-1/' $pkgbuild >"$work/bad"
	! srcinfo "$work/bad" >/dev/null 2>&1
}

if has_tool rpmspec "$spec"; then
	check "$spec: it has this version" test "$(query $spec '%{version}')" = "$version"
	check "$spec: its license is the project's" test "$(query $spec '%{license}')" = 'GPL-2.0-only OR BSD-2-Clause'
	if [ -x uffdretry ]; then
		check "$spec: it lists what make install installs" installs_what_it_lists $spec
		check 'a file that is not in the list is found' forgotten_file_is_found
	else
		echo "ok $((++tests)) - $spec: it lists what make install installs # SKIP ./uffdretry is not built"
	fi
	check 'a spec file without a version is found' bad_spec_is_found
fi
check "$pkgbuild: it is a script" bash -n $pkgbuild
if has_tool makepkg "$pkgbuild"; then
	info=$(srcinfo $pkgbuild 2>&1)
	check "$pkgbuild: it has this version" has_line "$info" "^	pkgver = $version\$"
	check "$pkgbuild: it has its sources and architectures" has_line "$(tr -d '\n' <<<"$info")" \
		"arch = x86_64	arch = aarch64.*source = uffdretry-$version.tar.gz"
	check 'a PKGBUILD with a version that cannot be is found' bad_pkgbuild_is_found
fi
done_testing
