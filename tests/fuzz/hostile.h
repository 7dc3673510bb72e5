/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* A run that takes all counters, and all names that other processes choose, from the input. */
#ifndef HOSTILE_H
#define HOSTILE_H

#include "../unit/canned.h"
#include "fuzz.h"

#define HOSTILE_WRITERS 3
#define HOSTILE_HOLDERS 2
#define HOSTILE_ARGS 3

struct hostile {
	struct counters counters;
	struct writer_entry writers[MAX_WRITERS];
	struct holder_row holders[HOSTILE_HOLDERS];
	struct target target;
	struct report report;
	struct span span;
	struct event event;
	char cgroup[64];
	char args[HOSTILE_ARGS][24];
	char *command[HOSTILE_ARGS + 1];
};

/* Repeat the input over all of it: counters added later are not zero either. */
static inline void repeat(const struct bytes *b, void *to, size_t size)
{
	char *p = to;

	memset(to, 0, size);
	for (size_t i = 0; b->left && i < size; i += b->left)
		memcpy(p + i, b->next, b->left < size - i ? b->left : size - i);
}

/* A 64-bit time does not survive a double's way to seconds and back; 2^48 ns are three days. */
static inline void tame(struct hist *h)
{
	for (int i = 0; i < HIST_BUCKETS; i++)
		h->count[i] >>= 16;
	h->sum >>= 16;
}

static inline void hostile_fill(struct hostile *h, struct bytes *b, FILE *out)
{
	uint8_t how = take_byte(b);

	memset(h, 0, sizeof(*h));
	for (int i = 0; i < HOSTILE_ARGS; i++) {
		take(b, h->args[i], sizeof(h->args[i]) - 1);
		h->command[i] = h->args[i];
	}
	take(b, h->cgroup, sizeof(h->cgroup) - 1);
	for (int i = 0; i < HOSTILE_WRITERS; i++) {
		take(b, &h->writers[i].key, sizeof(h->writers[i].key));
		h->writers[i].used = true;
	}
	for (int i = 0; i < HOSTILE_HOLDERS; i++) {
		take(b, &h->holders[i].who, sizeof(h->holders[i].who));
		h->holders[i].who.op %= NR_CHANGING_OPS;
		repeat(b, &h->holders[i].totals, sizeof(h->holders[i].totals));
	}
	take(b, &h->event, sizeof(h->event));
	/* The BPF programs write only values of the enum. */
	h->event.verdict.class %= NR_CLASSES;
	h->event.kind %= NR_KINDS;
	h->event.what %= NR_EVENT_KINDS;
	repeat(b, &h->counters, sizeof(h->counters));
	/* Fill one histogram a kind: a record with all of them takes a hundred times as long. */
	for (int kind = 0; kind < NR_KINDS; kind++) {
		tame(&h->counters.hists[kind][0]);
		memset(&h->counters.hists[kind][1], 0, sizeof(struct hist) * (NR_CLASSES - 1));
	}
	tame(&h->counters.begin);
	tame(&h->counters.chain_lengths);
	h->target.cgroup = how & 1 ? h->cgroup : NULL;
	h->report = canned_report(out);
	h->report.command = how & 2 ? h->command : NULL;
	h->report.target = how & 1 ? &h->target : NULL;
	h->report.claims = how & 4;
	h->report.seq = how & 8 ? SEQ_COUNT : SEQ_NONE;
	h->report.timestamp = how & 16;
	h->report.writers = h->writers;
	h->span = (struct span) {
		.counters = &h->counters,
		.holders = h->holders,
		.nr_holders = HOSTILE_HOLDERS,
		.elapsed_s = how / 7.0,
		.final = how & 32,
	};
}

#endif /* HOSTILE_H */
