/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* A run that was saved as JSON: what the text needs of it. */
#ifndef SAVED_H
#define SAVED_H

#include "counters/from_json.h"
#include "report/sink.h"

/* Large, and its parts point at each other: it is not copied. */
struct saved {
	struct report report; /* without an output */
	struct span span;
	struct saved_counters all;
	struct target target;
	struct uffd_list owners;
	char kernel[65], machine[64], plan[32], exactness[64], self_test[16], kernel_check[32];
	char cgroup[PATH_MAX], command[4096];
	char *words[2]; /* of the command: it is one */
	bool emulated;	/* by QEMU, as far as the record tells */
	char targets[MAX_HOOKS][64], variants[MAX_HOOKS][24];
};

/*
 * saved_read() - the last summary in the file @path ("-": stdin). Free @s in both cases.
 * Returns 0, or prints why there is none and returns EXIT_ERROR.
 */
int saved_read(struct saved *s, const char *path);
void saved_free(struct saved *s);

/* `uffdretry report @path`. Returns an exit status. */
int saved_report(struct sink *sink, const char *path);

#endif /* SAVED_H */
