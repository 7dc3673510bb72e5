// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The output, the file of metrics and the trace: see sink.h. */
#include "report/sink.h"
#include "report/list.h"
#include "report/openmetrics.h"
#include "sys/err.h"
#include "sys/records.h"
#include "sys/signals.h"
#include "sys/stderr.h"
#include "sys/stream.h"

#include <errno.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of events: so many bytes are written at once. */
#define BATCH (64 << 10)

static int cannot_open(const char *path, const char *hint)
{
	return fail(EXIT_ERROR,
		    errno == EBUSY ? "another run writes it: give each its own file" : hint,
		    "cannot write %s: %s", path, strerror(errno));
}

static int same_file(const char *both, const char *name)
{
	return fail(EXIT_USAGE, "give each its own file", "%s have the same file: %s", both, name);
}

/*
 * One would replace the other. Checked when it is open, for one file has many names. Returns 0, or prints
 * that @both are @path, and EXIT_USAGE.
 */
static int check_apart(FILE *open, const char *path, const char *both)
{
	return path && output_is(open, path) ? same_file(both, path) : 0;
}

/* The same for a saved run in @path ("-": stdin). */
static int check_saved(FILE *open, const char *path)
{
	static const char both[] = "the report and a saved run";

	if (!path || strcmp(path, "-"))
		return check_apart(open, path, both);
	return output_is_fd(open, STDIN_FILENO) ? same_file(both, records_name(path)) : 0;
}

/* A file is always ready. Anything else must not hold the tracer. */
static FILE *without_waiting(FILE *out)
{
	struct stat st;

	if (!out || (!fstat(fileno(out), &st) && S_ISREG(st.st_mode)))
		return out;
	return stream_open(fileno(out));
}

/* The columns of the terminal at @fd; 0: it is none, or does not know. */
static int terminal_columns(int fd)
{
	struct winsize size;

	return ioctl(fd, TIOCGWINSZ, &size) ? 0 : size.ws_col;
}

static int open_trace(struct sink *s, const char *path)
{
	int err = check_apart(s->output.file ?: stdout, path, "the report and --trace");

	if (err)
		return err;
	if (trace_file_open(&s->trace, path))
		return cannot_open(path,
				   "--trace takes a regular file that the user (--user, sudo) "
				   "may write");
	return check_apart(s->trace.out, s->metrics, "--trace and --openmetrics");
}

int sink_open(struct sink *s, const struct options *o)
{
	static char *buffer; /* the kernel would kill a program that it cannot map */
	int err;
	FILE *out = o->output ? output_open(&s->output, o->output) : stdout;

	s->report.json = o->json;
	s->report.timestamp = o->timestamp;
	s->report.verbose = o->verbose;
	s->report.by = o->by;
	s->report.top = o->top;
	s->prints_events = o->events;
	s->metrics = o->openmetrics;
	if (out) {
		s->report.terminal = fileno(out);
		s->report.on_terminal = isatty(fileno(out));
	}
	s->report.out = without_waiting(out);
	if (!s->report.out)
		return cannot_open(o->output ?: "the report",
				   errno == ENXIO
					   ? "start the reader of a FIFO first"
					   : "-o takes a file that the user (--user, sudo) may write");
	s->report.columns = terminal_columns(sink_fd(s));
	err = check_apart(out, s->metrics, "the report and --openmetrics");
	for (int i = 0; !err && i < 2; i++)
		err = check_saved(out, o->files[i]);
	if (err)
		return err;
	/* COMMAND may write there too: a full buffer would be emptied in the middle of a record. */
	buffer = buffer ?: malloc(RECORD_MAX);
	if (!buffer)
		return fail(EXIT_ERROR, NULL, "no room for the report: %s", strerror(ENOMEM));
	setvbuf(s->report.out, buffer, _IOFBF, RECORD_MAX);
	if (o->json)
		err_json(output_holds_more(&s->output) ? stdout : s->report.out);
	return o->trace ? open_trace(s, o->trace) : 0;
}

/* Account for @err, the result of a report function. */
static void written(struct sink *s, int err)
{
	if (!err) {
		output_is_whole(&s->output);
		return;
	}
	s->broken = true;
	s->broken_errno = errno;
	err_json(NULL);
	output_cut(&s->output);
}

/* The report is whole. */
static void sink_whole(struct sink *s)
{
	if (!s->broken)
		written(s, output_end(&s->output) ?: output_reached(s->report.out));
}

static int report_failed(const struct sink *s, const char *hint)
{
	if (s->broken_errno == ETIMEDOUT || s->broken_errno == EINTR)
		return fail(EXIT_ERROR, hint,
			    "nobody reads the report: its last %zu bytes are lost",
			    stream_waiting());
	if (s->broken_errno == ENOENT && s->output.path)
		return fail(EXIT_ERROR, hint, "cannot write %s: it was removed", s->output.path);
	return fail(EXIT_ERROR, hint, "cannot write the report: %s", strerror(s->broken_errno));
}

/* What an earlier report left in the file goes when the new one is whole. */
static int sink_begin(struct sink *s)
{
	written(s, output_begin(&s->output));
	if (s->broken)
		return report_failed(s, NULL);
	if (s->report.json)
		err_json(s->report.out);
	return 0;
}

int sink_start(struct sink *s)
{
	int err;

	trace_file_begin(&s->trace, &s->report);
	err = sink_trace_status(s) ?: sink_begin(s);
	if (err)
		return err;
	written(s, report_start(&s->report));
	return s->broken ? report_failed(s, NULL) : 0;
}

