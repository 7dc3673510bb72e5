/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Where the current task's copy stopped: the site in the kernel (enum fail_site), and the errno.
 *
 * Hooks on the way note a failure in a slot of the task, and the exit of the ioctl reads it there.
 * A call that succeeds pays nothing. An empty slot means that the copy loop was not entered.
 */
#ifndef COPY_STOP_BPF_H
#define COPY_STOP_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "classify.h"
#include "task_slot.h"
#include "bpf/mmap_changing.bpf.h"
#include "bpf/window_slot.bpf.h"

struct copy_stop {
	__u64 dst;    /* where it stopped */
	__s64 copied; /* bytes before that */
	__u16 place;  /* in the table of tasks, and in copy_stops */
	__u8 unseen;  /* a window had no begin: its run was skipped, or came before ours */
	__u8 pad;
	__u8 fail;  /* enum fail_errno */
	__u8 site;  /* enum fail_site */
	__u8 noted; /* of the page at dst */
	__u8 left;  /* the copy loop has returned */
};
_Static_assert(NR_TASK_SLOTS <= 1 << 16, "a place has 16 bits");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NR_TASK_SLOTS);
	__type(key, __u32);
	__type(value, struct copy_stop);
} copy_stops SEC(".maps");

/* A task had no place in the table: an empty slot proves nothing any more. */
volatile bool stops_full = false;

/* stop_find() - the current task's, or NULL. */
static __always_inline struct copy_stop *stop_find(void)
{
	__u32 place = task_slot_find(TASK_COPY_STOP, own_tid());

	return place < NR_TASK_SLOTS ? bpf_map_lookup_elem(&copy_stops, &place) : NULL;
}

/*
 * The current task's, made if need be; NULL without a slot. What a copy loop left behind is of
 * another call.
 */
static __always_inline struct copy_stop *stop_take(void)
{
	__u32 place = task_slot_take(TASK_COPY_STOP, own_tid());
	struct copy_stop *s = bpf_map_lookup_elem(&copy_stops, &place);

	if (!s) {
		stops_full = true;
		return NULL;
	}
	s->place = place;
	if (s->left) {
		s->noted = 0;
		s->left = 0;
		s->unseen = 0;
	}
	return s;
}

/* stop_release() - forget @s, the current task's. */
static __always_inline void stop_release(struct copy_stop *s)
{
	s->noted = 0;
	s->left = 0;
	s->unseen = 0;
	task_slot_release(TASK_COPY_STOP, own_tid(), s->place);
}

/*
 * stop_note() - the page at @dst, or its VMA, failed with -@err at @site. The first note of a page
 * stays, because outer functions pass the errno on.
 */
static __always_inline void stop_note(__u64 dst, __s32 err, __u32 site)
{
	struct copy_stop *s = stop_take();

	if (!s || (s->noted && s->dst == dst))
		return;
	s->dst = dst;
	s->fail = fail_errno_of(err);
	s->site = site;
	s->noted = 1;
}

/* stop_unseen_window() - the current task relocks in a window that has no begin. */
static __always_inline void stop_unseen_window(void)
{
	struct copy_stop *s = stop_take();

	if (s)
		s->unseen = 1;
}

/* May the current task have had a window without a begin in this copy? */
static __always_inline bool stop_had_unseen_window(void)
{
	struct copy_stop *s = stop_find();

	return s && s->unseen;
}

/* site_of_refusal() - uffd_lock_vma() failed with -@err, at the relock (@again) or at first. */
static __always_inline __u32 site_of_refusal(__s32 err, bool again)
{
	if (err == EAGAIN)
		return SITE_REFUSED;
	return again ? SITE_RELOCK : SITE_LOCK;
}

/*
 * No hook noted where: the first lock failed, or the run that would have noted it was skipped. The
 * lock's -EAGAIN comes from mmap_changing. Its other one, of a VMA whose reference count is saturated, is
 * noted by its hook up to 7.0, and was never seen later.
 */
static __always_inline __u32 site_of_lock(struct userfaultfd_ctx *uffd, __u32 fail)
{
	if (fail == FAIL_EAGAIN && !changing_is_up(uffd))
		return SITE_UNKNOWN;
	return SITE_LOCK;
}

/*
 * site_of_page() - the page of @state failed with @ret; @w: its window, or NULL. Without a locked
 * VMA the source or the relock failed, and only mmap_changing tells a relock's -EAGAIN apart.
 */
