/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * What the running kernel is, as far as the tool depends on it. It asks BTF, never the version.
 *
 * On the user side only this file and hooks.c know that kernels differ.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "uffdretry.h"

#include <stdbool.h>

struct btf;

#define MAX_UNMEASURED 15

struct kernel {
	struct btf *btf;
	__u64 uffd_mask;   /* vm_flags bits that are userfaultfd modes */
	__u64 minor_guess; /* the one of them that BTF does not name, 0: it names them all */
	enum seq_kind seq;
	bool has_uffd;	 /* CONFIG_USERFAULTFD */
	bool has_check;	 /* it compares something after the retry: 7.1 and later */
	bool has_cast;	 /* bpf_rdonly_cast(): 6.2 and later */
	bool has_probes; /* kprobe.multi (CONFIG_FPROBE), and the cast that its programs need */
	bool loses_rehooked; /* calls that are under way when a function's programs change: before 7.3 */
	struct unmap_desc_layout unmap_desc;	    /* what unmap_vmas() takes: 7.0 and later */
	const char *unmeasured[MAX_UNMEASURED + 1]; /* not measurable here; ends with NULL */
};

/* kernel_open() - read the running kernel's BTF. Returns 0 or a negative errno. */
int kernel_open(struct kernel *k);
void kernel_close(struct kernel *k);

/* note_unmeasured() - add @what, which the user left out, to @k->unmeasured, if there is room. */
void note_unmeasured(struct kernel *k, const char *what);

/*
 * Is the function in BTF, with @args arguments? 0 stands for any number. It may still have no
 * address, or be inlined at the call that matters.
 */
bool kernel_has_function(const struct kernel *k, const char *name, int args);

/* Is there a tracepoint with @args arguments? 0 stands for any number. */
bool kernel_has_tracepoint(const struct kernel *k, const char *name, int args);

/* The BTF id of a function, or a negative errno. */
int kernel_function_id(const struct kernel *k, const char *name);

#endif /* KERNEL_H */
