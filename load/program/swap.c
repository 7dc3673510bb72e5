// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A restore from memory that is in swap: the swap-in is part of the window.
#include "program/kit/program.h"
#include "program/kit/vm.h"

static int swap_pass(struct run *run)
{
	return vm_restore(run, PAGE, true);
}

static int swap_main(const struct load *load, const void *params)
{
	return program_run(load, params, swap_pass);
}

static const struct params defaults = { VM_DEFAULTS, .source = SOURCE_ANON };

const struct load swap_load = {
	.name = "swap",
	.doc = "A restore from memory that was reclaimed, as on a host with more VMs than "
	       "memory: the handler holds the snapshot in anonymous memory, all of which goes "
	       "to swap (MADV_PAGEOUT) before copying begins. The swap-in is part of the "
	       "window.\v"
	       "Needs a swap device. One JSON line at the end; counts.swapped is how many pages "
	       "were in swap. Exit: 0 all pages were right, 1 not (named on stderr), 64 usage, "
	       "77 nothing can be swapped out here.",
	.settings = { common_settings, vm_settings },
	.defaults = &defaults,
	.size = sizeof(defaults),
	.main = swap_main,
};
