// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A named window of `uffdload exact`: what follows from its row of the table in scenarios.c.
#define _GNU_SOURCE
#include <string.h>
#include <unistd.h>

#include "known/exact/scenario.h"
#include "lib/rig.h"
#include "steps/stopped_copy.h"

const char *scenario_layout(const struct scenario *scenario)
{
	if (scenario->source != SOURCE_RIG)
		return "n";
	if (scenario->layout)
		return scenario->layout;
	return place_is_huge(scenario->place) ? "B" : "b";
}

int scenario_windows(const struct scenario *scenario)
{
	return scenario->at_once ? scenario->at_once : 1;
}

int scenario_pages(const struct scenario *scenario)
{
	if (scenario->at_once && !scenario->one_vma)
		return AT_ONCE_PAGES;
	return scenario->pages ? scenario->pages : SCENARIO_PAGES;
}

int scenario_held_page(const struct scenario *scenario)
{
	return scenario->source == SOURCE_RIG ? (int)strcspn(scenario_layout(scenario), "bB") : 0;
}

int scenario_first_page(const struct scenario *scenario)
{
	if (scenario->at_once)
		return 0;
	return (scenario->page ? scenario->page : SCENARIO_PAGE) - scenario_held_page(scenario);
}

static enum truth_kind window_kind(enum place_kind kind)
{
	if (place_is_huge(kind))
		return TRUTH_KIND_HUGETLB;
	return kind == PLACE_ANON ? TRUTH_KIND_ANON : TRUTH_KIND_SHMEM;
}

struct truth_window scenario_window(const struct scenario *scenario, int w)
{
	struct truth_window window = {
		.kind = window_kind(scenario->place),
		.class = w ? scenario->others : scenario->class,
		.odd_start = scenario->odd_start,
		.external = scenario->external,
	};

	if (window.class == scenario->class) {
		window.snapshot = scenario->snapshot;
		window.meaning = scenario->meaning;
		window.tolerated = scenario->tolerated;
	}
	if (truth_reached_check(window.class)) {
		window.vma_locked = window.class != TRUTH_QUIET && window.class != TRUTH_UNRELATED;
		window.seq_moved = window.class != TRUTH_QUIET;
	}
	return window;
}

/* Under mmap_lock a writer in its write section keeps every window from ending. */
static bool needs_vma_locks(const struct scenario *scenario)
{
	return scenario->timing == TIMING_STILL_IN || scenario->timing == TIMING_IN_ALL_ALONG;
}

const char *scenario_lacks(struct ground *ground, const struct scenario *scenario,
			   enum truth_locks locks)
{
	const char *lacks = scenario->timing ? stopped_copy_lacks() : NULL;
	struct step mode = { .kind = STEP_REGISTER, .arg = (unsigned int)scenario->mode };
	int fd = rig_uffd_open(scenario->features);
	size_t i;

	if (fd < 0)
		return "no such userfaultfd feature, or no right to it";
	close(fd);
	if (locks != TRUTH_LOCKS_VMA && needs_vma_locks(scenario))
		return locks == TRUTH_LOCKS_MMAP ? "this kernel has no per-VMA locks"
						 : "UFFDIO_COPY locks no VMA on this kernel";
	if (place_is_huge(scenario->place) && !ground->arena.huge.start)
		return "too few free huge pages (vm.nr_hugepages)";
	if (!lacks)
		lacks = step_lacks(ground, scenario->place, scenario->features, &mode);
	for (i = 0; i < 2 && !lacks; i++)
		lacks = step_lacks(ground, scenario->place, scenario->features,
				   &scenario->before[i]);
	for (i = 0; i < SCENARIO_STEPS && !lacks; i++)
		lacks = step_lacks(ground, scenario->place, scenario->features,
				   &scenario->steps[i]);
	return lacks;
}
