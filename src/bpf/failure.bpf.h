/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * The cause of each failed fill ioctl: where in the kernel it came to its end (enum fail_site), and with which errno.
 *
 * Hooks on the way note what they see only when it is a failure, in a place of the task; the exit of the ioctl takes it
 * from there. Nothing noted means that the worker was not entered. So a call that succeeds pays nothing for this.
 */
#ifndef CAUSES_BPF_H
#define CAUSES_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "bpf/task_slot.bpf.h"
#include "bpf/window.bpf.h"
#include "bpf/mmap_changing.bpf.h"
#include "bpf/retry_chain.bpf.h"

#define MFILL_ATOMIC_MODE 3 /* of uffd_flags_t (enum mfill_atomic_mode): COPY is 0 */

struct note {
	__u64 dst;    /* where it stopped */
	__s64 copied; /* bytes before that */
	__u32 owner;  /* the copier's tid, 0: free */
	__u8 fail;    /* enum fail_errno */
	__u8 site;    /* enum fail_site */
	__u8 noted;   /* of the page at dst */
	__u8 left;    /* the worker has returned */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NR_TASK_SLOTS);
	__type(key, __u32);
	__type(value, struct note);
} notes SEC(".maps");

/* The current task's note, or NULL. */
static __always_inline struct note *note_find(void)
{
	__u32 tid = bpf_get_current_pid_tgid();

#pragma unroll
	for (int way = 0; way < TASK_SLOT_WAYS; way++) {
		__u32 i = task_slot_index(tid, way);
		struct note *n = bpf_map_lookup_elem(&notes, &i);

		if (n && n->owner == tid)
			return n;
	}
	return NULL;
}

/* The current task's note, made if need be; NULL without a place. One that a returned worker left is of another call. */
static __always_inline struct note *note_take(void)
{
	__u32 tid = bpf_get_current_pid_tgid();

#pragma unroll
	for (int way = 0; way < TASK_SLOT_WAYS; way++) {
		__u32 i = task_slot_index(tid, way);
		struct note *n = bpf_map_lookup_elem(&notes, &i);
		__u32 owner;

		if (!n)
			return NULL;
		owner = __sync_val_compare_and_swap(&n->owner, 0, tid);
		if (owner && owner != tid)
			continue;
		if (!owner || n->left) {
			n->noted = 0;
			n->left = 0;
		}
		return n;
	}
	return NULL;
}

/*
 * cause_note() - what a page of the copy at @dst, or its VMA, failed with: -@err, at @site. What is noted first of a
 * page stays, for outer functions pass the errno on.
 */
static __always_inline void cause_note(__u64 dst, __s32 err, __u32 site)
{
	struct note *n = note_take();

	if (!n || (n->noted && n->dst == dst))
		return;
	n->dst = dst;
	n->fail = fail_errno_of(err);
	n->site = site;
	n->noted = 1;
}

/* Where taking the VMA ended that uffd_lock_vma() failed with -@err, in a window (@again) or at first. */
static __always_inline __u32 site_of_refusal(__s32 err, bool again)
{
	if (err == EAGAIN)
		return SITE_REFUSED;
	return again ? SITE_RELOCK : SITE_LOCK;
}

/* Where the first lock ended with -EAGAIN: only where its own function is not hooked must mmap_changing tell. */
static __always_inline __u32 site_of_lock(struct userfaultfd_ctx *uffd, __u32 fail)
{
	if (fail == FAIL_EAGAIN && !changing_is_up(uffd))
		return SITE_REFUSED;
	return SITE_LOCK;
}

/*
 * Where a page failed with @ret whose window is still open: before the VMA was there again, by the check, or after. That
 * nobody saw the check does not mean that there was none: the kernel skips programs that it preempted.
 */
static __always_inline __u32 site_of_window(struct window *w, struct userfaultfd_ctx *uffd, __s32 ret)
{
	if (!w->relocked_ns && ret == -EAGAIN)
		return changing_is_up(uffd) ? SITE_RELOCK : SITE_UNKNOWN;
	if (!w->relocked_ns)
		return ret == -EFAULT ? SITE_SOURCE : SITE_RELOCK;
	return ret == -EAGAIN && w->facts.kernel_eagain ? SITE_CHECK : SITE_PAGE;
}

