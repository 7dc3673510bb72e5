// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Asks the kernel what is mapped at an address, and compares the model with it.
#ifndef UFFDLOAD_QUERY_H
#define UFFDLOAD_QUERY_H

#include "known/random/model.h"

struct query {
	int fd;	   /* /proc/self/maps; -1 when it cannot be read */
	bool text; /* read it as text: PROCMAP_QUERY exists since 6.11 */
	uint64_t file_inode;
	uint64_t other_inode;
};

int query_open(struct query *query, const struct arena *arena);
void query_close(struct query *query);
/* 0, or -EPROTO if the model has another VMA at that page. Takes mmap_lock for reading at most. */
int query_compare(const struct query *query, const struct model *model, int page);

#endif
