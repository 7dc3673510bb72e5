// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The rigs of `uffdload exact`: one for each layout of a source, and many of the plain one.
#ifndef UFFDLOAD_RIGS_H
#define UFFDLOAD_RIGS_H

#include "known/exact/scenario.h"
#include "known/exact/timing.h"
#include "lib/rig.h"

#define LAYOUTS_MAX 32

struct rigs {
	struct rig *at_once[AT_ONCE_MAX]; /* of layout "b" */
	size_t nr_at_once;
	struct rig *rig[LAYOUTS_MAX];
	const char *layout[LAYOUTS_MAX];
	size_t nr;
	struct timing_rigs timing;
};

/* Add the rigs that the scenario needs. 0 or -errno. */
int rigs_add(struct rigs *rigs, const struct scenario *scenario);
/* The rig of window w. */
struct rig *rigs_find(const struct rigs *rigs, const struct scenario *scenario, int w);
/* Repair all sources. 0 or -errno. */
int rigs_mend(struct rigs *rigs);
void rigs_destroy(struct rigs *rigs);

#endif
