// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* `uffdretry list`: see list.h. */
#include "report/list.h"
#include "report/format.h"
#include "sys/json_lines.h"

#include <string.h>

/* UFFD_FEATURE_*, by the number of its bit. */
static const char *const feature_names[] = {
	"PAGEFAULT_FLAG_WP",
	"EVENT_FORK",
	"EVENT_REMAP",
	"EVENT_REMOVE",
	"MISSING_HUGETLBFS",
	"MISSING_SHMEM",
	"EVENT_UNMAP",
	"SIGBUS",
	"THREAD_ID",
	"MINOR_HUGETLBFS",
	"MINOR_SHMEM",
	"EXACT_ADDRESS",
	"WP_HUGETLBFS_SHMEM",
	"WP_UNPOPULATED",
	"POISON",
	"WP_ASYNC",
	"MOVE",
	"RWP",
	"RWP_ASYNC",
};

#define NR_FEATURES (sizeof(feature_names) / sizeof(feature_names[0]))

static const char *const mode_names[] = { "missing", "wp", "minor", "rwp" };

#define NR_MODES (sizeof(mode_names) / sizeof(mode_names[0]))

static struct json_object *features_json(__u64 features)
{
	struct json_object *names = json_array();

	for (unsigned int bit = 0; bit < 64; bit++) {
		char unnamed[16];

		if (!(features & (1ULL << bit)))
			continue;
		snprintf(unnamed, sizeof(unnamed), "bit %u", bit);
		json_append(names, json_text(bit < NR_FEATURES ? feature_names[bit] : unnamed));
	}
	return names;
}

static struct json_object *fd_json(const struct uffd_fd *fd)
{
	struct json_object *o = json_new();

	add_value(o, "fd", json_int(fd->fd));
	if (!fd->known) {
		add_null(o, "inode");
		add_null(o, "features");
		add_null(o, "pending");
		add_null(o, "total");
		return o;
	}
	add_u64(o, "inode", fd->inode);
	add_value(o, "features", features_json(fd->features));
	add_u64(o, "pending", fd->pending);
	add_u64(o, "total", fd->total);
	return o;
}

static struct json_object *range_json(const struct uffd_range *range)
{
	struct json_object *o = json_new(), *modes = json_array();

	add_u64(o, "start", range->start);
	add_u64(o, "end", range->end);
	for (unsigned int i = 0; i < NR_MODES; i++)
		if (range->modes & (1U << i))
			json_append(modes, json_text(mode_names[i]));
	add_value(o, "modes", modes);
	return o;
}

static struct json_object *process_json(const struct uffd_process *p)
{
	struct json_object *o = json_new(), *fds = json_array();
	struct json_object *ranges = p->ranges_known ? json_array() : NULL;

	add_value(o, "pid", json_int(p->pid));
	add_str(o, "comm", p->comm);
	for (int i = 0; i < p->nr_fds; i++)
		json_append(fds, fd_json(&p->fds[i]));
	add_value(o, "fds", fds);
	for (int i = 0; i < p->nr_ranges; i++)
		json_append(ranges, range_json(&p->ranges[i]));
	add_value(o, "registered", ranges);
	return o;
}

static int json_list(FILE *out, const struct uffd_list *l)
{
	struct json_object *o = json_new(), *processes = json_array();

	add_str(o, "type", "list");
	add_u64(o, "schema", JSON_SCHEMA);
	for (int i = 0; i < l->nr; i++)
		json_append(processes, process_json(&l->processes[i]));
	add_value(o, "processes", processes);
	if (l->hidden)
		add_null(o, "unreadable");
	else
		add_u64(o, "unreadable", (__u64)l->unreadable);
	return json_write(out, o);
}

/* The same userfaultfd is counted once, however many file descriptors it has. */
static bool is_first(const struct uffd_process *p, int i)
{
	return !i || p->fds[i - 1].inode != p->fds[i].inode;
}

/* What the userfaultfds of a process sum to. */
struct sums {
	bool known;
	__u64 features, total;
};

static struct sums sums_of(const struct uffd_process *p)
{
	struct sums s = { .known = true };

	for (int i = 0; i < p->nr_fds; i++) {
		s.known = s.known && p->fds[i].known;
		s.features |= p->fds[i].features;
		if (is_first(p, i))
			s.total += p->fds[i].total;
	}
	return s;
}

static const char *events_text(const struct sums *s, char *text, size_t size)
{
	static const struct {
		unsigned int bit;
		const char *name;
	} events[] = { { 1, "fork" }, { 2, "remap" }, { 3, "remove" }, { 6, "unmap" } };
	size_t used = 0;

	if (!s->known)
		return "?";
	text[0] = '\0';
	for (unsigned int i = 0; i < sizeof(events) / sizeof(events[0]); i++)
		if (s->features & (1U << events[i].bit))
			used += (size_t)snprintf(text + used, size - used, "%s%s", used ? "," : "",
						 events[i].name);
	return used ? text : "-";
}

static __u64 registered_bytes(const struct uffd_process *p)
{
	__u64 bytes = 0;

	for (int i = 0; i < p->nr_ranges; i++)
		bytes += p->ranges[i].end - p->ranges[i].start;
	return bytes;
}

/* 80 columns at most: the widths of pid and comm are the kernel's limits. */
static void print_process(FILE *out, const struct uffd_process *p)
{
	const struct sums s = sums_of(p);
	char comm[16], events[32];

	printable(comm, sizeof(comm), p->comm);
	fprintf(out, "%7d %4d %8s %11s  %-23s %s\n", p->pid, p->nr_fds, s.known ? N(s.total) : "?",
		p->ranges_known ? BYTES(registered_bytes(p)) : "?",
		events_text(&s, events, sizeof(events)), comm);
}

static int text_list(FILE *out, const struct uffd_list *l)
{
	if (!l->nr)
		fprintf(out, "no process %sholds a userfaultfd\n",
			l->unreadable || l->hidden ? "that can be read " : "");
	else
		fprintf(out, "%7s %4s %8s %11s  %-23s %s\n", "pid", "fds", "waiting", "registered",
			"events", "comm");
	for (int i = 0; i < l->nr; i++)
		print_process(out, &l->processes[i]);
	return fflush(out) || ferror(out) ? -1 : 0;
}

static int pids_list(FILE *out, const struct uffd_list *l)
{
	for (int i = 0; i < l->nr; i++)
		fprintf(out, "%d\n", l->processes[i].pid);
	return fflush(out) || ferror(out) ? -1 : 0;
}

int report_list(const struct report *r, const struct uffd_list *l, bool brief)
{
	if (brief)
		return pids_list(r->out, l);
	return r->json ? json_list(r->out, l) : text_list(r->out, l);
}
