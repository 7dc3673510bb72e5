#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""TAP: few files know that kernels and processors differ, or know system calls by number.

usage: tests/lint/knowledge.t [TREE]
"""
import re

from lint import Lint, code_of, files, read

DIFFERENCES = ("src/bpf/arch.bpf.h", "src/bpf/compat.bpf.h", "src/trace/hook_table.c", "src/trace/kernel.c")
SYSTEM_CALLS = ("src/counters/syscalls.c", "src/sys/", "lib/rig_")

# (what it is, how it looks in code, who may have it)
RULES = (
    ("asks which kernel this is", r"bpf_core_(field|type|enum_value)_exists|(LINUX_)?KERNEL_VERSION", DIFFERENCES),
    ("names a register", r"\bPT_REGS_\w+|\bregs->\w+|\borig_ax\b|->(r10|r8|r9|di|si|dx)\b", DIFFERENCES),
    ("numbers a system call", r"\b(__NR|SYS|SYSCALL)_\w+ +=? *\d+", DIFFERENCES + SYSTEM_CALLS[:1]),
    ("names a system call's number", r"\b__NR_\w+|\bSYS_[a-z]\w*", SYSTEM_CALLS + DIFFERENCES[:1]),
)


def find(tree):
    for path in files(tree, "src/**/*.[ch]", "lib/*.[ch]"):
        for number, line in enumerate(code_of(read(tree, path)).splitlines(), 1):
            for what, pattern, allowed in RULES:
                m = re.search(pattern, line)
                if m and not path.startswith(allowed):
                    yield f"{path}:{number}: {what}: {m[0]}"
                    break


lint = Lint(find)
lint.clean("what differs between kernels and processors is known in one place")
for path, text, says in (("src/bpf/count.bpf.h", "if (bpf_core_field_exists(vma->vm_lock_seq))", "which kernel"),
                         ("src/uffdretry.bpf.c", "return regs->dx;", "a register: regs->dx"),
                         ("src/trace/tracer.c", "#define SYSCALL_MREMAP 25", "numbers a system call"),
                         ("src/report/text.c", "case SYS_mremap:", "number: SYS_mremap"),
                         ("lib/hist.h", "case __NR_mremap:", "number: __NR_mremap")):
    lint.finds(f"{path}: {text}", path, text + "\n", says)
lint.done()
