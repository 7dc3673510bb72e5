/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* The paths of cgroups (v2) by their ids, which are the inode numbers of their directories. */
#ifndef CGROUP_NAMES_H
#define CGROUP_NAMES_H

#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

#define MAX_CGROUP_NAMES 4096

struct cgroup_name {
	__u64 id;
	const char *path; /* below the root, which is "/"; NULL: not found yet */
};

/* Sorted by id. A path stays when the cgroup is removed. */
struct cgroup_names {
	int nr;
	struct cgroup_name names[MAX_CGROUP_NAMES];
	size_t used; /* of @text, which has the paths; when it is full, more are not found */
	char text[64 * MAX_CGROUP_NAMES];
};

/* Where the cgroups are, also beside version 1. */
const char *cgroup_root(void);

/* cgroup_names_add() - remember @id, if it is new. Returns whether it is. */
bool cgroup_names_add(struct cgroup_names *n, __u64 id);

/*
 * cgroup_names_find() - find the paths that are not known yet, by a walk through the directories
 * below @root. At most 65,536 are read, and 64 levels.
 */
void cgroup_names_find(struct cgroup_names *n, const char *root);

/* Give @id the path @path, if it was added and has none. */
void cgroup_names_set(struct cgroup_names *n, __u64 id, const char *path);

/* The path of @id, or NULL. */
const char *cgroup_path(const struct cgroup_names *n, __u64 id);

#endif /* CGROUP_NAMES_H */
