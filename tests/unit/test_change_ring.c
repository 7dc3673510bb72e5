// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The ring of changes (src/change_ring.h) under every interleaving of two writers that meet in one
 * entry, the others that go round the ring in between, and a window that searches it. The answer is
 * right, or unknown.
 */
#define RING_ENTRIES 4
#include "change_ring.h"
#include "unit.h"

#define MM 1ULL
#define DST 100ULL
#define ELSEWHERE 900ULL

/* --- A writer, a window, the others, step by step --------------------------------------------- */

/* What a task of the model does next. Writers and windows may be stopped between any two steps. */
enum {
	WRITER_RESERVES,
	WRITER_CLAIMS,
	WRITER_STORES_START,
	WRITER_STORES_REST,
	WRITER_PUBLISHES,
	WRITER_STEPS
};
enum {
	WINDOW_BEGINS,
	WINDOW_RELOCKS,
	WINDOW_ASKS,
	WINDOW_READS_START,
	WINDOW_READS_REST,
	WINDOW_ASKS_AGAIN,
	WINDOW_ANSWERS,
	WINDOW_STEPS
};

struct writer {
	struct change change;
	__u64 pos;
	struct ring_entry *entry; /* NULL: dropped */
	int step;
	bool in_window; /* reserved after the window began */
	bool in_time;	/* and over before it relocked: the window must know */
};

struct window {
	__u64 since, until, pos;
	struct change seen;
	bool asked, found;
	int step;
	__u32 answer;
};

struct world {
	struct change_ring ring;
	struct writer writers[2];
	struct window window;
	int others; /* still to come: each goes round the ring once, but for one entry */
};

static void writer_step(struct world *world, struct writer *w)
{
	const struct window *window = &world->window;

	switch (w->step++) {
	case WRITER_RESERVES:
		w->pos = ring_reserve(&world->ring);
		w->in_window = window->step > WINDOW_BEGINS && window->step <= WINDOW_RELOCKS;
		break;
	case WRITER_CLAIMS:
		w->entry = ring_claim(&world->ring, w->pos);
		if (!w->entry)
			w->step = WRITER_STEPS;
		break;
	case WRITER_STORES_START:
		w->entry->change.start = w->change.start;
		break;
	case WRITER_STORES_REST:
		w->entry->change.mm = w->change.mm;
		w->entry->change.end = w->change.end;
		break;
	case WRITER_PUBLISHES:
		ring_publish(w->entry, w->pos);
	}
	w->in_time = w->in_window && w->step == WRITER_STEPS && window->step <= WINDOW_RELOCKS;
}

/* ring_covers() of all positions; that of the entry at issue is the last, and in steps. */
static void window_step(struct world *world, struct window *w)
{
	struct ring_entry *entry = ring_entry_at(&world->ring, w->pos);

	switch (w->step++) {
	case WINDOW_BEGINS:
		w->since = ring_head(&world->ring);
		break;
	case WINDOW_RELOCKS:
		w->until = ring_head(&world->ring);
		break;
	case WINDOW_ASKS:
		for (__u64 pos = ring_first(w->since, w->until); pos != w->until; pos++) {
			if (pos % RING_ENTRIES)
				w->found |= ring_covers(&world->ring, pos, MM, DST);
			else
				w->pos = pos;
		}
		entry = ring_entry_at(&world->ring, w->pos);
		w->asked = w->pos >= w->since && w->pos < w->until && ring_entry_is(entry, w->pos);
		break;
	case WINDOW_READS_START:
		w->seen.start = entry->change.start;
		break;
	case WINDOW_READS_REST:
		w->seen.mm = entry->change.mm;
		w->seen.end = entry->change.end;
		break;
	case WINDOW_ASKS_AGAIN:
		w->found |= w->asked && w->seen.mm == MM && DST >= w->seen.start &&
			    DST < w->seen.end && ring_entry_is(entry, w->pos);
		break;
	case WINDOW_ANSWERS:
		w->answer = ring_answer(&world->ring, w->since, w->found);
	}
}

static void others_step(struct world *world)
{
	const struct change change = { MM + 1, DST, DST + 1 };

	world->others--;
	for (int i = 0; i < RING_ENTRIES - 1; i++)
		ring_append(&world->ring, &change);
}

/* --- All interleavings ------------------------------------------------------------------------ */

static unsigned long ended, answers[3];

static void answer_is_right(const struct world *world)
{
	bool may_be = false, must_be = false;

	for (size_t i = 0; i < COUNT(world->writers); i++) {
		const struct writer *w = &world->writers[i];
		bool covers = w->change.start <= DST && w->change.end > DST;

		may_be |= covers && w->in_window;
		must_be |= covers && w->in_time;
	}
	ended++;
	answers[world->window.answer]++;
	assert_false(must_be && world->window.answer == SEEN_NO);
	assert_false(!may_be && world->window.answer == SEEN_YES);
}

/* Copies of the world keep what points into it. */
static struct world *continued(struct world *next, const struct world *world)
{
	*next = *world;
	for (size_t i = 0; i < COUNT(next->writers); i++)
		if (next->writers[i].entry)
			next->writers[i].entry = ring_entry_at(&next->ring, next->writers[i].pos);
	return next;
}

