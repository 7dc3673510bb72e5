// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Whatever names and numbers a run has: the text is printable ASCII. */
#include "hostile.h"

#include <ctype.h>

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
	demand(length && text[length - 1] == '\n');
	for (size_t i = 0; i < length; i++)
		demand(text[i] == '\n' || isprint((unsigned char)text[i]));
	free(text);
	return 0;
}
