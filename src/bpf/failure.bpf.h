/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Counting each fill ioctl by its result: the cause of a failure, refusals by mmap_changing,
 * chains.
 */
#ifndef FAILURE_BPF_H
#define FAILURE_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "classify.h"
#include "bpf/by.bpf.h"
#include "bpf/copy_args.bpf.h"
#include "bpf/copy_stop.bpf.h"
#include "bpf/count.bpf.h"
#include "bpf/mmap_changing.bpf.h"
#include "bpf/retry_chain.bpf.h"
#include "bpf/target.bpf.h"

/* An ioctl's number without the size of its argument: see linux/userfaultfd.h. */
#define IOCTL_TYPE(cmd) ((cmd) >> 8 & 0xff)
#define IOCTL_NR(cmd) (0xff & (cmd))
#define UFFDIO 0xaa

#define UFFDIO_ZEROPAGE_NR 0x04
#define UFFDIO_MOVE_NR 0x05
#define UFFDIO_WRITEPROTECT_NR 0x06
#define UFFDIO_CONTINUE_NR 0x07
#define UFFDIO_POISON_NR 0x08
#define UFFDIO_RWPROTECT_NR 0x09

/* userfaultfd.c, in fs/ and since 7.3 in mm/ */
#define UFFD_FEATURE_INITIALIZED (1u << 31)

/* UFFDIO_COPY_MODE_DONTWAKE and _WP. */
#define COPY_MODES 3

/*
 * Would the kernel refuse these arguments before the copy loop? As userfaultfd_copy() does, but for
 * addresses below mmap_min_addr.
 */
static __always_inline bool is_bad_copy(const struct copy_args *copy, __u64 size)
{
	return (copy->dst | copy->len) & (PAGE_SIZE - 1) || !copy->len ||
	       copy->mode & ~COPY_MODES || copy->dst >= size || copy->len > size - copy->dst ||
	       copy->src >= size || copy->len > size - copy->src;
}

/* Was UFFDIO_API called? Before it every other ioctl is refused. */
static __always_inline bool is_initialized(struct userfaultfd_ctx *uffd)
{
	return BPF_CORE_READ(uffd, features) & UFFD_FEATURE_INITIALIZED;
}

/*
 * site_of_entry() - where a call failed with @fail that left no note: before the copy loop, or its
 * result could not be written. Unless the loop failed, and the run of its exit was skipped: then
 * the arguments, the errno or mmap_changing say that the entry was no reason to fail.
 * @copy: the arguments, NULL: unreadable.
 */
static __always_inline __u32 site_of_entry(struct userfaultfd_ctx *uffd, __u32 fail,
					   const struct copy_args *copy)
{
	bool entry;

	if (stops_full)
		return SITE_UNKNOWN;
	switch (fail) {
	case FAIL_EFAULT:
		return copy ? SITE_RESULT : SITE_ENTRY;
	case FAIL_ESRCH:
		return SITE_ENTRY;
	case FAIL_EAGAIN:
		entry = changing_is_up(uffd);
		break;
	case FAIL_EINVAL:
		entry = !copy || !is_initialized(uffd) ||
			is_bad_copy(copy, BPF_CORE_READ(uffd, mm, task_size));
		break;
	default:
		entry = false;
	}
	return entry ? SITE_ENTRY : SITE_UNKNOWN;
}

/*
 * Is @s, left by a copy loop, of the call that failed with @fail? If the run of an ioctl's exit was
 * skipped, it may be of an earlier one.
 */
static __always_inline bool is_of_call(const struct copy_stop *s, __u32 fail,
				       const struct copy_args *copy)
{
	if (s->dst - s->copied != copy->dst)
		return false;
	return fail == FAIL_EFAULT || fail == (s->copied ? FAIL_EAGAIN : s->fail);
}

/*
 * Is it possible that the entry refused this call, and that @s, of the same address and errno, is
 * of an earlier one? Only then is mmap_changing raised, and no reason for what @s says.
 */
static __always_inline bool is_refused_again(struct userfaultfd_ctx *uffd, __u32 fail,
					     const struct copy_stop *s)
{
	return fail == FAIL_EAGAIN && !s->copied && !is_refusal(s->fail, s->site) &&
	       BPF_CORE_READ(uffd, mmap_changing.counter);
}

