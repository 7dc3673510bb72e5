// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The table of hooks, and which plan a kernel gets: see hook_table.h. */
#include "trace/hook_table.h"

#include <stdio.h>
#include <string.h>

#define FN (1U << 0)
#define STATE (1U << 1)
#define INTERVAL (1U << 2)
#define MMAP_LOCK (1U << 3)
#define LEGACY (1U << 4)
#define ON_MMAP_LOCK (MMAP_LOCK | LEGACY)
#define ON_VMA_LOCK (FN | STATE | INTERVAL)
#define ALL (ON_VMA_LOCK | ON_MMAP_LOCK)
#define BESIDE BESIDE_PLANS

const struct plan plans[] = {
	/* 7.1 and later, where mfill_copy_folio_retry() is not inlined. */
	{ "retry_fn", "exact, PER-MM slightly too high", true, FN },
	/* 7.1 and later: the kernel calls a function for its snapshot and one for its comparison,
	   once a window. */
	{ "retry_state", "exact, PER-MM slightly too high", true, STATE },
	/* 6.12 to 7.0, and a fallback later. */
	{ "interval", "begin seen early: PER-MM at most", false, INTERVAL },
	/* 6.3 to 6.8, x86: UFFDIO_COPY takes mmap_lock; with per-VMA locks elsewhere since 6.4. */
	{ "mmap_lock", "exact", true, MMAP_LOCK },
	/* 6.1 and 6.2, x86: no per-VMA locks, so no mm_lock_seq. */
	{ "legacy", "exact, without mm_lock_seq", true, LEGACY },
	{ .name = NULL },
};

/* A row: function or tracepoint, suffix of its program, its plans, its roles, the fact it tells. */
#define ROW(sec, fn, place, suffix, in, is, fact, ...)                                   \
	{                                                                                \
		.program = #fn place suffix, .variant = sec, .target = #fn, .plans = in, \
		.roles = is, .why = fact, __VA_ARGS__                                    \
	}
#define ENTRY(fn, ...) ROW("fentry", fn, "_entry", __VA_ARGS__)
#define EXIT(fn, ...) ROW("fexit", fn, "_exit", __VA_ARGS__)
#define PROBE(fn, ...) ROW("kprobe.multi", fn, "_probe", __VA_ARGS__)
#define POINT(tp, ...) ROW("tp_btf", tp, "", __VA_ARGS__)

/*
 * What opens a window must never run without what closes it. So exits of outer functions come
 * first, then what ends a window, and last what begins one.
 */
