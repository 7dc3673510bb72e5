// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What one UFFDIO_COPY must return, given what happens in one of its windows, and how it adds to
// the truth.
#ifndef UFFDLOAD_EXPECT_H
#define UFFDLOAD_EXPECT_H

#include "lib/rig.h"
#include "known/truth.h"

/* A copy of a whole layout (lib/rig.h); something happens in one of its windows. */
struct expected_copy {
	const char *layout;
	size_t held;		    /* index of that window's page */
	struct truth_window window; /* its other windows are quiet */
	int err;		    /* of that page when no check refuses it; 0: it is copied */
};

struct rig_result expect_result(const struct expected_copy *copy, enum truth_kernel check);
/* Add the copy and all its windows. */
void expect_add(struct truth *truth, const struct expected_copy *copy);
/* Bytes, by the result of the ioctl. */
uint64_t bytes_copied(struct rig_result result);

#endif
