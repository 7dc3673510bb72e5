# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# shellcheck shell=bash
# TAP for the tests that read the sources, and what the analysers read. Sourced by *.t, in the root
# of the tree.
cd "$(dirname "$(realpath "${BASH_SOURCE[0]}")")/../.." || exit 1
shopt -s extglob
# shellcheck source=../tap.sh
. tests/tap.sh
# shellcheck disable=SC2034 # for the tests
user_side=(src/!(*.bpf).c src/!(bpf)/*.c src/!(bpf)/*/*.c lib/*.c) test_programs=(tests/vm/*.c)
# The skeleton is bpftool's: as a system header, it is not warned of.
# shellcheck disable=SC2034 # for the tests
includes=(-D_GNU_SOURCE= -iquote src -iquote load -iquote . -isystem build)
