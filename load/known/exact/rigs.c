// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The rigs of `uffdload exact`: one for each layout of a source, and many of the plain one.
#include <errno.h>
#include <string.h>

#include "known/exact/rigs.h"

static int add_layout(struct rigs *rigs, const char *layout)
{
	size_t i;

	for (i = 0; i < rigs->nr; i++)
		if (!strcmp(rigs->layout[i], layout))
			return 0;
	if (rigs->nr == LAYOUTS_MAX)
		return -ENOSPC;
	rigs->layout[rigs->nr] = layout;
	return rig_create(&rigs->rig[rigs->nr++], layout);
}

int rigs_add(struct rigs *rigs, const struct scenario *scenario)
{
	size_t windows = (size_t)scenario_windows(scenario);
	int err = 0;

	if (scenario->timing)
		return rigs->timing.mapped ? 0 : timing_create(&rigs->timing);
	while (!err && scenario->at_once && rigs->nr_at_once < windows)
		err = rig_create(&rigs->at_once[rigs->nr_at_once++], "b");
	return err || scenario->external ? err : add_layout(rigs, scenario_layout(scenario));
}

void rigs_destroy(struct rigs *rigs)
{
	size_t i;

	for (i = 0; i < rigs->nr; i++)
		rig_destroy(rigs->rig[i]);
	for (i = 0; i < rigs->nr_at_once; i++)
		rig_destroy(rigs->at_once[i]);
	timing_destroy(&rigs->timing);
}

struct rig *rigs_find(const struct rigs *rigs, const struct scenario *scenario, int w)
{
	size_t i;

	if (scenario->at_once)
		return rigs->at_once[w];
	for (i = 0; i < rigs->nr; i++)
		if (!strcmp(rigs->layout[i], scenario_layout(scenario)))
			return rigs->rig[i];
	return NULL;
}

int rigs_mend(struct rigs *rigs)
{
	size_t i;
	int err = 0;

	for (i = 0; i < rigs->nr && !err; i++)
		err = rig_mend(rigs->rig[i]);
	return err;
}
