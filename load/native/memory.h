// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The memory that copies come from: a kind each of why its pages are not mapped.
#ifndef UFFDLOAD_MEMORY_H
#define UFFDLOAD_MEMORY_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct memory_kind;

struct memory {
	const struct memory_kind *kind;
	uint8_t *map; /* aligned to huge pages */
	size_t pages;
	int fd; /* of the file, or -1 */
	int pagemap;
	size_t around; /* pages that one fault maps, as measured; the block is aligned to it */
	size_t stride; /* only the first of so many pages has a window, or the others are mapped */
	long cached; /* the most pages of the file that memory_drop() left in memory; -1: no file */
	uint64_t file_system; /* statfs.f_type, 0 without a file */
};

/* "all", then the kinds; NULL at the end. Index 0 is no kind. */
extern const char *const memory_words[];

/* NULL, or why this machine does not have it: valid until the next call. */
const char *memory_open(struct memory *memory, unsigned int word, size_t pages, const char *dir);
void memory_close(struct memory *memory);
/* Whether a copy that begins at this page is to be made, of per_copy pages. */
bool memory_wants(const struct memory *memory, size_t page, size_t per_copy);
/* Make the pages what the kind says. 0 or -errno. */
int memory_drop(struct memory *memory);
/* The control: map every page that is going to be copied, by a read. */
void memory_touch(const struct memory *memory, size_t per_copy);
/*
 * Before a copy of these pages: windows[i] says whether page i is going to have a window. It has
 * one if it is not mapped when its turn comes; a fault maps the block around it. 0 or -errno.
 */
int memory_look(const struct memory *memory, size_t page, size_t pages, bool *windows);
/* A new file without a name, filled and on disk: a descriptor or -errno. */
int memory_new_file(const char *dir, size_t pages);

#endif
