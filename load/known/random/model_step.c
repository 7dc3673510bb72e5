// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What each step does to the VMAs around one destination, and which steps the model allows.
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/mman.h>

#include "known/random/model_vma.h"

#define READ_WRITE (PROT_READ | PROT_WRITE)

static bool all_mapped(const struct model *model, int from, int to)
{
	int i;

	for (i = from; i < to; i++)
		if (!vma_mapped(model, i))
			return false;
	return true;
}

/* --- mapping ---------------------------------------------------------------------------------- */

static int file_of(struct model *model, enum backing backing)
{
	switch (backing) {
	case BACKED_FILE:
		return FILE_FIRST;
	case BACKED_AGAIN:
		return FILE_AGAIN;
	case BACKED_OTHER:
		return FILE_OTHER;
	case BACKED_SHARED_ANON:
		return ++model->last_file;
	default:
		return FILE_NONE;
	}
}

/* Private anonymous pages have their address as offset; shared anonymous ones begin at 0. */
static long first_pgoff(const struct model *model, const struct mapping *mapping, int from)
{
	switch (mapping->backing) {
	case BACKED_ANON:
		return from;
	case BACKED_SHARED_ANON:
		return 0;
	default:
		return (long)mapping->offset - (long)model->place.offset + MODEL_OFFSET;
	}
}

static void map_range(struct model *model, int from, int to, const struct mapping *mapping)
{
	struct vma_model vma = {
		.file = file_of(model, mapping->backing),
		.shared = mapping->shared,
		.prot = READ_WRITE,
		.flags = mapping->shared ? 0 : FLAG_ACCOUNT,
	};
	long pgoff = first_pgoff(model, mapping, from);
	int i;

	vma_unmap(model, from, to);
	for (i = from; i < to; i++)
		model->pages[i] = (struct page_model) { .vma = vma, .pgoff = pgoff + i - from };
	vma_insert(model, from, to);
}

/* mremap there and back: unmapped in between, and no longer registered. */
static void move_range(struct model *model, int from, int to)
{
	struct page_model moved[MODEL_PAGES];
	int i;

	memcpy(moved, model->pages, sizeof(moved));
	vma_unmap(model, from, to);
	for (i = from; i < to; i++) {
		model->pages[i] = moved[i];
		model->pages[i].vma.ctx = CTX_NONE;
		model->pages[i].vma.mode = 0;
	}
	vma_insert(model, from, to);
}

/* --- changes ---------------------------------------------------------------------------------- */

/* mprotect to read-only: an anonymous VMA without an anon_vma gives its accounting back. */
static struct vma_model protected(const struct page_model *page, int prot)
{
	struct vma_model vma = page->vma;

	if (vma.prot == prot)
		return vma;
	vma.prot = prot;
	if (prot & PROT_WRITE) {
		if (!vma.shared && !(page->vma.prot & PROT_WRITE))
			vma.flags |= FLAG_ACCOUNT;
	} else if (vma.file == FILE_NONE && !page->anon_vma) {
		vma.flags &= ~(unsigned int)FLAG_ACCOUNT;
	}
	return vma;
}

static struct vma_model advised(struct vma_model vma, unsigned int advice)
{
	switch (advice) {
	case MADV_DONTFORK:
		vma.flags |= FLAG_DONTFORK;
		break;
	case MADV_DOFORK:
		vma.flags &= ~(unsigned int)FLAG_DONTFORK;
		break;
	case MADV_NOHUGEPAGE:
		vma.flags |= FLAG_NOHUGEPAGE;
		break;
	default:
		break;
	}
	return vma;
}

/* The kernel skips a VMA that has these modes, or more, already. */
static struct vma_model registered(struct vma_model vma, int ctx, uint64_t mode)
{
	if (vma.ctx == ctx && (vma.mode & mode) == mode)
		return vma;
	vma.ctx = ctx;
	vma.mode = mode;
	return vma;
}

static uint64_t step_mode(const struct model *model, const struct step *step)
{
	return step->arg ? step->arg : model->place.mode;
}

