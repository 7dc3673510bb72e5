// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Paths of cgroups by their ids (sys/cgroup_names.c), in a tree of directories of our own. */
#include "sys/cgroup_names.h"
#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/uffdretry-cgroups.XXXXXX";
static struct cgroup_names names;

/* The directory's id, which is its inode number. */
static __u64 make(const char *path)
{
	char full[256];
	struct stat st;

	snprintf(full, sizeof(full), "%s%s", root, path);
	assert_true(!mkdir(full, 0755) || access(full, F_OK) == 0);
	assert_int_equal(stat(full, &st), 0);
	return st.st_ino;
}

static void remove_directory(const char *path)
{
	char full[256];

	snprintf(full, sizeof(full), "%s%s", root, path);
	assert_int_equal(rmdir(full), 0);
}

static void paths_by_ids(void **state)
{
	__u64 top, a, deep, b, late;

	assert_non_null(mkdtemp(root));
	top = make("");
	a = make("/a");
	deep = make("/a/.deep");
	b = make("/b");
	assert_true(cgroup_names_add(&names, deep));
	assert_true(cgroup_names_add(&names, a));
	assert_true(cgroup_names_add(&names, top));
	assert_true(cgroup_names_add(&names, 1ULL << 60));
	assert_false(cgroup_names_add(&names, a));
	assert_null(cgroup_path(&names, a));
	cgroup_names_find(&names, root);
	assert_string_equal(cgroup_path(&names, top), "/");
	assert_string_equal(cgroup_path(&names, a), "/a");
	assert_string_equal(cgroup_path(&names, deep), "/a/.deep");
	assert_null(cgroup_path(&names, 1ULL << 60)); /* it was removed before */
	assert_null(cgroup_path(&names, b));	      /* nobody asked */

	/* A name stays when the cgroup is removed. */
	late = make("/b/late"); /* before: here a number may come back, unlike a cgroup's id */
	remove_directory("/a/.deep");
	assert_true(cgroup_names_add(&names, late));
	cgroup_names_find(&names, root);
	assert_string_equal(cgroup_path(&names, late), "/b/late");
	assert_string_equal(cgroup_path(&names, deep), "/a/.deep");
	remove_directory("/b/late");
	remove_directory("/b");
	remove_directory("/a");
	remove_directory("");
}

static void no_more_names_than_there_is_room_for(void **state)
{
	memset(&names, 0, sizeof(names));
	for (__u64 id = 1; id <= MAX_CGROUP_NAMES; id++)
		assert_true(cgroup_names_add(&names, id));
	assert_false(cgroup_names_add(&names, MAX_CGROUP_NAMES + 1));
	cgroup_names_find(&names, "/nonexistent");
	assert_null(cgroup_path(&names, 1));
}

static void a_path_that_is_known(void **state)
{
	memset(&names, 0, sizeof(names));
	cgroup_names_set(&names, 7, "/nobody/asked");
	assert_null(cgroup_path(&names, 7));
	assert_true(cgroup_names_add(&names, 7));
	cgroup_names_set(&names, 7, "/vms/a");
	cgroup_names_set(&names, 7, "/vms/b");
	assert_string_equal(cgroup_path(&names, 7), "/vms/a");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_by_ids),
		cmocka_unit_test(no_more_names_than_there_is_room_for),
		cmocka_unit_test(a_path_that_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
