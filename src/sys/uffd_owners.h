/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Which processes hold a userfaultfd, by the links of /proc. */
#ifndef UFFD_OWNERS_H
#define UFFD_OWNERS_H

#include <stdbool.h>
#include <sys/types.h>

#define MAX_UFFD_OWNERS 4

struct uffd_owner {
	pid_t pid;
	char comm[17]; /* any bytes: not fit for a terminal */
};

struct uffd_owners {
	struct uffd_owner first[MAX_UFFD_OWNERS];
	int nr;	     /* of all, also beyond the first */
	bool hidden; /* there are processes that we may not look at */
};

/*
 * uffd_owners_find() - look at the descriptors of every process but ourselves.
 * @proc: where procfs is mounted; what cannot be read is @hidden.
 */
void uffd_owners_find(struct uffd_owners *o, const char *proc);

#endif /* UFFD_OWNERS_H */
