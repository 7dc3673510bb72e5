// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * Where the report goes (report/sink.c): what cannot be written ends the run, is told once, and
 * loses no numbers.
 */
#include "canned.h"
#include "report/sink.h"
#include "sys/err.h"
#include "sys/stream.h"
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct counters c;
static const struct span interval = { .counters = &c, .elapsed_s = 1 };
static const struct span summary = { .counters = &c, .elapsed_s = 1, .final = true };

static struct sink sink_on(FILE *out)
{
	canned_counters(&c);
	return (struct sink) { .report = canned_report(out) };
}

/* What is said on stderr from here to the end of the test. */
static FILE *real_stderr;
static char *said;
static size_t said_size;

static int capture(void **state)
{
	real_stderr = stderr;
	stderr = open_memstream(&said, &said_size);
	return 0;
}

static int release(void **state)
{
	fclose(stderr);
	stderr = real_stderr;
	free(said);
	return 0;
}

static const char *on_stderr(void)
{
	fflush(stderr);
	return said;
}

static void all_is_well(void **state)
{
	char *text;
	size_t size;
	struct sink s = sink_on(open_memstream(&text, &size));

	assert_int_equal(sink_start(&s), 0);
	sink_span(&s, &interval);
	assert_int_equal(sink_summary(&s, &summary), 0);
	assert_int_equal(sink_metrics_status(&s), 0);
	assert_false(s.broken);
	fclose(s.report.out);
	assert_non_null(strstr(text, "UFFDIO_COPY of every process"));
	assert_null(strstr(on_stderr(), "cannot"));
	free(text);
}

/* Nothing more is written, and the summary goes to stderr. */
static void a_full_disk(void **state)
{
	struct sink s = sink_on(fopen("/dev/full", "w"));
	FILE *full = s.report.out;

	sink_span(&s, &interval);
	assert_true(s.broken);
	sink_span(&s, &interval);
	sink_flush(&s);
	assert_int_equal(sink_summary(&s, &summary), EXIT_ERROR);
	fclose(full);
	assert_non_null(strstr(on_stderr(), "UFFDIO_COPY of every process"));
	assert_non_null(
		strstr(on_stderr(),
		       "cannot write the report: No space left on device\nhint: the summary is above"));
}

/*
 * Where COMMAND writes to the same output, nothing of it may stand in a record: on a socket each write is a
 * packet. The summary is larger than the buffers of stdio.
 */
static void whole_records(void **state)
{
	const struct options o = { .json = true, .events = true };
	const struct event e = { .what = EVENT_WINDOW, .pid = 41, .tid = 42, .comm = "handler" };
	static char packet[1 << 20];
	FILE *real_stdout = stdout;
	struct sink s = {};
	int fds[2], events = 0;
	ssize_t n;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds), 0);
	stdout = fdopen(fds[1], "w");
	assert_int_equal(sink_open(&s, &o), 0);
	canned_counters(&c);
	s.report = canned_report(s.report.out);
	s.report.json = true;
	s.report.writers = canned_writers(&c);
	for (int i = 0; i < 200; i++)
		sink_event(&s, &e);
	sink_flush(&s);
	while ((n = recv(fds[0], packet, sizeof(packet) - 1, 0)) > 0) {
		packet[n] = '\0';
		for (char *line = packet; *line; line = strchr(line, '\n') + 1, events++)
			assert_true(!strncmp(line, "{\"type\":\"event\"", 15) &&
				    strchr(line, '\n'));
	}
	assert_int_equal(events, 200);
	sink_span(&s, &summary);
	n = recv(fds[0], packet, sizeof(packet), 0);
	assert_true(n > 8192 && packet[n - 1] == '\n');
	fclose(s.report.out);
	fclose(stdout);
	stdout = real_stdout;
	close(fds[0]);
}

/* A file that holds something, and whose name a directory has when the run ends. */
static char file_path[] = "/tmp/uffdretry-sink-XXXXXX";

static void make_file(void)
{
	int fd;

	strcpy(file_path + strlen(file_path) - 6, "XXXXXX");
	fd = mkstemp(file_path);
	assert_int_equal(write(fd, "old\n", 4), 4);
	close(fd);
}