/* The same of mfill_copy_folio_retry(), which returned @ret with @vma locked, or NULL. */
static __always_inline __u32 site_of_retry(struct vm_area_struct *vma, __s32 ret)
{
	if (!vma)
		return ret == -EFAULT ? SITE_SOURCE : SITE_RELOCK;
	return ret == -EAGAIN ? SITE_CHECK : SITE_PAGE;
}

/* What stopped a worker that says only how far it came, and nothing was noted. */
static __always_inline void note_stopped(struct note *n)
{
	n->fail = dying() ? FAIL_EINTR : FAIL_UNTOLD;
	n->site = SITE_PAGE;
}

/*
 * What @w, a window that the worker overtook, says of its end: @relock_result as it will be closed with. A global function, as
 * window_end(). Returns 0.
 */
int note_overtaken(struct note *n, struct window *w, __u32 relock_result, __s64 ret)
{
	if (!n || !w)
		return 0;
	n->fail = ret < 0 ? fail_errno_of(-ret) : FAIL_EAGAIN;
	switch (relock_result) {
	case RELOCK_NEVER:
		n->fail = FAIL_EFAULT;
		n->site = SITE_SOURCE;
		break;
	case RELOCK_BLOCKED:
		n->site = SITE_RELOCK;
		break;
	case RELOCK_GONE:
		n->site = SITE_RELOCK;
		if (ret > 0)
			n->fail = w->facts.end.uffd_ops != w->facts.begin.uffd_ops && w->facts.end.ctx ? FAIL_EINVAL
												       : FAIL_ENOENT;
		break;
	case RELOCK_OK:
		n->site = w->facts.kernel_answer == KERNEL_ANSWER_SEEN && w->facts.kernel_eagain ? SITE_CHECK : SITE_PAGE;
		if (n->site == SITE_PAGE && ret > 0)
			note_stopped(n);
		break;
	default:
		n->site = SITE_UNKNOWN;
	}
	return 0;
}

/*
 * cause_leave() - the worker returns @ret of @len bytes at @dst. @w: the window that was open until now, NULL without
 * one, which ended in @relock_result. Call it before @w's place is let go.
 */
static __always_inline void cause_leave(struct userfaultfd_ctx *uffd, __u64 dst, __u64 len, __s64 ret,
					struct window *w, __u32 relock_result)
{
	__u64 at = dst + (ret > 0 ? ret : 0);
	struct note *n;

	if (ret == (__s64)len)
		return;
	n = note_take();
	if (!n)
		return;
	if (!n->noted || n->dst != at) {
		if (w) {
			note_overtaken(n, w, relock_result, ret);
		} else if (ret > 0) {
			note_stopped(n);
		} else {
			n->fail = fail_errno_of(-ret);
			n->site = site_untried(n->fail);
			if (n->site == SITE_LOCK && uffd)
				n->site = site_of_lock(uffd, n->fail);
		}
	}
	n->dst = at;
	n->copied = ret > 0 ? ret : 0;
	n->left = 1;
}

/* struct uffdio_copy without its result; the other fill ioctls' arguments are not read. */
struct copy_arg {
	__u64 dst;
	__u64 src;
	__u64 len;
	__u64 mode;
};

/*
 * A call that never came to the worker, or whose result could not be written. The argument tells: the kernel could not
 * read it, or it can be read, and the result behind it could not be written.
 */
static __always_inline __u32 site_of_entry(__u32 fail, const struct copy_arg *arg, bool readable)
{
	return fail == FAIL_EFAULT && readable ? SITE_RESULT : SITE_ENTRY;
}

/* Count a failure of UFFDIO_COPY, and what user space cannot tell from it: what stopped a short copy. */
static __always_inline void count_failure(struct failures *f, const struct note *n, __u32 fail, __u32 site)
{
	const __u32 nr = NR_FAIL_ERRNOS * NR_SITES;

	add_at(&f->failed[0][0], nr, fail * NR_SITES + site, 1);
	if (site != SITE_SHORT)
		return;
	add_at(&f->stopped[0][0], nr, n->fail * NR_SITES + n->site, 1);
	add_at(f->short_bytes, NR_FAIL_ERRNOS, n->fail, n->copied);
}

