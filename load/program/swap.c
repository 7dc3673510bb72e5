// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A restore from memory that is in swap: the swap-in is in the window.
#include "steps/arena.h"
#include "program/restore.h"

static int swap_pass(struct run *run)
{
	return restore_pass(run, PAGE, true);
}

const struct prod swap_prod = {
	.name = "swap",
	.doc = "A restore from memory that was reclaimed, as on a host with more VMs than memory: the handler holds the "
	       "snapshot in anonymous memory, all of which goes to swap (MADV_PAGEOUT) before copying begins. The "
	       "swap-in is in the window.\v"
	       "Needs a swap device. One JSON line at the end; counts.swapped says how many pages were in swap. Exit: 0 "
	       "all pages were right, 1 not (named on stderr), 64 usage, 77 nothing can be swapped out here.",
	.settings = { vm_settings },
	.defaults = { VM_DEFAULTS, .source = SOURCE_ANON },
	.pass = swap_pass,
};
