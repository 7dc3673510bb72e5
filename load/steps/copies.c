// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What a load's UFFDIO_COPY calls asked for and returned, and the JSON of it.
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "steps/copies.h"

const char *errno_name(int err)
{
	const char *name = err ? strerrorname_np(err) : "ok";

	return name ? name : "unknown";
}

void copies_add(struct copies *copies, int err, uint64_t bytes)
{
	copies->calls++;
	copies->bytes += bytes;
	copies->returned[err < NR_ERRNOS ? err : 0]++;
}

void copies_sum(struct copies *to, const struct copies *from)
{
	int err;

	to->calls += from->calls;
	to->bytes += from->bytes;
	for (err = 0; err < NR_ERRNOS; err++)
		to->returned[err] += from->returned[err];
}

static void put(struct json_object *to, const char *name, uint64_t n)
{
	json_object_object_add(to, name, json_object_new_uint64(n));
}

void copies_put(struct json_object *to, const struct copies *copies)
{
	struct json_object *returned = json_object_new_object();
	int err;

	put(to, "calls", copies->calls);
	put(to, "pages", copies->bytes / (uint64_t)sysconf(_SC_PAGESIZE));
	put(to, "bytes", copies->bytes);
	for (err = 0; err < NR_ERRNOS; err++)
		if (copies->returned[err])
			put(returned, errno_name(err), copies->returned[err]);
	json_object_object_add(to, "returned", returned);
}

int print_json(struct json_object *object)
{
	const char *text =
		json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
							       JSON_C_TO_STRING_NOSLASHESCAPE);

	if (!text || puts(text) < 0 || fflush(stdout))
		return -1;
	return 0;
}
