// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Another process that changes the load's address space from outside.
#ifndef UFFDLOAD_OTHER_H
#define UFFDLOAD_OTHER_H

#include <stdint.h>
#include <sys/types.h>

#define OTHER_COMM "uffd-other"

enum other_op {
	OTHER_CLEAR_REFS, /* "1" to /proc/PID/clear_refs */
	OTHER_POKE,	  /* ptrace(PTRACE_POKEDATA) at address, of the calling thread */
	OTHER_WRITE_MEM,  /* /proc/PID/mem at address */
	OTHER_COLD,	  /* process_madvise(MADV_COLD) of the page at address */
	OTHER_COLLAPSE,	  /* process_madvise(MADV_COLLAPSE) of the huge page at address */
};

struct other {
	pid_t pid;
	int socket;
};

int other_start(struct other *other);
/* Waits until it is done. 0 or -errno. */
int other_do(struct other *other, enum other_op op, uint64_t address);
void other_stop(struct other *other);

#endif
