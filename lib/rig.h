// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Opens the retry window of one UFFDIO_COPY and holds it open, so that its class is known
// beforehand.
#ifndef UFFDRETRY_RIG_H
#define UFFDRETRY_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

/*
 * A rig is one copier thread and one source area. Parts of the source are registered with a second
 * userfaultfd, the nested one. A copy from such a part cannot finish: its first attempt fails with
 * page faults disabled, the kernel opens the retry window, and the second attempt sleeps in
 * handle_userfault() of the nested userfaultfd. The event tells the caller that the window is open.
 * The caller does its operation in the window and then resolves the source.
 *
 * From rig_begin() to the end of the copy the rig never takes mmap_lock for write: it maps, unmaps
 * and allocates nothing. Only RIG_UNMAP and RIG_PROTECT change the source. So mm_lock_seq moves
 * only by what the caller, or another thread of its process, does.
 *
 * Nothing is printed, nothing is global. Functions return 0 or -errno unless their comment says
 * otherwise.
 */
struct rig;

/* A copy that takes longer than this, without its held windows, fails with -ETIMEDOUT. */
#define RIG_TIMEOUT_MS 20000

/* One UFFDIO_COPY. The source is the whole layout unless src and len are given. */
struct rig_copy {
	int uffd; /* the userfaultfd under test, of this process or of another */
	uint64_t dst;
	uint64_t src;  /* 0: the rig's own source */
	uint64_t len;  /* bytes; 0: the layout's length */
	uint64_t mode; /* UFFDIO_COPY_MODE_* */
};

struct rig_result {
	int err;	/* 0 or the errno of the ioctl */
	int64_t copied; /* uffdio_copy.copy: bytes, or a negative errno */
};

/* What happens to the source page that holds a window open. */
enum rig_source {
	RIG_FILL,    /* UFFDIO_ZEROPAGE: the copy goes on */
	RIG_UNMAP,   /* unmapped, its address stays reserved: EFAULT */
	RIG_PROTECT, /* mprotect(PROT_NONE): EFAULT */
};

/*
 * Layout: one letter a source page, in order.
 *   b  blocked: each copy opens a window here, and it stays open
 *   n  natural: an untouched anonymous page, a window that ends by itself
 *   m  mapped and filled with RIG_PATTERN: no window
 * A capital is a huge page's worth of pages: the first as the letter says, the others mapped.
 */
#define RIG_PATTERN 0x5a
#define RIG_HUGE ((size_t)sysconf(_SC_PAGESIZE) / 8) /* pages */
int rig_create(struct rig **rig, const char *layout);
/* Releases a window that is still open. NULL is accepted. */
void rig_destroy(struct rig *rig);

/* Empty the source's b and n pages and start the copy; do not wait. */
int rig_begin(struct rig *rig, const struct rig_copy *copy);
/* Wait: 1 a window is held open, 0 the copy ended, -ETIMEDOUT, other negative errno. */
int rig_wait(struct rig *rig, int timeout_ms);
/* Let the held window end; do not wait. The source page becomes what `how` says. */
int rig_resolve(struct rig *rig, enum rig_source how);
/* rig_begin() or rig_resolve(), then rig_wait() for RIG_TIMEOUT_MS. */
int rig_start(struct rig *rig, const struct rig_copy *copy);
int rig_go_on(struct rig *rig, enum rig_source how);
/* Of the copy that ended last. */
struct rig_result rig_result(const struct rig *rig);
/* Repair the source after RIG_UNMAP or RIG_PROTECT, by a write section: only without a window. */
int rig_mend(struct rig *rig);

size_t rig_pages(const struct rig *rig);
uint64_t rig_source_address(const struct rig *rig);
pid_t rig_copier_tid(const struct rig *rig);

/* A new userfaultfd that serves the kernel's own faults too: the descriptor or -errno. */
int rig_uffd_open(uint64_t features);
int rig_register(int uffd, uint64_t start, uint64_t len, uint64_t mode);
int rig_unregister(int uffd, uint64_t start, uint64_t len);
int rig_zeropage(int uffd, uint64_t start, uint64_t len);

/* A destination: one registered VMA between two inaccessible pages, which keep it from merging. */
enum rig_kind {
	RIG_ANON,
	RIG_SHMEM, /* a shared mapping of a memfd of its own */
};

struct rig_target {
	enum rig_kind kind;
	int uffd;
	int file; /* RIG_SHMEM: the memfd; else -1 */
	uint64_t start;
	uint64_t len;
};

int rig_target_open(struct rig_target *target, enum rig_kind kind, size_t pages);
/* Also after rig_target_open() failed, and a second time. */
void rig_target_close(struct rig_target *target);

#endif
