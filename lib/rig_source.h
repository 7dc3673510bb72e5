// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Inside the rig: its state, and the source area that opens windows.
#ifndef UFFDRETRY_RIG_SOURCE_H
#define UFFDRETRY_RIG_SOURCE_H

#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "lib/rig.h"

struct rig {
	/* Written by the caller, read by the copier after it saw the new turn. */
	atomic_uint turn; /* futex: one more for each copy */
	bool quit;
	struct rig_copy copy;
	/* Written by the copier, read by the caller after it read from ended. */
	struct uffdio_copy arg;
	struct rig_result result;
	_Atomic pid_t tid;

	/* The caller's own. */
	bool busy;		/* a copy is under way */
	uint64_t held;		/* the source page that holds a window open, or 0 */
	enum rig_source damage; /* done to the page at damaged */
	uint64_t damaged;
	int nested; /* userfaultfd of the source's b pages */
	int ended;  /* eventfd: the copier has returned */
	pthread_t thread;
	bool has_thread;
	size_t page;
	size_t pages;
	uint8_t *source; /* the first layout page */
	size_t size;	 /* of this mapping: rig, guard page, stack */
	char layout[];
};

/* Pages of a layout as the user writes it, and the layout with one small letter a page. */
size_t source_pages(const char *layout);
void source_expand(char *to, const char *layout);
/* Map, fill and register the source as its layout says. 0 or -errno. */
int source_map(struct rig *rig);
/* Remove the pages that must open a window. 0 or -errno. */
int source_empty(struct rig *rig);
/* Make the held page unreadable and wake the copier. 0 or -errno. */
int source_damage(struct rig *rig, enum rig_source how);

#endif
