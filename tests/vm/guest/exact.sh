# shellcheck shell=sh source=tests/vm/guest/lib.sh
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# In the guest: the loads whose truth is known, each under the tool, watched in each of the three ways.
. /bin/lib.sh
seed=$1 windows=$2

# For destinations of huge pages.
echo 64 >/proc/sys/vm/nr_hugepages

find_kernel

uffdretry --probe -j >/out/probe.json

# While the programs of every option are loaded.
uffdretry -a -e --relock --witness -j -o /out/verified.json &
tool=$!
wait_for 60 has_line '"type":"start"' /out/verified.json && bpfleft verified >/out/verified
kill -TERM $tool
wait $tool

exactly trace_pid exact-pid exact --runs 5 --seed "$seed"
exactly trace_all exact-all exact --runs 5 --seed "$seed"
exactly trace_command exact-command exact --runs 5 --seed "$seed"
# What the sequence numbers prove, a second witness must have seen; with it as well as without nothing else may differ.
witness=yes
exactly trace_all random-all random --windows "$windows" --seed "$seed"
witness=
exactly trace_pid random-pid random --windows 1000 --seed $((seed + 1)) --at-once 8
run trace_all free-unrelated free --duration 5s --copiers 4 --writers 2 --rate 0 --what unrelated --seed "$seed"
run trace_all free-benign free --duration 5s --copiers 4 --writers 2 --rate 0 --what benign --seed "$seed"
run trace_all free-replaced free --duration 5s --copiers 4 --writers 2 --rate 0 --what replaced --seed "$seed"
left >/out/left
exit 0
