// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The file of --trace: see trace_file.h. One element a line, and only whole ones in the file. */
#include "report/trace_file.h"
#include "counters/counters.h"
#include "lib/clock.h"
#include "report/event.h"
#include "report/event_other.h"
#include "report/json.h"
#include "report/sections/failures.h"
#include "sys/json_lines.h"
#include "sys/time_ns.h"
#include "version.h"

#include <errno.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

/* The end of a raise tells the begin of its task's last one, if they overlap. Nearer than this, it is its own. */
#define SAME_RAISE_NS 10000000

static void write_failed(struct trace_file *t)
{
	t->err = errno;
	t->out = NULL;
	output_cut(&t->output);
}

static void flush(struct trace_file *t)
{
	if (fflush(t->out))
		write_failed(t);
	else
		output_is_whole(&t->output);
}

/* Write @o, and free it. The buffer is emptied before an element could be written in two parts. */
static void put(struct trace_file *t, struct json_object *o)
{
	if (!t->out) {
		json_object_put(o);
		return;
	}
	fputs(t->begun ? "," : "[\n", t->out);
	t->begun = true;
	if (json_put_line(t->out, o))
		write_failed(t);
	else if (__fpending(t->out) > TRACE_BUFFER / 2)
		flush(t);
}

static struct json_object *element(const char *name, const char *category, const char *phase,
				   __u64 ns, __u32 pid, __u32 tid)
{
	struct json_object *o = json_new();

	add_str(o, "name", name);
	add_str(o, "cat", category);
	add_str(o, "ph", phase);
	add_us(o, "ts", ns);
	add_u64(o, "pid", pid);
	add_u64(o, "tid", tid);
	return o;
}

/* A slice on a track of its own begins ("b") or ends ("e"). */
static struct json_object *loose(const char *name, const char *category, const char *phase,
				 __u64 ns, const struct event *e, __u64 id)
{
	struct json_object *o = element(name, category, phase, ns, e->pid, e->tid);

	add_u64(o, "id", id);
	return o;
}

static bool is_empty(struct json_object *o)
{
	return !o || (json_object_is_type(o, json_type_array) && !json_object_array_length(o)) ||
	       (json_object_is_type(o, json_type_object) && !json_object_object_length(o));
}

static bool is_address(const char *key)
{
	return !strcmp(key, "dst") || !strcmp(key, "start") || !strcmp(key, "end");
}

static void add_address(struct json_object *o, const char *key, __u64 address)
{
	char text[24];

	snprintf(text, sizeof(text), "%#llx", address);
	add_str(o, key, text);
}

/* For a human reader: addresses in hexadecimal, and nothing that is null or empty. */
static void make_readable(struct json_object *o)
{
	if (!json_object_is_type(o, json_type_object))
		return;
	json_object_object_foreach(o, key, value) {
		make_readable(value);
		if (json_object_is_type(value, json_type_array))
			for (size_t i = 0; i < json_object_array_length(value); i++)
				make_readable(json_object_array_get_idx(value, i));
		if (is_empty(value))
			json_object_object_del(o, key);
		else if (is_address(key))
			add_address(o, key, json_object_get_uint64(value));
	}
}

static void add_args(struct json_object *o, const struct report *r, const struct event *e)
{
	struct json_object *args = add_object(o, "args");

	json_event_members(args, r, e);
	make_readable(args);
}

static void put_name(struct trace_file *t, const char *what, __u32 pid, __u32 tid, const char *name)
{
	struct json_object *o = json_new();

	add_str(o, "name", what);
	add_str(o, "cat", "__metadata");
	add_str(o, "ph", "M");
	add_u64(o, "pid", pid);
	add_u64(o, "tid", tid);
	add_str(add_object(o, "args"), "name", name);
	put(t, o);
}

/* A process has the name of its main thread; until that is seen, of the first thread that is. */
static void name_task(struct trace_file *t, __u32 pid, __u32 tid, const char comm[COMM_LEN])
{
	struct trace_thread *thread = &t->threads[tid % TRACE_THREADS];
	__u32 *process = &t->processes[pid % TRACE_PROCESSES];
	char name[COMM_LEN + 1];

	if (thread->pid == pid && thread->tid == tid && !memcmp(thread->comm, comm, COMM_LEN))
		return;
	*thread = (struct trace_thread) { pid, tid, "" };
	memcpy(thread->comm, comm, COMM_LEN);
	copy_comm(comm, name);
	if (*process != pid || pid == tid)
		put_name(t, "process_name", pid, tid, name);
	*process = pid;
	put_name(t, "thread_name", pid, tid, name);
}

static void put_window(struct trace_file *t, const struct report *r, const struct event *e)
{
	const __u32 class = e->verdict.class;
	const char *name = class < NR_CLASSES ? class_names[class] : "-", *category = "window";
	struct json_object *o;

	if (e->tid) {
		o = element(name, category, "X", e->begin_ns, e->pid, e->tid);
		add_us(o, "dur", e->window_ns);
		add_args(o, r, e);
		put(t, o);
		return;
	}
	/* Windows of several tasks outside our pid namespace may overlap: no track has room for them. */
	o = loose(name, category, "b", e->begin_ns, e, ++t->slices);
	add_args(o, r, e);
	put(t, o);
	put(t, loose(name, category, "e", e->begin_ns + e->window_ns, e, t->slices));
}

