// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Who holds a userfaultfd (sys/uffd_owners.c), in a tree that looks like /proc. */
#include "sys/uffd_owners.h"
#include "unit.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char proc[] = "/tmp/uffdretry-proc-XXXXXX";

/* A process with the descriptor 3, a link to @link. */
static void add_process(const char *pid, const char *comm, const char *link)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", proc, pid);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s/comm", proc, pid);
	f = fopen(path, "w");
	assert_non_null(f);
	fprintf(f, "%s\n", comm);
	fclose(f);
	snprintf(path, sizeof(path), "%s/%s/fd", proc, pid);
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(path, sizeof(path), "%s/%s/fd/3", proc, pid);
	assert_int_equal(symlink(link, path), 0);
}

static const char *comm_of(const struct uffd_owners *o, pid_t pid)
{
	for (int i = 0; i < o->nr && i < MAX_UFFD_OWNERS; i++)
		if (o->first[i].pid == pid)
			return o->first[i].comm;
	return NULL;
}

static void found(void **state)
{
	struct uffd_owners o;
	char self[16], pid[16];

	snprintf(self, sizeof(self), "%d", getpid());
	add_process("4242", "qemu-system-x86", "anon_inode:[userfaultfd]");
	add_process("4243", "a file", "/tmp/anon_inode:[userfaultfd]");
	add_process("4244", "longer", "anon_inode:[userfaultfd]s");
	add_process("4245", "other", "anon_inode:[eventfd]");
	add_process("self", "no pid", "anon_inode:[userfaultfd]");
	add_process(self, "ourselves", "anon_inode:[userfaultfd]");
	uffd_owners_find(&o, proc);
	assert_int_equal(o.nr, 1);
	assert_false(o.hidden);
	assert_string_equal(comm_of(&o, 4242), "qemu-system-x86");
	/* More than there is place for are counted. */
	for (int i = 0; i < 6; i++) {
		snprintf(pid, sizeof(pid), "%d", 5000 + i);
		add_process(pid, "vmm", "anon_inode:[userfaultfd]");
	}
	uffd_owners_find(&o, proc);
	assert_int_equal(o.nr, 7);
}

static void no_proc(void **state)
{
	struct uffd_owners o;

	uffd_owners_find(&o, "/tmp/uffdretry-no-such-directory");
	assert_int_equal(o.nr, 0);
	assert_true(o.hidden);
}

static int make_proc(void **state)
{
	return mkdtemp(proc) ? 0 : -1;
}

static int remove_proc(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", proc);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(found),
		cmocka_unit_test(no_proc),
	};

	return cmocka_run_group_tests_name("uffd_owners", tests, make_proc, remove_proc);
}
