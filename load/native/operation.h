// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Calls that hold mmap_lock for write: pairs, so that the second call undoes what the first did.
#ifndef UFFDLOAD_OPERATION_H
#define UFFDLOAD_OPERATION_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define OPERATION_PAGES 16

/* What the calls of one thread work on. */
struct operands {
	uint8_t *at;	/* OPERATION_PAGES pages between inaccessible ones */
	uint8_t *other; /* as many that are reserved */
	uint8_t *map;	/* where mmap() put them */
	uint8_t *brk;
	int uffd;
	pid_t child;
	pthread_t thread;
};

struct operation {
	const char *halves[2]; /* names of the calls; the second may be NULL */
	int (*call)(struct operands *operands, int half);
	/* After each call, without a write section; or NULL. */
	void (*between)(struct operands *operands, int half);
};

/* "all", then the operations; NULL at the end. Index 0 is no operation. */
extern const char *const operation_words[];
enum { OPERATION_ALL, OPERATION_NONE, OPERATION_MPROTECT };

const struct operation *operation_of(unsigned int word);
/* 0 or -errno. */
int operands_create(struct operands *operands);
void operands_destroy(struct operands *operands);

#endif
