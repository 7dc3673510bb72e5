/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * The system calls that write to an mm or raise mmap_changing, one row each, with the kernel's names
 * of their flags and advice. Writers and holders of mmap_changing take their words from here.
 */
#ifndef SYSCALLS_H
#define SYSCALLS_H

#include "uffdretry.h"

#include <stdbool.h>

/* A value and what the kernel's headers call it. */
struct word {
	__u32 value;
	const char *name;
};

/* The name of @value in a list that ends with a NULL name, or NULL. */
const char *word_name(const struct word *words, __u32 value);

/* What the argument writer_shape.sub of a system call is. */
enum sub_kind {
	SUB_NONE,
	SUB_BITS,    /* a set of flags */
	SUB_VALUE,   /* one value */
	SUB_ADVICE,  /* of madvise() */
	SUB_REQUEST, /* of ioctl() */
};

/* A system call that writes to an mm or raises mmap_changing. */
struct syscall_row {
	__u32 nr;
	const char *name;
	bool raises; /* mmap_changing, for some userfaultfd events */
	bool forks;  /* a new mm comes of it where shape.everything fits */
	enum sub_kind sub_kind;
	const struct word *words; /* of the argument shape.sub; NULL: shown as a number */
	struct writer_shape shape;
};

extern const struct syscall_row syscall_rows[]; /* ends with a NULL name */

/* The row of a system call, or NULL. */
const struct syscall_row *syscall_row(__u32 nr);

/* "madvise", or NULL for a number that this machine's headers do not have. */
const char *any_syscall_name(__u32 nr);

/* "madvise", or NULL for a system call that is not known to raise mmap_changing. -1 is none. */
const char *syscall_name(int nr);

/* "MADV_DONTNEED", or NULL. -1 is none. */
const char *advice_name(int advice);

/* The other way round: the number, or -1 for a name that the functions above do not return. */
int syscall_number(const char *name);
int advice_number(const char *name);

/* "UFFDIO_REGISTER", or NULL for another ioctl() than a userfaultfd's. */
const char *uffd_request_name(__u32 request);

#endif /* SYSCALLS_H */
