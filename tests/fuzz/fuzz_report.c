// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * `uffdretry report`: of any counters and names the text of the JSON is the text of the run, and a
 * record in which anything was overwritten is refused, or prints nothing but printable ASCII.
 */
#include "hostile.h"
#include "report/json.h"
#include "report/saved.h"
#include "report/text.h"

#include <ctype.h>
#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

static struct saved saved;

static char *printed(int (*print)(const struct report *, const struct span *), struct report *r,
		     const struct span *s)
{
	char *text;
	size_t length;

	r->out = open_memstream(&text, &length);
	demand(print(r, s) == 0);
	fclose(r->out);
	return text;
}

static void demand_printable(const char *text)
{
	for (; *text; text++)
		demand(*text == '\n' || isprint((unsigned char)*text));
}

/* What it says goes nowhere: fuzz_text has the errors. */
static int read_record(const char *json, size_t size)
{
	static FILE *nowhere;
	FILE *real = stderr;
	int fd = memfd_create("record", 0), err;
	char path[64];

	nowhere = nowhere ?: fopen("/dev/null", "w");
	demand(write(fd, json, size) == (ssize_t)size);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	stderr = nowhere;
	err = saved_read(&saved, path);
	stderr = real;
	close(fd);
	return err;
}

/* Three targets, of what is left of the input. */
static void add_targets(struct hostile *h, const struct bytes *b)
{
	static struct by_table table;
	static struct by_list list;
	static struct cgroup_names cgroups;

	struct bytes names = *b;

	table.nr = 4;
	for (__u32 id = 0; id < table.nr; id++) {
		struct by_row *row = &table.rows[id];

		take(&names, row, offsetof(struct by_row, counts));
		repeat(b, &row->counts, sizeof(row->counts));
		row->used = 1;
		/* Without a row the record does not tell what they are of. */
		row->counts.calls |= 1;
	}
	memset(&cgroups, 0, sizeof(cgroups));
	cgroup_names_add(&cgroups, table.rows[1].key.id);
	cgroup_names_set(&cgroups, table.rows[1].key.id, h->cgroup);
	h->report.by = b->left & 1 ? BY_CGROUP : BY_PROCESS;
	h->report.by_list = &list;
	h->report.cgroups = &cgroups;
	h->span.by = &table;
}

/* Leave out what no run has. */
static void make_possible(struct hostile *h)
{
	struct counters *c = &h->counters;
	struct totals *t = &c->totals;

	memset(t->windows[KIND_HUGETLB], 0, sizeof(t->windows[KIND_HUGETLB]));
	memset(c->hists[KIND_HUGETLB], 0, sizeof(c->hists[KIND_HUGETLB]));
	if (h->report.seq == SEQ_NONE) {
		for (int kind = 0; kind < NR_KINDS; kind++)
			t->windows[kind][CLASS_LOCKED] = 0;
		memset(&t->checks[CHECK_PER_VMA_SEQ], 0, 2 * sizeof(t->checks[0]));
		t->odd_start = 0;
	}
	if (!chain_cause_name(c->chain_longest))
		c->chain_longest =
			CHAIN_WORD(CHAIN_LENGTH(c->chain_longest), NR_FAIL_ERRNOS, NR_SITES);
	if (!h->cgroup[0])
		h->cgroup[0] = 'x';
	h->report.timestamp = false;
	h->span.final = true;
	h->span.elapsed_s = round(h->span.elapsed_s * 1e6) / 1e6;
}

static void round_trip(struct bytes *b)
{
	static struct hostile h;
	char *json, *live, *later;

	hostile_fill(&h, b, NULL);
	make_possible(&h);
	add_targets(&h, b);
	json = printed(json_span, &h.report, &h.span);
	demand(read_record(json, strlen(json)) == 0);
	for (int verbose = 0; verbose < 2; verbose++) {
		h.report.verbose = saved.report.verbose = verbose;
		live = printed(text_summary, &h.report, &h.span);
		later = printed(text_summary, &saved.report, &saved.span);
		demand(strcmp(live, later) == 0);
		free(live);
		free(later);
	}
	saved_free(&saved);
	free(json);
}

/* Bytes 0 and 1 say where in a record, byte 2 how many bytes the rest replaces. */
static void overwrite(struct bytes *b)
{
	static struct counters c;
	struct report r = canned_report(NULL);
	const struct span s = { .counters = &c, .elapsed_s = 1, .final = true };
	char *json, *text;
	size_t length, at, gone;

	canned_counters(&c);
	r.writers = canned_writers(&c);
	r.relock = r.overhead = true;
	json = printed(json_span, &r, &s);
	length = strlen(json);
	at = (take_byte(b) << 8 | take_byte(b)) % length;
	gone = take_byte(b);
	gone = gone < length - at ? gone : length - at;
	text = malloc(length - gone + b->left + 1);
	memcpy(text, json, at);
	memcpy(text + at, b->next, b->left);
	memcpy(text + at + b->left, json + at + gone, length - at - gone + 1);
	if (!read_record(text, length - gone + b->left)) {
		char *out;

		saved.report.verbose = true;
		out = printed(text_summary, &saved.report, &saved.span);
		demand_printable(out);
		free(out);
	}
	saved_free(&saved);
	free(text);
	free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { data, size };

	if (take_byte(&b) & 1)
		overwrite(&b);
	/* U+FFFD in a name reads as the one byte that it stands for elsewhere. */
	else if (!memmem(data, size, "\xef\xbf\xbd", 3))
		round_trip(&b);
	return 0;
}