static struct vma_model changed(const struct model *model, const struct page_model *page,
				const struct step *step)
{
	struct vma_model vma = page->vma;

	switch (step->kind) {
	case STEP_PROTECT:
		return protected(page, (int)step->arg);
	case STEP_ADVISE:
		return advised(vma, step->arg);
	case STEP_LOCK:
		vma.flags |= FLAG_LOCKED;
		return vma;
	case STEP_UNLOCK:
		vma.flags &= ~(unsigned int)FLAG_LOCKED;
		return vma;
	case STEP_BIND:
		vma.bound = step->arg != MPOL_DEFAULT;
		return vma;
	case STEP_REGISTER:
		return registered(vma, CTX_OWN, step_mode(model, step));
	case STEP_REGISTER_OTHER:
		return registered(vma, CTX_OTHER, step_mode(model, step));
	case STEP_UNREGISTER:
		vma.ctx = CTX_NONE;
		vma.mode = 0;
		return vma;
	default:
		return vma;
	}
}

/* VMA by VMA, as the kernel does; a merge may move the next one's start, never its end. */
static void change_range(struct model *model, int from, int to, const struct step *step)
{
	struct vma_model vma;
	int end;

	for (; from < to; from = end) {
		end = vma_end(model, from);
		if (end > to)
			end = to;
		vma = changed(model, &model->pages[from], step);
		if (!vma_same(&vma, &model->pages[from].vma))
			vma_modify(model, from, end, &vma);
		else if (step->kind == STEP_BIND)
			vma_write_lock(model, from);
	}
}

static bool range_has(const struct model *model, int from, int to, int ctx)
{
	for (; from < to; from++)
		if (model->pages[from].vma.ctx == ctx)
			return true;
	return false;
}

/* Kernels differ in what registering with fewer modes does: the model forbids it. */
static bool loses_mode(const struct model *model, int from, int to, uint64_t mode)
{
	for (; from < to; from++)
		if (model->pages[from].vma.ctx != CTX_NONE && model->pages[from].vma.mode & ~mode)
			return true;
	return false;
}

static bool possible(const struct model *model, const struct step *step)
{
	int from = model_index(step->from), to = from + step->pages;

	if (from < 0 || to > MODEL_PAGES || from >= to)
		return false;
	switch (step->kind) {
	case STEP_MAP:
	case STEP_UNMAP:
		return true;
	case STEP_REGISTER:
	case STEP_REGISTER_OTHER:
		return all_mapped(model, from, to) &&
		       !range_has(model, from, to,
				  step->kind == STEP_REGISTER ? CTX_OTHER : CTX_OWN) &&
		       !loses_mode(model, from, to, step_mode(model, step));
	case STEP_UNREGISTER:
		return all_mapped(model, from, to) && !range_has(model, from, to, CTX_OTHER);
	case STEP_MOVE_AWAY:
		return all_mapped(model, from, to) &&
		       model->pages[from].id == model->pages[to - 1].id;
	default:
		return all_mapped(model, from, to);
	}
}

/* MOVE_AWAY stands for MOVE_BACK too: nothing happens in between. */
void model_apply(struct model *model, const struct step *step)
{
	int from = model_index(step->from), to = from + step->pages;
	struct mapping mapping;

	switch (step->kind) {
	case STEP_MAP:
		mapping = place_mapping(&model->place, step->arg, step->from, step->shift);
		map_range(model, from, to, &mapping);
		break;
	case STEP_UNMAP:
		vma_unmap(model, from, to);
		break;
	case STEP_MOVE_AWAY:
		move_range(model, from, to);
		break;
	case STEP_MOVE_BACK:
		break;
	default:
		change_range(model, from, to, step);
		break;
	}
}

bool model_allows(const struct model *model, const struct step *step)
{
	struct model after = *model;

	if (!possible(model, step))
		return false;
	model_apply(&after, step);
	return !after.contested;
}

void model_fork(struct model *model)
{
	if (vma_mapped(model, model->dst))
		model->locked = true;
}

void model_reset(struct model *model, const struct place *place)
{
	struct step all = { .kind = STEP_REGISTER, .pages = MODEL_PLACE };
	struct mapping mapping = place_mapping(place, AS_BEFORE, 0, 0);

	*model = (struct model) { .place = *place, .last_file = FILE_SHARED_ANON };
	map_range(model, model_index(0), model_index(MODEL_PLACE), &mapping);
	model_apply(model, &all);
}
