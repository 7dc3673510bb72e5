/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* May we trace on this kernel? Capabilities, BTF and lockdown, and why the kernel refused. */
#ifndef CAN_TRACE_H
#define CAN_TRACE_H

#include <stdbool.h>

/* The BTF of the running kernel. */
#define BTF_PATH "/sys/kernel/btf/vmlinux"

/* The capabilities that tracing needs and we lack: "CAP_BPF, CAP_PERFMON", one of them, or "". */
const char *missing_capabilities(void);

/*
 * Are we in a user namespace other than the first? The kernel asks for capabilities in the first
 * one, unless a BPF token delegates them.
 */
bool in_user_namespace(void);

/* "none", "integrity", "confidentiality", or "unknown" when securityfs does not tell. */
const char *lockdown_mode(void);

/* Does the kernel have BTF (CONFIG_DEBUG_INFO_BTF)? */
int has_btf(void);

/* Check what would make loading fail. Returns 0, or prints why and returns EXIT_ERROR. */
int check_access(void);

/* Print why loading or attaching failed with @err (negative errno). Returns EXIT_ERROR. */
int explain_refusal(int err, const char *what);

#endif /* CAN_TRACE_H */
