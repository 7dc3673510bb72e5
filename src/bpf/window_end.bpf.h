/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * The end of a window: it is classified, counted and reported.
 *
 * The parts are global functions that return 0: the verifier checks each once, not for each end
 * that calls it and for each outcome of the part before.
 */
#ifndef WINDOW_END_BPF_H
#define WINDOW_END_BPF_H

#include "classify.h"
#include "bpf/arch.bpf.h"
#include "bpf/by.bpf.h"
#include "bpf/event.bpf.h"
#include "bpf/retry_chain.bpf.h"
#include "bpf/window_slot.bpf.h"
#include "bpf/writer.bpf.h"

/* __vma_start_write() is hooked: a write-locked VMA must show up in the change log. */
volatile bool has_write_lock_hook = false;
/* The vm_flags that the last window of the self-test changed. */
volatile __u64 flags_changed = 0;

/* What happened to the destination in the window, where the class depends on it. */
static __always_inline void window_search_log(struct window *w)
{
	w->facts.unmapped = vma_log_seen(w->mm, VMA_UNMAP, w->unmaps, w->unmaps_end, w->facts.dst);
	if (w->facts.unmapped == SEEN_UNKNOWN)
		count_lost(w->slot, LOST_MAP_FULL);
	if (has_write_lock_hook)
		w->facts.write_locked = vma_log_seen(w->mm, VMA_WRITE_LOCK, w->write_locks,
						     w->write_locks_end, w->facts.dst);
}

/* window_located() - @dst is the destination address: search the change logs for it. */
static __always_inline void window_located(struct window *w, __u64 dst)
{
	w->facts.dst = dst;
	if (was_write_locked(&w->facts))
		window_search_log(w);
}

/*
 * The numbers of the write sections that began in @w, or ended in it: @first, @first + 2 ... @last.
 * Returns false if there are none.
 */
static __always_inline bool window_sections(const struct window *w, __u32 *first, __u32 *last)
{
	__u32 begin = w->facts.begin.mm_lock_seq, end;

	if (!mm_numbers_sections()) {
		*first = w->first_section | 1;
		*last = section_head(w->mm) - 1;
		return true;
	}
	end = w->relocked_ns ? w->facts.end.mm_lock_seq : mm_lock_seq_of(w->mm);
	*first = begin | 1;
	*last = (end - 1) | 1;
	return begin != end;
}

/* Name and count who wrote to @w's mm in the window. */
static __always_inline void window_writers(struct window *w)
{
	__u32 first, last;

	if (!has_writers || w->facts.relock_result == RELOCK_LOST ||
	    !window_sections(w, &first, &last))
		return;
	struct writer_query q = { .mm = w->mm, .dst = w->facts.dst, .slot = w->slot };

	if (mm_numbers_sections() && w->relocked_ns && was_write_locked(&w->facts))
		q.lock_seq = w->facts.end.vm_lock_seq;
	writers_count(&q, first, last);
	w->writers = q.set;
}

__noinline int window_classify(struct window *w)
{
	if (w)
		classify(&w->facts, page_shift, &w->verdict);
	return 0;
}

/* @ns: the duration. */
__noinline int window_count(struct window *w, __u64 ns)
{
	if (!w)
		return 0;
	count_window(w->slot, w->kind, &w->verdict, ns, w->external);
	return 0;
}

/*
 * Its target's row, what hooks did not see, and the relock. Apart, or the verifier would look at all
 * of it in each state that window_count() can end in.
 */
__noinline int window_count_rest(struct window *w, __u64 ns)
{
	if (!w)
		return 0;
	by_window(w->slot, w->by, &w->verdict, ns, w->silences);
	if (w->silences)
		count_silent(w->slot, w->kind, w->verdict.class, w->silences);
	if (cfg_relock)
		relock_count(&w->relock, w->slot, !w->relocked_ns);
	return 0;
}

__noinline int window_event(const struct window *w)
{
	struct event *e = w ? event_begin(w->slot, EVENT_WINDOW, LOST_EVENTS) : NULL;

	if (!e)
		return 0;
	e->begin_ns = w->begin_ns;
	e->window_ns = bpf_ktime_get_ns() - w->begin_ns;
	e->relock_ns = w->relocked_ns ? w->relocked_ns - w->begin_ns : 0;
	e->dst = w->facts.dst;
	e->verdict = w->verdict;
	e->kind = w->kind;
	e->external = w->external;
	e->writers = w->writers;
	event_end(e);
	return 0;
}

/* Name @w, which ended with @result, an enum relock_result. */
static __always_inline void window_settle(struct window *w, __u32 result)
{
	/*
	 * The end of the page was missed, and with it the address: the change log cannot be
	 * searched. Without a write lock there is nothing to search for.
	 */
	if (result == RELOCK_OK && !w->facts.dst && was_write_locked(&w->facts))
		result = RELOCK_LOST;
	w->facts.relock_result = result;
	window_classify(w);
}

