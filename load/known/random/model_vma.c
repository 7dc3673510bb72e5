// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Inside the model: VMAs by the kernel's rules for split and merge (mm/vma.c).
/*
 * A VMA is a run of pages with the same id. Changing a range splits the VMAs that it cuts, changes
 * what is inside, and merges with a neighbour that has everything in common. Whatever is split,
 * changed or merged is write-locked; a change that changes nothing locks nothing.
 */
#include "known/random/model_vma.h"

bool vma_mapped(const struct model *model, int i)
{
	return i >= 0 && i < MODEL_PAGES && model->pages[i].id;
}

int vma_first(const struct model *model, int i)
{
	while (vma_mapped(model, i - 1) && model->pages[i - 1].id == model->pages[i].id)
		i--;
	return i;
}

int vma_end(const struct model *model, int i)
{
	unsigned int id = model->pages[i].id;

	while (vma_mapped(model, i) && model->pages[i].id == id)
		i++;
	return i;
}

void vma_write_lock(struct model *model, int i)
{
	if (model->pages[i].id == model->pages[model->dst].id)
		model->locked = true;
}

static void give_id(struct model *model, int from, int to, unsigned int id)
{
	for (; from < to; from++)
		model->pages[from].id = id;
}

static void split_at(struct model *model, int i)
{
	if (!vma_mapped(model, i) || !vma_mapped(model, i - 1) ||
	    model->pages[i - 1].id != model->pages[i].id)
		return;
	vma_write_lock(model, i);
	give_id(model, i, vma_end(model, i), ++model->last_id);
}

bool vma_same(const struct vma_model *a, const struct vma_model *b)
{
	return a->file == b->file && a->shared == b->shared && a->prot == b->prot &&
	       a->flags == b->flags && a->bound == b->bound && a->ctx == b->ctx &&
	       a->mode == b->mode;
}

/* A VMA without an anon_vma takes its neighbour's; two that have different ones stay apart. */
static bool mergeable(const struct page_model *left, const struct page_model *right)
{
	if (!vma_same(&left->vma, &right->vma) || left->pgoff + 1 != right->pgoff)
		return false;
	return !left->anon_vma || !right->anon_vma || left->anon_vma == right->anon_vma;
}

static void merge_at(struct model *model, int i)
{
	struct page_model *left, *right;
	int first, end, anon_vma;

	if (!vma_mapped(model, i) || !vma_mapped(model, i - 1))
		return;
	left = &model->pages[i - 1];
	right = &model->pages[i];
	if (left->id == right->id || !mergeable(left, right))
		return;
	vma_write_lock(model, i - 1);
	vma_write_lock(model, i);
	first = vma_first(model, i - 1);
	end = vma_end(model, i);
	anon_vma = left->anon_vma ? left->anon_vma : right->anon_vma;
	give_id(model, i, end, left->id);
	for (; first < end; first++)
		model->pages[first].anon_vma = anon_vma;
}

/*
 * Would older kernels leave the changed page apart from its neighbour, though they could merge?
 * Until "mm/vma: fix incorrectly disallowed anonymous VMA merges" (6.15) they did when only the
 * changed one has an anon_vma.
 */
static bool contested(const struct model *model, int changed, int neighbour)
{
	const struct page_model *left = &model->pages[changed < neighbour ? changed : neighbour];

	return vma_mapped(model, neighbour) &&
	       model->pages[neighbour].id != model->pages[changed].id &&
	       mergeable(left, left + 1) && model->pages[changed].anon_vma &&
	       !model->pages[neighbour].anon_vma;
}

void vma_modify(struct model *model, int from, int to, const struct vma_model *vma)
{
	bool registered = vma->ctx != model->pages[from].vma.ctx ||
			  vma->mode != model->pages[from].vma.mode;
	bool cut = registered && vma_first(model, from) < from;
	int i;

	vma_write_lock(model, from);
	split_at(model, from);
	split_at(model, to);
	for (i = from; i < to; i++)
		model->pages[i].vma = *vma;
	/* Up to 6.1 an (un)registration inside a VMA passes the wrong offset to vma_merge(). */
	model->contested |= contested(model, from, from - 1) || contested(model, to - 1, to) ||
			    (cut && vma_mapped(model, to) &&
			     mergeable(&model->pages[to - 1], &model->pages[to]));
	merge_at(model, from);
	merge_at(model, to);
}

void vma_unmap(struct model *model, int from, int to)
{
	int i;

	for (i = from; i < to; i++)
		if (vma_mapped(model, i))
			vma_write_lock(model, i);
	split_at(model, from);
	split_at(model, to);
	for (i = from; i < to; i++)
		model->pages[i].id = 0;
	if (from <= model->dst && model->dst < to)
		model->unmapped = true;
}

void vma_insert(struct model *model, int from, int to)
{
	give_id(model, from, to, ++model->last_id);
	vma_write_lock(model, from);
	merge_at(model, from);
	merge_at(model, to);
}
