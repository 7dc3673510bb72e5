// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// `uffdload exact`: named windows in a shuffled order, each held open while its one thing happens.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "known/expect.h"
#include "load.h"
#include "steps/cpu.h"
#include "steps/prng.h"
#include "known/scenario.h"
#include "known/timing.h"

#define FILE_PAGES 1024
#define LAYOUTS_MAX 32
/* Where a huge destination is in the huge part of the arena, and in the file. */
#define HUGE_FRONT 2
#define HUGE_OFFSET 2
/* All destinations of one run, their neighbours included. */
#define AREA_PAGES (AT_ONCE_MAX * AT_ONCE_STRIDE)

/* A rig for each layout; those at_once share the layout "b". */
struct rigs {
	struct rig *at_once[AT_ONCE_MAX];
	size_t nr_at_once;
	struct rig *rig[LAYOUTS_MAX];
	const char *layout[LAYOUTS_MAX];
	size_t nr;
	struct timing_rigs timing;
};

struct exact {
	const struct exact_options *options;
	struct ground ground;
	struct rigs rigs;
	bool *chosen;
	const char **lacks;
	struct truth truth;
	uint64_t failures;
	/* The current run. */
	const struct scenario *scenario;
	int uffd;
	int other_uffd;
	struct place places[AT_ONCE_MAX];
	bool stuck;
};

/* --- set-up ------------------------------------------------------------------------------------------------- */

static int add_layout(struct rigs *rigs, const char *layout)
{
	size_t i;

	for (i = 0; i < rigs->nr; i++)
		if (!strcmp(rigs->layout[i], layout))
			return 0;
	if (rigs->nr == LAYOUTS_MAX)
		return -ENOSPC;
	rigs->layout[rigs->nr] = layout;
	return rig_create(&rigs->rig[rigs->nr++], layout);
}

static int add_rigs(struct rigs *rigs, const struct scenario *scenario)
{
	size_t windows = (size_t)scenario_windows(scenario);
	int err = 0;

	if (scenario->timing)
		return rigs->timing.mapped ? 0 : timing_create(&rigs->timing);
	while (!err && scenario->at_once && rigs->nr_at_once < windows)
		err = rig_create(&rigs->at_once[rigs->nr_at_once++], "b");
	return err || scenario->external ? err : add_layout(rigs, scenario_layout(scenario));
}

static void destroy_rigs(struct rigs *rigs)
{
	size_t i;

	for (i = 0; i < rigs->nr; i++)
		rig_destroy(rigs->rig[i]);
	for (i = 0; i < rigs->nr_at_once; i++)
		rig_destroy(rigs->at_once[i]);
	timing_destroy(&rigs->timing);
}

static struct rig *find_rig(struct rigs *rigs, const struct scenario *scenario, int w)
{
	size_t i;

	if (scenario->at_once)
		return rigs->at_once[w];
	for (i = 0; i < rigs->nr; i++)
		if (!strcmp(rigs->layout[i], scenario_layout(scenario)))
			return rigs->rig[i];
	return NULL;
}

static int set_up(struct exact *exact)
{
	size_t i;
	int err = ground_create(&exact->ground, AREA_PAGES, FILE_PAGES);
	bool external = false;

	for (i = 0; i < nr_scenarios && !err; i++) {
		if (!exact->chosen[i])
			continue;
		exact->lacks[i] = scenario_lacks(&exact->ground, &scenarios[i], exact->options->mmap_lock_only);
		if (exact->lacks[i])
			continue;
		external |= scenarios[i].external;
		err = add_rigs(&exact->rigs, &scenarios[i]);
	}
	if (!err && external)
		err = handler_start(&exact->ground.handler, cpu_second());
	return err;
}

static void close_uffds(struct exact *exact)
{
	if (exact->uffd >= 0)
		close(exact->uffd);
	if (exact->other_uffd >= 0)
		close(exact->other_uffd);
	exact->uffd = -1;
	exact->other_uffd = -1;
}

/* After a failure a hand may still be stuck: it comes back when the userfaultfd is closed. */
static void tear_down(struct exact *exact)
{
	close_uffds(exact);
	destroy_rigs(&exact->rigs);
	ground_destroy(&exact->ground);
}

/* --- the destinations of one run ---------------------------------------------------------------------------- */

static struct place new_place(const struct exact *exact, int w)
{
	const struct scenario *scenario = exact->scenario;
	bool huge = place_is_huge(scenario->place);
	uint64_t area = huge ? exact->ground.arena.huge.start + HUGE_FRONT * HUGE
			     : exact->ground.arena.start + GROUND_FRONT * PAGE;

