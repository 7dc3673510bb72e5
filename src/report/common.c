// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* What every part of the report shares: see common.h. */
#include "report/common.h"
#include "lib/hist.h"
#include "report/format.h"
#include "sys/json_lines.h"

#include <string.h>
#include <unistd.h>

bool report_sees(const struct report *r, enum dst_kind kind)
{
	return kind != KIND_HUGETLB || r->sees_hugetlb;
}

bool report_tells_class(const struct report *r, enum window_class class)
{
	return class != CLASS_LOCKED || r->seq != SEQ_NONE;
}

bool report_tells_check(const struct report *r, enum check check)
{
	return (check != CHECK_PER_VMA_SEQ && check != CHECK_PER_MM_SEQ) || r->seq != SEQ_NONE;
}

static __u64 saved_page_size; /* 0: none */

__u64 page_size(void)
{
	return saved_page_size ?: (__u64)sysconf(_SC_PAGESIZE);
}

void set_page_size(__u64 size)
{
	saved_page_size = size;
}

__u64 pages_of(__u64 bytes)
{
	return bytes / page_size();
}

static void command_text(char *const *command, char *text, size_t size)
{
	for (int i = 0; command[i]; i++) {
		append_printable(text, size, i ? " " : "");
		append_printable(text, size, command[i]);
	}
}

static void pids_text(const struct target *t, char *text, size_t size)
{
	char number[16];

	append_printable(text, size, t->nr == 1 ? "PID " : "PIDs ");
	for (int i = 0; i < t->nr; i++) {
		snprintf(number, sizeof(number), "%s%d", i ? ", " : "", t->pids[i]);
		append_printable(text, size, number);
	}
}

void target_text(const struct report *r, char *text, size_t size)
{
	text[0] = '\0';
	if (r->command) {
		command_text(r->command, text, size);
	} else if (r->target && r->target->cgroup) {
		append_printable(text, size, "cgroup ");
		append_printable(text, size, r->target->cgroup);
	} else if (r->target && r->target->nr) {
		pids_text(r->target, text, size);
	} else {
		append_printable(text, size, "every process");
	}
}

void copy_comm(const char from[COMM_LEN], char to[COMM_LEN + 1])
{
	memcpy(to, from, COMM_LEN);
	to[COMM_LEN] = '\0';
}

struct json_object *hist_json(const struct hist *h)
{
	struct json_object *buckets = json_array();

	for (__u32 i = 0; i < HIST_BUCKETS; i++) {
		struct json_object *bucket;

		if (!h->count[i])
			continue;
		bucket = json_new();
		add_u64(bucket, "min", hist_min(i));
		add_u64(bucket, "max", hist_max(i));
		add_u64(bucket, "count", h->count[i]);
		json_append(buckets, bucket);
	}
	return buckets;
}

int report_flush(const struct report *r)
{
	return fflush(r->out) || ferror(r->out) ? -1 : 0;
}
