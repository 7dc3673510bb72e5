// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// `uffdload writers`: ways to write to an mm, each with the writer that the tool must name.
#ifndef UFFDLOAD_WRITERS_H
#define UFFDLOAD_WRITERS_H

#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <stdbool.h>
#include <stdint.h>

#include "known/truth.h"
#include "lib/rig.h"
#include "steps/ground.h"
#include "steps/other.h"
#include "steps/place.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PLACE_PAGES 8
#define AREA_PAGES 16
#define FILE_PAGES 64

#define OR_ERRNO(call) ((call) ? -errno : 0)

struct writers_options {
	uint64_t runs;
	bool wait;
};

/* What the operations work on. */
struct writers {
	const struct writers_options *options;
	struct ground ground;
	struct rig *rig;
	struct place place;
	struct other other;
	uint64_t dst;	   /* the window's destination */
	uint64_t area;	   /* AREA_PAGES of ordinary memory */
	uint64_t huge;	   /* HUGE bytes, aligned, to be collapsed */
	bool may_collapse; /* the system's settings allow it now */
	char *enabled;	   /* the settings before */
	char *scan_sleep;
	/* Of one run. */
	uint64_t mapped; /* what after() must unmap */
	size_t mapped_len;
	long brk;
	int fd;
	int pipe[2];
	int shm;
	aio_context_t aio;
	struct ring {
		int fd;
		void *rings;
		struct io_uring_sqe *sqes;
		struct io_uring_params params;
	} ring;
};

/* The middle of the area: none of its ends. */
static inline void *inner(struct writers *w)
{
	return (void *)(w->area + 4 * PAGE);
}

enum who { BY_SELF, BY_OTHER, BY_KHUGEPAGED, BY_IO_WORKER };

/* One writer that the tool must name; op is NULL at the end. */
struct expected {
	const char *op;
	const char *syscall; /* NULL: the same as op; "-": none */
	const char *advice;
	const char *flags;
	enum who who;
	bool covers;
	bool by_vma_lock; /* that it covers shows only in the per-VMA lock, not in the arguments */
	bool many;	  /* write sections: at least one, instead of one */
	int sections;
};

/* Each function returns 0 or -errno; NULL: nothing to do. */
struct operation {
	const char *name;
	int (*before)(struct writers *w);
	int (*run)(struct writers *w); /* in the window */
	int (*after)(struct writers *w);
	struct expected writers[2];
	bool gone;	   /* the destination is gone, and the copy ends with ENOENT */
	const char *needs; /* without this kernel function there is no writer */
};

/* One table a file, with an empty row at the end. */
extern const struct operation map_operations[], advise_operations[], resize_operations[],
	task_operations[];
extern const struct operation uffd_operations[], other_call_operations[], outside_operations[];

/* All of them, in this order. */
#define MAX_OPERATIONS 128
extern const struct operation *operations[MAX_OPERATIONS];
extern size_t nr_operations;

/* Some pages anywhere, in w->mapped; and back. */
int map_now(struct writers *w, size_t pages);
int unmap_now(struct writers *w);

/* io_uring's worker (writers_ring.c). */
int before_ring(struct writers *w);
int run_ring(struct writers *w);
int after_ring(struct writers *w);

/*
 * Huge pages (writers_collapse.c). set_up_collapse() changes the system's settings,
 * restore_settings() restores them.
 */
void set_up_collapse(struct writers *w);
void restore_settings(struct writers *w);
int before_collapse(struct writers *w);
/* EAGAIN: a page was not on the LRU list yet; call @once again, for a second at most. */
int until_collapsed(int (*once)(struct writers *), struct writers *w);
int run_collapse(struct writers *w);
int run_khugepaged(struct writers *w);
int after_collapse(struct writers *w);

/* What the tool must report of the operations that ran, and which of them did not run. */
#define ROWS_MAX 128

struct row {
	struct expected expected;
	uint64_t windows;
	uint64_t sections;
};

struct writers_truth {
	struct truth truth;
	struct row rows[ROWS_MAX];
	size_t nr_rows;
	uint64_t moved; /* windows with a writer */
	uint64_t failures;
	int lacks[MAX_OPERATIONS];   /* errno */
	bool silent[MAX_OPERATIONS]; /* no writer on this kernel */
	bool has_vma_locks;
};

/* Add operations[op], done in a window of a copy that ended with @copy_err. */
void writers_judge(struct writers_truth *t, size_t op, int copy_err);
/* Print it. Returns 0 or -1. */
int writers_report(const struct writers *w, const struct writers_truth *t);

#endif
