// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A model of the VMAs around one destination: what each step does to them, by the kernel's rules
// for split and merge.
#ifndef UFFDLOAD_MODEL_H
#define UFFDLOAD_MODEL_H

#include "steps/step.h"
#include "known/truth.h"

/* Pages of the place, and neighbours on both sides that may be mapped too. */
#define MODEL_FRONT 2
#define MODEL_PLACE 8
#define MODEL_PAGES (MODEL_FRONT + MODEL_PLACE + 2)
/* Pages of each file that a place can reach: its own offset is MODEL_OFFSET in them. */
#define MODEL_FILE_PAGES 32
#define MODEL_OFFSET 12

/* struct file and inode; shared anonymous mappings have one of their own each. */
enum model_file {
	FILE_NONE,
	FILE_FIRST,
	FILE_AGAIN,
	FILE_OTHER,
	FILE_SHARED_ANON, /* and upwards */
};

enum model_ctx {
	CTX_NONE,
	CTX_OWN,
	CTX_OTHER,
};

enum model_flag {
	FLAG_DONTFORK = 1 << 0,
	FLAG_LOCKED = 1 << 1,
	FLAG_NOHUGEPAGE = 1 << 2,
	FLAG_ACCOUNT = 1 << 3,
};

/* All that two VMAs must have in common to merge. */
struct vma_model {
	int file;
	bool shared;
	int prot;
	unsigned int flags;
	bool bound; /* to a NUMA node */
	int ctx;
	uint64_t mode;
};

struct page_model {
	unsigned int id; /* of its VMA, 0: not mapped */
	struct vma_model vma;
	long pgoff;   /* of this page */
	int anon_vma; /* of its VMA, 0: none yet */
};

/* The facts of a VMA when a window begins or ends. */
struct vma_facts {
	struct vma_model vma;
	int start; /* pages, as in the steps */
	int end;
	long pgoff;	/* of the VMA's start */
	long dst_pgoff; /* of the destination page */
};

struct model {
	struct place place;
	struct page_model pages[MODEL_PAGES];
	unsigned int last_id;
	int last_file;
	int last_anon_vma;
	/* The page cache: what a copy to a shared mapping has filled. */
	bool filled[FILE_OTHER + 1][MODEL_FILE_PAGES];
	/* The open window's page, and what happened to it since the window began. */
	int dst;
	bool locked;
	bool unmapped;
	struct vma_facts before;
	bool contested; /* kernels differ in what they merge */
};

/* As place_set_up() makes it. */
void model_reset(struct model *model, const struct place *place);
/* Whether the step must succeed now, with the same effect on every kernel. */
bool model_allows(const struct model *model, const struct step *step);
void model_apply(struct model *model, const struct step *step);
/* Every VMA of the mm is write-locked. */
void model_fork(struct model *model);

/* A window opens on this page. */
void model_open(struct model *model, int dst);
/*
 * The relock for pages [first, first + pages): 0 or the errno. Fills in the window's truth except
 * seq_moved and what depends on it: see model_class().
 */
int model_retake(const struct model *model, int first, int pages, struct truth_window *window);
void model_class(const struct model *model, struct truth_window *window);
/* Copy one page: 0 or EEXIST. */
int model_copy(struct model *model, int page);

struct vma_facts model_facts(const struct model *model, int page);

#endif
