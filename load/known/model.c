// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A model of the VMAs around one destination: what each step does to them, by the kernel's rules for split and merge.
/*
 * A VMA is a run of pages with the same id. Changing a range splits the VMAs that it cuts, changes what is inside,
 * and merges with a neighbour that has everything in common. Whatever is split, changed or merged is write-locked;
 * a change that changes nothing locks nothing.
 */
#include <errno.h>
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <string.h>
#include <sys/mman.h>

#include "known/model.h"

#define READ_WRITE (PROT_READ | PROT_WRITE)

/* Steps count from the place's first page; the array from MODEL_FRONT pages before. */
static int index_of(int page)
{
	return page + MODEL_FRONT;
}

static bool mapped(const struct model *model, int i)
{
	return i >= 0 && i < MODEL_PAGES && model->pages[i].id;
}

static bool all_mapped(const struct model *model, int from, int to)
{
	int i;

	for (i = from; i < to; i++)
		if (!mapped(model, i))
			return false;
	return true;
}

/* --- VMAs --------------------------------------------------------------------------------------------------- */

static int vma_first(const struct model *model, int i)
{
	while (mapped(model, i - 1) && model->pages[i - 1].id == model->pages[i].id)
		i--;
	return i;
}

static int vma_end(const struct model *model, int i)
{
	unsigned int id = model->pages[i].id;

	while (mapped(model, i) && model->pages[i].id == id)
		i++;
	return i;
}

static void write_lock(struct model *model, int i)
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
	if (!mapped(model, i) || !mapped(model, i - 1) || model->pages[i - 1].id != model->pages[i].id)
		return;
	write_lock(model, i);
	give_id(model, i, vma_end(model, i), ++model->last_id);
}

static bool same_vma_model(const struct vma_model *a, const struct vma_model *b)
{
	return a->file == b->file && a->shared == b->shared && a->prot == b->prot && a->flags == b->flags &&
	       a->bound == b->bound && a->ctx == b->ctx && a->mode == b->mode;
}

/* A VMA without an anon_vma takes its neighbour's; two that have different ones stay apart. */
static bool mergeable(const struct page_model *left, const struct page_model *right)
{
	if (!same_vma_model(&left->vma, &right->vma) || left->pgoff + 1 != right->pgoff)
		return false;
	return !left->anon_vma || !right->anon_vma || left->anon_vma == right->anon_vma;
}

static void merge_at(struct model *model, int i)
{
	struct page_model *left, *right;
	int first, end, anon_vma;

	if (!mapped(model, i) || !mapped(model, i - 1))
		return;
	left = &model->pages[i - 1];
	right = &model->pages[i];
	if (left->id == right->id || !mergeable(left, right))
		return;
	write_lock(model, i - 1);
	write_lock(model, i);
	first = vma_first(model, i - 1);
	end = vma_end(model, i);
	anon_vma = left->anon_vma ? left->anon_vma : right->anon_vma;
	give_id(model, i, end, left->id);
	for (; first < end; first++)
		model->pages[first].anon_vma = anon_vma;
}

/*
 * Would older kernels leave the changed page apart from its neighbour, though they could merge? Until "mm/vma: fix
 * incorrectly disallowed anonymous VMA merges" (6.15) they did when only the changed one has an anon_vma.
 */
static bool contested(const struct model *model, int changed, int neighbour)
{
	const struct page_model *left = &model->pages[changed < neighbour ? changed : neighbour];

	return mapped(model, neighbour) && model->pages[neighbour].id != model->pages[changed].id &&
	       mergeable(left, left + 1) && model->pages[changed].anon_vma && !model->pages[neighbour].anon_vma;
}

/* One VMA's part of a range becomes what vma says. */
static void modify_run(struct model *model, int from, int to, const struct vma_model *vma)
{
	bool registered = vma->ctx != model->pages[from].vma.ctx || vma->mode != model->pages[from].vma.mode;
	bool cut = registered && vma_first(model, from) < from;
	int i;

	write_lock(model, from);
	split_at(model, from);
	split_at(model, to);
	for (i = from; i < to; i++)
		model->pages[i].vma = *vma;
	/* Up to 6.1 a (un)registration that begins inside a VMA passes the wrong offset to vma_merge(). */
	model->contested |= contested(model, from, from - 1) || contested(model, to - 1, to) ||
			    (cut && mapped(model, to) && mergeable(&model->pages[to - 1], &model->pages[to]));
	merge_at(model, from);
	merge_at(model, to);
}

static void unmap_range(struct model *model, int from, int to)
{
	int i;

	for (i = from; i < to; i++)
		if (mapped(model, i))
			write_lock(model, i);
	split_at(model, from);
	split_at(model, to);
	for (i = from; i < to; i++)
		model->pages[i].id = 0;
	if (from <= model->dst && model->dst < to)
		model->unmapped = true;
}

/* --- mapping ------------------------------------------------------------------------------------------------ */

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

static int inode_of(int file)
{
	return file == FILE_AGAIN ? FILE_FIRST : file;
}

/* Private anonymous pages have their address for an offset, a shared anonymous mapping begins at 0. */
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

	unmap_range(model, from, to);
	model->last_id++;
	for (i = from; i < to; i++) {
		model->pages[i] = (struct page_model) {
			.id = model->last_id,
			.vma = vma,
			.pgoff = pgoff + i - from,
		};
	}
	write_lock(model, from);
	merge_at(model, from);
	merge_at(model, to);
}