/* Follow the chains of a call in @mm that failed at @dst after @copied bytes. */
static __always_inline void follow_chains(struct failures *f, __u64 mm, __u64 dst, __u64 copied, __u32 fail, __u32 site)
{
	if (copied && chains_open())
		chain_copied(mm, dst - copied, copied);
	if (fail != FAIL_EEXIST)
		chain_failed(f, mm, dst, fail, site);
	else if (chains_open())
		chain_ended(f, mm, dst);
}

/* cause_of() - UFFDIO_COPY with the argument at @arg failed with -@err. */
static __always_inline void cause_of(__u32 slot, struct userfaultfd_ctx *uffd, __u64 arg, __s32 err)
{
	struct failures *f = failures_of(slot);
	__u32 fail = fail_errno_of(err), site, stopped;
	struct note *n = note_find(), none = {};
	struct copy_arg copy = {};
	bool readable = !bpf_probe_read_user(&copy, sizeof(copy), (void *)arg);

	if (n && !n->left) {
		__sync_lock_test_and_set(&n->owner, 0); /* the worker's exit was missed */
		n = NULL;
		site = SITE_UNKNOWN;
	} else if (!n) {
		site = site_of_entry(fail, &copy, readable);
	} else if (fail == FAIL_EFAULT && n->fail != FAIL_EFAULT) {
		site = SITE_RESULT;
	} else {
		site = n->copied ? SITE_SHORT : n->site;
	}
	if (!n) {
		none.dst = copy.dst;
		none.fail = fail;
		none.site = site;
		n = &none;
	} else {
		none = *n;
		__sync_lock_test_and_set(&n->owner, 0);
	}
	stopped = none.fail;
	if (!f)
		return;
	count_failure(f, &none, fail, site);
	if (is_refusal(stopped, none.site))
		changing_refused(uffd, f);
	if (slot == SLOT_RUN && (site != SITE_ENTRY || readable))
		follow_chains(f, (__u64)BPF_CORE_READ(uffd, mm), none.dst, none.copied, stopped, none.site);
}

/* chain_success() - UFFDIO_COPY with the argument at @arg has copied all of it. */
static __always_inline void chain_success(__u32 slot, struct userfaultfd_ctx *uffd, __u64 arg)
{
	struct copy_arg copy = {};

	if (slot != SLOT_RUN || !chains_open() || bpf_probe_read_user(&copy, sizeof(copy), (void *)arg))
		return;
	chain_copied((__u64)BPF_CORE_READ(uffd, mm), copy.dst, copy.len);
}

/* UFFDIO_* but for the size of the argument: what all of them have in common, and their numbers. */
#define UFFDIO_TYPE(cmd) ((cmd) >> 8 & 0xff)
#define UFFDIO_NR(cmd) ((cmd) & 0xff)

/* The enum fill_ioctl of an ioctl, -1 for any other. */
static __always_inline __s32 fill_ioctl_of(__u32 cmd)
{
	if (UFFDIO_TYPE(cmd) != 0xaa)
		return -1;
	switch (UFFDIO_NR(cmd)) {
	case 0x04:
		return FILL_ZEROPAGE;
	case 0x05:
		return FILL_MOVE;
	case 0x06:
		return FILL_WRITEPROTECT;
	case 0x07:
		return FILL_CONTINUE;
	case 0x08:
		return FILL_POISON;
	default:
		return -1;
	}
}

/* cause_of_fill() - another fill ioctl, @fill, returned @ret. */
static __always_inline void cause_of_fill(__u32 slot, struct userfaultfd_ctx *uffd, __u32 fill, __s64 ret)
{
	struct failures *f = failures_of(slot);
	__u32 fail = ret < 0 ? fail_errno_of(-ret) : 0;

	if (!f || fill >= NR_FILLS || fail >= NR_FAIL_ERRNOS)
		return;
	if (ret >= 0) {
		add(&f->fills[fill].ok, 1);
	} else if (fail == FAIL_EAGAIN && changing_is_up(uffd)) {
		add(&f->fills[fill].mmap_changing, 1);
		changing_refused(uffd, f);
	} else {
		add_at(f->fills[fill].failed, NR_FAIL_ERRNOS, fail, 1);
	}
}

#endif /* CAUSES_BPF_H */