	return (struct place) {
		.kind = scenario->place,
		.start = area + (uint64_t)w * AT_ONCE_STRIDE * PAGE,
		.pages = (size_t)scenario_pages(scenario),
		.offset = huge ? HUGE_OFFSET : SCENARIO_OFFSET + (size_t)w * AT_ONCE_STRIDE,
		.mode = scenario->mode ? scenario->mode : UFFDIO_REGISTER_MODE_MISSING,
		.uffd = exact->uffd,
		.other_uffd = exact->other_uffd,
		.away = exact->ground.hole + 32 * PAGE,
	};
}

static int make_places(struct exact *exact)
{
	const struct scenario *scenario = exact->scenario;
	int nr = scenario->one_vma ? 1 : scenario_windows(scenario);
	int w, err = 0;

	for (w = 0; w < nr && !err; w++) {
		exact->places[w] = new_place(exact, w);
		err = place_set_up(&exact->ground.arena, &exact->places[w]);
	}
	return err;
}

static int run_steps(struct exact *exact, const struct step *steps, size_t nr)
{
	size_t i;
	int err = 0;

	for (i = 0; i < nr && steps[i].kind && !err; i++) {
		err = step_run(&exact->ground, &exact->places[0], &steps[i]);
		exact->stuck |= steps[i].stuck;
	}
	return err;
}

static int begin_run(struct exact *exact, const struct scenario *scenario)
{
	int err;

	exact->scenario = scenario;
	exact->stuck = false;
	exact->uffd = rig_uffd_open(scenario->features);
	exact->other_uffd = rig_uffd_open(0);
	if (exact->uffd < 0 || exact->other_uffd < 0)
		return exact->uffd < 0 ? exact->uffd : exact->other_uffd;
	err = make_places(exact);
	if (!err)
		err = ground_make_stack(&exact->ground);
	return err ? err : run_steps(exact, scenario->before, 2);
}

/* The files keep their size, whatever was cut off. */
static int mend_files(const struct arena *arena)
{
	return ftruncate(arena->file, FILE_PAGES * (off_t)PAGE) ? -errno : arena_empty_files(arena, 0, FILE_PAGES);
}

/* The userfaultfds first: unmapping what they watch would wait for a reader of the event. */
static int end_run(struct exact *exact)
{
	const struct ground *ground = &exact->ground;
	size_t dirty = GROUND_FRONT + (exact->scenario->at_once ? AREA_PAGES : 128);
	size_t i;
	int err = exact->stuck ? step_unstick(&exact->ground, &exact->places[0]) : 0;

	close_uffds(exact);
	if (!err)
		err = arena_clear(&ground->arena, ground->arena.start, dirty);
	if (!err)
		err = arena_clear(&ground->arena, ground->hole, HOLE_PAGES);
	if (!err)
		err = mend_files(&ground->arena);
	if (!err && place_is_huge(exact->scenario->place))
		err = arena_clear_huge(&ground->arena);
	for (i = 0; i < exact->rigs.nr && !err; i++)
		err = rig_mend(exact->rigs.rig[i]);
	return err;
}

/* --- the copies of one run ---------------------------------------------------------------------------------- */

static int find_source(struct exact *exact, uint64_t *src)
{
	const struct mapping past_eof = { .backing = BACKED_FILE, .shared = true, .offset = FILE_PAGES };
	struct ground *ground = &exact->ground;

	*src = 0;
	switch (exact->scenario->source) {
	case SOURCE_STACK:
		*src = ground->stack - 2 * PAGE;
		return 0;
	case SOURCE_PAST_EOF:
		*src = ground->hole;
		return arena_map(&ground->arena, ground->hole, 1, &past_eof);
	case SOURCE_UNMAPPED:
		*src = ground->hole;
		return munmap((void *)ground->hole, PAGE) ? -errno : 0;
	default:
		return 0;
	}
}

static uint64_t destination(const struct exact *exact, int w)
{
	const struct place *place = &exact->places[exact->scenario->one_vma ? 0 : w];
	int page = scenario_first_page(exact->scenario) + (exact->scenario->one_vma ? w : 0);

	return place_page(place, page);
}

static int start_copy(struct exact *exact, int w, const struct rig_copy *copy)
{
	struct rig_result unused;
	int err;

	if (!exact->scenario->external)
		return rig_start(find_rig(&exact->rigs, exact->scenario, w), copy);
	err = handler_begin(&exact->ground.handler, scenario_layout(exact->scenario), copy);
	return err ? err : handler_wait(&exact->ground.handler, true, &unused);
}

