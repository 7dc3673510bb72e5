/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Events that are no windows: failed copies, and mmap_changing raised and lowered. */
#ifndef EVENT_OTHER_H
#define EVENT_OTHER_H

#include "report/common.h"

/* An event as text. */
struct event_line {
	const char *kind; /* of the destination, or of the event */
	const char *class;
	bool has_took;
	__u64 took_ns;
	__u64 relock_ns;   /* 0: none */
	char details[512]; /* each begins with a space */
};

/* Append to the details. */
__attribute__((format(printf, 2, 3))) void line_say(struct event_line *l, const char *format, ...);

/* "EAGAIN" */
const char *errno_text(__u32 err);

/* "REMOVE by madvise(MADV_DONTNEED)". Static. */
const char *changed_text(const struct changed *c);

void say_failed_copy(struct event_line *l, const struct failed_copy *f);
void say_changed(struct event_line *l, const struct event *e);

/* Add the members that only this event has. */
void json_failed_copy(struct json_object *o, const struct failed_copy *f, __u64 dst);
void json_changed(struct json_object *o, const struct event *e);

#endif /* EVENT_OTHER_H */
