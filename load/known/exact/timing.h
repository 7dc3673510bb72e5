// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Windows that open or end while a writer sleeps inside its write section, each verified to be what
// it is called.
#ifndef UFFDLOAD_TIMING_H
#define UFFDLOAD_TIMING_H

#include "known/exact/scenario.h"

struct timing_rigs {
	struct rig *blocked; /* many mapped pages, the last one blocked */
	struct rig *mapped;  /* many mapped pages */
};

/* 0 or -errno. */
int timing_create(struct timing_rigs *rigs);
void timing_destroy(struct timing_rigs *rigs);
/* Runs the scenario once and adds it to the truth. 0, 1 if the kernel did otherwise, or -errno. */
int timing_run(struct timing_rigs *rigs, struct ground *ground, const struct scenario *scenario,
	       struct truth *truth);

#endif