/* Every window must be open before the steps, and the copy must not have ended. */
static int open_windows(struct exact *exact)
{
	const struct scenario *scenario = exact->scenario;
	bool held = scenario->source == SOURCE_RIG && !scenario->no_window;
	struct rig_copy copy = {
		.uffd = exact->uffd,
		.len = strlen(scenario_layout(scenario)) * place_page_size(scenario->place),
		.mode = scenario->copy_mode,
	};
	int w, status;
	int err = find_source(exact, &copy.src);

	for (w = 0; w < scenario_windows(scenario) && !err; w++) {
		copy.dst = destination(exact, w);
		status = start_copy(exact, w, &copy);
		if (status < 0)
			err = status;
		else if (status != held)
			err = -EPROTO;
	}
	return err;
}

/* Let the windows end, also those of later blocked pages, in which nothing happens. */
static int finish_copy(struct exact *exact, int w, struct rig_result *result)
{
	const struct scenario *scenario = exact->scenario;
	struct rig *rig = scenario->external ? NULL : find_rig(&exact->rigs, scenario, w);
	bool open = scenario->source == SOURCE_RIG && !scenario->no_window;
	enum rig_source how = scenario->end;
	int status = open;

	while (status > 0) {
		if (rig) {
			status = rig_go_on(rig, how);
		} else {
			status = handler_resolve(&exact->ground.handler, how);
			if (!status)
				status = handler_wait(&exact->ground.handler, true, result);
		}
		how = RIG_FILL;
	}
	if (rig)
		*result = rig_result(rig);
	return status;
}

/* --- what came of it ---------------------------------------------------------------------------------------- */

static void complain(struct exact *exact, struct rig_result want, struct rig_result got)
{
	warnx("%s: expected %s, copy %lld; the kernel returned %s, copy %lld", exact->scenario->name,
	      errno_name(want.err), (long long)want.copied, errno_name(got.err), (long long)got.copied);
	exact->failures++;
}

/* Only where the page can be read, and where reading it cannot fault in a registered range. */
static bool can_verify(const struct scenario *scenario)
{
	return scenario->class <= TRUTH_LOCKED && scenario->source == SOURCE_RIG;
}

/* Of a huge page the first small one. */
static bool page_is(uint64_t address, char letter)
{
	const uint8_t *page = (const uint8_t *)address;
	uint8_t want = letter == 'm' || letter == 'M' ? RIG_PATTERN : 0;

	return page[0] == want && !memcmp(page, page + 1, PAGE - 1);
}

static void verify_pages(struct exact *exact, int w, size_t pages)
{
	const char *layout = scenario_layout(exact->scenario);
	unsigned char resident;
	uint64_t address;
	size_t i;

	for (i = 0; i < pages; i++) {
		address = destination(exact, w) + i * place_page_size(exact->scenario->place);
		if (!mincore((void *)address, PAGE, &resident) && (resident & 1) && page_is(address, layout[i]))
			continue;
		warnx("%s: page %zu of the copy is not what was copied", exact->scenario->name, i);
		exact->failures++;
	}
}

static struct expected_copy expectation(const struct scenario *scenario, int w)
{
	return (struct expected_copy) {
		.layout = scenario_layout(scenario),
		.held = (size_t)scenario_held_page(scenario),
		.window = scenario_window(scenario, w),
		.err = !w || scenario->others == scenario->class ? scenario->err : 0,
	};
}

/* Refused at its entry the ioctl leaves `copy` as it was on kernels up to 6.14 without a backport. */
static bool same_result(const struct scenario *scenario, struct rig_result got, struct rig_result want)
{
	if (got.err != want.err)
		return false;
	return got.copied == want.copied || (scenario->no_window && want.err == EAGAIN && !got.copied);
}

static void judge(struct exact *exact, int w, struct rig_result got)
{
	struct expected_copy copy = expectation(exact->scenario, w);
	struct rig_result want = expect_result(&copy, exact->options->kernel_check);

	if (!same_result(exact->scenario, got, want))
		complain(exact, want, got);
	else if (!want.err && can_verify(exact->scenario))
		verify_pages(exact, w, strlen(copy.layout));
	if (exact->scenario->no_window)
		truth_add_copy(&exact->truth, want.err, bytes_copied(want));
	else
		expect_add(&exact->truth, &copy);
}

/* Nobody gets the ioctl's result; in the kernel it is what a fault that a fatal signal ends makes it. */
static int kill_copier(struct exact *exact)
{
	struct expected_copy copy = expectation(exact->scenario, 0);
	int status;
	int err = handler_kill(&exact->ground.handler, &status);

	if (err)
		return err;
	if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL) {
		warnx("%s: the handler was not killed", exact->scenario->name);
		exact->failures++;
	}
	expect_add(&exact->truth, &copy);
	return handler_start(&exact->ground.handler, cpu_second());
}

static int finish_copies(struct exact *exact)
{
	struct rig_result result;
	int w, err = 0;

	if (exact->scenario->killed)
		return kill_copier(exact);
	for (w = 0; w < scenario_windows(exact->scenario) && !err; w++) {
		err = finish_copy(exact, w, &result);
		if (!err)
			judge(exact, w, result);
	}
	return err;
}

