// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// How many copies meet a writer: counted from the stamps of both, between two bounds.
/*
 * A per-MM check fails a copy when a write section of the mm begins or ends in the copy's window. A
 * section lies in its call and a window in its ioctl. So copies whose ioctl has a moment in
 * common with a writer's call are an upper bound: all writers of this mm are stamped. The lower
 * bound is copies whose window holds a whole call (copier.h). Before that, both sides run alone:
 * what a model needs.
 */
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "native/copier.h"
#include "native/native.h"
#include "native/operation.h"
#include "native/samples.h"
#include "native/memory.h"
#include "native/stamps.h"
#include "steps/arena.h"
#include "steps/copies.h"
#include "steps/cpu.h"
#include "steps/load.h"
#include "steps/pace.h"

#define STAMPS_MAX (1 << 21)
/* The most calls of each kind that one thread makes while the others wait. */
#define ALONE_MAX 20000

/* Lies in memory that a child shares. */
struct overlap {
	const struct native_options *options;
	unsigned int writers;
	struct witness witness;
	pthread_barrier_t phase;
	atomic_bool stop;
	_Atomic int err;
	uint64_t elapsed_ns;
	struct samples mapped, dropped, page, call, none; /* alone */
	struct stamps copies[THREADS_MAX], calls[THREADS_MAX];
	struct copies returned[THREADS_MAX];
	uint64_t enclosed[THREADS_MAX];
	struct copier copier[THREADS_MAX];
	struct operands operands[THREADS_MAX];
	bool tells;
};

/* One thread's part. */
struct worker {
	struct overlap *run;
	unsigned int n;
	pthread_t thread;
};

/* All threads go through the same phases: copier alone, writer alone, all together, the end. */
static void next_phase(struct overlap *run)
{
	pthread_barrier_wait(&run->phase);
}

static void fail(struct overlap *run, int err)
{
	if (err) {
		atomic_store(&run->err, err);
		atomic_store(&run->stop, true);
	}
}

static bool stopped(struct overlap *run)
{
	return atomic_load_explicit(&run->stop, memory_order_relaxed);
}

/* --- copiers ---------------------------------------------------------------------------------- */

static int copy_alone(struct overlap *run, bool drop, struct samples *samples)
{
	struct copier *copier = &run->copier[0];
	size_t i, j;
	int err = 0;

	while (samples->nr < samples->max && !err) {
		for (i = 0; i < copier_pages(copier) && samples->nr < samples->max && !err; i++) {
			struct timed_copy copy = copier_copy(copier, i, drop);

			samples_add(samples, copy.end - copy.begin);
			err = -copy.err;
		}
		for (j = 0; j < i && !drop && !err; j++)
			samples_add(&run->page, copier_copy_in_user_space(copier, j));
		if (!err)
			err = copier_empty(copier);
	}
	return err;
}

static void copy_together(struct overlap *run, unsigned int n)
{
	struct copier *copier = &run->copier[n];
	size_t i;

	while (!stopped(run)) {
		for (i = 0; i < copier_pages(copier) && !stopped(run); i++) {
			struct timed_copy copy = copier_copy(copier, i, true);

			copies_add(&run->returned[n], copy.err, copy.err ? 0 : PAGE);
			if (!copy.err)
				run->enclosed[n] += copier_enclosed_call(copier, i, run->writers);
			if (!stamps_add(&run->copies[n], copy.begin, copy.end))
				atomic_store(&run->stop, true);
		}
		fail(run, copier_empty(copier));
	}
}

static void *copy(void *data)
{
	const struct worker *worker = data;
	struct overlap *run = worker->run;

	if (cpu_second() >= 0)
		cpu_pin(0, cpu_first());
	next_phase(run);
	if (!worker->n) {
		fail(run, copy_alone(run, false, &run->mapped));
		fail(run, copy_alone(run, true, &run->dropped));
	}
	next_phase(run);
	next_phase(run);
	copy_together(run, worker->n);
	next_phase(run);
	return NULL;
}

/* --- writers ---------------------------------------------------------------------------------- */

static int call_alone(struct overlap *run, unsigned int word, struct samples *samples)
{
	const struct operation *operation = operation_of(word);
	struct operands *operands = &run->operands[0];
	int half, err = 0;

	while (samples->nr < samples->max && !err)
		for (half = 0; half < 2 && operation->halves[half] && !err; half++) {
			uint64_t begin = now_ns();

			err = operation->call(operands, half);
			samples_add(samples, now_ns() - begin);
			if (operation->between)
				operation->between(operands, half);
		}
	return err;
}

