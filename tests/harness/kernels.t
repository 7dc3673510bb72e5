#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# TAP: tests/vm/kernels takes a kernel only when a list with the right signature has its checksum, and
# tells how old both are. The archive is made here: its kernel is an empty one with BTF.
set -u
root=$(realpath "$(dirname "$0")/../..")
# shellcheck source=../tap.sh
. "$root/tests/tap.sh"
work=$(mktemp -d)
trap 'gpgconf --kill all; rm -rf "$work"' EXIT
export GNUPGHOME=$work/gnupg UFFDRETRY_MIRROR=file://$work/archive UFFDRETRY_KEYRING=$work/keyring.gpg
package=linux-image-9.9.9-cloud-amd64
deb=pool/$package.deb
mkdir -m 700 "$GNUPGHOME"
for key in debian other; do
	gpg -q --batch --passphrase '' --quick-gen-key "$key" ed25519 sign never 2>/dev/null
done
gpg -q --export debian >"$UFFDRETRY_KEYRING"

# number VALUE BYTES: little endian.
number() {
	local n
	for ((n = 0; n < $2; n++)); do
		printf '%b' "\\x$(printf %02x $(($1 >> 8 * n & 255)))"
	done
}

# at OFFSET: put stdin there in the file vmlinuz.
at() {
	dd of=vmlinuz bs=1 seek="$1" conv=notrunc status=none
}

# A bzImage as boot.rst describes it: an ELF file, compressed, and a banner.
make_vmlinuz() {
	echo BTF >btf
	echo 'int x;' | gcc -c -x c - -o elf && objcopy --add-section .BTF=btf elf && gzip -n elf
	truncate -s 1024 vmlinuz
	number 1 1 | at 497
	printf HdrS | at 514
	number 128 2 | at 526 # the banner is 512 bytes after
	number 0 4 | at 584
	number "$(stat -c %s elf.gz)" 4 | at 588
	printf '9.9.9 #1 SMP Debian 9.9.9-1 (%s)\0' "$(date -d '-20 days' +%F)" | at 640
	cat elf.gz >>vmlinuz
}

make_deb() {
	mkdir -p deb/DEBIAN deb/boot archive/pool
	mv vmlinuz deb/boot/vmlinuz-9.9.9
	printf '%s\n' "Package: $package" 'Version: 9.9.9-1' 'Architecture: amd64' 'Maintainer: nobody' 'Description: none' >deb/DEBIAN/control
	dpkg-deb -b --root-owner-group deb "archive/$deb" >/dev/null
}

# sign KEY: lists of all suites with the present package, ten days old.
sign() {
	local suite dir
	for suite in bookworm trixie trixie-backports forky sid; do
		dir=archive/dists/$suite
		mkdir -p "$dir/main/binary-amd64"
		{ dpkg-deb -f "archive/$deb" && printf '%s\n' "Filename: $deb" "Size: $(stat -c %s "archive/$deb")" \
			"SHA256: $(sha256sum <"archive/$deb" | cut -d' ' -f1)" ''; } >"$dir/main/binary-amd64/Packages"
		(
			cd "$dir" || exit
			printf '%s\n' 'Origin: Debian' "Suite: $suite" "Codename: $suite" 'Architectures: amd64' 'Components: main' \
				"Date: $(date -u -R -d '-10 days')" SHA256: \
				" $(sha256sum <main/binary-amd64/Packages | cut -d' ' -f1) $(stat -c %s main/binary-amd64/Packages) main/binary-amd64/Packages" |
				gpg -q --batch --yes -u "$1" --clearsign -o InRelease
		)
	done
}

# One byte of FILE is another.
change() {
	local size
	size=$(stat -c %s "$1")
	printf X | dd of="$1" bs=1 seek=$((size / 2)) conv=notrunc status=none
}

# fetch: into an empty cache; sets said and printed.
fetch() {
	local status=0
	rm -rf cache
	printed=$(UFFDRETRY_CACHE=$work/cache "$root/tests/vm/kernels" fetch 9.9 2>said) || status=$?
	cat said
	return $status
}

taken() {
	fetch && [ "$printed" = 9.9.9 ] && cmp btf cache/kernels/9.9.9/btf &&
		grep -q "^sha256: $(sha256sum <"archive/$deb" | cut -d' ' -f1)\$" cache/kernels/9.9.9/origin
}

refused() {
	! fetch && [ -z "$printed" ] && [ ! -e cache/kernels/9.9.9 ] && grep -q "$1" said
}

# An apt that checks nothing: the checksum is compared once more.
careless_apt() {
	mkdir bin
	printf '%s\n' '#!/bin/sh' 'case " $* " in' "*' download '*) cp $work/archive/$deb . ;;" '*) exec /usr/bin/apt-get "$@" ;;' 'esac' >bin/apt-get
	chmod 755 bin/apt-get
	PATH=$work/bin:$PATH refused 'not the checksum of the signed list'
}

# It would take QEMU and sources from such lists.
careless_config() {
	printf '%s "true";\n' Acquire::Allow{Insecure,Weak}Repositories Acquire::AllowDowngradeToInsecureRepositories \
		APT::Get::AllowUnauthenticated >careless.conf
	APT_CONFIG=$work/careless.conf refused 'lists could not be refreshed'
}

cd "$work" || exit
make_vmlinuz
make_deb
sign debian
check 'a kernel of a signed list is taken' taken
check '... and the age of both is told' grep -q \
	"kernels: 9.9.9: built $(date -d '-20 days' +%F) (20 days ago); in the list of bookworm, signed 10 days ago" said
cp "archive/$deb" kept.deb
change "archive/$deb"
check 'a package that was changed is refused' refused 'no 9.9 kernel is available'
mv kept.deb "archive/$deb"
check '... and taken as it was' taken
change "archive/$deb"
check '... refused where apt does not' careless_apt
sign other
check 'a list of another signature is refused' refused 'no 9.9 kernel is available'
check '... also where the apt of this machine takes what nobody signed' careless_config
sign debian
echo >>archive/dists/bookworm/main/binary-amd64/Packages
check 'a list that its signature does not cover is refused' refused 'no 9.9 kernel is available'
done_testing
