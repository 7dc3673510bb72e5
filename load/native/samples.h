// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Durations, all kept until they are printed: their quantiles are exact.
#ifndef UFFDLOAD_SAMPLES_H
#define UFFDLOAD_SAMPLES_H

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

struct samples {
	uint64_t *ns;
	size_t nr;
	size_t max;
};

/* Memory that threads and a child share; all of it is present already. 0 or -errno. */
int samples_create(struct samples *samples, size_t max);
void samples_destroy(struct samples *samples);
/* One that has no room any more is left out: the caller stops at max. */
void samples_add(struct samples *samples, uint64_t ns);
/* NAN without a sample. */
double samples_mean(const struct samples *samples);
void samples_sort(struct samples *samples);
/* Of sorted ones. */
double samples_median(const struct samples *samples);
/*
 * {"count","mean","min","p50","p90","p99","max","hist":[[MIN,COUNT],...]}, null without a sample.
 * MIN is the least duration of a bucket of lib/hist.h. Sorts them.
 */
struct json_object *samples_json(struct samples *samples);
/* A number with one decimal; null when it is not known (NAN). */
struct json_object *tenths_json(double number);

#endif