static unsigned int operation_word(const struct native_options *options)
{
	return options->operation ? options->operation : OPERATION_MPROTECT;
}

static void sleep_until(int64_t when)
{
	struct timespec ts = { .tv_sec = when / NS_PER_S, .tv_nsec = when % NS_PER_S };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static void write_together(struct overlap *run, unsigned int n)
{
	const struct operation *operation = operation_of(operation_word(run->options));
	atomic_uchar *begun = witness_begun(&run->witness, n);
	atomic_uchar *ended = witness_ended(&run->witness, n);
	uint64_t rate = run->options->rate, begin;
	int64_t next = (int64_t)now_ns();
	int half = 0;

	if (rate != RATE_MAX && rate)
		rate = rate / run->writers ? rate / run->writers : 1;
	while (rate && !stopped(run)) {
		atomic_fetch_add(begun, 1);
		begin = now_ns();
		fail(run, operation->call(&run->operands[n], half));
		if (!stamps_add(&run->calls[n], begin, now_ns()))
			atomic_store(&run->stop, true);
		atomic_fetch_add(ended, 1);
		if (operation->between)
			operation->between(&run->operands[n], half);
		half = operation->halves[1] ? !half : 0;
		if (rate == RATE_MAX)
			continue;
		next = pace_next(next, rate);
		sleep_until(next);
	}
}

static void *write_calls(void *data)
{
	const struct worker *worker = data;
	struct overlap *run = worker->run;

	if (cpu_second() >= 0)
		cpu_pin(0, cpu_second());
	prctl(PR_SET_TIMERSLACK, 1, 0, 0, 0);
	next_phase(run);
	next_phase(run);
	if (!worker->n) {
		fail(run, call_alone(run, OPERATION_NONE, &run->none));
		fail(run, call_alone(run, operation_word(run->options), &run->call));
	}
	next_phase(run);
	write_together(run, worker->n);
	next_phase(run);
	return NULL;
}

/* --- the run ---------------------------------------------------------------------------------- */

static int start(struct overlap *run, struct worker *workers, unsigned int nr,
		 void *(*function)(void *))
{
	unsigned int n;
	int err = 0;

	for (n = 0; n < nr && !err; n++) {
		workers[n] = (struct worker) { .run = run, .n = n };
		err = pthread_create(&workers[n].thread, NULL, function, &workers[n]);
	}
	return -err;
}

static void join(struct worker *workers, unsigned int nr)
{
	unsigned int n;

	for (n = 0; n < nr; n++)
		pthread_join(workers[n].thread, NULL);
}

/* A child whose threads copy; 0 in the parent or -errno. */
static int start_elsewhere(struct overlap *run, struct worker *copiers, pid_t *child)
{
	*child = fork();
	if (*child)
		return *child < 0 ? -errno : 0;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (start(run, copiers, run->options->copiers, copy))
		_exit(EXIT_FAILURE);
	join(copiers, run->options->copiers);
	_exit(EXIT_SUCCESS);
}

static int run_all(struct overlap *run)
{
	const struct native_options *options = run->options;
	const struct timespec moment = { .tv_nsec = 10 * NS_PER_MS };
	struct worker copiers[THREADS_MAX], writers[THREADS_MAX];
	pid_t child = 0;
	int phase, err;

	err = options->elsewhere ? start_elsewhere(run, copiers, &child)
				 : start(run, copiers, options->copiers, copy);
	if (!err)
		err = start(run, writers, run->writers, write_calls);
	if (err)
		return err;
	for (phase = 0; phase < 3; phase++)
		next_phase(run);
	run->elapsed_ns = now_ns();
	while (!stopped(run) && now_ns() < run->elapsed_ns + options->duration_ms * NS_PER_MS)
		nanosleep(&moment, NULL);
	atomic_store(&run->stop, true);
	run->elapsed_ns = now_ns() - run->elapsed_ns;
	next_phase(run);
	join(writers, run->writers);
	if (child)
		waitpid(child, NULL, 0);
	else
		join(copiers, options->copiers);
	return run->err;
}

static int set_up(struct overlap *run)
{
	const struct native_options *options = run->options;
	const char *source = options->source ? memory_words[options->source] : "memfd-cached";
	struct samples *alone[] = { &run->mapped, &run->dropped, &run->page, &run->call,
				    &run->none };
	pthread_barrierattr_t attr;
	unsigned int n;
	int err;

	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&run->phase, &attr, options->copiers + run->writers + 1);
	err = witness_create(&run->witness);
	for (n = 0; n < options->copiers && !err; n++) {
		err = stamps_create(&run->copies[n], STAMPS_MAX);
		if (!err)
			err = copier_open(&run->copier[n], &run->witness, source, options);
	}
	for (n = 0; n < run->writers && !err; n++) {
		err = stamps_create(&run->calls[n], STAMPS_MAX);
		if (!err)
			err = operands_create(&run->operands[n]);
	}
	for (n = 0; n < sizeof(alone) / sizeof(alone[0]) && !err; n++)
		err = samples_create(alone[n],
				     options->copies < ALONE_MAX ? options->copies : ALONE_MAX);
	return err;
}

