// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The holders of a userfaultfd (sys/uffd_list.c, report/list.c), from a /proc made by hand. */
#include "canned.h"
#include "lib/clock.h"
#include "report/list.h"
#include "unit.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char proc[] = "/tmp/uffd_list.XXXXXX";

static void put(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", proc, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void put_directory(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", proc, name);
	assert_int_equal(mkdir(path, 0755), 0);
}

static void put_fd(const char *name, const char *target)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", proc, name);
	assert_int_equal(symlink(target, path), 0);
}

static void put_process(const char *pid, const char *comm)
{
	static const char *const parts[] = { "", "/fd", "/fdinfo" };
	char name[64];

	for (size_t i = 0; i < COUNT(parts); i++) {
		snprintf(name, sizeof(name), "%s%s", pid, parts[i]);
		put_directory(name);
	}
	snprintf(name, sizeof(name), "%s/comm", pid);
	put(name, comm);
	snprintf(name, sizeof(name), "%s/stat", pid);
	put(name, "1 (x) S 0 0 0 0 -1 0 0\n");
}

#define UFFD "anon_inode:[userfaultfd]"

/*
 * 4242 has two userfaultfds, one of them twice, and 7 registered pages; of 77 we can read neither
 * fdinfo nor smaps; 9 has no userfaultfd, but a descriptor of O_PATH that names one.
 */
static int make_proc(void **state)
{
	if (!mkdtemp(proc))
		return -1;
	put_process("4242", "a\x1b[2J handler\n");
	put_fd("4242/fd/0", "/dev/null");
	put_fd("4242/fd/5", UFFD);
	put_fd("4242/fd/6", UFFD);
	put_fd("4242/fd/7", UFFD);
	put("4242/fdinfo/5",
	    "pos:\t0\nflags:\t02004002\nmnt_id:\t16\nino:\t1051\npending:\t2\ntotal:\t7\n"
	    "API:\taa:80070046:8000000000000007\n");
	put("4242/fdinfo/6", "ino:\t1051\npending:\t2\ntotal:\t7\nAPI:\taa:80070046:7\n");
	put("4242/fdinfo/7", "ino:\t1052\npending:\t0\ntotal:\t1\nAPI:\taa:0:7\n");
	put("4242/smaps",
	    "7f0000000000-7f0000004000 rw-p 00000000 00:00 0 \nSize: 16 kB\nVmFlags: rd wr mr um uw ac \n"
	    "7f0000004000-7f0000005000 rw-s 00000000 00:05 12 /memfd:x um\nVmFlags: rd wr ui ac \n"
	    "7f0000005000-7f0000009000 rw-p 00000000 00:00 0 \nVmFlags: rd wr mr ac \n"
	    "7f0000009000-7f000000b000 rw-p 00000000 00:00 0 \nVmFlags: rd wr mr nr sd ur \n");
	put_process("77", "other\n");
	put_fd("77/fd/3", UFFD);
	put_process("1", "init\n");
	put_process("9", "none\n");
	put_fd("9/fd/3", "anon_inode:[eventfd]");
	put_fd("9/fd/4", UFFD);
	put("9/fdinfo/4", "pos:\t0\nflags:\t012000000\nmnt_id:\t16\nino:\t1051\n");
	put_directory("self"); /* no number */
	return 0;
}

static int remove_proc(void **state)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -r %s", proc);
	return system(command);
}

static int refused; /* what readlinkat() fails with */

ssize_t __real_readlinkat(int dir, const char *path, char *target, size_t size);
ssize_t __wrap_readlinkat(int dir, const char *path, char *target, size_t size);
ssize_t __wrap_readlinkat(int dir, const char *path, char *target, size_t size)
{
	if (!refused)
		return __real_readlinkat(dir, path, target, size);
	errno = refused;
	return -1;
}

static char *printed(const struct uffd_list *l, bool json, bool brief)
{
	struct report r = canned_report(NULL);
	char *text;
	size_t size;

	r.json = json;
	r.out = open_memstream(&text, &size);
	assert_int_equal(report_list(&r, l, brief), 0);
	fclose(r.out);
	if (json)
		keep_records(text);
	return text;
}

