// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The file of --output (output.c) on a disk that fills up, and the file of metrics (replace.c): nothing half written is
 * left. */
#include "output.h"
#include "replace.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/uffdretry-output-XXXXXX";
static char path[64];

static const char *in_dir(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

/* What the file at the path holds; "-" when there is none. Static. */
static const char *content(void)
{
	static char text[256];
	FILE *f = fopen(path, "r");

	if (!f)
		return "-";
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return text;
}

static void write_file(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* No file may be longer than @bytes: a full disk for this process (EFBIG). RLIM_INFINITY lifts it. */
static void disk_of(rlim_t bytes)
{
	struct rlimit limit;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* How many names the directory has. */
static int names(void)
{
	struct stat st;
	char command[128];
	FILE *p;
	int n;

	assert_int_equal(stat(dir, &st), 0);
	snprintf(command, sizeof(command), "ls -A %s | wc -l", dir);
	p = popen(command, "r");
	assert_non_null(p);
	assert_int_equal(fscanf(p, "%d", &n), 1);
	pclose(p);
	return n;
}

/* A record that fits, one that does not: the first stays, nothing of the second does, and what comes then is whole
 * again. */
static void a_record_is_cut(void **state)
{
	FILE *f = output_open(in_dir("cut"));

	(void)state;
	assert_non_null(f);
	fputs("a whole record\n", f);
	assert_int_equal(fflush(f), 0);
	output_is_whole();
	disk_of(20);
	fputs("one that is too long\n", f);
	assert_int_not_equal(fflush(f), 0);
	disk_of(RLIM_INFINITY);
	assert_string_equal(content(), "a whole record\none t");
	output_cut();
	assert_string_equal(content(), "a whole record\n");
	fputs("the next\n", f);
	fflush(f);
	assert_string_equal(content(), "a whole record\nthe next\n");
	output_discard(); /* holds something */
	assert_string_equal(content(), "a whole record\nthe next\n");
	fclose(f);
	unlink(path);
}

/* The first record does not fit: when the run has failed, the file that it made is gone. */
static void a_file_of_nothing_goes(void **state)
{
	FILE *f = output_open(in_dir("none"));

	(void)state;
	assert_non_null(f);
	disk_of(5);
	fputs("the first record\n", f);
	assert_int_not_equal(fflush(f), 0);
	disk_of(RLIM_INFINITY);
	output_cut();
	assert_string_equal(content(), "");
	output_discard();
	assert_string_equal(content(), "-");
	fclose(f);
}

/* One that was there was the user's: it is emptied when it is opened, and stays. */
static void a_file_that_was_there_stays(void **state)
{
	FILE *f;

	(void)state;
	write_file("there", "old\n");
	f = output_open(in_dir("there"));
	assert_non_null(f);
	assert_string_equal(content(), "");
	output_discard();
	assert_string_equal(content(), "");
	fclose(f);
	unlink(path);
}

/* Somebody has put another file there meanwhile: that one is not ours to remove. */
static void another_file_stays(void **state)
{
	FILE *f = output_open(in_dir("other"));

	(void)state;
	assert_non_null(f);
	unlink(path);
	write_file("other", "");
	output_discard();
	assert_string_equal(content(), "");
	fclose(f);
	unlink(path);
}

/* Neither a device nor a pipe is cut or removed. */
static void a_device_is_left_alone(void **state)
{
	FILE *f = output_open("/dev/null");

	(void)state;
	assert_non_null(f);
	output_is_whole();
	output_cut();
	output_discard();
	assert_int_equal(access("/dev/null", W_OK), 0);
	fclose(f);
}

static void no_such_directory(void **state)
{
	(void)state;
	assert_null(output_open(in_dir("no/such")));
	assert_int_equal(errno, ENOENT);
	assert_null(output_open(dir));
	assert_int_equal(errno, EISDIR);
}

static void replaced(void **state)
{
	struct replace r;
	struct stat st;
	mode_t mask = umask(022);

	(void)state;
	write_file("metrics", "old\n");
	assert_int_equal(replace_begin(&r, path), 0);
	fputs("new\n", r.out);
	assert_string_equal(content(), "old\n");
	assert_int_equal(replace_end(&r), 0);
	assert_string_equal(content(), "new\n");
	/* The collector is another user. */
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	umask(mask);
	assert_int_equal(names(), 1);
	unlink(path);
}

/* The old file stays as it was, and no temporary one is left. */
static void a_full_disk_replaces_nothing(void **state)
{
	struct replace r;

	(void)state;
	write_file("metrics", "old\n");
	assert_int_equal(replace_begin(&r, path), 0);
	disk_of(2);
	fputs("new\n", r.out);
	assert_int_equal(replace_end(&r), -1);
	assert_int_equal(errno, EFBIG);
	disk_of(RLIM_INFINITY);
	assert_string_equal(content(), "old\n");
	assert_int_equal(names(), 1);
	unlink(path);
}

/* Its directory is gone when the file is to be put there. */
static void renaming_fails(void **state)
{
	struct replace r;

	(void)state;
	mkdir(in_dir("sub"), 0755);
	assert_int_equal(replace_begin(&r, in_dir("sub/metrics")), 0);
	fputs("new\n", r.out);
	mkdir(path, 0755);
	assert_int_equal(replace_end(&r), -1);
	assert_int_equal(errno, EISDIR);
	rmdir(path);
	assert_int_equal(rmdir(in_dir("sub")), 0); /* empty */
}

static void what_cannot_be_replaced(void **state)
{
	static const struct {
		const char *path;
		int err;
	} rows[] = {
		{ "/tmp", EISDIR },
		{ "/dev/null", EINVAL },
		{ "/nonexistent/metrics", ENOENT },
		{ "/dev/null/metrics", ENOTDIR },
	};
	struct replace r;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		errno = 0;
		expect_u64(rows[i].path, replace_begin(&r, rows[i].path), -1);
		expect_u64(rows[i].path, errno, rows[i].err);
	}
}

static int set_up(void **state)
{
	(void)state;
	signal(SIGXFSZ, SIG_IGN);
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_cut),
		cmocka_unit_test(a_file_of_nothing_goes),
		cmocka_unit_test(a_file_that_was_there_stays),
		cmocka_unit_test(another_file_stays),
		cmocka_unit_test(a_device_is_left_alone),
		cmocka_unit_test(no_such_directory),
		cmocka_unit_test(replaced),
		cmocka_unit_test(a_full_disk_replaces_nothing),
		cmocka_unit_test(renaming_fails),
		cmocka_unit_test(what_cannot_be_replaced),
	};

	return cmocka_run_group_tests_name("output", tests, set_up, tear_down);
}
