// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The files that the tool writes (sys/output.c), on a disk that fills up too: nothing half written
 * is left. In a shared directory another user's file is refused.
 */
#include "sys/output.h"
#include "no_quota.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static bool somebody_else; /* own the files here, as geteuid() tells */

static bool another_group; /* than ours owns the directory, as getegid() tells */

gid_t __real_getegid(void);
gid_t __wrap_getegid(void);

gid_t __wrap_getegid(void)
{
	return __real_getegid() + another_group;
}

uid_t __real_geteuid(void);
uid_t __wrap_geteuid(void);

uid_t __wrap_geteuid(void)
{
	return __real_geteuid() + somebody_else;
}

static bool may_not_give;  /* files to others, as fchown() tells */
static mode_t mode_before; /* fchown(): that of the file */

int __real_fchown(int fd, uid_t owner, gid_t group);
int __wrap_fchown(int fd, uid_t owner, gid_t group);

int __wrap_fchown(int fd, uid_t owner, gid_t group)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	mode_before = st.st_mode & 0777;
	if (!may_not_give)
		return __real_fchown(fd, owner, group);
	errno = EPERM;
	return -1;
}

static struct output output;

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

static bool replaced_meanwhile; /* after the open, and before the lock */

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);

int __wrap_fcntl(int fd, int command, ...)
{
	va_list arguments;
	void *argument;

	va_start(arguments, command);
	argument = va_arg(arguments, void *);
	va_end(arguments);
	if (replaced_meanwhile && command == F_OFD_SETLK) {
		replaced_meanwhile = false;
		unlink(path);
		write_file(strrchr(path, '/') + 1, "new\n");
	}
	return __real_fcntl(fd, command, argument);
}

static bool may_truncate = true; /* as Landlock refuses it */

int __real_ftruncate(int fd, off_t length);
int __wrap_ftruncate(int fd, off_t length);

int __wrap_ftruncate(int fd, off_t length)
{
	if (may_truncate)
		return __real_ftruncate(fd, length);
	errno = EACCES;
	return -1;
}

/*
 * No file may be longer than @bytes: a full disk for this process (EFBIG). RLIM_INFINITY lifts it.
 */
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

/* The second record does not fit: nothing of it stays, and the next one is whole again. */
static void a_record_is_cut(void **state)
{
	FILE *f = output_open(&output, in_dir("cut"));

	assert_non_null(f);
	fputs("a whole record\n", f);
	assert_int_equal(fflush(f), 0);
	output_is_whole(&output);
	disk_of(20);
	fputs("one that is too long\n", f);
	assert_int_not_equal(fflush(f), 0);
	disk_of(RLIM_INFINITY);
	assert_string_equal(content(), "a whole record\none t");
	output_cut(&output);
	assert_string_equal(content(), "a whole record\n");
	fputs("the next\n", f);
	fflush(f);
	assert_string_equal(content(), "a whole record\nthe next\n");
	output_discard(&output); /* holds something */
	assert_string_equal(content(), "a whole record\nthe next\n");
	fclose(f);
	unlink(path);
}

/* The first record does not fit: the failed run removes the file that it made. */
static void a_file_of_nothing_goes(void **state)
{
	FILE *f = output_open(&output, in_dir("none"));

	assert_non_null(f);
	disk_of(5);
	fputs("the first record\n", f);
	assert_int_not_equal(fflush(f), 0);
	disk_of(RLIM_INFINITY);
	output_cut(&output);
	assert_string_equal(content(), "");
	output_discard(&output);
	assert_string_equal(content(), "-");
	fclose(f);
}

/* A new report is written where nothing may be truncated. */
static void no_right_to_truncate(void **state)
{
	FILE *f;

	may_truncate = false;
	f = output_open(&output, in_dir("whole"));
	assert_non_null(f);
	assert_int_equal(output_begin(&output), 0);
	fputs("a whole record\n", f);
	fflush(f);
	output_is_whole(&output);
	output_cut(&output);
	fputs("the next\n", f);
	assert_int_equal(fflush(f), 0);
	assert_int_equal(output_end(&output), 0);
	may_truncate = true;
	assert_string_equal(content(), "a whole record\nthe next\n");
	fclose(f);
	unlink(path);
}

