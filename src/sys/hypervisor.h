/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* What this machine is emulated or virtualized by. */
#ifndef HYPERVISOR_H
#define HYPERVISOR_H

#define HYPERVISOR_LEN 13

/* Its signature in CPUID ("KVMKVMKVM"), in @text; NULL without one, and on other processors. */
const char *hypervisor(char text[HYPERVISOR_LEN]);

#endif /* HYPERVISOR_H */
