// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The truth of `uffdload causes`: causes, refusals, and chains by a model of its own.
#include <err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "known/causes/causes_truth.h"
#include "known/truth.h"
#include "steps/arena.h"

/* The object `key` of `*in`; both are made if missing. */
static struct json_object *object(struct json_object **in, const char *key)
{
	struct json_object *found;

	if (!*in)
		*in = json_object_new_object();
	if (json_object_object_get_ex(*in, key, &found))
		return found;
	found = json_object_new_object();
	json_object_object_add(*in, key, found);
	return found;
}

static void count(struct json_object **in, const char *key, uint64_t n)
{
	struct json_object *found;

	if (!*in)
		*in = json_object_new_object();
	if (json_object_object_get_ex(*in, key, &found))
		n += json_object_get_uint64(found);
	json_object_object_add(*in, key, json_object_new_uint64(n));
}

/* --- chains ----------------------------------------------------------------------------------- */

static struct open_chain *find_chain(struct causes_truth *truth, uint64_t dst)
{
	size_t i;

	for (i = 0; i < truth->nr_open; i++)
		if (truth->open[i].dst == dst)
			return &truth->open[i];
	return NULL;
}

static void chain_end(struct causes_truth *truth, uint64_t dst, bool window)
{
	struct open_chain *chain = find_chain(truth, dst);

	if (!chain)
		return;
	truth->ended++;
	truth->reissued++;
	truth->retried++;
	truth->succeeded += !window;
	*chain = truth->open[--truth->nr_open];
}

/* mmap_changing refused it before anything was copied. */
static bool was_refused(const struct ending *e)
{
	return e->err == EAGAIN && !e->copied &&
	       (!strcmp(e->site, "entry") || !strcmp(e->site, "lock"));
}

static void chain_fail(struct causes_truth *truth, uint64_t dst, const struct ending *e)
{
	struct open_chain *chain = find_chain(truth, dst);

	if (chain) {
		truth->reissued++;
		truth->retried += !was_refused(e);
	} else {
		if (truth->nr_open == OPEN_CHAINS_MAX)
			errx(EXIT_FAILURE, "too many chains");
		chain = &truth->open[truth->nr_open++];
		*chain = (struct open_chain) { .dst = dst };
		truth->chains++;
	}
	if (++chain->length > truth->longest)
		truth->longest = chain->length;
}

/* The error that the tool can see: a kernel may not tell why a page failed. */
static const char *stop_seen(const struct causes_truth *truth, const struct ending *e)
{
	return truth->untold && !strcmp(e->site, "page") ? "untold" : e->stop;
}

static void follow(struct causes_truth *truth, uint64_t dst, uint64_t len, const struct ending *e)
{
	uint64_t through = e->err ? e->copied : len, at = dst + through, page;
	bool exists = e->err == EEXIST || (e->stop && !strcmp(e->stop, "EEXIST"));

	if (e->window && find_chain(truth, e->err ? at : dst))
		truth->reopened++;
	for (page = dst; page < at; page += PAGE)
		chain_end(truth, page, e->window && !e->err && page == dst);
	if (!e->err || e->installed)
		return;
	if (e->stop && !strcmp(stop_seen(truth, e), "untold"))
		truth->chains_lost++; /* present or not, nobody can tell */
	else if (exists)
		chain_end(truth, at, e->window);
	else
		chain_fail(truth, at, e);
}

/* --- what happened ---------------------------------------------------------------------------- */

static void add_failure(struct causes_truth *truth, const struct ending *e)
{
	struct json_object *causes = object(&truth->causes, errno_name(e->err)), *one, *at;

	if (!e->copied) {
		count(&causes, e->site, 1);
		return;
	}
	count(&causes, "short", 1);
	one = object(&truth->short_copy, stop_seen(truth, e));
	count(&one, "calls", 1);
	count(&one, "bytes", e->copied);
	at = object(&one, "at");
	count(&at, e->site, 1);
}

