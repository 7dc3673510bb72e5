// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What the model knows of a window: the VMA at its begin and at its end, and what differs.
#include <errno.h>

#include "known/random/model_vma.h"

static int inode_of(int file)
{
	return file == FILE_AGAIN ? FILE_FIRST : file;
}

struct vma_facts model_facts(const struct model *model, int page)
{
	int i = model_index(page);
	int first = vma_first(model, i);

	return (struct vma_facts) {
		.vma = model->pages[i].vma,
		.start = first - MODEL_FRONT,
		.end = vma_end(model, i) - MODEL_FRONT,
		.pgoff = model->pages[first].pgoff,
		.dst_pgoff = model->pages[i].pgoff,
	};
}

/* A VMA takes its neighbour's anon_vma if only protection keeps them from merging. */
static int lend_anon_vma(const struct page_model *left, const struct page_model *right,
			 int anon_vma)
{
	struct vma_model a = left->vma, b = right->vma;

	/* anon_vma_compatible() does not look at the context. */
	a.prot = b.prot;
	a.ctx = b.ctx;
	return vma_same(&a, &b) && left->pgoff + 1 == right->pgoff ? anon_vma : 0;
}

static int find_anon_vma(struct model *model, int first, int end)
{
	const struct page_model *pages = model->pages;
	int anon_vma = 0;

	if (vma_mapped(model, end))
		anon_vma = lend_anon_vma(&pages[end - 1], &pages[end], pages[end].anon_vma);
	if (!anon_vma && vma_mapped(model, first - 1))
		anon_vma =
			lend_anon_vma(&pages[first - 1], &pages[first], pages[first - 1].anon_vma);
	return anon_vma ? anon_vma : ++model->last_anon_vma;
}

/* The kernel gives a private destination its anon_vma when it locks it for the copy. */
static void prepare_anon_vma(struct model *model, int i)
{
	int first = vma_first(model, i), end = vma_end(model, i);
	int anon_vma;

	if (model->pages[i].vma.shared || model->pages[i].anon_vma)
		return;
	anon_vma = find_anon_vma(model, first, end);
	for (; first < end; first++)
		model->pages[first].anon_vma = anon_vma;
}

void model_open(struct model *model, int dst)
{
	int i = model_index(dst);

	prepare_anon_vma(model, i);
	model->dst = i;
	model->locked = false;
	model->unmapped = false;
	model->before = model_facts(model, dst);
}

static unsigned int snapshot_reasons(const struct vma_facts *a, const struct vma_facts *b)
{
	bool files = a->vma.file && b->vma.file;
	unsigned int reasons = 0;

	if (a->vma.mode != b->vma.mode)
		reasons |= TRUTH_SNAPSHOT_UFFD_FLAGS;
	if (a->vma.shared != b->vma.shared)
		reasons |= TRUTH_SNAPSHOT_SHARED;
	if (!a->vma.file != !b->vma.file)
		reasons |= TRUTH_SNAPSHOT_OPS;
	if (a->vma.file != b->vma.file)
		reasons |= TRUTH_SNAPSHOT_FILE;
	if (files && inode_of(a->vma.file) != inode_of(b->vma.file))
		reasons |= TRUTH_SNAPSHOT_INODE;
	if (files && a->pgoff != b->pgoff)
		reasons |= TRUTH_SNAPSHOT_PGOFF;
	return reasons;
}

static unsigned int meaning_reasons(const struct vma_facts *a, const struct vma_facts *b)
{
	bool same_inode = inode_of(a->vma.file) == inode_of(b->vma.file);
	unsigned int reasons = 0;

	if (a->vma.ctx != b->vma.ctx)
		reasons |= TRUTH_MEANING_CTX;
	if (a->vma.mode != b->vma.mode)
		reasons |= TRUTH_MEANING_UFFD_FLAGS;
	if (a->vma.shared != b->vma.shared)
		reasons |= TRUTH_MEANING_SHARED;
	if (!a->vma.file != !b->vma.file)
		reasons |= TRUTH_MEANING_OPS;
	if (!same_inode)
		reasons |= TRUTH_MEANING_INODE;
	if (same_inode && a->vma.file && a->dst_pgoff != b->dst_pgoff)
		reasons |= TRUTH_MEANING_OFFSET;
	return reasons;
}

static unsigned int tolerated_reasons(const struct vma_facts *a, const struct vma_facts *b)
{
	unsigned int reasons = 0;

	if (a->start != b->start || a->end != b->end)
		reasons |= TRUTH_TOLERATED_RANGE;
	if (a->vma.flags != b->vma.flags)
		reasons |= TRUTH_TOLERATED_FLAGS;
	if (a->vma.prot != b->vma.prot)
		reasons |= TRUTH_TOLERATED_PROT;
	if (a->vma.bound != b->vma.bound)
		reasons |= TRUTH_TOLERATED_POLICY;
	return reasons;
}

int model_retake(const struct model *model, int first, int pages, struct truth_window *window)
{
	int from = model_index(first);
	struct vma_facts after;

	if (!vma_mapped(model, from) || vma_end(model, from) < from + pages ||
	    !model->pages[from].vma.ctx) {
		window->class = TRUTH_GONE;
		return ENOENT;
	}
	after = model_facts(model, model->dst - MODEL_FRONT);
	window->snapshot = snapshot_reasons(&model->before, &after);
	window->meaning = meaning_reasons(&model->before, &after);
	window->tolerated = tolerated_reasons(&model->before, &after);
	window->vma_locked = model->locked;
	return 0;
}

void model_class(const struct model *model, struct truth_window *window)
{
	window->class = truth_classify(window, model->unmapped);
}

/* A private mapping has pages of its own; a shared one has the file's. */
int model_copy(struct model *model, int page)
{
	const struct page_model *at = &model->pages[model_index(page)];
	int inode = inode_of(at->vma.file);

	if (!at->vma.shared || at->vma.file >= FILE_SHARED_ANON || at->pgoff < 0 ||
	    at->pgoff >= MODEL_FILE_PAGES)
		return 0;
	if (model->filled[inode][at->pgoff])
		return EEXIST;
	model->filled[inode][at->pgoff] = true;
	return 0;
}