static void expect_printed(bool whole, bool json, bool brief, const char *want)
{
	struct uffd_list l;
	char *text;

	assert_int_equal(uffd_list_read(&l, proc, whole, 0), 0);
	assert_int_equal(l.unreadable, 0);
	assert_false(l.hidden);
	text = printed(&l, json, brief);
	expect_str("list", text, want);
	free(text);
	uffd_list_free(&l);
}

static void as_text(void **state)
{
	expect_printed(true, false, false,
		       "    pid  fds  waiting  registered  events                  comm\n"
		       "     77    1        ?           ?  ?                       other\n"
		       "   4242    3        8    28.0 KiB  fork,remap,unmap        a?[2J handler\n");
}

static void brief(void **state)
{
	expect_printed(false, false, true, "77\n4242\n");
}

static void as_json(void **state)
{
	expect_printed(
		true, true, false,
		"{\"type\":\"list\",\"schema\":1,\"processes\":["
		"{\"pid\":77,\"comm\":\"other\",\"fds\":[{\"fd\":3,\"inode\":null,\"features\":null,"
		"\"pending\":null,\"total\":null}],\"registered\":null},"
		"{\"pid\":4242,\"comm\":\"a\\u001b[2J handler\",\"fds\":["
		"{\"fd\":5,\"inode\":1051,\"features\":[\"EVENT_FORK\",\"EVENT_REMAP\",\"EVENT_UNMAP\",\"MOVE\",\"RWP\",\"RWP_ASYNC\"],"
		"\"pending\":2,\"total\":7},"
		"{\"fd\":6,\"inode\":1051,\"features\":[\"EVENT_FORK\",\"EVENT_REMAP\",\"EVENT_UNMAP\",\"MOVE\",\"RWP\",\"RWP_ASYNC\"],"
		"\"pending\":2,\"total\":7},"
		"{\"fd\":7,\"inode\":1052,\"features\":[],\"pending\":0,\"total\":1}],"
		"\"registered\":[{\"start\":139637976727552,\"end\":139637976743936,\"modes\":[\"missing\",\"wp\"]},"
		"{\"start\":139637976743936,\"end\":139637976748032,\"modes\":[\"minor\"]},"
		"{\"start\":139637976764416,\"end\":139637976772608,\"modes\":[\"rwp\"]}]}],"
		"\"unreadable\":0}\n");
}

/* What the kernel adds later has no name here. */
static void a_new_feature(void **state)
{
	struct uffd_fd fd = { .fd = 3, .known = true, .features = 1ULL << 40 };
	struct uffd_process p = { .pid = 1, .fds = &fd, .nr_fds = 1 };
	const struct uffd_list l = { .processes = &p, .nr = 1 };
	char *text = printed(&l, true, false);

	assert_non_null(strstr(text, "\"features\":[\"bit 40\"]"));
	free(text);
}

static void nobody(void **state)
{
	struct uffd_list l = {};
	char *text = printed(&l, false, false);

	assert_string_equal(text, "no process holds a userfaultfd\n");
	free(text);
	l.unreadable = 3;
	text = printed(&l, false, false);
	assert_string_equal(text, "no process that can be read holds a userfaultfd\n");
	free(text);
}

static void move_init(const char *from, const char *to)
{
	char old[64], new[64];

	snprintf(old, sizeof(old), "%s/%s", proc, from);
	snprintf(new, sizeof(new), "%s/%s", proc, to);
	assert_int_equal(rename(old, new), 0);
}

/* hidepid=2: who sees no process 1 sees those of others as little. */
static void hidden(void **state)
{
	struct uffd_list l;
	char *text;

	move_init("1", "init");
	assert_int_equal(uffd_list_read(&l, proc, false, 0), 0);
	assert_true(l.hidden);
	text = printed(&l, true, false);
	assert_non_null(strstr(text, "\"unreadable\":null}"));
	free(text);
	uffd_list_free(&l);
	text = printed(&(struct uffd_list) { .hidden = true }, false, false);
	assert_string_equal(text, "no process that can be read holds a userfaultfd\n");
	free(text);
	move_init("init", "1");
}

