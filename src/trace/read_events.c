// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The ring of events, in batches. */
#include "trace/tracer.h"
#include "trace/tracer_private.h"

#include <errno.h>

#define EVENT_BATCH 4096

/* Have the writers that @e names: one that came since the last reading is in the map by now. */
static void know_writers(struct tracer *t, const struct event *e)
{
	if (e->what != EVENT_WINDOW)
		return;
	for (int i = 0; i < e->writers.nr && i < WRITERS_A_WINDOW; i++)
		if (e->writers.ids[i] < MAX_WRITERS && !t->writers[e->writers.ids[i]].used) {
			read_writers(t, NULL);
			return;
		}
}

static int take_event(void *tracer, void *data, size_t size)
{
	struct tracer *t = tracer;

	if (size >= sizeof(struct event)) {
		know_writers(t, data);
		t->on_event(t->on_event_data, data);
	}
	/* An error ends the batch; the ring counts the event as consumed all the same. */
	return ++t->batch < EVENT_BATCH ? 0 : -EAGAIN;
}

int open_events(struct tracer *t)
{
	t->events = ring_buffer__new(bpf_map__fd(t->skel->maps.events), take_event, t, NULL);
	return t->events ? 0 : -errno;
}

int tracer_events_fd(const struct tracer *t)
{
	return t->events ? ring_buffer__epoll_fd(t->events) : -1;
}

bool tracer_read_events(struct tracer *t, tracer_event_fn *on_event, void *data)
{
	t->on_event = on_event;
	t->on_event_data = data;
	t->batch = 0;
	return t->events && ring_buffer__consume(t->events) == -EAGAIN;
}
