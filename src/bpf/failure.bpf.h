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

/*
 * A call that did not enter the copy loop, or whose result could not be written. With EFAULT an
 * argument that can be read tells the second.
 */
static __always_inline __u32 site_of_entry(__u32 fail, bool readable)
{
	return fail == FAIL_EFAULT && readable ? SITE_RESULT : SITE_ENTRY;
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

/* Follow the chains of a call in @mm that stopped as @s says. */
static __always_inline void follow_chains(struct failures *f, __u64 mm, const struct copy_stop *s)
{
	if (s->copied && chains_open())
		chain_copied(mm, s->dst - s->copied, s->copied);
	if (s->fail != FAIL_EEXIST)
		chain_failed(f, mm, s->dst, s->fail, s->site);
	else if (chains_open())
		chain_ended(f, mm, s->dst);
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

	if (noted && noted->left) {
		stop = *noted;
		site = site_of_stop(fail, &stop);
	} else {
		/* Noted and not left: the exit of the copy loop was missed. */
		site = noted ? SITE_UNKNOWN : site_of_entry(fail, readable);
		stop.dst = copy.dst;
		stop.fail = fail;
		stop.site = site;
	}
	if (noted)
		stop_release(noted);
	if (!f)
		return;
	count_failure(f, &stop, fail, site);
	if (is_refusal(stop.fail, stop.site))
		changing_refused(uffd, f);
	if (slot == SLOT_RUN && (site != SITE_ENTRY || readable))
		follow_chains(f, (__u64)BPF_CORE_READ(uffd, mm), &stop);
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

#endif /* FAILURE_BPF_H */