void causes_add(struct causes_truth *truth, uint64_t dst, uint64_t len, const struct ending *e)
{
	struct json_object *holder;

	truth->calls++;
	truth->bytes += (e->err ? e->copied : len) + e->installed;
	count(&truth->returned, errno_name(e->err), 1);
	if (e->err)
		add_failure(truth, e);
	if (e->window) {
		truth->windows++;
		count(&truth->classes, e->window, 1);
	}
	if (e->refused) {
		truth->refused++;
		holder = object(&truth->holders, truth->holder);
		count(&holder, "refused", 1);
	}
	if (!e->no_address)
		follow(truth, dst, len, e);
}

void causes_raised(struct causes_truth *truth, const char *holder)
{
	struct json_object *one = object(&truth->holders, holder);

	truth->raised++;
	truth->holder = holder;
	count(&one, "raised", 1);
	count(&one, "refused", 0);
}

void causes_fill(struct causes_truth *truth, const char *name, const char *how)
{
	struct json_object *fill = object(&truth->fills, name), *holder;

	count(&fill, how, 1);
	if (strcmp(how, "mmap_changing"))
		return;
	truth->refused++;
	holder = object(&truth->holders, truth->holder);
	count(&holder, "refused", 1);
}

/* --- JSON ------------------------------------------------------------------------------------- */

static uint64_t cause(const struct causes_truth *truth, const char *site)
{
	struct json_object *eagain, *n;

	if (!json_object_object_get_ex(truth->causes, "EAGAIN", &eagain) ||
	    !json_object_object_get_ex(eagain, site, &n))
		return 0;
	return json_object_get_uint64(n);
}

static struct json_object *eagain_json(const struct causes_truth *truth)
{
	static const char *const names[][2] = {
		{ "entry_mmap_changing", "entry" },
		{ "lock_mmap_changing", "lock" },
		{ "relock_mmap_changing", "relock" },
		{ "vma_lock", "vma_lock" },
		{ "snapshot", "check" },
		{ "pte", "page" },
		{ "short_copy", "short" },
		{ "unknown", "unknown" },
	};
	struct json_object *all = NULL;
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		count(&all, names[i][0], cause(truth, names[i][1]));
	return all;
}

static struct json_object *chains_json(const struct causes_truth *truth)
{
	struct json_object *chains = NULL;

	count(&chains, "count", truth->chains);
	count(&chains, "ended", truth->ended);
	count(&chains, "open", truth->nr_open);
	count(&chains, "longest", truth->longest);
	count(&chains, "reissued", truth->reissued);
	count(&chains, "reopened", truth->reopened);
	count(&chains, "retried", truth->retried);
	count(&chains, "succeeded", truth->succeeded);
	count(&chains, "lost", truth->chains_lost);
	return chains;
}

static struct json_object *changing_json(const struct causes_truth *truth)
{
	struct json_object *changing = NULL;

	count(&changing, "raised", truth->raised);
	count(&changing, "refused", truth->refused);
	count(&changing, "unseen", 0);
	count(&changing, "stuck", 0);
	count(&changing, "lost", 0);
	return changing;
}

int causes_print(struct causes_truth *truth, uint64_t failures)
{
	struct json_object *all = truth_head("causes", 0), *copy = NULL;
	int err;

	count(&all, "failures", failures);
	count(&copy, "calls", truth->calls);
	count(&copy, "bytes", truth->bytes);
	json_object_object_add(copy, "returned", truth->returned);
	json_object_object_add(all, "copy", copy);
	count(&truth->classes, "total", truth->windows);
	json_object_object_add(all, "windows", truth->classes);
	json_object_object_add(all, "eagain_causes", eagain_json(truth));
	json_object_object_add(all, "causes", truth->causes);
	json_object_object_add(all, "short_copy", truth->short_copy);
	json_object_object_add(all, "fill_ioctls", truth->fills);
	json_object_object_add(all, "mmap_changing", changing_json(truth));
	json_object_object_add(all, "holders", truth->holders);
	json_object_object_add(all, "chains", chains_json(truth));
	err = print_json(all);
	json_object_put(all);
	return err;
}
