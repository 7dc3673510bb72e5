// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// One run of one named window: set up, open, do its steps, finish, and compare with what was
// expected.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "known/exact/exact.h"
#include "steps/cpu.h"

/* Where a huge destination is in the huge part of the arena, and in the file. */
#define HUGE_FRONT 2
#define HUGE_OFFSET 2

/* --- the destinations ------------------------------------------------------------------------- */

void exact_close_uffds(struct exact *exact)
{
	if (exact->uffd >= 0)
		close(exact->uffd);
	if (exact->other_uffd >= 0)
		close(exact->other_uffd);
	exact->uffd = -1;
	exact->other_uffd = -1;
}

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

/* Back to the full size, after a truncation too. */
static int mend_files(const struct arena *arena)
{
	return ftruncate(arena->file, FILE_PAGES * (off_t)PAGE)
		       ? -errno
		       : arena_empty_files(arena, 0, FILE_PAGES);
}

/* The userfaultfds first: unmapping a registered range would wait until its event is read. */
static int end_run(struct exact *exact)
{
	const struct ground *ground = &exact->ground;
	size_t dirty = GROUND_FRONT + (exact->scenario->at_once ? AREA_PAGES : 128);
	int err = exact->stuck ? step_unstick(&exact->ground, &exact->places[0]) : 0;

	exact_close_uffds(exact);
	if (!err)
		err = arena_clear(&ground->arena, ground->arena.start, dirty);
	if (!err)
		err = arena_clear(&ground->arena, ground->hole, HOLE_PAGES);
	if (!err)
		err = mend_files(&ground->arena);
	if (!err && place_is_huge(exact->scenario->place))
		err = arena_clear_huge(&ground->arena);
	return err ? err : rigs_mend(&exact->rigs);
}

/* --- the copies ------------------------------------------------------------------------------- */

static int find_source(struct exact *exact, uint64_t *src)
{
	const struct mapping past_eof = { .backing = BACKED_FILE,
					  .shared = true,
					  .offset = FILE_PAGES };
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
		return rig_start(rigs_find(&exact->rigs, exact->scenario, w), copy);
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

/* Let the windows end, also those of later blocked pages. */
static int finish_copy(struct exact *exact, int w, struct rig_result *result)
{
	const struct scenario *scenario = exact->scenario;
	struct rig *rig = scenario->external ? NULL : rigs_find(&exact->rigs, scenario, w);
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

/* --- judging ---------------------------------------------------------------------------------- */

static void complain(struct exact *exact, struct rig_result want, struct rig_result got)
{
	warnx("%s: expected %s, copy %lld; the kernel returned %s, copy %lld",
	      exact->scenario->name, errno_name(want.err), (long long)want.copied,
	      errno_name(got.err), (long long)got.copied);
	exact->failures++;
}

/* Only classes after which reading a page cannot fault in a registered range. */
static bool can_verify(const struct scenario *scenario)
{
	return scenario->class <= TRUTH_LOCKED && scenario->source == SOURCE_RIG;
}

/* Looks at the first small page of a huge one. */
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
		if (!mincore((void *)address, PAGE, &resident) && (resident & 1) &&
		    page_is(address, layout[i]))
			continue;
		warnx("%s: page %zu of the copy is not what was copied", exact->scenario->name, i);
		exact->failures++;
	}
}

struct expected_copy exact_expected(const struct scenario *scenario, int w)
{
	return (struct expected_copy) {
		.layout = scenario_layout(scenario),
		.held = (size_t)scenario_held_page(scenario),
		.window = scenario_window(scenario, w),
		.err = !w || scenario->others == scenario->class ? scenario->err : 0,
	};
}

/* Up to 6.14 without a backport, an ioctl refused at its entry does not write `copy`. */
static bool same_result(const struct scenario *scenario, struct rig_result got,
			struct rig_result want)
{
	if (got.err != want.err)
		return false;
	return got.copied == want.copied ||
	       (scenario->no_window && want.err == EAGAIN && !got.copied);
}

static void judge(struct exact *exact, int w, struct rig_result got)
{
	struct expected_copy copy = exact_expected(exact->scenario, w);
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

/* No process gets the ioctl's result: EFAULT, as a fatal signal ends the fault. */
static int kill_copier(struct exact *exact)
{
	struct expected_copy copy = exact_expected(exact->scenario, 0);
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

int exact_run(struct exact *exact, const struct scenario *scenario)
{
	int err;

	if (!scenario->timing)
		return run_held(exact, scenario);
	err = timing_run(&exact->rigs.timing, &exact->ground, scenario, &exact->truth);
	if (err > 0)
		exact->failures++;
	return err > 0 ? 0 : err;
}
