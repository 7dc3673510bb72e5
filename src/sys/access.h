/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* May we trace here? Rights, BTF and lockdown, and why the kernel refused. */
#ifndef ACCESS_H
#define ACCESS_H

/* Where the kernel describes itself. */
#define BTF_PATH "/sys/kernel/btf/vmlinux"

/* What is missing of the capabilities that tracing needs, as "CAP_BPF, CAP_PERFMON"; "" when nothing is. */
const char *missing_capabilities(void);

/* "none", "integrity", "confidentiality", or "unknown" where the kernel or the mount table does not say. */
const char *lockdown_mode(void);

/* Does the kernel describe itself (CONFIG_DEBUG_INFO_BTF)? */
int has_btf(void);

/* Check, before anything is loaded, what is known to fail later. Returns 0, or prints why and returns EXIT_ERROR. */
int check_access(void);

/* Print why loading or attaching failed with @err (negative errno). Returns EXIT_ERROR. */
int explain_refusal(int err, const char *what);

#endif /* ACCESS_H */
