// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What a load's UFFDIO_COPY calls asked for and returned, and the JSON of it.
#ifndef UFFDLOAD_COPIES_H
#define UFFDLOAD_COPIES_H

#include <json-c/json.h>
#include <stdint.h>

#define NR_ERRNOS 134

struct copies {
	uint64_t calls;
	uint64_t bytes;
	uint64_t returned[NR_ERRNOS];
};

void copies_add(struct copies *copies, int err, uint64_t bytes);
void copies_sum(struct copies *to, const struct copies *from);
/* calls, pages, bytes, returned */
void copies_put(struct json_object *to, const struct copies *copies);
/* "ok" for 0. */
const char *errno_name(int err);
/* One line on stdout. */
int print_json(struct json_object *object);

#endif
