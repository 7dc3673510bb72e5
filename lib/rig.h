// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Opens the retry window of one UFFDIO_COPY and holds it open, so that its class is known beforehand.
#ifndef UFFDRETRY_RIG_H
#define UFFDRETRY_RIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * A rig is one copier thread and one source area, parts of which are registered with a userfaultfd of the rig's own
 * (the nested one). A copy from such a part cannot finish: its first attempt fails with page faults disabled, the
 * kernel opens the retry window, and the second attempt sleeps in handle_userfault() of the nested userfaultfd. Its
 * event tells the caller that the window is open. The caller now does what it wants to see inside a window, then
 * resolves the source.
 *
 * From rig_begin() to the end of the copy the rig itself never takes the caller's mmap_lock for writing: it maps,
 * unmaps and allocates nothing (except that RIG_UNMAP and RIG_PROTECT change the source, as their names say).
 * So mm_lock_seq moves only by what the caller, or another thread of its process, does.
 *
 * Nothing is printed, nothing is global. Functions return a negative errno, and 0 or what their comment says.
 */
struct rig;

/* A copy that takes longer than this, held windows not counted, is a failure: -ETIMEDOUT. */
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

/* What becomes of the source page that holds a window open. */
enum rig_source {
	RIG_FILL,    /* UFFDIO_ZEROPAGE: the copy goes on */
	RIG_UNMAP,   /* unmapped; its address stays reserved, for another thread may map something: EFAULT */
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
#define RIG_HUGE 512 /* pages */
int rig_create(struct rig **rig, const char *layout);
/* A window that is still open is released first. NULL is accepted. */
void rig_destroy(struct rig *rig);

/* Start the copy; do not wait. The source's b and n pages are emptied before. */
int rig_begin(struct rig *rig, const struct rig_copy *copy);
/* Wait: 1 a window is held open, 0 the copy ended, -ETIMEDOUT, other negative errno. */
int rig_wait(struct rig *rig, int timeout_ms);
/* Let the held window end; do not wait. */
int rig_resolve(struct rig *rig, enum rig_source how);
/* The usual pairs: rig_begin() or rig_resolve(), then rig_wait() for RIG_TIMEOUT_MS. */
int rig_start(struct rig *rig, const struct rig_copy *copy);
int rig_go_on(struct rig *rig, enum rig_source how);
/* The copy that ended last. */
struct rig_result rig_result(const struct rig *rig);
/* Repair the source after RIG_UNMAP or RIG_PROTECT. Writes mmap_lock: only while no window of this mm is open. */
int rig_mend(struct rig *rig);

size_t rig_pages(const struct rig *rig);
uint64_t rig_source_address(const struct rig *rig);
pid_t rig_copier_tid(const struct rig *rig);

/* A new userfaultfd that also handles faults of the kernel, with these features: the descriptor or -errno. */
int rig_uffd_open(uint64_t features);
int rig_register(int uffd, uint64_t start, uint64_t len, uint64_t mode);
int rig_unregister(int uffd, uint64_t start, uint64_t len);
int rig_zeropage(int uffd, uint64_t start, uint64_t len);

/* A destination: one registered VMA between two pages that nobody may touch, so that it merges with nothing. */
enum rig_kind {
	RIG_ANON,
	RIG_SHMEM, /* a shared mapping of an own memfd */
};

struct rig_target {
	enum rig_kind kind;
	int uffd;
	int file; /* RIG_SHMEM: the memfd; else -1 */
	uint64_t start;
	uint64_t len;
};

int rig_target_open(struct rig_target *target, enum rig_kind kind, size_t pages);
/* Closing twice is harmless; so is closing what rig_target_open() refused. */
void rig_target_close(struct rig_target *target);

#endif
