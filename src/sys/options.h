/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* The command line, parsed and checked. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "uffdretry.h"

#include <stdbool.h>
#include <sys/types.h>

#define MAX_PIDS 1024

enum self_test_mode {
	SELF_TEST_ON,
	SELF_TEST_ONLY,
	SELF_TEST_OFF,
};

/* What traces nothing, by its first word. */
enum subcommand {
	SUBCMD_NONE,
	SUBCMD_LIST,   /* list the holders of a userfaultfd */
	SUBCMD_REPORT, /* print a saved record */
	SUBCMD_DIFF,   /* compare two of them */
	NR_SUBCOMMANDS,
};

struct options {
	pid_t pids[MAX_PIDS];
	int nr_pids;
	const char *cgroup;
	bool all;
	__u64 duration_ns; /* 0: no limit */
	__u64 interval_ns; /* 0: only the summary */
	__u64 count;	   /* 0: any number of intervals */
	bool events;
	bool json;
	const char *output;	 /* file, or NULL */
	const char *openmetrics; /* file, or NULL */
	const char *trace;	 /* file, or NULL */
	enum by by;
	bool top;
	bool claims;
	bool timestamp;
	double fail_above; /* share of windows; negative: not asked for */
	bool relock;
	bool no_writers;
	bool witness;
	bool overhead;
	bool stacks;
	const char *user; /* whose rights, or NULL */
	bool probe;
	enum self_test_mode self_test;
	const char *plan; /* its name, or NULL */
	bool verbose;
	enum subcommand sub;
	const char *files[2]; /* of @sub */
	bool brief;
	__u64 given;	/* the options, a bit each: the numbers are options.c's */
	char **command; /* NULL-terminated, or NULL */
};

/*
 * options_parse() - parse the command line.
 * Bad usage prints one line and a hint, and returns EXIT_USAGE; --help and --version exit.
 * Returns 0 when the program may go on.
 */
int options_parse(struct options *o, int argc, char **argv);

/* Are events read: to print them, or for the trace? */
bool options_read_events(const struct options *o);

/*
 * Add the processes of a list "1,2,3" to @o, each once. Returns 0, -EINVAL when it is
 * not one, -E2BIG for more than MAX_PIDS, or -ENOMEM.
 */
int parse_pids(const char *text, struct options *o);

#endif /* OPTIONS_H */