/* --- the record ------------------------------------------------------------------------------- */

static struct json_object *alone_json(struct overlap *run)
{
	struct json_object *alone = json_object_new_object();

	json_object_object_add(alone, "mapped_ns", samples_json(&run->mapped));
	json_object_object_add(alone, "dropped_ns", samples_json(&run->dropped));
	json_object_object_add(alone, "page_copy_ns", samples_json(&run->page));
	json_object_object_add(alone, "call_ns", samples_json(&run->call));
	json_object_object_add(alone, "empty_call_ns", samples_json(&run->none));
	return alone;
}

static int put_durations(struct json_object *record, const char *name, const struct stamps *stamps,
			 unsigned int nr)
{
	struct samples samples = { 0 };
	int err = stamps_durations(stamps, nr, &samples);

	json_object_object_add(record, name, samples_json(&samples));
	samples_destroy(&samples);
	return err;
}

static int report(struct overlap *run)
{
	const struct native_options *options = run->options;
	struct json_object *record = record_begin("overlap", NULL);
	uint64_t overlapping = 0, enclosed = 0, calls = 0, cached = 0;
	struct copies copies = { 0 };
	unsigned int n;
	int err;

	for (n = 0; n < run->writers; n++)
		calls += run->calls[n].nr;
	for (n = 0; n < options->copiers; n++) {
		overlapping += stamps_overlapping(&run->copies[n], run->calls, run->writers);
		enclosed += run->enclosed[n];
		cached += run->copier[n].still_cached;
		copies_sum(&copies, &run->returned[n]);
	}
	put_text(record, "source",
		 options->source ? memory_words[options->source] : "memfd-cached");
	put_text(record, "operation", operation_words[operation_word(options)]);
	json_object_object_add(record, "asked_per_s",
			       options->rate == RATE_MAX ? NULL
							 : json_object_new_uint64(options->rate));
	put_count(record, "copiers", options->copiers);
	put_count(record, "writers", run->writers);
	put_count(record, "cpus_used", cpu_second() < 0 ? 1 : 2);
	json_object_object_add(record, "elsewhere", json_object_new_boolean(options->elsewhere));
	copies_put(record, &copies);
	put_count(record, "write_calls", calls);
	put_count(record, "elapsed_ns", run->elapsed_ns);
	json_object_object_add(record, "write_calls_per_s",
			       tenths_json((double)calls * 1e9 / (double)run->elapsed_ns));
	put_count(record, "overlapping", overlapping);
	json_object_object_add(record, "enclosing",
			       run->tells ? json_object_new_uint64(enclosed) : NULL);
	put_count(record, "still_cached", cached);
	err = put_durations(record, "copy_ns", run->copies, options->copiers);
	if (!err)
		err = put_durations(record, "write_call_ns", run->calls, run->writers);
	json_object_object_add(record, "alone", alone_json(run));
	return record_end(record) ? -EIO : err;
}

int measure_overlap(const struct native_options *options)
{
	struct overlap *run =
		mmap(NULL, sizeof(*run), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int err;

	if (run == MAP_FAILED)
		return -errno;
	run->options = options;
	run->writers = options->writers;
	err = set_up(run);
	if (err == -EINVAL)
		errx(EXIT_USAGE,
		     "--measure overlap copies from memfd-cached, memfd, file, cold, anon or thp");
	run->tells = run->copier[0].tells;
	if (!err)
		err = run_all(run);
	return err ? err : report(run);
}