/* What the file held stays until the report is whole. Its mode stays. */
static void a_whole_report_replaces(void **state)
{
	struct stat st;
	FILE *f;

	write_file("there", "old\n");
	chmod(path, 0640);
	f = output_open(&output, path);
	assert_non_null(f);
	assert_true(output_holds_more(&output));
	assert_int_equal(output_begin(&output), 0);
	assert_false(output_holds_more(&output));
	fputs("new\n", f);
	fflush(f);
	output_is_whole(&output);
	assert_string_equal(content(), "old\n");
	assert_int_equal(names(), 2);
	assert_int_equal(output_end(&output), 0);
	assert_string_equal(content(), "new\n");
	assert_null(output_left(&output));
	output_discard(&output);
	assert_string_equal(content(), "new\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(names(), 1);
	assert_true(fcntl(fileno(f), F_GETFD) & FD_CLOEXEC);
	fclose(f);
	unlink(path);
}

/* Replace "old" in the file at the path by a report. Tells whether it is a new file. */
static bool replaces(void)
{
	struct stat before, after;
	FILE *f;

	assert_int_equal(stat(path, &before), 0);
	f = output_open(&output, path);
	assert_non_null(f);
	assert_int_equal(output_begin(&output), 0);
	fputs("new\n", f);
	assert_int_equal(fflush(f), 0);
	assert_int_equal(output_end(&output), 0);
	assert_string_equal(content(), "new\n");
	assert_int_equal(names(), 1);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_uid, before.st_uid);
	assert_int_equal(after.st_gid, before.st_gid);
	assert_int_equal(after.st_mode, before.st_mode);
	fclose(f);
	return after.st_ino != before.st_ino;
}

/* Where the new one cannot be its owner's, the old one is written. */
static void the_owner_stays(void **state)
{
	write_file("there", "old\n");
	chmod(path, 0660);
	assert_true(replaces());
	if (!__real_geteuid()) { /* only root can give it away */
		assert_int_equal(chown(path, 65534, 65533), 0);
		assert_true(replaces());
	}
	may_not_give = true;
	assert_false(replaces());
	unlink(path);
}

