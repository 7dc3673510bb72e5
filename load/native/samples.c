// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Durations, all kept until they are printed: their quantiles are exact.
#define _GNU_SOURCE
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "lib/hist.h"
#include "native/samples.h"

int samples_create(struct samples *samples, size_t max)
{
	void *area = mmap(NULL, max * sizeof(*samples->ns), PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (area == MAP_FAILED)
		return -errno;
	*samples = (struct samples) { .ns = area, .max = max };
	return 0;
}

void samples_destroy(struct samples *samples)
{
	if (samples->ns)
		munmap(samples->ns, samples->max * sizeof(*samples->ns));
	*samples = (struct samples) { 0 };
}

void samples_add(struct samples *samples, uint64_t ns)
{
	if (samples->nr < samples->max)
		samples->ns[samples->nr++] = ns;
}

double samples_mean(const struct samples *samples)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < samples->nr; i++)
		sum += (double)samples->ns[i];
	return samples->nr ? sum / (double)samples->nr : NAN;
}

static int by_duration(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

double samples_median(const struct samples *samples)
{
	return samples->nr ? (double)samples->ns[(samples->nr - 1) / 2] : NAN;
}

void samples_sort(struct samples *samples)
{
	qsort(samples->ns, samples->nr, sizeof(*samples->ns), by_duration);
}

static struct json_object *hist_json(const struct samples *samples)
{
	struct json_object *buckets = json_object_new_array();
	size_t i, first;

	for (i = 0; i < samples->nr; i = first) {
		struct json_object *bucket = json_object_new_array();
		uint32_t n = hist_bucket(samples->ns[i]);

		for (first = i; first < samples->nr && hist_bucket(samples->ns[first]) == n;)
			first++;
		json_object_array_add(bucket, json_object_new_uint64(hist_min(n)));
		json_object_array_add(bucket, json_object_new_uint64(first - i));
		json_object_array_add(buckets, bucket);
	}
	return buckets;
}

struct json_object *samples_json(struct samples *samples)
{
	static const struct {
		const char *name;
		size_t percent;
	} quantiles[] = {
		{ "min", 0 }, { "p50", 50 }, { "p90", 90 }, { "p99", 99 }, { "max", 100 }
	};
	struct json_object *object;
	size_t i;

	if (!samples->nr)
		return NULL;
	samples_sort(samples);
	object = json_object_new_object();
	json_object_object_add(object, "count", json_object_new_uint64(samples->nr));
	json_object_object_add(object, "mean", tenths_json(samples_mean(samples)));
	for (i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		size_t rank = (samples->nr - 1) * quantiles[i].percent / 100;

		json_object_object_add(object, quantiles[i].name,
				       json_object_new_uint64(samples->ns[rank]));
	}
	json_object_object_add(object, "hist", hist_json(samples));
	return object;
}

struct json_object *tenths_json(double number)
{
	char text[32];

	if (isnan(number))
		return NULL;
	snprintf(text, sizeof(text), "%.1f", number);
	return json_object_new_double_s(number, text);
}
