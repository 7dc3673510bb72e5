# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# A private apt configuration, with which tests/vm/kernels, tests/vm/qemu and tools/sysroot fetch Debian
# packages into the cache. Nothing is installed.
suites='bookworm trixie trixie-backports forky sid'
keyring=${UFFDRETRY_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}
cache=$(realpath -m "${UFFDRETRY_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/uffdretry}")
apt=$cache/apt arch=amd64

# Use the packages of architecture $1. Each has its own lists.
use_arch() {
	arch=$1 apt=$cache/apt
	[ "$arch" = amd64 ] || apt+=-$arch
}

note() {
	echo "$(basename "$0"): $*" >&2
}

# The Debian mirror of this machine, if it has one. UFFDRETRY_MIRROR and UFFDRETRY_KEYRING are for a test.
mirror() {
	[ -z "${UFFDRETRY_MIRROR:-}" ] || { echo "$UFFDRETRY_MIRROR"; return; }
	# shellcheck disable=SC2016 # apt expands them
	apt-get indextargets --format '$(RELEASE) $(REPO_URI)' 'Created-By: Packages' 2>/dev/null | awk '
		$1 ~ /^(bookworm|trixie|forky|sid|(old)?stable|testing|unstable)(-updates)?$/ { print $2; found = 1; exit }
		END { if (!found) print "http://deb.debian.org/debian" }'
}

# An apt configuration apart from the machine's own.
configure_apt() {
	local uri suite
	[ -r "$keyring" ] || { note "$keyring is missing: run tools/deps vm"; return 1; }
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/state"
	: >"$apt/status"
	uri=$(mirror)
	for suite in $suites; do
		echo "deb [arch=$arch signed-by=$keyring] $uri $suite main"
	done >"$apt/sources.list"
	cat >"$apt/apt.conf" <<-END
	#clear APT::Update;
	#clear APT::Default-Release;
	#clear DPkg;
	#clear Acquire::IndexTargets::deb::Contents-deb;
	APT::Architecture "$arch";
	APT::Architectures { "$arch"; };
	APT::Sandbox::User "root";
	APT::Update::Error-Mode "any";
	APT::Get::AllowUnauthenticated "false"; // whatever this machine's apt takes: not all callers look at signatures again
	Acquire::AllowInsecureRepositories "false";
	Acquire::AllowWeakRepositories "false";
	Acquire::AllowDowngradeToInsecureRepositories "false";
	Acquire::Check-Valid-Until "false"; // an old mirror is good enough for tests
	Acquire::Languages "none";
	Acquire::Retries "1";
	Acquire::http::Timeout "30";
	Dir::Etc::sourcelist "$apt/sources.list";
	Dir::Etc::sourceparts "-";
	Dir::Etc::preferences "-";
	Dir::Etc::preferencesparts "/dev/null";
	Dir::State "$apt/state";
	Dir::State::lists "$apt/lists";
	Dir::State::status "$apt/status";
	Dir::Cache "$apt/cache";
	Dir::Cache::pkgcache "pkgcache.bin";
	Dir::Cache::srcpkgcache "srcpkgcache.bin";
	Dir::Log "$apt";
	END
}

# apt-get, with its progress on stderr if that is a terminal.
apt_get() {
	local quiet=(-qq)
	[ ! -t 2 ] || quiet=()
	apt-get -c "$apt/apt.conf" "${quiet[@]}" "$@" >&2
}

# Refresh the package lists, once a day. Without a network the old lists serve.
refresh() {
	[ -n "$1" ] || [ -z "$(find "$apt/fresh" -mtime -1 2>/dev/null)" ] || return 0
	if configure_apt && apt_get update; then
		touch "$apt/fresh"
	else
		note "the package lists could not be refreshed; going on with those at hand"
	fi
}

# One process at a time changes the cache and its package lists.
lock() {
	mkdir -p "$cache"
	exec {lock}>"$cache/kernels.lock"
	flock -n "$lock" || {
		note "waiting for another fetch"
		flock "$lock"
	}
}
