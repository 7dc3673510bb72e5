// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Paths of cgroups: see cgroup_names.h. */
#include "sys/cgroup_names.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#define MAX_DIRECTORIES 65536
#define MAX_DEPTH 64

/* A walk, and the path of the directory that it is in. */
struct walk {
	struct cgroup_names *names;
	int left; /* directories that may still be read */
	char path[PATH_MAX];
};

const char *cgroup_root(void)
{
	struct statfs fs;

	if (!statfs("/sys/fs/cgroup/unified", &fs) && fs.f_type == CGROUP2_SUPER_MAGIC)
		return "/sys/fs/cgroup/unified";
	return "/sys/fs/cgroup";
}

/* The place of @id, or of the first one above it. */
static int place_of(const struct cgroup_names *n, __u64 id)
{
	int low = 0, high = n->nr;

	while (low < high) {
		const int middle = low + (high - low) / 2;

		if (n->names[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool is_at(const struct cgroup_names *n, int place, __u64 id)
{
	return place < n->nr && n->names[place].id == id;
}

bool cgroup_names_add(struct cgroup_names *n, __u64 id)
{
	const int place = place_of(n, id);

	if (n->nr == MAX_CGROUP_NAMES || is_at(n, place, id))
		return false;
	memmove(&n->names[place + 1], &n->names[place],
		(size_t)(n->nr - place) * sizeof(n->names[0]));
	n->names[place] = (struct cgroup_name) { .id = id };
	n->nr++;
	return true;
}

void cgroup_names_set(struct cgroup_names *n, __u64 id, const char *path)
{
	const int place = place_of(n, id);
	const size_t size = strlen(path) + 1;

	if (!is_at(n, place, id) || n->names[place].path || size > sizeof(n->text) - n->used)
		return;
	n->names[place].path = memcpy(n->text + n->used, path, size);
	n->used += size;
}

static void name(struct walk *w, __u64 id)
{
	cgroup_names_set(w->names, id, w->path[0] ? w->path : "/");
}

static bool is_itself_or_parent(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* Name the directory @fd's children and what is below them. Closes @fd. */
static void walk(struct walk *w, int fd, int depth)
{
	const size_t length = strlen(w->path);
	DIR *dir = fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		close(fd);
		return;
	}
	while (w->left > 0 && (entry = readdir(dir))) {
		int below;

		if (entry->d_type != DT_DIR || is_itself_or_parent(entry->d_name))
			continue;
		if (length + 1 + strlen(entry->d_name) >= sizeof(w->path))
			continue;
		w->left--;
		snprintf(w->path + length, sizeof(w->path) - length, "/%s", entry->d_name);
		name(w, entry->d_ino);
		below = depth < MAX_DEPTH ? openat(dirfd(dir), entry->d_name,
						   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
					  : -1;
		if (below >= 0)
			walk(w, below, depth + 1);
		w->path[length] = '\0';
	}
	closedir(dir);
}

void cgroup_names_find(struct cgroup_names *n, const char *root)
{
	struct walk w = { .names = n, .left = MAX_DIRECTORIES };
	int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return;
	if (!fstat(fd, &st))
		name(&w, st.st_ino);
	walk(&w, fd, 1);
}

const char *cgroup_path(const struct cgroup_names *n, __u64 id)
{
	const int place = place_of(n, id);

	return is_at(n, place, id) ? n->names[place].path : NULL;
}