static __always_inline __u32 site_of_page(const struct window *w, struct mfill_state *state,
					  __s32 ret)
{
	if (state->vma) {
		if (ret != -EAGAIN)
			return SITE_PAGE;
		if (!w)
			return stop_had_unseen_window() ? SITE_UNKNOWN : SITE_PAGE;
		return w->facts.kernel_eagain ? SITE_CHECK : SITE_PAGE;
	}
	if (ret == -EFAULT)
		return SITE_SOURCE;
	return ret == -EAGAIN && !changing_is_up(state->ctx) ? SITE_REFUSED : SITE_RELOCK;
}

/* site_of_retry() - mfill_copy_folio_retry() returned @ret with @vma locked, or NULL. */
static __always_inline __u32 site_of_retry(struct vm_area_struct *vma, __s32 ret)
{
	if (!vma)
		return ret == -EFAULT ? SITE_SOURCE : SITE_RELOCK;
	return ret == -EAGAIN ? SITE_CHECK : SITE_PAGE;
}

/*
 * A fatal signal ends a copy between two pages (fatal_signal_pending()): the whole thread group
 * exits.
 */
#define SIGNAL_GROUP_EXIT 4

static __always_inline bool dying(void)
{
	return bpf_get_current_task_btf()->signal->flags & SIGNAL_GROUP_EXIT;
}

/* The copy loop returned only the bytes copied, and nothing was noted. */
static __always_inline void stop_untold(struct copy_stop *s)
{
	s->fail = dying() ? FAIL_EINTR : FAIL_UNTOLD;
	s->site = SITE_PAGE;
}

/*
 * stop_unknown() - the copy loop for @dst failed with @ret, or was short, and nothing tells where.
 */
static __always_inline void stop_unknown(__u64 dst, __s64 ret)
{
	struct copy_stop *s = stop_take();

	if (!s)
		return;
	s->copied = ret > 0 ? ret : 0;
	s->dst = dst + s->copied;
	s->fail = ret < 0 ? fail_errno_of(-ret) : FAIL_UNTOLD;
	s->site = SITE_UNKNOWN;
	s->left = 1;
}

/*
 * stop_at_window() - the copy loop returned @ret with @w open, which ended with @result. A global
 * function, as window_end(). Returns 0.
 */
int stop_at_window(struct copy_stop *s, struct window *w, __u32 result, __s64 ret)
{
	if (!s || !w)
		return 0;
	s->fail = ret < 0 ? fail_errno_of(-ret) : FAIL_EAGAIN;
	switch (result) {
	case RELOCK_NEVER:
		s->fail = FAIL_EFAULT;
		s->site = SITE_SOURCE;
		break;
	case RELOCK_BLOCKED:
		s->site = SITE_RELOCK;
		break;
	case RELOCK_GONE:
		s->site = SITE_RELOCK;
		if (ret > 0)
			s->fail = w->facts.end.uffd_ops != w->facts.begin.uffd_ops &&
						  w->facts.end.ctx
					  ? FAIL_EINVAL
					  : FAIL_ENOENT;
		break;
	case RELOCK_OK:
		if (w->facts.kernel_answer == KERNEL_ANSWER_UNSEEN) {
			s->fail = ret < 0 ? s->fail : FAIL_UNTOLD;
			s->site = SITE_UNKNOWN;
			break;
		}
		s->site = w->facts.kernel_answer == KERNEL_ANSWER_SEEN && w->facts.kernel_eagain
				  ? SITE_CHECK
				  : SITE_PAGE;
		if (s->site == SITE_PAGE && ret > 0)
			stop_untold(s);
		break;
	default:
		s->fail = ret < 0 ? s->fail : FAIL_UNTOLD;
		s->site = SITE_UNKNOWN;
	}
	return 0;
}

/*
 * stop_leave() - the copy loop returns @ret for [@dst, @dst + @len).
 * @w: the window that is still open, or NULL; it ended with @result. Its slot is not released yet.
 */
static __always_inline void stop_leave(struct userfaultfd_ctx *uffd, __u64 dst, __u64 len,
				       __s64 ret, struct window *w, __u32 result)
{
	__u64 at = dst + (ret > 0 ? ret : 0);
	struct copy_stop *s;

	if (ret == (__s64)len)
		return;
	s = stop_take();
	if (!s)
		return;
	if (!s->noted || s->dst != at) {
		if (w) {
			stop_at_window(s, w, result, ret);
		} else if (s->unseen) {
			s->fail = ret < 0 ? fail_errno_of(-ret) : FAIL_UNTOLD;
			s->site = SITE_UNKNOWN;
		} else if (ret > 0) {
			stop_untold(s);
		} else {
			s->fail = fail_errno_of(-ret);
			s->site = site_untried(s->fail);
			if (s->site == SITE_LOCK)
				s->site = site_of_lock(uffd, s->fail);
		}
	}
	s->dst = at;
	s->copied = ret > 0 ? ret : 0;
	s->left = 1;
}

#endif /* COPY_STOP_BPF_H */
