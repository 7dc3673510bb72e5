// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* For the test build only: see skip.h. */
#include "trace/skip.h"

#ifdef INJECT_SKIPS

#include "skipped_runs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The loaded hook of that variant and target, or -1. */
static int find_hook(const struct tracer *t, const char *variant, const char *target)
{
	for (int i = 0; i < t->nr_hooks; i++)
		if (t->programs[i] && !strcmp(t->hooks[i].variant, variant) &&
		    !strcmp(t->hooks[i].target, target))
			return i;
	return -1;
}

int skip_configure(struct tracer *t)
{
	const char *skip = getenv("UFFDRETRY_SKIP");
	char variant[32], target[PROGRAM_NAME_MAX];
	unsigned int every, length = 1;

	if (!skip)
		return 0;
	if (sscanf(skip, "%31[^/]/%63[^:]:%u:%u", variant, target, &every, &length) < 3 || !every)
		return -EINVAL;
	t->skipped_hook = find_hook(t, variant, target);
	if (t->skipped_hook < 0)
		return -EINVAL;
	t->skel->rodata->skip_program = program_hash(t->hooks[t->skipped_hook].hook->program);
	t->skel->rodata->skip_every = every;
	t->skel->rodata->skip_length = length;
	return 0;
}

__u64 skip_missed(const struct tracer *t, int hook)
{
	return hook == t->skipped_hook ? t->skel->bss->skipped_runs : 0;
}

#endif /* INJECT_SKIPS */