static void make_directory_of_it(void)
{
	assert_int_equal(unlink(file_path), 0);
	assert_int_equal(mkdir(file_path, 0700), 0);
}

/* The file that the last words name, with all of @file in it, and remove it. */
static void expect_left(const char *words, FILE *file)
{
	const char *last = strstr(on_stderr(), words);
	char left[sizeof(file_path) + 7];
	struct stat here, there;

	assert_int_equal(rmdir(file_path), 0);
	assert_non_null(last);
	snprintf(left, sizeof(left), "%s", last + strlen(words));
	assert_int_equal(stat(left, &there), 0);
	assert_int_equal(fstat(fileno(file), &here), 0);
	assert_int_equal(here.st_ino, there.st_ino);
	assert_true(here.st_size > 100);
	assert_int_equal(unlink(left), 0);
}

static void a_report_that_cannot_replace(void **state)
{
	struct sink s = sink_on(NULL);
	FILE *report;

	make_file();
	report = s.report.out = output_open(&s.output, file_path);
	assert_int_equal(sink_start(&s), 0);
	make_directory_of_it();
	assert_int_equal(sink_summary(&s, &summary), EXIT_ERROR);
	assert_int_equal(sink_end(&s), 0);
	sink_discard(&s);
	assert_non_null(strstr(on_stderr(), "cannot write the report: Device or resource busy"));
	expect_left("warning: the report is in ", report);
	fclose(report);
}

static void a_trace_that_cannot_replace(void **state)
{
	struct sink s = sink_on(fopen("/dev/null", "w"));
	FILE *trace;

	make_file();
	assert_int_equal(trace_file_open(&s.trace, file_path), 0);
	trace = s.trace.out;
	assert_int_equal(sink_start(&s), 0);
	make_directory_of_it();
	assert_int_equal(sink_summary(&s, &summary), 0);
	assert_int_equal(sink_trace_status(&s), EXIT_ERROR);
	assert_int_equal(sink_end(&s), 0);
	sink_discard(&s);
	assert_null(strstr(on_stderr(), "ends early"));
	expect_left("warning: the trace is in ", trace);
	fclose(trace);
	fclose(s.report.out);
}

/* New files, removed in the run: the numbers are not lost, and each is named. */
static void removed_files(void **state)
{
	char report[] = "/tmp/uffdretry-sink-XXXXXX", trace[] = "/tmp/uffdretry-sink-XXXXXX";
	struct sink s = sink_on(NULL);
	FILE *of_trace;

	close(mkstemp(report));
	close(mkstemp(trace));
	s.report.out = output_open(&s.output, report);
	assert_int_equal(trace_file_open(&s.trace, trace), 0);
	of_trace = s.trace.out;
	assert_int_equal(sink_start(&s), 0);
	assert_int_equal(unlink(report) + unlink(trace), 0);
	assert_int_equal(sink_summary(&s, &summary), EXIT_ERROR);
	assert_int_equal(sink_trace_status(&s), EXIT_ERROR);
	assert_non_null(strstr(on_stderr(), "UFFDIO_COPY of every process"));
	assert_non_null(strstr(strstr(on_stderr(), report),
			       ": it was removed\nhint: the summary is above"));
	assert_non_null(strstr(strstr(on_stderr(), trace), ": it was removed\n"));
	fclose(of_trace);
	fclose(s.output.file);
}

static void a_full_disk_at_the_start(void **state)
{
	struct sink s = sink_on(fopen("/dev/full", "w"));

	s.report.json = true;
	assert_int_equal(sink_start(&s), EXIT_ERROR);
	fclose(s.report.out);
	assert_non_null(strstr(on_stderr(), "cannot write the report: No space left on device"));
}