/* clang-format off */
const struct hook hook_table[] = {
	/* Targets. */
	POINT(sched_process_exit, "", BESIDE, ROLE_REQUIRED | ROLE_RARE | ROLE_EXITS, "targets exit"),
	POINT(sched_process_fork, "", BESIDE, ROLE_REQUIRED | ROLE_RARE | ROLE_CHILDREN,
	      "children of COMMAND", .costs = COSTS_CHILD),

	/* A copy ends. */
	EXIT(mfill_atomic_copy, "", FN | STATE, ROLE_REQUIRED, "bytes; windows ended by a fault",
	      .costs = COSTS_PAGES),
	EXIT(mfill_atomic_copy, "__interval", INTERVAL, ROLE_REQUIRED,
	      "bytes; windows ended by an error", .costs = COSTS_PAGES),
	EXIT(mfill_atomic_copy, "__mmap_lock", MMAP_LOCK, ROLE_REQUIRED,
	     "bytes; windows ended by an error", .costs = COSTS_PAGES, .args = 6),
	EXIT(mcopy_atomic, "", LEGACY, ROLE_REQUIRED, "bytes; windows ended by an error",
	      .costs = COSTS_PAGES),

	/* A window ends. */
	EXIT(mfill_copy_folio_retry, "", FN, ROLE_REQUIRED, "a window ends; kernel's verdict"),
	EXIT(mfill_get_vma, "", FN, 0, "the relocked VMA, seen earlier"),
	ENTRY(mfill_retry_state_save, "__retry_fn", FN, 0, "the kernel has read mm_lock_seq"),
	EXIT(mfill_retry_state_changed, "", STATE, ROLE_REQUIRED | ROLE_ANSWER,
	     "relocked VMA; kernel's verdict"),
	PROBE(mfill_retry_state_changed, "", STATE, ROLE_REQUIRED, "the relocked VMA"),
	EXIT(__mfill_atomic_pte, "", FN | STATE, ROLE_REQUIRED | ROLE_PAGES,
	     "a page's end: errno, the window"),
	PROBE(mm_alloc_pmd, "", INTERVAL | ON_MMAP_LOCK, ROLE_REQUIRED | ROLE_PASSES,
	      "a copy begins; relock accepted", .costs = COSTS_WINDOW),
	ENTRY(mm_alloc_pmd, "", INTERVAL | ON_MMAP_LOCK,
	      ROLE_REQUIRED | ROLE_UNLESS_PROBES | ROLE_PASSES, "the relocked VMA was accepted", .costs = COSTS_WINDOW),
	ENTRY(huge_pte_alloc, "", ON_MMAP_LOCK, ROLE_HUGETLB | ROLE_RARE | ROLE_PASSES,
	      "hugetlb: the VMA was accepted"),
	EXIT(uffd_lock_vma, "__interval", INTERVAL, ROLE_REQUIRED, "a copy begins; the VMA, relocked"),
	EXIT(mfill_atomic_install_pte, "", INTERVAL | MMAP_LOCK, 0, "why a page was not installed"),
	EXIT(hugetlb_mfill_atomic_pte, "__mmap_lock", MMAP_LOCK, ROLE_RARE,
	     "hugetlb: errno of a page"),

	/* What happened in it, and who wrote. */
	ENTRY(unmap_vmas, "", ON_VMA_LOCK | MMAP_LOCK, ROLE_REQUIRED, "unmaps: replaced or not",
	      .costs = COSTS_UNMAP),
	ENTRY(do_mas_munmap, "", LEGACY, ROLE_REQUIRED, "unmaps: replaced or not",
	      .costs = COSTS_UNMAP),
	EXIT(__vma_start_write, "", ON_VMA_LOCK, ROLE_WITNESS, "VMA write locks: second witness"),
	POINT(mmap_lock_acquire_returned, "__writers", ON_VMA_LOCK, ROLE_WRITERS | ROLE_ONLY_WRITERS,
	      "who writes", .args = 3),
	POINT(mmap_lock_acquire_returned, "__writers_memcg", ON_VMA_LOCK,
	      ROLE_WRITERS | ROLE_ONLY_WRITERS,
	      "who writes (with a memcg path)", .args = 4),
	POINT(mmap_lock_acquire_returned, "__legacy", ON_MMAP_LOCK, ROLE_REQUIRED | ROLE_WRITERS,
	      "the relocked VMA; every writer", .args = 4),
	ENTRY(expand_stack_locked, "", ALL, ROLE_ONLY_WRITERS | ROLE_RARE,
	      "who writes: stacks that grow"),
	/* The former calls it, and may be inlined. */
	ENTRY(expand_downwards, "", ON_VMA_LOCK, ROLE_ONLY_WRITERS | ROLE_RARE,
	      "who writes: stacks that grow"),
	EXIT(userfaultfd_ioctl, "", FN | STATE, ROLE_REQUIRED, "calls, by their result",
	      .costs = COSTS_CALL),
	EXIT(userfaultfd_ioctl, "__loops", INTERVAL | ON_MMAP_LOCK, ROLE_REQUIRED,
	     "calls, by their result", .costs = COSTS_CALL),

	/* Hugetlb: its retry is in a function of its own. */
	EXIT(uffd_mfill_lock, "", FN | STATE, ROLE_RARE, "hugetlb: the relocked VMA"),
	EXIT(uffd_lock_vma, "__hugetlb", FN | STATE, ROLE_RARE, "hugetlb: the relocked VMA",
	     .unless = "uffd_mfill_lock"),
	PROBE(hugetlb_mfill_atomic_pte, "", ON_VMA_LOCK, ROLE_RARE | ROLE_PASSES,
	      "hugetlb: a window ends"),
	PROBE(copy_folio_from_user, "", ON_VMA_LOCK, ROLE_BOUNDS_BEGIN | ROLE_RARE,
	      "hugetlb: how early the begin is"),
	ENTRY(copy_folio_from_user, "", ON_VMA_LOCK,
	      ROLE_BOUNDS_BEGIN | ROLE_RARE | ROLE_UNLESS_PROBES, "hugetlb: how early the begin is"),
	EXIT(copy_folio_from_user, "", ON_VMA_LOCK, ROLE_RARE, "hugetlb: source unreadable"),
	EXIT(hugetlb_mfill_atomic_pte, "", ON_VMA_LOCK, ROLE_HUGETLB | ROLE_RARE | ROLE_PASSES,
	      "hugetlb: a window begins, ends"),

	/* A window begins. */
	POINT(page_fault_kernel, "", INTERVAL, ROLE_BOUNDS_BEGIN, "how early the begin is"),
	ENTRY(fixup_exception, "__interval", INTERVAL, ROLE_REQUIRED, "a window begins",
	      .unless = "__do_kernel_fault", .costs = COSTS_WINDOW),
	/* arm64; on x86 the former. */
	ENTRY(__do_kernel_fault, "__interval", INTERVAL, ROLE_REQUIRED, "a window begins",
	      .unless = "exc_page_fault", .costs = COSTS_WINDOW),
	EXIT(shmem_mfill_atomic_pte, "", INTERVAL | MMAP_LOCK, 0,
	     "shmem: later begin; errno"),
	POINT(mmap_lock_released, "", ON_MMAP_LOCK, ROLE_REQUIRED, "a window begins",
	      .costs = COSTS_WINDOW),
	ENTRY(fixup_exception, "__legacy", ON_MMAP_LOCK, ROLE_REQUIRED | ROLE_PASSES,
	      "a retry begins; source unreadable", .never = "__do_kernel_fault",
	      .costs = COSTS_WINDOW),
	ENTRY(mfill_copy_folio_retry, "", FN, ROLE_REQUIRED | ROLE_UNLESS_PROBES, "a window begins",
	      .costs = COSTS_WINDOW),
	PROBE(mfill_copy_folio_retry, "", FN, ROLE_REQUIRED, "a window begins",
	      .costs = COSTS_WINDOW),
	ENTRY(mfill_retry_state_save, "__retry_state", STATE, ROLE_REQUIRED | ROLE_UNLESS_PROBES,
	      "a window begins", .costs = COSTS_WINDOW),
	PROBE(mfill_retry_state_save, "", STATE, ROLE_REQUIRED, "a window begins",
	      .costs = COSTS_WINDOW),

	/* A copy begins. */
	ENTRY(mfill_atomic_copy, "__mmap_lock", MMAP_LOCK, ROLE_REQUIRED, "a copy begins",
	      .costs = COSTS_WINDOW, .args = 6),
	ENTRY(mcopy_atomic, "", LEGACY, ROLE_REQUIRED, "a copy begins", .costs = COSTS_WINDOW),

	/* Who holds mmap_changing. What lowers it comes first, or a raise could stay for ever. */
	EXIT(userfaultfd_event_wait_completion, "", BESIDE, ROLE_RARE, "mmap_changing is lowered"),
	EXIT(mremap_userfaultfd_fail, "", BESIDE, ROLE_RARE,
	      "mmap_changing is lowered by a failed mremap"),
	EXIT(dup_userfaultfd_fail, "", BESIDE, ROLE_RARE, "mmap_changing is lowered by a failed fork"),
	ENTRY(dup_userfaultfd, "", BESIDE, ROLE_RARE, "mmap_changing is raised by fork"),
	ENTRY(mremap_userfaultfd_prep, "", BESIDE, ROLE_RARE, "mmap_changing is raised by mremap"),
	ENTRY(userfaultfd_event_wait_completion, "", BESIDE, ROLE_RARE,
	      "mmap_changing was raised by madvise, an unmap"),

	/* Relock latency, and how long write sections hold mmap_lock. */
	EXIT(uffd_lock_vma, "__relock", BESIDE, ROLE_RELOCK, "relock latency"),
	ENTRY(uffd_lock_vma, "__relock", BESIDE, ROLE_RELOCK, "relock latency"),
	POINT(mmap_lock_start_locking, "", BESIDE, ROLE_RELOCK, "relock latency",
	      .unless = "uffd_lock_vma", .args = 3),
	POINT(mmap_lock_released, "__relock", ON_VMA_LOCK, ROLE_HOLDS, "write sections end", .args = 2),
	POINT(mmap_lock_released, "__relock_memcg", ON_VMA_LOCK, ROLE_HOLDS,
	      "write sections end (with a memcg path)", .args = 3),
	{ .target = NULL },
};
/* clang-format on */

