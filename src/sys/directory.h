/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* The directory of a file that we write, and whether others may make names in it. */
#ifndef DIRECTORY_H
#define DIRECTORY_H

#include <stdbool.h>

struct directory {
	int fd;		  /* O_PATH */
	const char *name; /* of the file in it: the end of the path */
	bool shared;	  /* others may make names in it: see SECURITY.md */
};

/*
 * directory_open() - open the directory of @path. A link on the way is followed only in a directory
 * that is not shared, where only root or we can have made it.
 * Returns 0, or -1 with errno set. The caller closes @d->fd.
 */
int directory_open(struct directory *d, const char *path);

/*
 * has_acl() - may others have rights to the file or directory @fd by an access control list? The
 * mode then shows them as the group's. If in doubt, true.
 */
bool has_acl(int fd);

#endif /* DIRECTORY_H */