/* Lines of events fit the terminal, also after it was resized. Elsewhere they are whole. */
static void width_of_the_terminal(void **state)
{
	struct winsize size = { .ws_col = 80 };
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
	struct sink s;

	assert_true(master >= 0 && !grantpt(master) && !unlockpt(master));
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0 && !ioctl(slave, TIOCSWINSZ, &size));
	s = sink_on(fdopen(slave, "w"));
	sink_flush(&s);
	assert_int_equal(s.report.columns, 80);
	size.ws_col = 120;
	assert_false(ioctl(slave, TIOCSWINSZ, &size));
	sink_flush(&s);
	assert_int_equal(s.report.columns, 120);
	fclose(s.report.out);
	close(master);
	s.report.out = fopen("/dev/null", "w");
	sink_flush(&s);
	assert_int_equal(s.report.columns, 0);
	fclose(s.report.out);
}

/* A reader that goes away is no error. */
static void a_closed_pipe(void **state)
{
	struct sink s = sink_on(fopen("/dev/null", "w"));
	FILE *null = s.report.out;

	sink_closed(&s);
	assert_int_equal(sink_summary(&s, &summary), 0);
	fclose(null);
	assert_non_null(strstr(on_stderr(), "UFFDIO_COPY of every process"));
	assert_null(strstr(on_stderr(), "cannot"));
}

/* A reader that does not read loses neither the numbers nor our time. */
static void a_reader_that_stops(void **state)
{
	char bytes[1 << 16];
	struct sink s = sink_on(NULL);
	FILE *stream;
	int fds[2];

	memset(bytes, 'x', sizeof(bytes));
	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	assert_int_equal(write(fds[1], bytes, sizeof(bytes)), sizeof(bytes));
	stream = s.report.out = stream_open(fds[1]);
	assert_false(sink_waits());
	assert_int_equal(sink_fd(&s), stream_fd());
	sink_span(&s, &interval);
	assert_true(sink_waits());
	assert_false(s.broken);
	assert_int_equal(read(fds[0], bytes, sizeof(bytes)), sizeof(bytes));
	sink_send(&s);
	assert_false(sink_waits());
	assert_int_equal(sink_end(&s), 0);
	assert_true(write(fds[1], bytes, sizeof(bytes)) > 0);
	assert_int_equal(sink_summary(&s, &summary), EXIT_ERROR);
	assert_int_equal(sink_end(&s), 0); /* told */
	assert_non_null(strstr(on_stderr(), "UFFDIO_COPY of every process"));
	assert_non_null(strstr(on_stderr(), "nobody reads the report: its last "));
	fclose(stream);
	close(fds[0]);
	close(fds[1]);
}

/* At the start an error; then a warning once; the last write decides. */
static void metrics_that_cannot_be_written(void **state)
{
	struct sink s = sink_on(fopen("/dev/null", "w"));
	const char *warned;

	s.metrics = "/nonexistent/metrics";
	assert_int_equal(sink_start_metrics(&s, &interval), EXIT_ERROR);
	sink_metrics(&s, &interval);
	sink_metrics(&s, &interval);
	warned = strstr(on_stderr(), "warning: cannot write /nonexistent/metrics");
	assert_non_null(warned);
	assert_null(strstr(warned + 1, "warning:"));
	assert_int_equal(sink_summary(&s, &summary), 0);
	assert_int_equal(sink_metrics_status(&s), EXIT_ERROR);
	fclose(s.report.out);
}

/* Where the report fails as well, the caller writes the metrics once more: that they failed is told. */
static void metrics_and_report_on_a_full_disk(void **state)
{
	struct sink s = sink_on(fopen("/dev/full", "w"));
	FILE *full = s.report.out;

	s.metrics = "/nonexistent/metrics";
	assert_int_equal(sink_summary(&s, &summary), EXIT_ERROR);
	sink_metrics(&s, &summary);
	assert_non_null(strstr(on_stderr(), "warning: cannot write /nonexistent/metrics"));
	fclose(full);
}

/*
 * A file that nobody may read is refused, though the directory is ours: it could be another run's.
 * One that we may only read is replaced.
 */