static int run_held(struct exact *exact, const struct scenario *scenario)
{
	int err = begin_run(exact, scenario);

	if (!err)
		err = open_windows(exact);
	if (!err)
		err = run_steps(exact, scenario->steps, SCENARIO_STEPS);
	if (!err)
		err = finish_copies(exact);
	return err ? err : end_run(exact);
}

static int run_once(struct exact *exact, const struct scenario *scenario)
{
	int err;

	if (!scenario->timing)
		return run_held(exact, scenario);
	err = timing_run(&exact->rigs.timing, &exact->ground, scenario, &exact->truth);
	if (err > 0)
		exact->failures++;
	return err > 0 ? 0 : err;
}

/* --- all runs ----------------------------------------------------------------------------------------------- */

/* Indices into the table, each as often as it runs, in an order that the seed gives. */
static uint16_t *shuffled(const struct exact *exact, size_t *nr)
{
	struct prng prng = { exact->options->seed };
	uint16_t *order = calloc(nr_scenarios * exact->options->runs + 1, sizeof(*order));
	size_t i, j, n = 0;
	uint16_t swap;

	if (!order)
		return NULL;
	for (i = 0; i < nr_scenarios; i++)
		for (j = 0; j < exact->options->runs && exact->chosen[i] && !exact->lacks[i]; j++)
			order[n++] = (uint16_t)i;
	for (i = n; i > 1; i--) {
		j = prng_below(&prng, (uint32_t)i);
		swap = order[i - 1];
		order[i - 1] = order[j];
		order[j] = swap;
	}
	*nr = n;
	return order;
}

static int run_all(struct exact *exact)
{
	size_t i, nr;
	uint16_t *order = shuffled(exact, &nr);
	int err = 0;

	if (!order)
		return -ENOMEM;
	for (i = 0; i < nr && !err; i++) {
		err = run_once(exact, &scenarios[order[i]]);
		if (err)
			warnx("%s: %s", scenarios[order[i]].name, strerror(-err));
	}
	free(order);
	return err;
}

static struct json_object *scenario_json(const struct scenario *scenario)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "name", json_object_new_string(scenario->name));
	json_object_object_add(object, "class",
			       scenario->no_window ? NULL : json_object_new_string(truth_class_name(scenario->class)));
	return object;
}

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

static int report(const struct exact *exact)
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

/* --- choosing and listing ----------------------------------------------------------------------------------- */

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

static int choose(bool *chosen, const char *only)
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
	struct expected_copy copy = expectation(scenario, 0);
	struct rig_result want = expect_result(&copy, TRUTH_KERNEL_SNAPSHOT);

	if (scenario->timing)
		want = (struct rig_result) { .copied = 1 };
	json_object_object_add(object, "destination", json_object_new_string(places[scenario->place]));
	json_object_object_add(object, "returned", json_object_new_string(errno_name(want.err)));
	json_object_object_add(object, "snapshot", truth_reasons_json(truth_snapshot_names, scenario->snapshot));
	json_object_object_add(object, "meaning", truth_reasons_json(truth_meaning_names, scenario->meaning));
	json_object_object_add(object, "tolerated", truth_reasons_json(truth_tolerated_names, scenario->tolerated));
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
		       scenarios[i].no_window ? "(no window)" : truth_class_name(scenarios[i].class));
	return fflush(stdout);
}

int exact_list(bool json)
{
	return (json ? list_json() : list_text()) ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* --- the command -------------------------------------------------------------------------------------------- */

static int run(struct exact *exact)
{
	int err = set_up(exact);

	if (err) {
		warnx("set-up: %s", strerror(-err));
	} else {
		if (exact->options->wait)
			wait_for_go();
		err = run_all(exact);
	}
	if (!err && report(exact))
		err = -EIO;
	tear_down(exact);
	return err || exact->failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

int exact_main(const struct exact_options *options)
{
	static struct exact exact = { .uffd = -1, .other_uffd = -1 };
	int status = EXIT_FAILURE;

	exact.options = options;
	exact.truth.kernel_check = options->kernel_check;
	exact.truth.mmap_lock_only = options->mmap_lock_only;
	exact.chosen = calloc(nr_scenarios, sizeof(*exact.chosen));
	exact.lacks = calloc(nr_scenarios, sizeof(*exact.lacks));
	if (!may_use_uffd())
		status = EXIT_FAILURE;
	else if (!exact.chosen || !exact.lacks)
		warnx("out of memory");
	else if (choose(exact.chosen, options->only))
		status = EXIT_USAGE;
	else
		status = run(&exact);
	free(exact.chosen);
	free(exact.lacks);
	return status;
}
