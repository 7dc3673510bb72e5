// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// One long UFFDIO_COPY that is stopped in the middle, and a writer that sleeps for the lock of its
// VMA.
#ifndef UFFDLOAD_STOPPED_COPY_H
#define UFFDLOAD_STOPPED_COPY_H

#include <sched.h>
#include <stdbool.h>

#include "lib/rig.h"
#include "steps/hand.h"

/* Mapped source pages of the copy; its layout may have more behind them. */
#define LONG_PAGES 4000

struct stopped_copy {
	struct rig *rig;	  /* of the copy */
	struct rig_target target; /* and its destination, of kind RIG_SHMEM */
	struct hand *writer;
	int writer_stat; /* /proc/self/task/TID/stat of the writer */
	cpu_set_t cpus;	 /* of this thread before */
	bool stopped;
};

/* Why this machine cannot stop a copy: NULL when it can. */
const char *stopped_copy_lacks(void);
/* 0 or -errno. The caller sets the rig and opens the target. */
int stopped_copy_init(struct stopped_copy *copy, struct hand *writer);
void stopped_copy_close(struct stopped_copy *copy);
/* Start the copy. 0 when it is stopped in the middle, 1 when it came too far, or -errno. */
int stopped_copy_start(struct stopped_copy *copy);
/*
 * Let the writer mprotect() the destination, and see it asleep for the VMA's lock, inside its write
 * section: mmap_lock is held for write and mm_lock_seq is odd (__vma_start_write() since 6.4). 0 or
 * -errno.
 */
int stopped_copy_send_writer(struct stopped_copy *copy);
/* Whether the writer still sleeps there. */
bool stopped_copy_writer_in(const struct stopped_copy *copy);
/* Let the copy go on. */
void stopped_copy_release(struct stopped_copy *copy);

#endif
