// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Any names and numbers: the report as text and stderr are printable ASCII. */
#include "sys/err.h"
#include "hostile.h"

#include <ctype.h>

static void demand_printable(const char *text, size_t length)
{
	demand(length && text[length - 1] == '\n');
	for (size_t i = 0; i < length; i++)
		demand(text[i] == '\n' || isprint((unsigned char)text[i]));
}

/* The banner, a warning and an error. */
static void demand_harmless_stderr(struct hostile *h)
{
	FILE *real = stderr;
	char *said;
	size_t length;

	stderr = open_memstream(&said, &length);
	demand(report_start(&h->report) == 0);
	warning("%s", h->cgroup);
	demand(fail(EXIT_ERROR, NULL, "%s", h->args[0]) == EXIT_ERROR);
	fclose(stderr);
	stderr = real;
	demand_printable(said, length);
	free(said);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hostile h;
	struct bytes b = { data, size };
	char *text;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	hostile_fill(&h, &b, out);
	demand(report_event(&h.report, &h.event) == 0);
	demand(report_span(&h.report, &h.span) == 0);
	fclose(out);
	demand_printable(text, length);
	free(text);
	demand_harmless_stderr(&h);
	return 0;
}
