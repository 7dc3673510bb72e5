// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// A VM's memory filled from a snapshot file, by a handler in a process of its own or by threads of the VMM.
#ifndef UFFDLOAD_RESTORE_H
#define UFFDLOAD_RESTORE_H

#include "program/run.h"

/* Options of a VM, and of a snapshot file that is copied from. */
extern const struct setting vm_settings[];
extern const struct setting file_settings[];

/* One restore, of pages of 4 KiB or HUGE. external: the handler is another process. 0 or -errno, with a message. */
int restore_pass(struct run *run, size_t page_size, bool external);

#endif
