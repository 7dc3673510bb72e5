// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Any names and numbers: each JSON record is one line, one object, valid UTF-8 and harmless. */
#include "../unit/strict.h"
#include "sys/err.h"
#include "hostile.h"

static void demand_record(const char *line, size_t size)
{
	struct json_tokener *tok = json_tokener_new();
	struct json_object *o;

	demand(strncmp(line, "{\"type\":\"", 9) == 0);
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hostile h;
	struct bytes b = { data, size };
	char *text, *end;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	int lines = 0;

	hostile_fill(&h, &b, out);
	h.report.json = true;
	demand(report_start(&h.report) == 0);
	demand(report_event(&h.report, &h.event) == 0);
	demand(report_span(&h.report, &h.span) == 0);
	error_object(&h, out);
	fclose(out);
	demand(strlen(text) == length);
	demand_harmless(text, length);
	for (char *line = text; *line; line = end + 1, lines++) {
		end = strchr(line, '\n');
		demand(end);
		*end = '\0';
		demand_record(line, (size_t)(end - line));
	}
	demand(lines == 4);
	free(text);
	return 0;
}