bool hook_is_tracepoint(const struct hook *h)
{
	return !strcmp(h->variant, "tp_btf");
}

bool hook_is_probe(const struct hook *h)
{
	return !strcmp(h->variant, "kprobe.multi");
}

/* Does another row serve better than @h: with another function, or by another kind of hook? */
static bool has_better(const struct kernel *k, const struct hook *h)
{
	if (hook_is_probe(h))
		return !k->has_probes;
	if (h->roles & ROLE_UNLESS_PROBES && k->has_probes)
		return true;
	return h->unless && kernel_has_function(k, h->unless, 0);
}

bool hook_in_btf(const struct kernel *k, const struct hook *h)
{
	if (has_better(k, h) || (h->never && kernel_has_function(k, h->never, 0)))
		return false;
	return hook_is_tracepoint(h) ? kernel_has_tracepoint(k, h->target, h->args)
				     : kernel_has_function(k, h->target, h->args);
}

bool hook_replaced(const struct kernel *k, const struct hook *h)
{
	if (hook_in_btf(k, h))
		return false;
	return has_better(k, h) ||
	       (hook_is_tracepoint(h) && kernel_has_tracepoint(k, h->target, 0));
}

static bool lacks(const struct kernel *k, const struct plan *p, const struct hook *h)
{
	return plan_has(p, h) && h->roles & ROLE_REQUIRED && !has_better(k, h) &&
	       !hook_in_btf(k, h);
}