/*
 * The site of a call that failed with @fail and had stopped as @s says, after the copy loop
 * returned.
 */
static __always_inline __u32 site_of_stop(__u32 fail, const struct copy_stop *s)
{
	if (fail == FAIL_EFAULT && s->fail != FAIL_EFAULT)
		return SITE_RESULT;
	return s->copied ? SITE_SHORT : s->site;
}

/*
 * Count a failure of UFFDIO_COPY, and of a short copy what stopped it, which user space cannot
 * tell.
 */
static __always_inline void count_failure(struct failures *f, const struct copy_stop *s, __u32 fail,
					  __u32 site)
{
	const __u32 nr = NR_FAIL_ERRNOS * NR_SITES;

	add_at(&f->failed[0][0], nr, fail * NR_SITES + site, 1);
	if (site != SITE_SHORT)
		return;
	add_at(&f->stopped[0][0], nr, s->fail * NR_SITES + s->site, 1);
	add_at(f->short_bytes, NR_FAIL_ERRNOS, s->fail, s->copied);
}

/*
 * May the page where a copy of @len bytes stopped be present, or another one have failed? It is so
 * when no errno is told for the page, and when the run of the copy loop's exit was skipped and only
 * the result is left: a short copy returns -EAGAIN, and one whose result cannot be written -EFAULT.
 * @len: 0: the argument is unreadable.
 */
static __always_inline bool is_untold(const struct copy_stop *s, __u64 len)
{
	if (s->left)
		return s->fail == FAIL_UNTOLD;
	return s->site == SITE_UNKNOWN &&
	       (!len || s->fail == FAIL_EFAULT || (s->fail == FAIL_EAGAIN && len > PAGE_SIZE));
}

/*
 * follow_chains() - the chains of a call of the run for @len bytes in the mm at an address, which
 * stopped as @s says. A global function: the verifier checks it once. Returns 0.
 */
__noinline int follow_chains(__u64 mm, const struct copy_stop *s, __u64 len)
{
	struct failures *f = failures_of(SLOT_RUN);

	if (!f || !s)
		return 0;
	if (s->copied && chains_open())
		chain_copied(mm, s->dst - s->copied, s->copied);
	if (is_untold(s, len)) {
		add(&f->chains_lost, 1);
		return 0;
	}
	/* No page failed, only the result could not be written. */
	if (!s->left && s->site == SITE_RESULT)
		return 0;
	if (s->fail != FAIL_EEXIST)
		chain_failed(f, mm, s->dst, s->fail, s->site);
	else if (chains_open())
		chain_present(f, mm, s->dst);
	return 0;
}

/*
 * failed_copy_event() - the current task's UFFDIO_COPY of @copy (NULL: unreadable) failed with -@err
 * at @site, after it stopped as @s says. @who raised mmap_changing, or NULL. A global function: the
 * verifier checks it once. Returns 0.
 */
__noinline int failed_copy_event(const struct copy_stop *s, const struct copy_args *copy, __u32 err,
				 __u32 site, const struct holder *who)
{
	struct event *e = s ? event_begin(SLOT_RUN, EVENT_FAILED_COPY, LOST_COPY_EVENTS) : NULL;

	if (!e)
		return 0;
	e->begin_ns = bpf_ktime_get_ns();
	e->dst = copy ? copy->dst : 0;
	e->failed.len = copy ? copy->len : 0;
	e->failed.copied = s->copied;
	e->failed.err = err;
	e->failed.site = site;
	e->failed.stop_fail = s->fail;
	e->failed.stop_site = s->site;
	e->failed.readable = copy != NULL;
	e->failed.raised = who != NULL;
	if (who)
		e->failed.who = *who;
	event_end(e);
	return 0;
}

