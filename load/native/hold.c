// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// How long a call takes that holds mmap_lock for write: an upper bound of how long it holds it.
/*
 * Alone a call waits for nobody. Beside a copier it may also wait for mmap_lock, which the
 * copier's faults hold for read: then its time bounds the two together.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <string.h>

#include "lib/clock.h"
#include "native/copier.h"
#include "native/native.h"
#include "native/operation.h"
#include "native/samples.h"
#include "steps/cpu.h"

struct beside {
	const struct native_options *options;
	int cpu; /* -1: there is no second one */
	struct witness witness;
	struct copier copier;
	pthread_t thread;
	atomic_bool stop;
	_Atomic uint64_t copies;
	int err;
};

static void *copy_until_stopped(void *data)
{
	struct beside *beside = data;
	size_t i;

	beside->err = cpu_pin(0, beside->cpu);
	while (!atomic_load(&beside->stop) && !beside->err) {
		for (i = 0; i < copier_pages(&beside->copier); i++)
			beside->copies += !copier_copy(&beside->copier, i, true).err;
		beside->err = copier_empty(&beside->copier);
	}
	atomic_store(&beside->stop, true);
	return NULL;
}

static int start_copier(struct beside *beside)
{
	int err = witness_create(&beside->witness);

	if (!err)
		err = copier_open(&beside->copier, &beside->witness, "memfd-cached",
				  beside->options);
	if (!err)
		err = -pthread_create(&beside->thread, NULL, copy_until_stopped, beside);
	while (!err && !beside->copies && !atomic_load(&beside->stop))
		sched_yield();
	return err;
}

static int end_copier(struct beside *beside)
{
	atomic_store(&beside->stop, true);
	pthread_join(beside->thread, NULL);
	copier_close(&beside->copier);
	witness_destroy(&beside->witness);
	return beside->err;
}

/* --- one operation ---------------------------------------------------------------------------- */

static int call_all(const struct native_options *options, const struct operation *operation,
		    struct operands *operands, struct samples *samples)
{
	uint64_t end = now_ns() + options->limit_ms * NS_PER_MS, begin;
	int half, err = 0;

	while (samples[0].nr < options->copies && now_ns() < end && !err)
		for (half = 0; half < 2 && operation->halves[half] && !err; half++) {
			begin = now_ns();
			err = operation->call(operands, half);
			samples_add(&samples[half], now_ns() - begin);
			if (!err && operation->between)
				operation->between(operands, half);
		}
	return err;
}

static int print_half(const struct native_options *options, unsigned int word, int half,
		      const struct beside *beside, struct samples *samples, const char *reason)
{
	struct json_object *record = record_begin("hold", reason);

	put_text(record, "operation", operation_words[word]);
	put_text(record, "call", operation_of(word)->halves[half]);
	put_text(record, "beside", beside ? "copier" : "nothing");
	put_count(record, "pages", OPERATION_PAGES);
	put_count(record, "asked", options->copies);
	json_object_object_add(record, "beside_copies",
			       beside && !reason ? json_object_new_uint64(beside->copies) : NULL);
	json_object_object_add(record, "call_ns", reason ? NULL : samples_json(samples));
	return record_end(record);
}

static int measure_calls(const struct native_options *options, unsigned int word,
			 struct operands *operands, struct beside *beside)
{
	const struct operation *operation = operation_of(word);
	const char *reason = beside && beside->cpu < 0 ? "one CPU" : NULL;
	struct samples samples[2] = { 0 };
	int half, err = samples_create(&samples[0], options->copies);

	if (!err)
		err = samples_create(&samples[1], options->copies);
	if (!err && !reason && beside)
		err = start_copier(beside);
	if (!err && !reason) {
		err = call_all(options, operation, operands, samples);
		/* As MADV_HUGEPAGE of a kernel without them. */
		if (err == -EINVAL)
			reason = strerror(-err);
		if (beside && end_copier(beside))
			err = beside->err;
	}
	if (err == -EINVAL && reason)
		err = 0;
	for (half = 0; half < 2 && operation->halves[half] && !err; half++)
		err = print_half(options, word, half, beside, &samples[half], reason);
	samples_destroy(&samples[0]);
	samples_destroy(&samples[1]);
	return err;
}

static int measure_operation(const struct native_options *options, unsigned int word, int cpu)
{
	struct beside beside = { .options = options, .cpu = cpu };
	struct operands operands;
	int err = operands_create(&operands);

	if (!err)
		err = measure_calls(options, word, &operands, NULL);
	if (!err)
		err = measure_calls(options, word, &operands, &beside);
	operands_destroy(&operands);
	return err;
}

int measure_hold(const struct native_options *options)
{
	int other = cpu_second(), err = 0;
	unsigned int word;

	if (cpu_first() >= 0)
		cpu_pin(0, cpu_first());
	for (word = 1; operation_words[word] && !err; word++)
		if (!options->operation || options->operation == word)
			err = measure_operation(options, word, other);
	return err;
}
