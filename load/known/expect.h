// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What one UFFDIO_COPY must return, given what happens in one of its windows, and how it adds to the truth.
#ifndef UFFDLOAD_EXPECT_H
#define UFFDLOAD_EXPECT_H

#include "lib/rig.h"
#include "known/truth.h"

/* A copy of a whole layout (rig.h), in one window of which something happens. */
struct copy_truth {
	const char *layout;
	size_t held;		    /* index of that window's page */
	struct window_truth window; /* its other windows are quiet */
	int err;		    /* of that page though no check refuses it, 0: it is copied */
};

struct rig_result expected_result(const struct copy_truth *copy, enum kernel_check check);
/* All its windows; and the copy itself. */
void add_copy_truth(struct truth *truth, const struct copy_truth *copy);
/* In bytes, from the ioctl's own answer. */
uint64_t bytes_copied(struct rig_result result);

#endif