static void metrics_over_a_file_of_others(void **state)
{
	struct sink s = sink_on(fopen("/dev/null", "w"));
	char dir[] = "/tmp/uffdretry-sink-XXXXXX", path[64];
	const uid_t us = geteuid(), user = us ?: 65534;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/metrics", dir);
	close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0));
	assert_int_equal(chown(dir, user, (gid_t)-1), 0);
	assert_int_equal(seteuid(user), 0); /* root may read each file */
	s.metrics = path;
	assert_int_equal(sink_start_metrics(&s, &interval), EXIT_ERROR);
	assert_non_null(strstr(on_stderr(), ": Permission denied\nhint: --openmetrics takes a "
					    "regular file, readable if it exists, "));
	assert_int_equal(seteuid(us), 0);
	assert_int_equal(chmod(path, 0444), 0);
	assert_int_equal(seteuid(user), 0);
	assert_int_equal(sink_start_metrics(&s, &interval), 0);
	assert_int_equal(seteuid(us), 0);
	unlink(path);
	rmdir(dir);
	fclose(s.report.out);
}

/* At the start, the file of a run that goes on. */
static void metrics_of_another_run(void **state)
{
	struct sink s = sink_on(fopen("/dev/null", "w"));
	char path[] = "/tmp/uffdretry-sink-XXXXXX";
	struct output theirs;
	FILE *f;

	close(mkstemp(path));
	f = output_open(&theirs, path);
	assert_non_null(f);
	s.metrics = path;
	assert_int_equal(sink_start_metrics(&s, &interval), EXIT_ERROR);
	assert_non_null(strstr(on_stderr(), "hint: another run writes it, or it is a mount point"));
	fclose(f);
	unlink(path);
	fclose(s.report.out);
}

/* Without --events none is printed, and the trace has it. */
static void a_trace_alone(void **state)
{
	const struct event e = { .what = EVENT_WINDOW, .pid = 41, .tid = 42, .comm = "handler" };
	char *text, path[] = "/tmp/uffdretry-sink-XXXXXX", got[8192];
	size_t size, printed;
	struct sink s = sink_on(open_memstream(&text, &size));
	FILE *f;

	close(mkstemp(path));
	assert_int_equal(trace_file_open(&s.trace, path), 0);
	assert_int_equal(sink_start(&s), 0);
	sink_flush(&s);
	printed = size;
	sink_event(&s, &e);
	sink_flush(&s);
	expect_u64("printed", size, printed);
	f = fopen(path, "r");
	got[fread(got, 1, sizeof(got) - 1, f)] = '\0';
	fclose(f);
	assert_non_null(strstr(got, "\"ph\":\"X\",\"ts\":0.000,\"pid\":41,\"tid\":42"));
	s.prints_events = true;
	sink_event(&s, &e);
	sink_flush(&s);
	assert_true(size > printed);
	unlink(path);
	fclose(s.trace.output.file);
	fclose(s.report.out);
	free(text);
}

/* The run goes on: one warning, and the status at the end. */
static void a_trace_that_cannot_be_written(void **state)
{
	struct sink s = sink_on(fopen("/dev/null", "w"));
	const char *warned;

	assert_int_equal(sink_trace_status(&s), 0);
	s.trace.path = "/full/trace";
	s.trace.err = ENOSPC;
	sink_flush(&s);
	sink_flush(&s);
	warned = strstr(on_stderr(), "warning: cannot write /full/trace: No space left on device");
	assert_non_null(warned);
	assert_null(strstr(warned + 1, "warning:"));
	assert_false(s.broken);
	assert_int_equal(sink_summary(&s, &summary), 0);
	assert_int_equal(sink_trace_status(&s), EXIT_ERROR);
	fclose(s.report.out);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, capture, release)
	const struct CMUnitTest tests[] = {
		test(all_is_well),
		test(whole_records),
		test(a_full_disk),
		test(a_report_that_cannot_replace),
		test(a_trace_that_cannot_replace),
		test(removed_files),
		test(a_full_disk_at_the_start),
		test(width_of_the_terminal),
		test(a_closed_pipe),
		test(a_reader_that_stops),
		test(metrics_that_cannot_be_written),
		test(metrics_and_report_on_a_full_disk),
		test(metrics_over_a_file_of_others),
		test(metrics_of_another_run),
		test(a_trace_alone),
		test(a_trace_that_cannot_be_written),
	};

	return cmocka_run_group_tests_name("sink", tests, NULL, NULL);
}
