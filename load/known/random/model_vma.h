// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Inside the model: the VMAs that its parts share.
#ifndef UFFDLOAD_MODEL_VMA_H
#define UFFDLOAD_MODEL_VMA_H

#include "known/random/model.h"

/* Steps count from the place's first page; the array begins MODEL_FRONT pages before. */
static inline int model_index(int page)
{
	return page + MODEL_FRONT;
}

/* All other pages here are indices of the array; a range is [from, to). */
bool vma_mapped(const struct model *model, int i);
int vma_first(const struct model *model, int i);
int vma_end(const struct model *model, int i);
bool vma_same(const struct vma_model *a, const struct vma_model *b);
void vma_write_lock(struct model *model, int i);
/* One VMA's part of a range becomes what vma says: split, changed, merged. */
void vma_modify(struct model *model, int from, int to, const struct vma_model *vma);
void vma_unmap(struct model *model, int from, int to);
/* Pages that were given to the array form a new VMA, which merges if it can. */
void vma_insert(struct model *model, int from, int to);

#endif
