/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* `uffdload writers`: what each way to write to an mm does (writing_calls.c), and who it must be said to be
 * (writing_truth.c). */
#ifndef UFFDLOAD_WRITING_H
#define UFFDLOAD_WRITING_H

#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <stdbool.h>
#include <stdint.h>

#include "load.h"
#include "steps/other.h"
#include "lib/rig.h"
#include "steps/step.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PLACE_PAGES 8
#define AREA_PAGES 16
#define FILE_PAGES 64

#define OR_ERRNO(call) ((call) ? -errno : 0)

/* What the operations work on. */
struct load {
	const struct writers_options *options;
	struct ground ground;
	struct rig *rig;
	struct place place;
	struct other other;
	uint64_t dst;	   /* the window's destination */
	uint64_t area;	   /* AREA_PAGES of ordinary memory */
	uint64_t huge;	   /* HUGE bytes, aligned, in small pages before each operation that wants them */
	bool may_collapse; /* the system's settings could be made what that needs */
	char *enabled;	   /* what they were */
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

/* The area, seen from its fourth page on: no neighbour is part of it. */
static inline void *inner(struct load *load)
{
	return (void *)(load->area + 4 * PAGE);
}

enum who { BY_SELF, BY_OTHER, BY_KHUGEPAGED, BY_IO_WORKER };

/* One writer that the tool must name, or no more: op is NULL. */
struct expected {
	const char *op;
	const char *syscall; /* NULL: op is one; "-": none */
	const char *advice;
	const char *flags;
	enum who who;
	bool covers;
	bool by_vma_lock; /* the arguments do not say so: a kernel without per-VMA locks does not know */
	bool many;	  /* write sections: at least one, instead of one */
	int sections;
};

/* Each function returns 0 or a negative errno; without one there is nothing to be done. */
struct operation {
	const char *name;
	int (*before)(struct load *load);
	int (*run)(struct load *load); /* in the window */
	int (*after)(struct load *load);
	struct expected writers[2];
	bool gone;	   /* the destination is, and the copy ends with ENOENT */
	const char *needs; /* a kernel function without which nobody writes */
};

extern const struct operation operations[];
extern const size_t nr_operations;
#define MAX_OPERATIONS 128

/* io_uring's worker (writing_ring.c). */
int before_ring(struct load *load);
int run_ring(struct load *load);
int after_ring(struct load *load);

/* Huge pages (writing_collapse.c). set_up_collapse() changes settings of the system, restore_settings() takes that
 * back. */
void set_up_collapse(struct load *load);
void restore_settings(struct load *load);
int before_collapse(struct load *load);
/* EAGAIN says that a page was between two lists, of the CPU that wrote it say: do @once again, for a second at most. */
int until_collapsed(int (*once)(struct load *), struct load *load);
int run_collapse(struct load *load);
int run_khugepaged(struct load *load);
int after_collapse(struct load *load);

/* What the tool must say of the operations that ran, and which did not. */
#define NR_ROWS 128

struct row {
	struct expected expected;
	uint64_t windows;
	uint64_t sections;
};

struct writers_truth {
	struct truth truth;
	struct row rows[NR_ROWS];
	size_t nr_rows;
	uint64_t moved; /* windows with a writer */
	uint64_t failures;
	int lacks[MAX_OPERATIONS];   /* errno */
	bool silent[MAX_OPERATIONS]; /* nobody writes on this kernel */
	bool has_vma_locks;
};

/* Add @op, done in a window of a copy that ended with @copy_err. */
void writing_judge(struct writers_truth *t, const struct operation *op, int copy_err);
/* Print it. Returns 0 or -1. */
int writing_report(const struct load *load, const struct writers_truth *t);

#endif
