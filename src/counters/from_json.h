/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* The counters of a summary that was written as JSON (docs/reference/json.md). */
#ifndef FROM_JSON_H
#define FROM_JSON_H

#include "counters/by.h"
#include "counters/run.h"
#include "sys/cgroup_names.h"
#include "sys/json_read.h"

/* The table of --by. */
struct saved_targets {
	enum by by;
	struct by_list list;
	struct by_list shown;	      /* room for what is printed of it */
	struct by_row rows[BY_SHOWN]; /* who they are; without counts */
	struct cgroup_names cgroups;
};

/* What the report prints of a run's counters. */
struct saved_counters {
	struct counters counters;
	struct holder_row holders[MAX_HOLDERS];
	int nr_holders;
	struct writer_entry writers[MAX_WRITERS]; /* in words */
	struct writer_text words[MAX_WRITERS];
	struct saved_targets *targets; /* NULL without --by. The caller frees it */
};

/*
 * counters_from_json() - all counters that the summary @o has. What it has as null is 0 in @s, and
 * so is the time in each histogram but those of CLASS_QUIET, whose sum is with KIND_ANON.
 */
void counters_from_json(struct json_reader *r, struct json_object *o, struct saved_counters *s);

#endif /* FROM_JSON_H */