/* mremap there and back: unmapped in between, and no longer registered. */
static void move_range(struct model *model, int from, int to)
{
	struct page_model moved[MODEL_PAGES];
	int i;

	memcpy(moved, model->pages, sizeof(moved));
	unmap_range(model, from, to);
	model->last_id++;
	for (i = from; i < to; i++) {
		model->pages[i] = moved[i];
		model->pages[i].id = model->last_id;
		model->pages[i].vma.ctx = CTX_NONE;
		model->pages[i].vma.mode = 0;
	}
	write_lock(model, from);
	merge_at(model, from);
	merge_at(model, to);
}

/* --- changes ------------------------------------------------------------------------------------------------ */

/* mprotect: an anonymous VMA that has no anon_vma yet gives its accounting back when it becomes read-only. */
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

/* A VMA that is registered so already, or with more, is left alone. */
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

static struct vma_model changed(const struct model *model, const struct page_model *page, const struct step *step)
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

/* VMA by VMA, as the kernel goes; merging may have moved the next one's start, never its end. */
static void change_range(struct model *model, int from, int to, const struct step *step)
{
	struct vma_model vma;
	int end;

	for (; from < to; from = end) {
		end = vma_end(model, from);
		if (end > to)
			end = to;
		vma = changed(model, &model->pages[from], step);
		if (!same_vma_model(&vma, &model->pages[from].vma))
			modify_run(model, from, end, &vma);
		else if (step->kind == STEP_BIND)
			write_lock(model, from);
	}
}

static bool range_has(const struct model *model, int from, int to, int ctx)
{
	for (; from < to; from++)
		if (model->pages[from].vma.ctx == ctx)
			return true;
	return false;
}

/* Kernels differ in what registering with less does: not done here. */
static bool loses_mode(const struct model *model, int from, int to, uint64_t mode)
{
	for (; from < to; from++)
		if (model->pages[from].vma.ctx != CTX_NONE && model->pages[from].vma.mode & ~mode)
			return true;
	return false;
}

static bool possible(const struct model *model, const struct step *step)
{
	int from = index_of(step->from), to = from + step->pages;

	if (from < 0 || to > MODEL_PAGES || from >= to)
		return false;
	switch (step->kind) {
	case STEP_MAP:
	case STEP_UNMAP:
		return true;
	case STEP_REGISTER:
	case STEP_REGISTER_OTHER:
		return all_mapped(model, from, to) &&
		       !range_has(model, from, to, step->kind == STEP_REGISTER ? CTX_OTHER : CTX_OWN) &&
		       !loses_mode(model, from, to, step_mode(model, step));
	case STEP_UNREGISTER:
		return all_mapped(model, from, to) && !range_has(model, from, to, CTX_OTHER);
	case STEP_MOVE_AWAY:
		return all_mapped(model, from, to) && model->pages[from].id == model->pages[to - 1].id;
	default:
		return all_mapped(model, from, to);
	}
}

/* MOVE_AWAY stands for the way back too: nothing happens in between. */
void model_apply(struct model *model, const struct step *step)
{
	int from = index_of(step->from), to = from + step->pages;
	struct mapping mapping;

	switch (step->kind) {
	case STEP_MAP:
		mapping = place_mapping(&model->place, step->arg, step->from, step->shift);
		map_range(model, from, to, &mapping);
		break;
	case STEP_UNMAP:
		unmap_range(model, from, to);
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
	if (mapped(model, model->dst))
		model->locked = true;
}

void model_reset(struct model *model, const struct place *place)
{
	struct step all = { .kind = STEP_REGISTER, .pages = MODEL_PLACE };
	struct mapping mapping = place_mapping(place, AS_BEFORE, 0, 0);

	*model = (struct model) { .place = *place, .last_file = FILE_SHARED_ANON };
	map_range(model, index_of(0), index_of(MODEL_PLACE), &mapping);
	model_apply(model, &all);
}

/* --- windows ------------------------------------------------------------------------------------------------ */

struct vma_facts model_facts(const struct model *model, int page)
{
	int i = index_of(page);
	int first = vma_first(model, i);

	return (struct vma_facts) {
		.vma = model->pages[i].vma,
		.start = first - MODEL_FRONT,
		.end = vma_end(model, i) - MODEL_FRONT,
		.pgoff = model->pages[first].pgoff,
		.dst_pgoff = model->pages[i].pgoff,
	};
}

/* A neighbour's anon_vma will do when the two could merge but for their protection. */
static int lend_anon_vma(const struct page_model *left, const struct page_model *right, int anon_vma)
{
	struct vma_model a = left->vma, b = right->vma;

	/* The context is not looked at. */
	a.prot = b.prot;
	a.ctx = b.ctx;
	return same_vma_model(&a, &b) && left->pgoff + 1 == right->pgoff ? anon_vma : 0;
}

static int find_anon_vma(struct model *model, int first, int end)
{
	const struct page_model *pages = model->pages;
	int anon_vma = 0;

	if (mapped(model, end))
		anon_vma = lend_anon_vma(&pages[end - 1], &pages[end], pages[end].anon_vma);
	if (!anon_vma && mapped(model, first - 1))
		anon_vma = lend_anon_vma(&pages[first - 1], &pages[first], pages[first - 1].anon_vma);
	return anon_vma ? anon_vma : ++model->last_anon_vma;
}

/* A private destination got its anon_vma when it was locked for the copy. */
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
	int i = index_of(dst);

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
	int from = index_of(first);
	struct vma_facts after;

	if (!mapped(model, from) || vma_end(model, from) < from + pages || !model->pages[from].vma.ctx) {
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
	const struct page_model *at = &model->pages[index_of(page)];
	int inode = inode_of(at->vma.file);

	if (!at->vma.shared || at->vma.file >= FILE_SHARED_ANON || at->pgoff < 0 || at->pgoff >= MODEL_FILE_PAGES)
		return 0;
	if (model->filled[inode][at->pgoff])
		return EEXIST;
	model->filled[inode][at->pgoff] = true;
	return 0;
}
