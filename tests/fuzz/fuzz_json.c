// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Any names and numbers: each JSON record, and element of a trace, is one line, one object, valid UTF-8 and harmless. */
#include "../unit/strict.h"
#include "report/trace_file.h"
#include "sys/err.h"
#include "hostile.h"

static void demand_record(const char *line, size_t size, const char *first)
{
	struct json_tokener *tok = json_tokener_new();
	struct json_object *o;

	demand(strncmp(line, first, strlen(first)) == 0);
	json_tokener_set_flags(tok, strict_json());
	o = json_tokener_parse_ex(tok, line, (int)size + 1);
	demand(json_object_is_type(o, json_type_object));
	demand(json_tokener_get_parse_end(tok) == size);
	json_object_put(o);
	json_tokener_free(tok);
}

/* The error object; what goes to stderr beside it is fuzz_text's. */
static void error_object(struct hostile *h, FILE *out)
{
	static FILE *nowhere;
	FILE *real = stderr;

	nowhere = nowhere ?: fopen("/dev/null", "w");
	stderr = nowhere;
	err_json(out);
	fail(EXIT_ERROR, h->cgroup, "%s", h->args[0]);
	err_json(NULL);
	stderr = real;
}

/* Each line of @text is an object whose first member is @first. Returns their number. */
static int demand_records(char *text, size_t length, const char *first)
{
	int lines = 0;

	demand(strlen(text) == length);
	demand_harmless(text, length);
	for (char *end; *text; text = end + 1, lines++) {
		end = strchr(text, '\n');
		demand(end);
		*end = '\0';
		text += *text == ',';
		demand_record(text, (size_t)(end - text), first);
	}
	return lines;
}

/* The event: its names, and one element or two. */
static void trace_elements(struct hostile *h)
{
	static struct trace_file t;
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	int lines;

	t = (struct trace_file) { .out = out };
	trace_file_event(&t, &h->report, &h->event);
	fclose(out);
	demand(strncmp(text, "[\n", 2) == 0);
	lines = demand_records(text + 2, length - 2, "{\"name\":\"");
	demand(lines >= 2 && lines <= 4);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hostile h;
	struct bytes b = { data, size };
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	hostile_fill(&h, &b, out);
	h.report.json = true;
	demand(report_start(&h.report) == 0);
	demand(report_event(&h.report, &h.event) == 0);
	demand(report_span(&h.report, &h.span) == 0);
	error_object(&h, out);
	fclose(out);
	demand(demand_records(text, length, "{\"type\":\"") == 4);
	free(text);
	trace_elements(&h);
	return 0;
}
