// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A VM restored by a handler in a process of its own, as with Firecracker's UFFD backend.
#include "program/kit/program.h"
#include "program/kit/vm.h"

static int restore_pass(struct run *run)
{
	return vm_restore(run, PAGE, true);
}

static int restore_main(const struct load *load, const void *params)
{
	return program_run(load, params, restore_pass);
}

static const struct params defaults = { VM_DEFAULTS };

const struct load restore_load = {
	.name = "restore",
	.doc = "A VM is restored from a snapshot file by a handler in a process of its own, as "
	       "with Firecracker's UFFD backend: it copies each page that a vCPU faults on "
	       "straight from its mapping of the file. A device thread maps and unmaps buffers "
	       "meanwhile.\v"
	       "On EAGAIN the handler reads all events and tries again, without pause. One JSON "
	       "line at the end. Exit: 0 all pages were right, 1 not (named on stderr), 64 "
	       "usage, 77 this machine lacks what is needed.",
	.settings = { common_settings, vm_settings, file_settings, balloon_settings },
	.defaults = &defaults,
	.size = sizeof(defaults),
	.main = restore_main,
};
