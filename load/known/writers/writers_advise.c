// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Writers by madvise(), and advice that takes no mmap_lock for write.
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>

#include "known/writers/writers.h"

#define ADVICE(text, c)                                      \
	{                                                    \
		.op = "madvise", .advice = text, .covers = c \
	}

#define ADVISE(name, where, advice)                            \
	static int run_##name(struct writers *w)               \
	{                                                      \
		return OR_ERRNO(madvise(where, PAGE, advice)); \
	}

ADVISE(dontfork, (void *)w->dst, MADV_DONTFORK)
ADVISE(nohugepage, (void *)w->dst, MADV_NOHUGEPAGE)
ADVISE(hugepage, (void *)w->dst, MADV_HUGEPAGE)
ADVISE(random, (void *)w->dst, MADV_RANDOM)
ADVISE(dontdump, inner(w), MADV_DONTDUMP)
ADVISE(wipeonfork, (void *)w->dst, MADV_WIPEONFORK)
ADVISE(mergeable, (void *)w->dst, MADV_MERGEABLE)
ADVISE(normal, inner(w), MADV_NORMAL)
ADVISE(sequential, inner(w), MADV_SEQUENTIAL)
ADVISE(dofork, inner(w), MADV_DOFORK)
ADVISE(dodump, inner(w), MADV_DODUMP)
ADVISE(keeponfork, inner(w), MADV_KEEPONFORK)
ADVISE(unmergeable, inner(w), MADV_UNMERGEABLE)
ADVISE(willneed, inner(w), MADV_WILLNEED)
ADVISE(dontneed, inner(w), MADV_DONTNEED)
ADVISE(free, inner(w), MADV_FREE)
ADVISE(cold, inner(w), MADV_COLD)
ADVISE(pageout, inner(w), MADV_PAGEOUT)
ADVISE(populate, inner(w), MADV_POPULATE_WRITE)
ADVISE(populate_read, inner(w), MADV_POPULATE_READ)

const struct operation advise_operations[] = {
	{ .name = "madvise-dontfork",
	  .run = run_dontfork,
	  .writers = { ADVICE("MADV_DONTFORK", true) } },
	{ .name = "madvise-nohugepage",
	  .run = run_nohugepage,
	  .writers = { ADVICE("MADV_NOHUGEPAGE", true) } },
	{ .name = "madvise-hugepage",
	  .run = run_hugepage,
	  .writers = { ADVICE("MADV_HUGEPAGE", true) } },
	{ .name = "madvise-random", .run = run_random, .writers = { ADVICE("MADV_RANDOM", true) } },
	{ .name = "madvise-dontdump",
	  .run = run_dontdump,
	  .writers = { ADVICE("MADV_DONTDUMP", false) } },
	{ .name = "madvise-wipeonfork",
	  .run = run_wipeonfork,
	  .writers = { ADVICE("MADV_WIPEONFORK", true) } },
	{ .name = "madvise-mergeable",
	  .run = run_mergeable,
	  .writers = { ADVICE("MADV_MERGEABLE", true) } },
	{ .name = "madvise-normal", .run = run_normal, .writers = { ADVICE("MADV_NORMAL", false) } },
	{ .name = "madvise-sequential",
	  .run = run_sequential,
	  .writers = { ADVICE("MADV_SEQUENTIAL", false) } },
	{ .name = "madvise-dofork", .run = run_dofork, .writers = { ADVICE("MADV_DOFORK", false) } },
	{ .name = "madvise-dodump", .run = run_dodump, .writers = { ADVICE("MADV_DODUMP", false) } },
	{ .name = "madvise-keeponfork",
	  .run = run_keeponfork,
	  .writers = { ADVICE("MADV_KEEPONFORK", false) } },
	{ .name = "madvise-unmergeable",
	  .run = run_unmergeable,
	  .writers = { ADVICE("MADV_UNMERGEABLE", false) } },
	{ .name = "madvise-willneed", .run = run_willneed },
	{ .name = "madvise-dontneed", .run = run_dontneed },
	{ .name = "madvise-free", .run = run_free },
	{ .name = "madvise-cold", .run = run_cold },
	{ .name = "madvise-pageout", .run = run_pageout },
	{ .name = "madvise-populate", .run = run_populate },
	{ .name = "madvise-populate-read", .run = run_populate_read },
	{ .name = "madvise-collapse",
	  .before = before_collapse,
	  .run = run_collapse,
	  .after = after_collapse,
	  .writers = { { .op = "madvise", .advice = "MADV_COLLAPSE", .many = true } } },
	{ 0 },
};
