// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Writers that are not this process: an io_uring worker, another process, khugepaged.
#define _GNU_SOURCE
#include <errno.h>

#include "known/writers/writers.h"

static int run_clear_refs(struct writers *w)
{
	return other_do(&w->other, OTHER_CLEAR_REFS, 0);
}

static int run_poke(struct writers *w)
{
	return other_do(&w->other, OTHER_POKE, (uint64_t)inner(w));
}

static int run_write_mem(struct writers *w)
{
	return other_do(&w->other, OTHER_WRITE_MEM, (uint64_t)inner(w));
}

static int run_other_cold(struct writers *w)
{
	return other_do(&w->other, OTHER_COLD, (uint64_t)inner(w));
}

static int other_collapses(struct writers *w)
{
	return other_do(&w->other, OTHER_COLLAPSE, w->huge);
}

static int run_other_collapse(struct writers *w)
{
	return until_collapsed(other_collapses, w);
}

const struct operation outside_operations[] = {
	{ .name = "io_uring-madvise",
	  .before = before_ring,
	  .run = run_ring,
	  .after = after_ring,
	  .writers = { { .op = "io_uring worker", .syscall = "-", .who = BY_IO_WORKER } } },
	{ .name = "clear_refs",
	  .run = run_clear_refs,
	  .writers = { { .op = "write", .who = BY_OTHER, .covers = true, .by_vma_lock = true } } },
	{ .name = "ptrace-poke", .run = run_poke },
	{ .name = "proc-mem-write", .run = run_write_mem },
	{ .name = "process_madvise-cold", .run = run_other_cold },
	{ .name = "process_madvise-collapse",
	  .before = before_collapse,
	  .run = run_other_collapse,
	  .after = after_collapse,
	  .writers = { { .op = "process_madvise",
			 .advice = "MADV_COLLAPSE",
			 .who = BY_OTHER,
			 .many = true } } },
	{ .name = "khugepaged",
	  .before = before_collapse,
	  .run = run_khugepaged,
	  .after = after_collapse,
	  .writers = { { .op = "madvise", .advice = "MADV_HUGEPAGE" },
		       { .op = "khugepaged", .syscall = "-", .who = BY_KHUGEPAGED, .many = true } } },
	{ 0 },
};
