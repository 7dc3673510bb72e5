// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What a program can do to its address space away from the destination.
#ifndef UFFDLOAD_ELSEWHERE_H
#define UFFDLOAD_ELSEWHERE_H

#include "steps/ground.h"

enum elsewhere {
	/* These take mmap_lock for reading or not at all. */
	ELSEWHERE_DONTNEED,
	ELSEWHERE_TOUCH,
	ELSEWHERE_MAPS,
	/* These hold it for write. */
	ELSEWHERE_MMAP,
	ELSEWHERE_PROTECT,
	ELSEWHERE_PROTECT_FAILS,
	ELSEWHERE_UNMAP_NOTHING,
	ELSEWHERE_MREMAP,
	ELSEWHERE_LOCK,
	ELSEWHERE_BRK,
	ELSEWHERE_THREAD,
	ELSEWHERE_STACK_GROWS,
	ELSEWHERE_CLOSE_UFFD,
};

/* 0 or -errno. */
int elsewhere_do(struct ground *ground, enum elsewhere what);

#endif
