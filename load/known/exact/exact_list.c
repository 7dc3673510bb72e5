// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Named windows by name: which ones --only chooses, --list, and the report.
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "known/exact/exact.h"

/* --- --only and --list ------------------------------------------------------------------------ */

static struct json_object *scenario_json(const struct scenario *scenario)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "name", json_object_new_string(scenario->name));
	json_object_object_add(object, "class",
			       scenario->no_window
				       ? NULL
				       : json_object_new_string(truth_class_name(scenario->class)));
	return object;
}

/* 0, or -EINVAL after naming what does not exist. */
static int choose_one(bool *chosen, const char *name, size_t len)
{
	size_t i;

	for (i = 0; i < nr_scenarios; i++) {
		if (strlen(scenarios[i].name) == len && !memcmp(scenarios[i].name, name, len)) {
			chosen[i] = true;
			return 0;
		}
	}
	warnx("no scenario is called '%.*s'; see exact --list", (int)len, name);
	return -EINVAL;
}

int exact_choose(bool *chosen, const char *only)
{
	size_t len;
	int err = 0;

	if (!only) {
		memset(chosen, true, nr_scenarios);
		return 0;
	}
	for (; !err && *only; only += len + (only[len] == ',')) {
		len = strcspn(only, ",");
		err = choose_one(chosen, only, len);
	}
	return err;
}

static struct json_object *listed_json(const struct scenario *scenario)
{
	static const char *const places[NR_PLACE_KINDS] = {
		"anon", "shmem", "private-file", "shared-anon", "hugetlb", "hugetlb-anon",
	};
	struct json_object *object = scenario_json(scenario);
	struct expected_copy copy = exact_expected(scenario, 0);
	struct rig_result want = expect_result(&copy, TRUTH_KERNEL_SNAPSHOT);

	if (scenario->timing)
		want = (struct rig_result) { .copied = 1 };
	json_object_object_add(object, "destination",
			       json_object_new_string(places[scenario->place]));
	json_object_object_add(object, "returned", json_object_new_string(errno_name(want.err)));
	json_object_object_add(object, "snapshot",
			       truth_reasons_json(truth_snapshot_names, scenario->snapshot));
	json_object_object_add(object, "meaning",
			       truth_reasons_json(truth_meaning_names, scenario->meaning));
	json_object_object_add(object, "tolerated",
			       truth_reasons_json(truth_tolerated_names, scenario->tolerated));
	json_object_object_add(object, "at_once", json_object_new_int(scenario_windows(scenario)));
	json_object_object_add(object, "external", json_object_new_boolean(scenario->external));
	json_object_object_add(object, "odd_start", json_object_new_boolean(scenario->odd_start));
	return object;
}

static int list_json(void)
{
	struct json_object *array = json_object_new_array();
	size_t i;
	int err;

	for (i = 0; i < nr_scenarios; i++)
		json_object_array_add(array, listed_json(&scenarios[i]));
	err = print_json(array);
	json_object_put(array);
	return err;
}

static int list_text(void)
{
	size_t i;

	for (i = 0; i < nr_scenarios; i++)
		printf("%-34s %s\n", scenarios[i].name,
		       scenarios[i].no_window ? "(no window)"
					      : truth_class_name(scenarios[i].class));
	return fflush(stdout);
}

int exact_list(bool json)
{
	return json ? list_json() : list_text();
}

/* --- the report ------------------------------------------------------------------------------- */

static struct json_object *ran_json(const struct exact *exact)
{
	struct json_object *array = json_object_new_array();
	struct json_object *one;
	size_t i;

	for (i = 0; i < nr_scenarios; i++) {
		if (!exact->chosen[i] || exact->lacks[i])
			continue;
		one = scenario_json(&scenarios[i]);
		json_object_object_add(one, "runs", json_object_new_uint64(exact->options->runs));
		json_object_array_add(array, one);
	}
	return array;
}

static struct json_object *skipped_json(const struct exact *exact)
{
	struct json_object *array = json_object_new_array();
	struct json_object *one;
	size_t i;

	for (i = 0; i < nr_scenarios; i++) {
		if (!exact->chosen[i] || !exact->lacks[i])
			continue;
		warnx("skipped %s: %s", scenarios[i].name, exact->lacks[i]);
		one = json_object_new_object();
		json_object_object_add(one, "name", json_object_new_string(scenarios[i].name));
		json_object_object_add(one, "reason", json_object_new_string(exact->lacks[i]));
		json_object_array_add(array, one);
	}
	return array;
}

int exact_report(const struct exact *exact)
{
	struct json_object *object = truth_head("exact", exact->options->seed);
	int err;

	json_object_object_add(object, "runs", json_object_new_uint64(exact->options->runs));
	truth_put_copy(object, &exact->truth);
	truth_put_windows(object, &exact->truth);
	json_object_object_add(object, "scenarios", ran_json(exact));
	json_object_object_add(object, "skipped", skipped_json(exact));
	json_object_object_add(object, "failures", json_object_new_uint64(exact->failures));
	err = print_json(object);
	json_object_put(object);
	return err;
}