/* Count @w, which has its verdict. */
static __always_inline void window_tally(struct window *w)
{
	const __u64 ns = (w->relocked_ns ?: bpf_ktime_get_ns()) - w->begin_ns;

	if (w->facts.relock_result == RELOCK_LOST)
		count_lost(w->slot, LOST_WINDOWS);
	if (w->slot == SLOT_SELF_TEST)
		flags_changed = w->facts.begin.flags ^ w->facts.end.flags;
	window_count(w, ns);
	window_count_rest(w, ns);
	window_writers(w);
	if (w->slot == SLOT_RUN && chains_open())
		chain_window(w->mm, w->facts.dst);
}

/* window_end() - @w ended with @result, an enum relock_result. It stays the task's. */
__noinline int window_end(struct window *w, __u32 result)
{
	if (!w)
		return 0;
	window_settle(w, result);
	/* Once the loader has said stop, the counters that it reads must not change any more. */
	if (phase != PHASE_OFF) {
		window_tally(w);
		window_event(w);
	}
	__sync_fetch_and_add(open_windows_of(w->mm), -1);
	w->open = 0;
	return 0;
}

/*
 * window_close() - as window_end(), and release the slot unless the plan needs it for the whole
 * copy.
 */
static __always_inline void window_close(struct window *w, __u32 result)
{
	window_end(w, result);
	if (!w->looping)
		window_release(w);
}

/*
 * Does the plan see the end of each page, after all of the kernel's tests? Only on kernels from 7.1
 * on, and not in the copy loop of hugetlb destinations.
 */
static __always_inline bool window_has_page_hook(const struct window *w)
{
	return !w->looping && w->kind != KIND_HUGETLB;
}

/*
 * window_result() - how @w ended, by what @u saw: an enum relock_result. Sets relocked and
 * page_hook of @u.
 */
static __always_inline __u32 window_result(struct window *w, struct unseen_end *u)
{
	u->relocked = w->relocked_ns != 0;
	u->page_hook = window_has_page_hook(w);
	return unseen_end(&w->facts, u);
}

/* window_passed() - the page of @w got past the kernel's tests: an enum relock_result. */
static __always_inline __u32 window_passed(struct window *w)
{
	return window_result(w, &(struct unseen_end) { .at = OPEN_AT_PAGE });
}

/*
 * The copy loop returns @ret with @w open, whose page's end was missed. With an error that is the
 * error of the first page, or the copy was of one page: then it is the window's.
 */
static __always_inline void window_late_page(struct window *w, __u64 dst, __u64 len, __s64 ret)
{
	if (!w->relocked_ns || (ret >= 0 && len != PAGE_SIZE))
		return;
	if (!w->facts.dst)
		window_located(w, dst);
	if (w->facts.kernel_answer == KERNEL_ANSWER_UNSEEN)
		kernel_answered(&w->facts, page_shift, ret < 0 ? ret : 0);
}

/*
 * window_overtaken() - the copy loop returns @ret for [@dst, @dst + @len) with @w open: an enum
 * relock_result.
 */
static __always_inline __u32 window_overtaken(struct window *w, bool changing, __u64 dst, __u64 len,
					      __s64 ret)
{
	struct unseen_end u = {
		.at = OPEN_AT_LOOP,
		.changing = changing,
		.by_fault = !copy_locks_vma(),
		.ret = ret,
		.len = len,
		.end = dst + len,
	};
	__u32 result;

	if (window_has_page_hook(w))
		window_late_page(w, dst, len, ret);
	/* The page that failed. */
	else if (!w->relocked_ns)
		w->facts.dst = ret > 0 ? dst + ret : dst;
	u.would_pass = w->kind == KIND_HUGETLB && kernel_would_pass(&w->facts, page_shift);
	result = window_result(w, &u);
	if (is_silent_end(&u, result))
		w->silences |= 1U << SILENT_TESTS;
	return result;
}

static long window_sweep(__u32 place, void *ctx)
{
	struct window *w = window_at(place);

	if (!w || !w->open || !w->relocked_ns || !window_has_page_hook(w))
		return 0;
	window_settle(w, window_result(w, &(struct unseen_end) { .at = OPEN_AT_NEXT }));
	window_tally(w);
	if (cfg_events)
		count_lost(w->slot, LOST_EVENTS);
	__sync_fetch_and_add(open_windows_of(w->mm), -1);
	w->open = 0;
	return 0;
}

/*
 * windows_sweep() - count the windows whose relock was seen and whose page's end was missed, and
 * whose task has opened no other since. After the stop, so that no program counts them too.
 */
static __always_inline void windows_sweep(void)
{
	bpf_loop(NR_TASK_SLOTS, window_sweep, NULL, 0);
}

#endif /* WINDOW_END_BPF_H */
