/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * The file of --trace: the events of a run in the Trace Event Format, which Perfetto and
 * chrome://tracing show (docs/reference/trace.md).
 *
 * A write that fails ends the trace and not the run: see @err.
 */
#ifndef TRACE_FILE_H
#define TRACE_FILE_H

#include "report/common.h"
#include "sys/output.h"

#define TRACE_THREADS 4096
#define TRACE_PROCESSES 1024
#define TRACE_HOLDS 512
#define TRACE_BUFFER (64 << 10)

struct trace_file {
	FILE *out; /* NULL: there is no trace, or it has ended */
	const char *path;
	struct output output;
	int err;      /* of the write that failed, or 0 */
	bool begun;   /* an element is in it */
	__u64 slices; /* ids of those that are on no thread's track */
	/* Whose names are in the file, by a hash. One that lost its place is named again. */
	struct trace_thread {
		__u32 pid;
		__u32 tid;
		char comm[COMM_LEN];
	} threads[TRACE_THREADS];
	__u32 processes[TRACE_PROCESSES];
	/* Slices of mmap_changing that have begun. */
	struct trace_hold {
		__u32 tid;
		__u64 begin_ns;
		__u64 id; /* 0: the place is free */
	} holds[TRACE_HOLDS];
	char buffer[TRACE_BUFFER];
};

/* Open the regular file @path as output_open() does. Returns 0, or -1 with errno set. */
int trace_file_open(struct trace_file *t, const char *path);

/* The run begins, or has ended with the counters of @s. */
void trace_file_begin(struct trace_file *t, const struct report *r);
void trace_file_end(struct trace_file *t, const struct span *s);

/* Add @e. What is written reaches the file with trace_file_flush() at the latest. */
void trace_file_event(struct trace_file *t, const struct report *r, const struct event *e);
void trace_file_flush(struct trace_file *t);

#endif /* TRACE_FILE_H */