static void every_continuation(const struct world *world)
{
	struct world next;

	if (world->window.step == WINDOW_STEPS) {
		answer_is_right(world);
		return;
	}
	window_step(continued(&next, world), &next.window);
	every_continuation(&next);
	for (size_t i = 0; i < COUNT(world->writers); i++) {
		/* The second one comes after the others, to the same entry. */
		if (world->writers[i].step == WRITER_STEPS || (i && world->others))
			continue;
		writer_step(continued(&next, world), &next.writers[i]);
		every_continuation(&next);
	}
	if (world->others && world->writers[0].step) {
		others_step(continued(&next, world));
		every_continuation(&next);
	}
}

/* Each entry was written before, all for the destination: what is read too early looks like one. */
static struct world used_ring(__u64 first, __u64 second)
{
	struct world world = {
		.writers = { { .change = { MM, first, first + 10 } },
			     { .change = { MM, second, second + 10 } } },
		.others = 1,
	};
	const struct change old = { MM, DST, DST + 1 };

	for (int i = 0; i < RING_ENTRIES; i++)
		ring_append(&world.ring, &old);
	return world;
}

static void every_interleaving_is_answered(__u64 first, __u64 second)
{
	struct world world = used_ring(first, second);

	ended = 0;
	memset(answers, 0, sizeof(answers));
	every_continuation(&world);
	print_message("# %lu interleavings: %lu no, %lu yes, %lu unknown\n", ended,
		      answers[SEEN_NO], answers[SEEN_YES], answers[SEEN_UNKNOWN]);
	assert_true(answers[SEEN_NO] && answers[SEEN_UNKNOWN]);
}

static void a_stalled_writer_of_the_destination(void **state)
{
	every_interleaving_is_answered(DST, ELSEWHERE);
}

static void a_stalled_writer_of_something_else(void **state)
{
	every_interleaving_is_answered(ELSEWHERE, DST);
}

static void both_of_something_else(void **state)
{
	every_interleaving_is_answered(ELSEWHERE, ELSEWHERE);
	assert_int_equal(answers[SEEN_YES], 0);
}

/* --- Chosen ones ------------------------------------------------------------------------------ */

static void step(struct world *world, struct writer *w, int until)
{
	while (w->step < until)
		writer_step(world, w);
}

static __u32 search(struct world *world)
{
	while (world->window.step < WINDOW_STEPS)
		window_step(world, &world->window);
	return world->window.answer;
}

/* The laggard wakes after a newer change of the destination was published in its entry. */
static void an_older_change_overwrites_no_newer(void **state)
{
	struct world world = used_ring(ELSEWHERE, DST);

	step(&world, &world.writers[0], WRITER_CLAIMS);
	others_step(&world);
	window_step(&world, &world.window);
	step(&world, &world.writers[1], WRITER_STEPS);
	step(&world, &world.writers[0], WRITER_STEPS);
	assert_null(world.writers[0].entry);
	assert_int_equal(search(&world), SEEN_YES);
}

/* The laggard has claimed its entry: the newer change has no place, and its window is told. */
static void a_dropped_change_is_never_a_no(void **state)
{
	struct world world = used_ring(ELSEWHERE, DST);

	step(&world, &world.writers[0], WRITER_STORES_REST);
	others_step(&world);
	window_step(&world, &world.window);
	step(&world, &world.writers[1], WRITER_STEPS);
	assert_null(world.writers[1].entry);
	step(&world, &world.writers[0], WRITER_STEPS);
	assert_int_equal(search(&world), SEEN_UNKNOWN);
	/* The next window is as sure as ever. */
	world.window = (struct window) {};
	window_step(&world, &world.window);
	ring_append(&world.ring, &world.writers[1].change);
	assert_int_equal(search(&world), SEEN_YES);
	world.window = (struct window) {};
	window_step(&world, &world.window);
	others_step(&world);
	assert_int_equal(search(&world), SEEN_NO);
}

/* A change that is still being written has not happened to the destination yet. */
static void an_incomplete_change_is_no_match(void **state)
{
	struct world world = used_ring(DST, DST);

	window_step(&world, &world.window);
	step(&world, &world.writers[0], WRITER_PUBLISHES);
	assert_int_equal(search(&world), SEEN_NO);
}

static void a_full_ring_is_still_known(void **state)
{
	struct world world = used_ring(ELSEWHERE, ELSEWHERE);

	window_step(&world, &world.window);
	others_step(&world);
	step(&world, &world.writers[0], WRITER_STEPS);
	assert_int_equal(search(&world), SEEN_NO);
	world.window.step = WINDOW_RELOCKS;
	step(&world, &world.writers[1], WRITER_STEPS);
	assert_int_equal(search(&world), SEEN_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_stalled_writer_of_the_destination),
		cmocka_unit_test(a_stalled_writer_of_something_else),
		cmocka_unit_test(both_of_something_else),
		cmocka_unit_test(an_older_change_overwrites_no_newer),
		cmocka_unit_test(a_dropped_change_is_never_a_no),
		cmocka_unit_test(an_incomplete_change_is_no_match),
		cmocka_unit_test(a_full_ring_is_still_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
