// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A VM restored by threads of the VMM itself, as with Cloud Hypervisor.
#include "program/kit/program.h"
#include "program/kit/vm.h"

static const struct setting settings[] = {
	RATE_SETTING(struct params, prefetch, "prefetch", 1000000,
		     "Pages a second that a thread copies, in their order, before any thread asks; "
		     "0 for none"),
	RATE_SETTING(struct params, remap_rate, "remap-rate", 1000000,
		     "Pieces of the file a second that are mapped (MAP_FIXED) beside the memory; 0 "
		     "for none"),
	{ 0 },
};

static int restore_inproc_pass(struct run *run)
{
	return vm_restore(run, PAGE, false);
}

static int restore_inproc_main(const struct load *load, const void *params)
{
	return program_run(load, params, restore_inproc_pass);
}

static const struct params defaults = { VM_DEFAULTS, .source = SOURCE_BUFFER, .prefetch = 1000,
					.remap_rate = 10 };

const struct load restore_inproc_load = {
	.name = "restore-inproc",
	.doc = "A VM is restored from a snapshot file by threads of the VMM itself, as with "
	       "Cloud Hypervisor: the file is read into a buffer and copied from there, a "
	       "thread prefetches, and parts of the file are mapped beside the copies. All of "
	       "them write to or fault in one mm.\v"
	       "On EAGAIN the handler reads all events and tries again, without pause; the "
	       "prefetcher too. One JSON line at the end. Exit: 0 all pages were right, 1 not "
	       "(named on stderr), 64 usage, 77 this machine lacks what is needed.",
	.settings = { common_settings, vm_settings, file_settings, balloon_settings, settings },
	.defaults = &defaults,
	.size = sizeof(defaults),
	.main = restore_inproc_main,
};