/* Who opens the new file while it is empty can read the report later. */
static void nobody_is_early(void **state)
{
	mode_t mask = umask(022);
	struct stat st;
	FILE *f = output_open(&output, in_dir("new"));

	assert_non_null(f);
	assert_int_equal(output_begin(&output), 0);
	assert_int_equal(fstat(fileno(f), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	fclose(f);
	unlink(path);
	write_file("there", "old\n");
	chmod(path, 0604);
	mode_before = 0;
	assert_true(replaces());
	assert_int_equal(mode_before, 0600);
	unlink(path);
	umask(mask);
}

/* Give @file a list as setfacl -m u:UID:rw,g::- does. Skips the test where there is none. */
static void make_list(const char *file, const char *name)
{
	const struct {
		struct posix_acl_xattr_header head;
		struct posix_acl_xattr_entry entries[5];
	} list = { { POSIX_ACL_XATTR_VERSION },
		   { { ACL_USER_OBJ, 6, ACL_UNDEFINED_ID },
		     { ACL_USER, 6, __real_geteuid() },
		     { ACL_GROUP_OBJ, 0, ACL_UNDEFINED_ID },
		     { ACL_MASK, 6, ACL_UNDEFINED_ID },
		     { ACL_OTHER, 0, ACL_UNDEFINED_ID } } };

	if (!setxattr(file, name, &list, sizeof(list), 0))
		return;
	assert_int_equal(errno, EOPNOTSUPP);
	unlink(path);
	skip();
}

/* The mode shows the rights of a list as those of the group, which has none. */
static void a_list_stays(void **state)
{
	write_file("there", "old\n");
	make_list(path, "system.posix_acl_access");
	assert_false(replaces());
	assert_int_equal(getxattr(path, "system.posix_acl_access", NULL, 0), 44);
	unlink(path);
}

/* A new file has the list of its directory, where the old one had none. */
static void no_list_comes(void **state)
{
	write_file("there", "old\n");
	chmod(path, 0640);
	make_list(dir, "system.posix_acl_default");
	assert_false(replaces());
	assert_int_equal(getxattr(path, "system.posix_acl_access", NULL, 0), -1);
	removexattr(dir, "system.posix_acl_default");
	unlink(path);
}

/* One that does not become whole is kept, and the old one too; of an empty one nothing is left. */
static void a_report_that_does_not_arrive(void **state)
{
	FILE *out = output_open(&output, in_dir("far"));

	assert_non_null(out);
	assert_int_equal(output_begin(&output), 0);
	fputs("report", out);
	assert_int_equal(fflush(out), 0);
	assert_int_equal(output_end(&output), 0);
	assert_int_equal(output_reached(out), 0);
	no_quota = true;
	assert_int_equal(output_reached(out), -1);
	assert_int_equal(errno, EDQUOT);
	no_quota = false;
	assert_string_equal(content(), "report");
	fclose(out);
	unlink(path);
}

static void a_report_that_is_not_whole(void **state)
{
	char there[sizeof(path)], left[PATH_MAX] = "";
	FILE *f;

	write_file("there", "old\n");
	strcpy(there, path);
	for (int records = 0; records < 2; records++) {
		f = output_open(&output, there);
		assert_non_null(f);
		assert_int_equal(output_begin(&output), 0);
		if (records)
			fputs("a record\n", f);
		fflush(f);
		output_is_whole(&output);
		disk_of(10);
		fputs("one that is too long\n", f);
		assert_int_not_equal(fflush(f), 0);
		disk_of(RLIM_INFINITY);
		output_cut(&output);
		assert_int_equal(output_left(&output) != NULL, records);
		if (records)
			strcpy(left, output_left(&output));
		output_discard(&output);
		strcpy(path, there);
		assert_string_equal(content(), "old\n");
		assert_int_equal(names(), 1 + records);
		fclose(f);
	}
	assert_true(strlen(left) == strlen(there) + 7);
	strcpy(path, left);
	assert_memory_equal(path, there, strlen(there));
	assert_string_equal(content(), "a record\n");
	unlink(path);
	unlink(there);
}

/* The file system became read-only: here the descriptor. What is there stays, and is named. */
static void a_report_that_cannot_be_cut(void **state)
{
	char there[sizeof(path)];
	FILE *f;
	int fd;

	write_file("there", "old\n");
	strcpy(there, path);
	f = output_open(&output, there);
	assert_non_null(f);
	assert_int_equal(output_begin(&output), 0);
	fputs("a record\nhalf a rec", f);
	fflush(f);
	output.whole = 9;
	assert_non_null(output_left(&output));
	strcpy(path, output_left(&output));
	fd = open(path, O_RDONLY);
	assert_int_equal(dup2(fd, fileno(f)), fileno(f));
	close(fd);
	output_cut(&output);
	assert_non_null(output_left(&output));
	assert_string_equal(output_left(&output), path);
	output_discard(&output);
	assert_string_equal(content(), "a record\nhalf a rec");
	unlink(path);
	strcpy(path, there);
	assert_string_equal(content(), "old\n");
	unlink(there);
	fclose(f);
}

/* A report of @text that is not whole yet, beside an old one, whose name is path. */
static FILE *begin_over_old(const char *text)
{
	FILE *f;

	write_file("there", "old\n");
	f = output_open(&output, path);
	assert_non_null(f);
	assert_int_equal(output_begin(&output), 0);
	fputs(text, f);
	fflush(f);
	return f;
}

/* A directory has the name meanwhile; a mount point refuses likewise. */
static void a_whole_report_that_cannot_replace(void **state)
{
	char there[sizeof(path)], left[PATH_MAX];
	FILE *f;

	f = begin_over_old("all events\n");
	strcpy(there, path);
	output_is_whole(&output);
	assert_false(output_left_whole(&output));
	unlink(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(output_end(&output), -1);
	assert_int_equal(errno, EBUSY);
	output_cut(&output);
	assert_non_null(output_left(&output));
	assert_true(output_left_whole(&output));
	strcpy(left, output_left(&output));
	output_discard(&output);
	fclose(f);
	rmdir(there);
	assert_int_equal(names(), 1);
	strcpy(path, left);
	assert_string_equal(content(), "all events\n");
	unlink(path);
}

/* The old report is moved away meanwhile; then the name is free, or another run has written there. */
static void a_report_that_is_rotated(void **state)
{
	char there[sizeof(path)], old[sizeof(path)], left[PATH_MAX];

	strcpy(old, in_dir("old"));
	for (int taken = 0; taken < 2; taken++) {
		FILE *f = begin_over_old("ours\n");

		strcpy(there, path);
		assert_int_equal(rename(there, old), 0);
		if (taken)
			write_file("there", "another run's\n");
		assert_int_equal(output_end(&output), taken ? -1 : 0);
		if (taken) {
			assert_int_equal(errno, EBUSY);
			assert_true(output_left_whole(&output));
			strcpy(left, output_left(&output));
		}
		output_discard(&output);
		fclose(f);
		strcpy(path, there);
		assert_string_equal(content(), taken ? "another run's\n" : "ours\n");
		unlink(there);
		unlink(old);
	}
	strcpy(path, left);
	assert_string_equal(content(), "ours\n");
	unlink(left);
}

/* A new file that is removed is an error; one that never had a name, behind a descriptor, is none. */
static void removed_meanwhile(void **state)
{
	/* As NFS and FUSE remove what is open. */
	static const char *const hidden[] = { ".nfs000000000003a4a500000001",
					      ".fuse_hidden0000000a00000001" };
	int nameless = memfd_create("nameless", 0);
	FILE *f = output_open(&output, in_dir("removed"));

	assert_int_equal(output_begin(&output), 0);
	fputs("new\n", f);
	fflush(f);
	assert_int_equal(output_end(&output), 0);
	unlink(path);
	assert_int_equal(output_end(&output), -1);
	assert_int_equal(errno, ENOENT);
	fclose(f);
	for (size_t i = 0; i < COUNT(hidden); i++) {
		char there[64];

		strcpy(there, in_dir("removed"));
		f = output_open(&output, there);
		assert_int_equal(output_begin(&output), 0);
		assert_int_equal(rename(there, in_dir(hidden[i])), 0);
		assert_int_equal(output_end(&output), -1);
		assert_int_equal(errno, ENOENT);
		unlink(path);
		fclose(f);
	}
	snprintf(path, sizeof(path), "/proc/self/fd/%d", nameless);
	f = output_open(&output, path);
	assert_int_equal(output_begin(&output), 0);
	assert_int_equal(output_end(&output), 0);
	fclose(f);
	close(nameless);
}

/* A file that is truncated goes on at its end, and is cut there. */
static void truncated_meanwhile(void **state)
{
	FILE *f = output_open(&output, in_dir("truncated"));

	assert_int_equal(output_begin(&output), 0);
	fputs("a first record\n", f);
	fflush(f);
	output_is_whole(&output);
	assert_int_equal(truncate(path, 0), 0);
	fputs("second\n", f);
	fflush(f);
	output_is_whole(&output);
	assert_string_equal(content(), "second\n");
	fputs("thi", f);
	fflush(f);
	output_cut(&output);
	assert_string_equal(content(), "second\n");
	fclose(f);
	unlink(path);
}

/* Where no file can be made beside it, and where its name is not the only way to it. */
static void what_is_written_in_place(void **state)
{
	char there[64];

	write_file("there", "old\n");
	strcpy(there, path);
	for (int hard = 0; hard < 2; hard++) {
		FILE *f;

		write_file("there", "old\n");
		in_dir("name");
		assert_int_equal(hard ? link(there, path) : symlink(there, path), 0);
		f = output_open(&output, path);
		assert_int_equal(output_begin(&output), 0);
		fputs("new\n", f);
		fflush(f);
		assert_int_equal(output_end(&output), 0);
		fclose(f);
		assert_string_equal(content(), "new\n");
		unlink(path);
		in_dir("there");
		assert_string_equal(content(), "new\n");
	}
	unlink(path);
}

/* Two runs would write over each other. */
static void one_writer(void **state)
{
	FILE *f = output_open(&output, in_dir("one"));
	pid_t child;
	int status;

	assert_non_null(f);
	fputs("the first\n", f);
	fflush(f);
	assert_null(output_open(&output, path));
	assert_int_equal(errno, EBUSY);
	output_discard(&output); /* not its file */
	assert_string_equal(content(), "the first\n");
	fclose(f);
	f = output_open(&output, path);
	assert_non_null(f);
	/* Its report goes into a file beside the earlier one. */
	assert_int_equal(output_begin(&output), 0);
	child = fork();
	if (!child)
		_exit(!output_open(&output, path) && errno == EBUSY ? 42 : 1);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(WEXITSTATUS(status), 42);
	output_discard(&output);
	fclose(f);
	f = output_open(&output, path);
	assert_non_null(f);
	fclose(f);
	unlink(path);
}

/* Meanwhile another file has the name: it is not ours to remove. */
static void another_file_stays(void **state)
{
	FILE *f = output_open(&output, in_dir("other"));

	assert_non_null(f);
	unlink(path);
	write_file("other", "");
	output_discard(&output);
	assert_string_equal(content(), "");
	fclose(f);
	unlink(path);
}

/* Meanwhile a directory on the way is a link, in one where others may make names. */
static void another_way_stays(void **state)
{
	char was[64], file[64];
	FILE *f;

	assert_int_equal(mkdir(in_dir("was"), 0700), 0);
	strcpy(was, path);
	f = output_open(&output, in_dir("was/file"));
	assert_non_null(f);
	strcpy(file, path);
	assert_int_equal(rename(was, in_dir("is")), 0);
	assert_int_equal(symlink(path, was), 0);
	strcpy(path, file);
	chmod(dir, 0777);
	output_discard(&output);
	chmod(dir, 0700);
	assert_string_equal(content(), "");
	fclose(f);
	unlink(path);
	unlink(was);
	rmdir(in_dir("is"));
}

static void the_same_file(void **state)
{
	FILE *f = output_open(&output, in_dir("file")), *null = fopen("/dev/null", "w");
	int input = open(path, O_RDONLY | O_CLOEXEC);
	char other[64];

	assert_true(output_is(f, path));
	assert_true(output_is_fd(f, input));
	assert_false(output_is_fd(f, fileno(null)));
	assert_false(output_is_fd(null, fileno(null)));
	close(input);
	strcpy(other, path);
	assert_int_equal(symlink(other, in_dir("link")), 0);
	assert_true(output_is(f, path));
	unlink(path);
	assert_false(output_is(f, in_dir("none")));
	assert_false(output_is(f, dir));
	assert_false(output_is(null, "/dev/null"));
	fclose(f);
	fclose(null);
	unlink(other);
}

/* Neither a device nor a pipe is cut or removed. */
static void a_device_is_left_alone(void **state)
{
	FILE *f = output_open(&output, "/dev/null");

	assert_non_null(f);
	assert_false(output_holds_more(&output));
	assert_int_equal(output_begin(&output), 0);
	output_is_whole(&output);
	output_cut(&output);
	output_discard(&output);
	assert_int_equal(access("/dev/null", W_OK), 0);
	fclose(f);
}

/* Opening one that nobody reads does not wait. */
static void a_fifo(void **state)
{
	int reader;
	FILE *f;

	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	alarm(20); /* the test would never end */
	assert_null(output_open(&output, path));
	assert_int_equal(errno, ENXIO);
	reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	f = output_open(&output, path);
	alarm(0);
	assert_non_null(f);
	assert_false(fcntl(fileno(f), F_GETFL) & O_NONBLOCK);
	fclose(f);
	close(reader);
	unlink(path);
}

static void no_such_directory(void **state)
{
	assert_null(output_open(&output, in_dir("no/such")));
	assert_int_equal(errno, ENOENT);
	assert_null(output_open(&output, dir));
	assert_int_equal(errno, EISDIR);
}

/* --- In a shared directory --- */

static void which_are_shared(void **state)
{
	static const struct {
		const char *path;
		bool shared;
	} rows[] = { { "/tmp/x", true }, { "/tmp/", true }, { "/tmp", false }, { "//x", false } };
	struct directory d;

	for (size_t i = 0; i < COUNT(rows); i++) {
		expect_u64(rows[i].path, directory_open(&d, rows[i].path), 0);
		expect_u64(rows[i].path, d.shared, rows[i].shared);
		close(d.fd);
	}
	assert_int_equal(chdir("/tmp"), 0);
	assert_int_equal(directory_open(&d, "x"), 0);
	assert_true(d.shared);
	assert_string_equal(d.name, "x");
	close(d.fd);
	assert_int_equal(chdir("/"), 0);
	assert_int_equal(directory_open(&d, "/nonexistent/path/x"), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(directory_open(&d, "/etc/passwd/x"), -1);
	assert_int_equal(errno, ENOTDIR);
}

static void a_component_that_is_too_long(void **state)
{
	struct directory d;
	char long_path[600];

	memset(long_path, 'x', sizeof(long_path));
	strcpy(long_path + 500, "/x");
	assert_int_equal(directory_open(&d, long_path), -1);
	assert_int_equal(errno, ENAMETOOLONG);
}

/* Sticky, or writable by others, or of another user: a link on the way is not followed there. */
static void links_on_the_way(void **state)
{
	static const mode_t shared[] = { 01700, 0777, 0770 };
	struct directory d;
	struct replace r;
	char link[64];

	assert_int_equal(symlink("/etc", in_dir("link")), 0);
	strcpy(link, path);
	in_dir("link/x");
	chmod(dir, 0770); /* by the group that is our own */
	assert_int_equal(directory_open(&d, path), 0);
	close(d.fd);
	another_group = true;
	for (size_t i = 0; i < COUNT(shared); i++) {
		chmod(dir, shared[i]);
		assert_int_equal(directory_open(&d, path), -1);
		assert_int_equal(errno, ELOOP);
		assert_null(output_open(&output, path));
		assert_int_equal(errno, ELOOP);
		assert_int_equal(replace_begin(&r, path, 0666), -1);
		assert_int_equal(errno, ELOOP);
	}
	another_group = false;
	chmod(dir, 0700);
	if (!__real_geteuid()) { /* only root can give it away */
		assert_int_equal(chown(dir, 65534, (gid_t)-1), 0);
		assert_int_equal(directory_open(&d, path), -1);
		assert_int_equal(errno, ELOOP);
		assert_int_equal(chown(dir, 0, (gid_t)-1), 0);
	}
	unlink(link);
}

/* Open the path as -o does. When refused, the file is unchanged. Returns errno. */
static int opens(void)
{
	FILE *f;

	errno = 0;
	f = output_open(&output, path);
	if (f) {
		fclose(f);
		return 0;
	}
	return errno;
}

static void what_is_not_taken(void **state)
{
	char target[64];

	write_file("target", "precious\n");
	strcpy(target, path);
	chmod(dir, 01777);

	assert_int_equal(symlink(target, in_dir("link")), 0);
	assert_int_equal(opens(), ELOOP);
	unlink(path);
	assert_int_equal(link(target, in_dir("hard")), 0);
	assert_int_equal(opens(), EMLINK);
	unlink(path);
	in_dir("target");
	somebody_else = true;
	assert_int_equal(opens(), EACCES);
	assert_string_equal(content(), "precious\n");
	somebody_else = false;
	assert_int_equal(opens(), 0);
	unlink(path);
}

static void what_is_not_replaced(void **state)
{
	struct replace r;

	write_file("metrics", "theirs\n");
	assert_int_equal(replace_begin(&r, path, 0666), 0); /* a directory that only we can write */
	assert_int_equal(replace_end(&r), 0);
	chmod(dir, 01777);
	somebody_else = true;
	assert_int_equal(replace_begin(&r, path, 0666), -1);
	assert_int_equal(errno, EACCES);
	assert_int_equal(names(), 1);
	somebody_else = false;
	assert_int_equal(replace_begin(&r, path, 0666), 0);
	assert_int_equal(replace_end(&r), 0);
	assert_int_equal(symlink("metrics", in_dir("link")), 0);
	assert_int_equal(replace_begin(&r, path, 0666), -1);
	assert_int_equal(errno, ELOOP);
	unlink(path);
	unlink(in_dir("metrics"));
}

/* --- The file of metrics --- */

/* Returns errno. */
static int replace_once(void)
{
	struct replace r;

	if (replace_begin(&r, path, 0666))
		return errno;
	fputs("metrics\n", r.out);
	return replace_end(&r) ? errno : 0;
}

/* Another run replaces the file once, when ours is about to: between its look and its rename. */
static bool begins_too;
static int its_errno;

static void begin_too(void)
{
	int status;
	pid_t child;

	if (!begins_too)
		return;
	begins_too = false;
	child = fork();
	if (!child)
		_exit(replace_once());
	assert_int_equal(waitpid(child, &status, 0), child);
	its_errno = WEXITSTATUS(status);
}

int __real_renameat(int from, const char *old, int to, const char *new);
int __wrap_renameat(int from, const char *old, int to, const char *new);

int __wrap_renameat(int from, const char *old, int to, const char *new)
{
	begin_too();
	return __real_renameat(from, old, to, new);
}

int __real_renameat2(int from, const char *old, int to, const char *new, unsigned int flags);
int __wrap_renameat2(int from, const char *old, int to, const char *new, unsigned int flags);

int __wrap_renameat2(int from, const char *old, int to, const char *new, unsigned int flags)
{
	begin_too();
	return __real_renameat2(from, old, to, new, flags);
}

/* Another run that keeps the file current, until it is killed. */
static pid_t keep_current(void)
{
	int fds[2];
	pid_t child;
	char done = 1;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL); /* should the test fail */
		for (int i = 0; i < 2; i++)
			done = replace_once() ? 1 : 0; /* the second replaces its own */
		if (write(fds[1], &done, 1) == 1)
			pause();
		_exit(1);
	}
	assert_int_equal(read(fds[0], &done, 1), 1);
	assert_int_equal(done, 0);
	close(fds[0]);
	close(fds[1]);
	return child;
}

static void replaced(void **state)
{
	struct replace r;
	struct stat st;
	mode_t mask = umask(022);

	write_file("metrics", "old\n");
	assert_int_equal(replace_begin(&r, path, 0666), 0);
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

	write_file("metrics", "old\n");
	assert_int_equal(replace_begin(&r, path, 0666), 0);
	disk_of(2);
	fputs("new\n", r.out);
	assert_int_equal(replace_end(&r), -1);
	assert_int_equal(errno, EFBIG);
	disk_of(RLIM_INFINITY);
	assert_string_equal(content(), "old\n");
	assert_int_equal(names(), 1);
	unlink(path);
}

static void a_report_is_not_replaced(void **state)
{
	FILE *f = output_open(&output, in_dir("report"));

	assert_non_null(f);
	fputs("report\n", f);
	assert_int_equal(fflush(f), 0);
	assert_int_equal(replace_once(), EBUSY);
	assert_string_equal(content(), "report\n");
	assert_int_equal(names(), 1);
	fclose(f);
	assert_int_equal(replace_once(), 0);
	assert_string_equal(content(), "metrics\n");
	unlink(path);
}

static void metrics_are_not_replaced(void **state)
{
	pid_t child;

	in_dir("metrics");
	child = keep_current();
	assert_int_equal(opens(), EBUSY);
	assert_int_equal(replace_once(), EBUSY);
	assert_int_equal(names(), 1);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(replace_once(), 0);
	unlink(path);
}

/* One of them is refused, whether a run that has ended left the file or there is none. */
static void two_begin_at_once(void **state)
{
	for (int left = 0; left < 2; left++) {
		in_dir("metrics");
		if (left)
			write_file("metrics", "old\n");
		begins_too = true;
		assert_int_equal(replace_once(), left ? 0 : EBUSY);
		assert_false(begins_too);
		assert_int_equal(its_errno, left ? EBUSY : 0);
		assert_string_equal(content(), "metrics\n");
		assert_int_equal(names(), 1);
		unlink(path);
	}
}

/* Who may only read the file can lock it too, and must not hold us. */
static void a_reader_locks_it(void **state)
{
	struct flock all = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	int fd;

	write_file("metrics", "old\n");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(fcntl(fd, F_OFD_SETLK, &all), 0);
	assert_int_equal(opens(), 0);
	assert_int_equal(replace_once(), 0);
	assert_string_equal(content(), "metrics\n");
	close(fd);
	unlink(path);
}

/* Neither is the file of the last success free. */
static void after_a_failure(void **state)
{
	struct replace r;

	in_dir("metrics");
	assert_int_equal(replace_once(), 0);
	assert_int_equal(replace_begin(&r, path, 0666), 0);
	disk_of(2);
	fputs("new\n", r.out);
	assert_int_equal(replace_end(&r), -1);
	disk_of(RLIM_INFINITY);
	assert_int_equal(opens(), EBUSY);
	assert_int_equal(replace_once(), 0);
	unlink(path);
}

/* Our file was removed, and another run writes one of that name. */
static void the_name_is_taken(void **state)
{
	FILE *f;

	in_dir("metrics");
	assert_int_equal(replace_once(), 0);
	unlink(path);
	f = output_open(&output, path);
	assert_non_null(f);
	assert_int_equal(replace_once(), EBUSY);
	fclose(f);
	unlink(path);
}

/* Another run replaces what we opened: nobody would find what we write. */
static void replaced_while_it_is_opened(void **state)
{
	write_file("metrics", "old\n");
	replaced_meanwhile = true;
	assert_int_equal(opens(), EBUSY);
	assert_false(replaced_meanwhile);
	assert_string_equal(content(), "new\n");
	unlink(path);
}

/* The directory is gone before the rename. */
static void renaming_fails(void **state)
{
	struct replace r;

	mkdir(in_dir("sub"), 0755);
	assert_int_equal(replace_begin(&r, in_dir("sub/metrics"), 0666), 0);
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

	for (size_t i = 0; i < COUNT(rows); i++) {
		errno = 0;
		expect_u64(rows[i].path, replace_begin(&r, rows[i].path, 0666), -1);
		expect_u64(rows[i].path, errno, rows[i].err);
	}
}

static bool closed_on_exec(FILE *f)
{
	return fcntl(fileno(f), F_GETFD) & FD_CLOEXEC;
}

/* COMMAND inherits none: a new file, an old one, and the metrics. */
static void not_inherited(void **state)
{
	struct replace r;
	FILE *f;

	in_dir("file");
	for (int i = 0; i < 2; i++) {
		f = output_open(&output, path);
		assert_non_null(f);
		assert_true(closed_on_exec(f));
		fclose(f);
	}
	assert_int_equal(replace_begin(&r, path, 0666), 0);
	assert_true(closed_on_exec(r.out));
	assert_int_equal(replace_end(&r), 0);
	unlink(path);
}

static int fresh(void **state)
{
	somebody_else = may_not_give = false;
	return chmod(dir, 0700);
}

static int set_up(void **state)
{
	signal(SIGXFSZ, SIG_IGN);
	return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
	return rmdir(dir);
}

#define test(f) cmocka_unit_test_setup(f, fresh)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(a_record_is_cut),
		test(a_file_of_nothing_goes),
		test(no_right_to_truncate),
		test(a_whole_report_replaces),
		test(the_owner_stays),
		test(nobody_is_early),
		test(a_list_stays),
		test(no_list_comes),
		test(a_report_that_does_not_arrive),
		test(a_report_that_is_not_whole),
		test(a_report_that_cannot_be_cut),
		test(a_whole_report_that_cannot_replace),
		test(a_report_that_is_rotated),
		test(removed_meanwhile),
		test(truncated_meanwhile),
		test(what_is_written_in_place),
		test(one_writer),
		test(another_file_stays),
		test(another_way_stays),
		test(the_same_file),
		test(a_device_is_left_alone),
		test(a_fifo),
		test(no_such_directory),
		test(which_are_shared),
		test(a_component_that_is_too_long),
		test(links_on_the_way),
		test(what_is_not_taken),
		test(what_is_not_replaced),
		test(replaced),
		test(a_full_disk_replaces_nothing),
		test(a_report_is_not_replaced),
		test(metrics_are_not_replaced),
		test(two_begin_at_once),
		test(a_reader_locks_it),
		test(after_a_failure),
		test(the_name_is_taken),
		test(replaced_while_it_is_opened),
		test(renaming_fails),
		test(what_cannot_be_replaced),
		test(not_inherited),
	};

	return cmocka_run_group_tests_name("output", tests, set_up, tear_down);
}
