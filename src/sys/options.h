/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* The command line, parsed and checked. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>

#define MAX_PIDS 1024

enum self_test_mode {
	SELF_TEST_ON,
	SELF_TEST_ONLY,
	SELF_TEST_OFF,
};

struct options {
	pid_t pids[MAX_PIDS];
	int nr_pids;
	const char *cgroup;
	bool all;
	__u64 duration_ns; /* 0: until something else ends it */
	__u64 interval_ns; /* 0: only the summary */
	__u64 count;	   /* 0: any number of intervals */
	bool events; /* one record a window */
	bool json;
	const char *output;
	bool claims; /* with the table of the list's arguments */
	bool relock; /* measure re-take latency */
	bool no_writers; /* nobody asks who writes */
	bool witness;	 /* with a second witness of write locks */
	bool overhead;	 /* with what the programs cost */
	const char *openmetrics; /* file to keep current, or NULL */
	double fail_above; /* share of windows; negative: not asked for */
	bool probe;
	enum self_test_mode self_test;
	const char *plan;
	const char *user; /* whose rights, or NULL */
	bool timestamp;
	bool verbose;
	char **command; /* NULL-terminated, or NULL */
};

/*
 * options_parse() - parse the command line.
 * Bad usage prints one line and a hint, and returns EXIT_USAGE; --help and --version exit.
 * Returns 0 when the program may go on.
 */
int options_parse(struct options *o, int argc, char **argv);

/* Parsers of single values; each returns 0, or -1 when the text is not one whole valid value. */
int parse_duration(const char *text, __u64 *ns); /* 500ms, 10s, 1m, 2h; a plain number is seconds */
int parse_rate(const char *text, double *rate);	 /* 0.1% or 0.001 */
int parse_count(const char *text, __u64 *count); /* 1 or more */
int parse_pids(const char *text, struct options *o);

#endif /* OPTIONS_H */
