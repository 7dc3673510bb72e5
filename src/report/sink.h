/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Where the report goes: stdout or --output, and the files of --openmetrics and --trace. */
#ifndef SINK_H
#define SINK_H

#include "report/report.h"
#include "report/trace_file.h"
#include "sys/output.h"
#include "sys/uffd_list.h"

struct sink {
	struct report report;
	struct output output; /* of the report */
	bool prints_events;   /* --events */
	bool broken;	      /* nothing more can be written */
	int broken_errno;     /* EPIPE: the reader is gone, which is not an error */
	const char *metrics;  /* the file of --openmetrics, or NULL */
	int metrics_errno;    /* of the last write of the metrics, or 0 */
	struct trace_file trace;
	bool trace_told; /* that it could not be written */
};

/* Open the files of @o. Returns 0, or prints why not and returns EXIT_ERROR. */
int sink_open(struct sink *s, const struct options *o);

/* Before the run. Each returns 0, or prints why it cannot write and returns EXIT_ERROR. */
int sink_start(struct sink *s);
int sink_self_test(struct sink *s, const struct self_test *t);
/* `uffdretry list`, which is no run. */
int sink_list(struct sink *s, const struct uffd_list *l, bool brief);
/* What else traces nothing: @print gets @what. */
int sink_print(struct sink *s, int (*print)(const struct report *r, const void *what),
	       const void *what);
int sink_start_metrics(struct sink *s, const struct span *span);

/* During the run. A failure sets @broken, which ends the run. */
void sink_span(struct sink *s, const struct span *span);
void sink_event(struct sink *s, const struct event *e);
void sink_flush(struct sink *s);
/* What to poll: see wakeup.h. */
int sink_fd(const struct sink *s);
/* Does a slow reader have something to read? Then nothing should be added. */
bool sink_waits(void);
/* Give it what it takes now. */
void sink_send(struct sink *s);
/* The reader of the output is gone. */
void sink_closed(struct sink *s);
/* Replace the file of metrics. Warns once of each errno: the next write may work. */
void sink_metrics(struct sink *s, const struct span *span);

/*
 * sink_summary() - write the summary and the last metrics, and wait a while for a slow reader: so
 * nothing should be traced any more. With a broken output the summary goes to stderr.
 * Returns 0, or prints why the report cannot be written and returns EXIT_ERROR.
 */
int sink_summary(struct sink *s, const struct span *span);

/*
 * sink_end() - wait a while until a slow reader has all of it. Returns 0, or prints that it does not
 * read and returns EXIT_ERROR.
 */
int sink_end(struct sink *s);

/* Did the last write of the metrics fail? Returns 0, or prints why and returns EXIT_ERROR. */
int sink_metrics_status(const struct sink *s);

/* Is the trace not whole? Returns 0, or prints why and returns EXIT_ERROR. */
int sink_trace_status(const struct sink *s);

/* The run failed: remove the files that we made, if they are empty. */
void sink_discard(struct sink *s);

#endif /* SINK_H */
