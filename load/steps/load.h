// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What a load is: its options with their defaults, its --help, and its main function.
#ifndef UFFDLOAD_LOAD_H
#define UFFDLOAD_LOAD_H

#include "steps/settings.h"

/* Wrong usage, and a machine that lacks what the load needs; both are named on stderr. */
#define EXIT_USAGE 64
#define EXIT_LACKS 77

#define LOAD_TABLES_MAX 5

/* NAME_load in the load's file, a row of the table in uffdload.c. */
struct load {
	const char *name;
	const char *doc; /* of --help: before and behind the options */
	const struct setting *settings[LOAD_TABLES_MAX + 1]; /* tables, NULL at the end */
	const void *defaults; /* of the struct that the tables describe */
	size_t size;	      /* of that struct */
	/* Returns the exit status. */
	int (*main)(const struct load *load, const void *options);
};

#endif