/* copy_call_failed() - UFFDIO_COPY with the argument at @arg failed with -@err. */
static __always_inline void copy_call_failed(__u32 slot, struct userfaultfd_ctx *uffd, __u64 arg,
					     __s32 err)
{
	struct failures *f = failures_of(slot);
	struct copy_stop *noted = stop_find(), stop = {};
	__u32 fail = fail_errno_of(err), site;
	struct copy_args copy = {};
	bool readable = copy_args_read(&copy, arg);
	const struct holder *who = NULL;

	stop.dst = PAGE_ALIGN_DOWN(copy.dst);
	stop.fail = fail;
	if (!noted || (!noted->left && !noted->noted) ||
	    (noted->left && readable && !is_of_call(noted, fail, &copy)))
		site = stop.site = site_of_entry(uffd, fail, readable ? &copy : NULL);
	/* Not left: the exit of the copy loop was missed. */
	else if (!noted->left || !readable || is_refused_again(uffd, fail, noted))
		site = stop.site = SITE_UNKNOWN;
	else {
		stop = *noted;
		site = site_of_stop(fail, &stop);
	}
	if (noted)
		stop_release(noted);
	if (!f)
		return;
	count_failure(f, &stop, fail, site);
	if (is_refusal(stop.fail, stop.site))
		who = changing_refused(uffd, f);
	if (cfg_events && slot == SLOT_RUN)
		failed_copy_event(&stop, readable ? &copy : NULL, err, site, who);
	if (slot == SLOT_RUN && (site != SITE_ENTRY || readable))
		follow_chains((__u64)BPF_CORE_READ(uffd, mm), &stop, copy.len);
}

/* copy_call_succeeded() - UFFDIO_COPY with the argument at @arg has copied all of it. */
static __always_inline void copy_call_succeeded(__u32 slot, struct userfaultfd_ctx *uffd, __u64 arg)
{
	struct copy_args copy = {};

	if (slot != SLOT_RUN || !chains_open() || !copy_args_read(&copy, arg))
		return;
	chain_copied((__u64)BPF_CORE_READ(uffd, mm), copy.dst, copy.len);
}

/* copy_call() - UFFDIO_COPY on @uffd with the argument at @arg returned @ret. */
static __always_inline void copy_call(struct userfaultfd_ctx *uffd, __u64 arg, __s64 ret)
{
	int slot = slot_of_uffd(uffd);

	if (slot < 0)
		return;
	count_call(slot, ret);
	if (cfg_by)
		by_call(slot, (__u64)BPF_CORE_READ(uffd, mm), ret);
	if (ret < 0)
		copy_call_failed(slot, uffd, arg, -ret);
	else if (chains_open())
		copy_call_succeeded(slot, uffd, arg);
}

/* The enum fill_ioctl of an ioctl, -1 for any other. */
static __always_inline __s32 fill_ioctl_of(__u32 cmd)
{
	if (IOCTL_TYPE(cmd) != UFFDIO)
		return -1;
	switch (IOCTL_NR(cmd)) {
	case UFFDIO_ZEROPAGE_NR:
		return FILL_ZEROPAGE;
	case UFFDIO_MOVE_NR:
		return FILL_MOVE;
	case UFFDIO_WRITEPROTECT_NR:
		return FILL_WRITEPROTECT;
	case UFFDIO_CONTINUE_NR:
		return FILL_CONTINUE;
	case UFFDIO_POISON_NR:
		return FILL_POISON;
	case UFFDIO_RWPROTECT_NR:
		return FILL_RWPROTECT;
	default:
		return -1;
	}
}

/* Count the fill ioctl @fill, which returned @ret. */
static __always_inline void count_fill(__u32 slot, struct userfaultfd_ctx *uffd, __u32 fill,
				       __s64 ret)
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

/* other_call() - the ioctl @cmd, not UFFDIO_COPY, on @uffd returned @ret. */
static __always_inline void other_call(struct userfaultfd_ctx *uffd, __u32 cmd, __s64 ret)
{
	__s32 fill = fill_ioctl_of(cmd);
	int slot;

	if (fill < 0)
		return;
	slot = slot_of_uffd(uffd);
	if (slot >= 0)
		count_fill(slot, uffd, fill, ret);
}

/*
 * ioctl_returned() - the ioctl @cmd of a userfaultfd's @file with the argument at @arg returned
 * @ret.
 */
static __always_inline void ioctl_returned(struct file *file, __u32 cmd, __u64 arg, __s64 ret)
{
	/* A void *: the verifier does not know its type. */
	struct userfaultfd_ctx *uffd = file->private_data;

	if (cmd == UFFDIO_COPY)
		copy_call(uffd, arg, ret);
	else
		other_call(uffd, cmd, ret);
}

#endif /* FAILURE_BPF_H */