bool plan_possible(const struct kernel *k, const struct plan *p)
{
	for (const struct hook *h = hook_table; h->target; h++)
		if (lacks(k, p, h))
			return false;
	return true;
}

/* The first row of @p on a target that it lacks: several may be on the same. */
static bool lacks_target(const struct kernel *k, const struct plan *p, const struct hook *h)
{
	if (!lacks(k, p, h))
		return false;
	for (const struct hook *other = hook_table; other < h; other++)
		if (!strcmp(other->target, h->target) && lacks(k, p, other))
			return false;
	return true;
}

unsigned int plan_missing(const struct kernel *k, const struct plan *p, char *text,
			  unsigned int size)
{
	unsigned int used = 0, nr = 0;

	text[0] = '\0';
	for (const struct hook *h = hook_table; h->target; h++) {
		if (!lacks_target(k, p, h))
			continue;
		nr++;
		if (used < size)
			used += (unsigned int)snprintf(text + used, size - used, "%s%s",
						       used ? ", " : "", h->target);
		if (used < size && h->args)
			used += (unsigned int)snprintf(text + used, size - used,
						       " with %d arguments", h->args);
	}
	return nr;
}

const struct plan *plan_nearest(const struct kernel *k)
{
	const struct plan *nearest = plans;
	unsigned int least = ~0U;
	char text[1];

	for (const struct plan *p = plans; p->name; p++) {
		unsigned int nr = plan_missing(k, p, text, sizeof(text));

		if (nr >= least)
			continue;
		nearest = p;
		least = nr;
	}
	return nearest;
}

const struct plan *plan_by_name(const char *name)
{
	for (const struct plan *p = plans; p->name; p++)
		if (!strcmp(p->name, name))
			return p;
	return NULL;
}

const struct plan *plan_next(const struct kernel *k, const struct plan *from)
{
	for (const struct plan *p = from; p->name; p++)
		if (plan_possible(k, p))
			return p;
	return NULL;
}
