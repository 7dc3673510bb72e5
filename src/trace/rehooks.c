// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * Whether other BPF programs come to a function that we hook, or leave it.
 *
 * The kernel then builds a new trampoline for the function. Before 7.3 it sends the calls that are
 * in the old one past all programs at their exit (bpf_tramp_image_put()), and counts that nowhere:
 * these calls are in no count of ours. It announces each trampoline as a symbol, which perf records,
 * on the CPUs that are online at the start.
 */
#include "trace/tracer.h"
#include "trace/tracer_private.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * A record is about 70 bytes, and each program that is loaded on the host has one for each of its
 * functions. We wake up when a quarter is full.
 */
#define PAGES_A_CPU 8

/* As the kernel names the trampoline of a function (bpf_trampoline_compute_key()). */
#define TRAMPOLINE "bpf_trampoline_"
#define KEY_OF(btf, function) ((__u64)(btf) << 32 | 1U << 31 | (function))

/* PERF_RECORD_KSYMBOL, as in linux/perf_event.h. */
struct symbol_record {
	struct perf_event_header header;
	__u64 address;
	__u32 len;
	__u16 type;
	__u16 flags;
	char name[];
};

/* Is the trampoline with this name on a function of ours? */
static bool is_ours(const struct tracer *t, const char *name)
{
	__u64 key;

	if (strncmp(name, TRAMPOLINE, sizeof(TRAMPOLINE) - 1))
		return false;
	key = strtoull(name + sizeof(TRAMPOLINE) - 1, NULL, 10);
	for (int i = 0; i < t->nr_hooks; i++)
		if (t->trampolines[i] && t->trampolines[i] == key)
			return true;
	return false;
}

static enum bpf_perf_event_ret take_record(void *data, int cpu, struct perf_event_header *record)
{
	const struct symbol_record *symbol = (const struct symbol_record *)record;
	struct tracer *t = data;

	(void)cpu;
	if (record->type == PERF_RECORD_KSYMBOL &&
	    !(symbol->flags & PERF_RECORD_KSYMBOL_FLAGS_UNREGISTER) && is_ours(t, symbol->name))
		t->rehooks++;
	return LIBBPF_PERF_EVENT_CONT;
}

/* The key of the trampoline that @link is on; 0: on none, as a tracepoint's. */
static int read_trampoline(const struct bpf_link *link, __u64 *key)
{
	struct bpf_link_info info = { 0 };
	__u32 len = sizeof(info);
	int err = bpf_obj_get_info_by_fd(bpf_link__fd(link), &info, &len);

	if (!err && info.type == BPF_LINK_TYPE_TRACING)
		*key = KEY_OF(info.tracing.target_obj_id, info.tracing.target_btf_id);
	return err;
}

static int read_trampolines(struct tracer *t)
{
	int err = 0;

	for (int i = 0; i < t->nr_hooks && !err; i++)
		if (t->links[i])
			err = read_trampoline(t->links[i], &t->trampolines[i]);
	return err;
}

/* Were there records without room? Those in the ring may not say so. */
static bool lost_records(const struct tracer *t)
{
	struct {
		__u64 count, lost;
	} event;

	for (size_t i = 0; i < perf_buffer__buffer_cnt(t->symbols); i++)
		if (read(perf_buffer__buffer_fd(t->symbols, i), &event, sizeof(event)) !=
			    sizeof(event) ||
		    event.lost)
			return true;
	return false;
}

int watch_rehooks(struct tracer *t)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.ksymbol = 1,
		.exclude_kernel = 1,
		.read_format = PERF_FORMAT_LOST,
		.watermark = 1,
		.wakeup_watermark = PAGES_A_CPU * 4096 / 4,
	};
	int err;

	if (!t->loses_rehooked)
		return 0;
	err = read_trampolines(t);
	if (err)
		return err;
	/* libbpf puts the events into it. */
	t->symbols_map = bpf_map_create(BPF_MAP_TYPE_PERF_EVENT_ARRAY, NULL, sizeof(int),
					sizeof(int), (__u32)t->nr_cpus, NULL);
	if (t->symbols_map < 0)
		return t->symbols_map;
	t->symbols = perf_buffer__new_raw(t->symbols_map, PAGES_A_CPU, &attr, take_record, t, NULL);
	return t->symbols ? 0 : -errno;
}

__u64 read_rehooks(struct tracer *t)
{
	if (!t->loses_rehooked)
		return 0;
	if (!t->symbols || perf_buffer__consume(t->symbols) < 0 || lost_records(t))
		return REHOOKS_UNTOLD;
	return t->rehooks;
}

int tracer_symbols_fd(const struct tracer *t)
{
	return t->symbols ? perf_buffer__epoll_fd(t->symbols) : -1;
}

void tracer_drain(struct tracer *t)
{
	if (t->symbols)
		perf_buffer__consume(t->symbols);
}

void close_rehooks(struct tracer *t)
{
	perf_buffer__free(t->symbols);
	if (t->symbols_map >= 0)
		close(t->symbols_map);
}
