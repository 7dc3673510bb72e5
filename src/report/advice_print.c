// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The advice of advice.h, as text and as JSON. */
#include "report/advice.h"
#include "sys/json.h"
#include "report/report.h"

#include <string.h>

#define COLUMNS 80

/* Print @text between the columns @indent and COLUMNS, word by word. */
static void print_wrapped(FILE *out, const char *text, int indent)
{
	int column = indent;

	while (*text) {
		int len = (int)strcspn(text, " ");

		if (column > indent && column + len + 1 > COLUMNS) {
			fprintf(out, "\n%*s", indent, "");
			column = indent;
		}
		column += fprintf(out, "%s%.*s", column > indent ? " " : "", len, text);
		text += len + (text[len] == ' ');
	}
	fputc('\n', out);
}

void text_advice(const struct report *r, const struct span *s)
{
	struct advice list[MAX_ADVICE];
	int nr = advise(s->counters, s->holders, s->nr_holders, list);

	if (nr)
		fprintf(r->out, "\nadvice\n");
	for (int i = 0; i < nr; i++) {
		fprintf(r->out, "- ");
		print_wrapped(r->out, list[i].text, 2);
	}
}

void json_advice(struct json_object *o, const struct span *s)
{
	struct json_object *array = json_array();
	struct advice list[MAX_ADVICE];
	int nr = advise(s->counters, s->holders, s->nr_holders, list);

	for (int i = 0; i < nr; i++) {
		struct json_object *one = json_new();

		add_str(one, "rule", list[i].rule);
		add_str(one, "text", list[i].text);
		json_append(array, one);
	}
	add_value(o, "advice", array);
}
