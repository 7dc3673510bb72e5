// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A reserved stretch of address space in which destinations are mapped, and the files behind them.
#ifndef UFFDLOAD_ARENA_H
#define UFFDLOAD_ARENA_H

#include <linux/mman.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The kernel's page size, and that of huge pages: what a page of entries of eight bytes maps. */
extern unsigned long kernel_page;
#define PAGE kernel_page
#define HUGE (PAGE / 8 * PAGE)
/* The flag that asks mmap() and memfd_create() for huge pages of this size. */
#define HUGE_FLAG (__builtin_ctzl(HUGE) << MAP_HUGE_SHIFT)

/*
 * All of it is PROT_NONE until a test maps something: the kernel places nothing here by itself, and
 * no VMA merges with a neighbour by accident.
 */
struct arena {
	uint64_t start;
	size_t pages;
	int file;  /* memfd */
	int again; /* the same inode, opened anew */
	int other; /* another memfd */
	/* The same for hugetlb; all 0 on a machine without free huge pages. */
	struct huge_arena {
		uint64_t start; /* aligned to HUGE */
		int file;
		int again;
		int other;
	} huge;
};

/* Size of the huge part and of its files, in huge pages. */
#define HUGE_PAGES 16

enum backing {
	BACKED_ANON,
	BACKED_SHARED_ANON, /* MAP_SHARED | MAP_ANONYMOUS: a shmem file of its own each time */
	BACKED_FILE,
	BACKED_AGAIN,
	BACKED_OTHER,
};

struct mapping {
	enum backing backing;
	bool shared;
	bool huge;     /* hugetlb */
	size_t offset; /* of the first page in its file, in pages, huge ones if huge */
};

/* The huge part is there when HUGE_PAGES free huge pages are. */
int arena_create(struct arena *arena, size_t pages, size_t file_pages);
void arena_destroy(struct arena *arena);
/* mmap(MAP_FIXED), readable and writable. pages: of the mapping's own size. */
int arena_map(const struct arena *arena, uint64_t start, size_t pages,
	      const struct mapping *mapping);
/* Map it PROT_NONE again, over anything. */
int arena_clear(const struct arena *arena, uint64_t start, size_t pages);
/* Make this part of the files holes again. */
int arena_empty_files(const struct arena *arena, size_t first, size_t pages);
/* The same for all of the huge part and of its files. */
int arena_clear_huge(const struct arena *arena);

#endif