int sink_self_test(struct sink *s, const struct self_test *t)
{
	int err = sink_begin(s);

	if (err)
		return err;
	written(s, report_self_test(&s->report, t));
	sink_whole(s);
	return s->broken && s->broken_errno != EPIPE ? report_failed(s, NULL) : 0;
}

int sink_list(struct sink *s, const struct uffd_list *l, bool brief)
{
	int err = sink_begin(s);

	if (err)
		return err;
	written(s, report_list(&s->report, l, brief));
	sink_whole(s);
	return s->broken && s->broken_errno != EPIPE ? report_failed(s, NULL) : 0;
}

int sink_print(struct sink *s, int (*print)(const struct report *r, const void *what),
	       const void *what)
{
	int err = sink_begin(s);

	if (err)
		return err;
	written(s, print(&s->report, what));
	sink_whole(s);
	return s->broken && s->broken_errno != EPIPE ? report_failed(s, NULL) : 0;
}

void sink_span(struct sink *s, const struct span *span)
{
	if (!s->broken)
		written(s, report_span(&s->report, span));
}

static void print_event(struct sink *s, const struct event *e)
{
	int err = report_event(&s->report, e);

	if (err || __fpending(s->report.out) > BATCH)
		written(s, err ?: report_flush(&s->report));
}

void sink_event(struct sink *s, const struct event *e)
{
	if (s->prints_events && !s->broken)
		print_event(s, e);
	trace_file_event(&s->trace, &s->report, e);
}

void sink_flush(struct sink *s)
{
	/* It may have been resized. */
	s->report.columns = terminal_columns(sink_fd(s));
	if (!s->broken)
		written(s, report_flush(&s->report));
	trace_file_flush(&s->trace);
	if (s->trace.err && !s->trace_told)
		warning("cannot write %s: %s: the trace ends here", s->trace.path,
			strerror(s->trace.err));
	s->trace_told = s->trace.err;
}

int sink_fd(const struct sink *s)
{
	return stream_fd() < 0 ? fileno(s->report.out) : stream_fd();
}

bool sink_waits(void)
{
	return stream_waiting();
}

void sink_send(struct sink *s)
{
	if (!s->broken)
		written(s, stream_send());
}

/* After a signal somebody waits for our end. */
static void finish(struct sink *s)
{
	if (!s->broken)
		written(s, stream_finish(signal_caught() ? 1000 : 5000));
}

static void tell_left(const char *what, const struct output *o)
{
	if (output_left(o))
		warning("the %s is %s %s", what, output_left_whole(o) ? "in" : "not whole, and in",
			output_left(o));
}

int sink_end(struct sink *s)
{
	tell_left("report", &s->output);
	tell_left("trace", &s->trace.output);
	if (s->broken || !s->report.out)
		return 0;
	finish(s);
	return s->broken && s->broken_errno != EPIPE ? report_failed(s, NULL) : 0;
}

void sink_closed(struct sink *s)
{
	s->broken = true;
	s->broken_errno = EPIPE;
}

/* Returns 0 or the errno; the old file then stays. */
static int write_metrics(const struct sink *s, const struct span *span)
{
	return s->metrics && report_openmetrics(&s->report, span, s->metrics) ? errno : 0;
}

static int metrics_failed(const struct sink *s, int err, const char *hint)
{
	return fail(EXIT_ERROR, hint, "cannot write %s: %s", s->metrics, strerror(err));
}

int sink_start_metrics(struct sink *s, const struct span *span)
{
	int err = write_metrics(s, span);

	if (!err)
		return 0;
	return metrics_failed(
		s, err,
		err == EBUSY
			? "another run writes it, or it is a mount point: give each its own file"
			: "--openmetrics takes a regular file, readable if it exists, in a "
			  "directory that the user (--user, sudo) may write");
}

void sink_metrics(struct sink *s, const struct span *span)
{
	int err = write_metrics(s, span);

	if (err && err != s->metrics_errno)
		warning("cannot write %s: %s", s->metrics, strerror(err));
	s->metrics_errno = err;
}

int sink_metrics_status(const struct sink *s)
{
	return s->metrics_errno
		       ? metrics_failed(s, s->metrics_errno, "the file holds older numbers")
		       : 0;
}

int sink_trace_status(const struct sink *s)
{
	const bool removed = s->trace.err == ENOENT;
	const char *hint = removed || output_left_whole(&s->trace.output)
				   ? NULL
				   : "the trace ends early, and can be opened all the same";

	return s->trace.err ? fail(EXIT_ERROR, hint, "cannot write %s: %s", s->trace.path,
				   removed ? "it was removed" : strerror(s->trace.err))
			    : 0;
}

void sink_discard(struct sink *s)
{
	output_discard(&s->output);
	output_discard(&s->trace.output);
}

int sink_summary(struct sink *s, const struct span *span)
{
	s->metrics_errno = write_metrics(s, span);
	trace_file_end(&s->trace, span);
	sink_span(s, span);
	finish(s);
	sink_whole(s);
	if (!s->broken)
		return 0;
	/* The numbers must not be lost with the file. */
	if (stderr_begin()) {
		s->report.out = stderr;
		report_span(&s->report, span);
	}
	stderr_end();
	if (s->broken_errno == EPIPE)
		return 0;
	/* Our caller writes the metrics again, and must warn if that fails. */
	s->metrics_errno = 0;
	return report_failed(s, "the summary is above");
}
