# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# Make the tree of packages the root and run the given scripts. CRIU must have its processes' root.
tree=/tree
mkdir -p /dev/shm
uname -r >/out/kernel
mount --bind $tree $tree
for dir in proc sys dev; do
	mount --rbind /$dir $tree/$dir
done
mount -t tmpfs -o mode=1777 tmpfs $tree/tmp
mount -t tmpfs tmpfs $tree/run
mkdir -p $tree/applets $tree/var/tmp
for applet in $(busybox --list); do
	ln -sf /usr/local/bin/busybox "$tree/applets/$applet"
done
mount --bind /out $tree/out
cd $tree || exit
mount --move . /
for program; do
	chroot . /usr/local/bin/busybox sh "/programs/$program.sh"
done
exit 0