static void put_instant(struct trace_file *t, const struct report *r, const struct event *e,
			const char *name, const char *category)
{
	struct json_object *o = element(name, category, "i", e->begin_ns, e->pid, e->tid);

	add_str(o, "s", "t");
	add_args(o, r, e);
	put(t, o);
}

/* What @tid raised about @ns, or NULL. */
static struct trace_hold *find_hold(struct trace_file *t, __u32 tid, __u64 ns)
{
	struct trace_hold *found = NULL;
	__u64 nearest = SAME_RAISE_NS;

	for (int i = 0; i < TRACE_HOLDS; i++) {
		struct trace_hold *h = &t->holds[i];
		const __u64 apart = h->begin_ns > ns ? h->begin_ns - ns : ns - h->begin_ns;

		if (!h->id || h->tid != tid || apart >= nearest)
			continue;
		nearest = apart;
		found = h;
	}
	return found;
}

static void put_hold(struct trace_file *t, const struct report *r, const struct event *e, __u64 ns,
		     __u64 id)
{
	struct event raised = *e;
	struct json_object *o = loose(changed_text(&e->changed), "mmap_changing", "b", ns, e, id);

	raised.what = EVENT_RAISED;
	add_args(o, r, &raised);
	put(t, o);
}

/* What finds no place among the holds is an instant: its slice is written when it is lowered, if ever. */
static void put_raised(struct trace_file *t, const struct report *r, const struct event *e)
{
	struct trace_hold *h = t->holds;

	while (h < t->holds + TRACE_HOLDS && h->id)
		h++;
	if (h == t->holds + TRACE_HOLDS) {
		put_instant(t, r, e, changed_text(&e->changed), "mmap_changing");
		return;
	}
	*h = (struct trace_hold) { e->tid, e->begin_ns, ++t->slices };
	put_hold(t, r, e, h->begin_ns, h->id);
}

static void put_lowered(struct trace_file *t, const struct report *r, const struct event *e)
{
	const __u64 held = e->changed.held_ns;
	struct trace_hold unseen = { e->tid, e->begin_ns - held, t->slices + 1 },
			  *h = find_hold(t, e->tid, unseen.begin_ns);
	struct json_object *o, *args;

	if (!h) {
		h = &unseen;
		t->slices++;
		put_hold(t, r, e, h->begin_ns, h->id);
	}
	o = loose(changed_text(&e->changed), "mmap_changing", "e", h->begin_ns + held, e, h->id);
	args = add_object(o, "args");
	add_u64(args, "held_ns", held);
	add_u64(args, "refused", e->changed.refused);
	put(t, o);
	h->id = 0;
}

void trace_file_event(struct trace_file *t, const struct report *r, const struct event *e)
{
	static const char elsewhere[COMM_LEN] = "other namespace";

	if (!t->out)
		return;
	name_task(t, e->pid, e->tid, e->tid ? e->comm : elsewhere);
	if (e->what == EVENT_WINDOW)
		put_window(t, r, e);
	else if (e->what == EVENT_FAILED_COPY)
		put_instant(t, r, e, errno_text(e->failed.err), "failed_copy");
	else if (e->what == EVENT_RAISED)
		put_raised(t, r, e);
	else
		put_lowered(t, r, e);
}

void trace_file_flush(struct trace_file *t)
{
	if (t->out)
		flush(t);
}

/* An instant of the whole run. */
static struct json_object *mark(const char *name)
{
	const __u64 now = now_ns() - (__u64)time_ns_offset();
	struct json_object *o = element(name, "run", "i", now, (__u32)getpid(), (__u32)getpid());

	add_str(o, "s", "g");
	return o;
}

int trace_file_open(struct trace_file *t, const char *path)
{
	FILE *out = output_open(&t->output, path);

	if (!out)
		return -1;
	if (!t->output.file) { /* a reader could make us wait */
		fclose(out);
		errno = EINVAL;
		return -1;
	}
	setvbuf(out, t->buffer, _IOFBF, sizeof(t->buffer));
	t->out = out;
	t->path = path;
	return 0;
}

void trace_file_begin(struct trace_file *t, const struct report *r)
{
	static const char comm[COMM_LEN] = "uffdretry";
	struct json_object *o, *args;

	if (!t->out)
		return;
	if (output_begin(&t->output)) {
		write_failed(t);
		return;
	}
	name_task(t, (__u32)getpid(), (__u32)getpid(), comm);
	o = mark("start");
	args = add_object(o, "args");
	json_start_members(args, r);
	make_readable(args);
	put(t, o);
	trace_file_flush(t);
}

void trace_file_end(struct trace_file *t, const struct span *s)
{
	const __u64 *lost = s->counters->totals.lost, events = lost[LOST_EVENTS] +
							       lost[LOST_CHANGING_EVENTS] +
							       lost[LOST_COPY_EVENTS];
	char name[48] = "end";
	struct json_object *o, *args;

	if (!t->out)
		return;
	if (events)
		snprintf(name, sizeof(name), "end: %llu events lost", events);
	o = mark(name);
	args = add_object(o, "args");
	add_double(args, "elapsed_s", s->elapsed_s);
	json_lost(args, s->counters);
	put(t, o);
	if (t->out)
		fputs("]\n", t->out);
	trace_file_flush(t);
	if (t->out && (output_end(&t->output) || output_reached(t->out)))
		write_failed(t);
	t->out = NULL;
}