/* Processes with capabilities that we lack show how many descriptors they have, and no more. */
static void names_alone(void **state)
{
	struct uffd_list l;

	refused = EACCES;
	assert_int_equal(uffd_list_read(&l, proc, true, 0), 0);
	assert_int_equal(l.nr, 0);
	assert_int_equal(l.unreadable, 3); /* 4242, 77 and 9; 1 has none */
	uffd_list_free(&l);
	refused = ENOENT; /* closed meanwhile */
	assert_int_equal(uffd_list_read(&l, proc, true, 0), 0);
	assert_int_equal(l.unreadable, 0);
	uffd_list_free(&l);
	refused = ENAMETOOLONG; /* a file's */
	assert_int_equal(uffd_list_read(&l, proc, true, 0), 0);
	assert_int_equal(l.unreadable, 0);
	uffd_list_free(&l);
	refused = ENOMEM;
	assert_int_equal(uffd_list_read(&l, proc, true, 0), -ENOMEM);
	uffd_list_free(&l);
	refused = 0;
}

static void no_proc(void **state)
{
	struct uffd_list l;

	assert_int_equal(uffd_list_read(&l, "/nosuch", true, 0), -ENOENT);
	uffd_list_free(&l);
}

/* Anybody can have millions of file descriptors, and hold up a run that looks at each. */
static void one_is_enough(void **state)
{
	struct uffd_list l;

	assert_int_equal(uffd_list_read(&l, proc, false, 0), 0);
	assert_int_equal(l.nr, 2);
	assert_int_equal(l.processes[1].pid, 4242);
	assert_int_equal(l.processes[1].nr_fds, 1);
	uffd_list_free(&l);
}

static void too_late(void **state)
{
	struct uffd_list l;

	assert_int_equal(uffd_list_read(&l, proc, false, now_ns() - 1), -ETIME);
	assert_int_equal(l.nr, 0);
	uffd_list_free(&l);
	assert_int_equal(uffd_list_read(&l, proc, false, now_ns() + 60 * NS_PER_S), 0);
	assert_int_equal(l.nr, 2);
	uffd_list_free(&l);
}

#define NR_MANY 3000

/* Thousands of userfaultfds, each with two file descriptors far apart: each counts once. */
static void many(void **state)
{
	char name[32], text[64], command[64];
	struct uffd_list l;
	char *printed_text;

	put_process("5000", "many\n");
	for (int i = 0; i < 2 * NR_MANY; i++) {
		snprintf(name, sizeof(name), "5000/fd/%d", i);
		put_fd(name, UFFD);
		snprintf(name, sizeof(name), "5000/fdinfo/%d", i);
		snprintf(text, sizeof(text), "ino:\t%d\ntotal:\t%d\nAPI:\taa:0:7\n",
			 9000 - i % NR_MANY, i % NR_MANY);
		put(name, text);
	}
	assert_int_equal(uffd_list_read(&l, proc, true, 0), 0);
	printed_text = printed(&l, false, false);
	/* 0 + 1 + ... + 2999 */
	assert_non_null(strstr(printed_text, "\n   5000 6000  4498500           ?  -"));
	free(printed_text);
	uffd_list_free(&l);
	snprintf(command, sizeof(command), "rm -r %s/5000", proc);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(as_text),	 cmocka_unit_test(brief),
		cmocka_unit_test(as_json),	 cmocka_unit_test(a_new_feature),
		cmocka_unit_test(nobody),	 cmocka_unit_test(hidden),
		cmocka_unit_test(names_alone),	 cmocka_unit_test(no_proc),
		cmocka_unit_test(one_is_enough), cmocka_unit_test(too_late),
		cmocka_unit_test(many),
	};

	return cmocka_run_group_tests_name("uffd_list", tests, make_proc, remove_proc);
}
