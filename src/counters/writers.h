/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Writers of an mm: a row of the list in words, and the list in order. The words are in syscalls.c. */
#ifndef WRITERS_H
#define WRITERS_H

#include "uffdretry.h"

#include <stdbool.h>

/* A writer's numbers; the index is its row's id. */
struct writer_counts {
	__u64 windows;
	__u64 sections;
};

/* What a row is about. It never changes, except for the range: that of the last write section. */
struct writer_entry {
	struct writer_key key;
	__u64 start; /* equal to end: the range is not known */
	__u64 end;
	bool used;
	const struct writer_text *words; /* of a saved record; NULL: as @key says */
};

/* A writer in the kernel's words; an empty string where it has none. */
struct writer_text {
	char op[32]; /* mprotect, fork, UFFDIO_REGISTER, stack growth, khugepaged, ... */
	char syscall[32];
	char advice[32]; /* MADV_* */
	char flags[96];	 /* PROT_*, MAP_*, ... */
	char comm[17];	 /* any bytes: not fit for a terminal */
};

/* writer_shapes_fill() - fill the table by which BPF programs read a system call's arguments. */
void writer_shapes_fill(struct writer_shape shapes[NR_WRITER_SHAPES]);

/* writer_describe() - @key in words. */
void writer_describe(const struct writer_key *key, struct writer_text *text);

/* The words of @e, which has them or a key. */
void writer_words(const struct writer_entry *e, struct writer_text *text);

/*
 * writers_sort() - the ids of the writers with a count, most windows first, then most sections,
 * then in the order of their appearance. @ids has room for MAX_WRITERS. Returns how many.
 */
int writers_sort(const struct writer_counts counts[MAX_WRITERS],
		 const struct writer_entry entries[MAX_WRITERS], int ids[MAX_WRITERS]);

#endif /* WRITERS_H */
