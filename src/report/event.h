/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Records of --events: a line of text or a JSON object (docs/reference/json.md). */
#ifndef EVENT_H
#define EVENT_H

#include "report/common.h"

/* Each prints @e without flushing. Returns 0, or -1 with errno set. */
int text_event(const struct report *r, const struct event *e);
int json_event(const struct report *r, const struct event *e);

/* Add the members that only this kind of event has. */
void json_event_members(struct json_object *o, const struct report *r, const struct event *e);

#endif /* EVENT_H */
