/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* What user space asks of UFFDIO_COPY: the argument of the ioctl that the current task is in. */
#ifndef COPY_ARGS_BPF_H
#define COPY_ARGS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf/arch.bpf.h"

#define UFFDIO_COPY 0xc028aa03U

/* struct uffdio_copy without its result. */
struct copy_args {
	__u64 dst;
	__u64 src;
	__u64 len;
	__u64 mode;
};

/*
 * copy_args_at() - where the current task has its struct uffdio_copy; 0: it is in no UFFDIO_COPY.
 */
static __always_inline __u64 copy_args_at(void)
{
	return ioctl_arg(bpf_get_current_task_btf(), UFFDIO_COPY);
}

/*
 * copy_args_read() - of the current task, or of the call whose argument is @at. False: unreadable.
 */
static __always_inline bool copy_args_read(struct copy_args *args, __u64 at)
{
	return at && !bpf_probe_read_user(args, sizeof(*args), (void *)at);
}

#endif /* COPY_ARGS_BPF_H */
