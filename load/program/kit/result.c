// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The JSON line of a run; docs/development/loads.md has its members.
#define _GNU_SOURCE
#include <unistd.h>

#include "program/kit/result.h"

static const char *const count_names[NR_COUNTS] = {
	[COUNT_FAULTS] = "faults",	   [COUNT_WRITES] = "writes",
	[COUNT_ZEROPAGES] = "zeropages",   [COUNT_DEVICE] = "device",
	[COUNT_BALLOON] = "balloon",	   [COUNT_REMAPS] = "remaps",
	[COUNT_PREFETCHES] = "prefetches", [COUNT_ALLOCATIONS] = "allocations",
	[COUNT_FORKS] = "forks",	   [COUNT_SWAPPED] = "swapped",
	[COUNT_ZERO_SEEN] = "zero_seen",   [COUNT_FATAL] = "fatal",
};

static void put(struct json_object *to, const char *name, uint64_t n)
{
	json_object_object_add(to, name, json_object_new_uint64(n));
}

/* The middle of the bucket that holds the nth smallest value. */
static uint64_t quantile(const struct tally *sum, uint64_t total, double q)
{
	uint64_t rank = (uint64_t)(q * (double)total), seen = 0, middle;
	uint32_t i;

	for (i = 0; i < HIST_BUCKETS; i++) {
		seen += sum->latency[i];
		if (seen > rank || seen == total)
			break;
	}
	if (i + 1 >= HIST_BUCKETS)
		return sum->latency_max;
	middle = hist_min(i) + (hist_max(i) - hist_min(i)) / 2;
	return middle < sum->latency_max ? middle : sum->latency_max;
}

static struct json_object *latency_json(const struct tally *sum)
{
	static const struct {
		const char *name;
		double q;
	} quantiles[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p999", 0.999 } };
	struct json_object *object;
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < HIST_BUCKETS; i++)
		total += sum->latency[i];
	if (!total)
		return NULL;
	object = json_object_new_object();
	put(object, "count", total);
	for (i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		put(object, quantiles[i].name, quantile(sum, total, quantiles[i].q));
	put(object, "max", sum->latency_max);
	return object;
}

static struct json_object *writer_json(const struct run *run, const struct tally *sum,
				       double seconds)
{
	const struct params *params = &run->params;
	struct json_object *object = json_object_new_object();
	const char *what = params->writer_rate ? what_words[params->writer_what] : "none";

	json_object_object_add(object, "what", json_object_new_string(what));
	if (params->writer_rate == RATE_MAX)
		json_object_object_add(object, "asked_per_s", NULL);
	else
		put(object, "asked_per_s", params->writer_rate);
	put(object, "done", sum->counts[COUNT_WRITES]);
	json_object_object_add(object, "per_s",
			       json_object_new_double((double)sum->counts[COUNT_WRITES] / seconds));
	return object;
}

static struct json_object *counts_json(const struct tally *sum)
{
	struct json_object *object = json_object_new_object();
	int i;

	for (i = 0; i < NR_COUNTS; i++)
		put(object, count_names[i], sum->counts[i]);
	return object;
}

int result_print(const struct run *run, const struct setting *const *settings)
{
	static struct tally all;
	const struct tally *sum = &all;
	struct json_object *object = json_object_new_object();
	struct json_object *chains = json_object_new_object();
	double seconds = run->active_ns > 0 ? (double)run->active_ns / 1e9 : 1e-9;
	int err;

	run_sum(run, &all);
	json_object_object_add(object, "type", json_object_new_string("load"));
	put(object, "schema", 1);
	json_object_object_add(object, "load", json_object_new_string(run->name));
	put(object, "seed", run->params.seed);
	json_object_object_add(object, "params", settings_json(settings, &run->params));
	put(object, "passes", run->passes);
	put(object, "elapsed_ns", (uint64_t)run->active_ns);
	copies_put(object, &sum->copies);
	put(object, "faults", sum->counts[COUNT_FAULTS]);
	json_object_object_add(object, "latency_ns", latency_json(sum));
	json_object_object_add(object, "pages_per_s",
			       json_object_new_double((double)(sum->copies.bytes /
							       (uint64_t)sysconf(_SC_PAGESIZE)) /
						      seconds));
	put(chains, "count", sum->chains);
	put(chains, "longest", sum->longest);
	json_object_object_add(object, "chains", chains);
	json_object_object_add(object, "writer", writer_json(run, sum, seconds));
	json_object_object_add(object, "counts", counts_json(sum));
	put(object, "pid", (uint64_t)getpid());
	err = print_json(object);
	json_object_put(object);
	return err;
}
