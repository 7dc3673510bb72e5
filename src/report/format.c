// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Numbers and strings for a terminal: see format.h. */
#include "report/format.h"

#include <ctype.h>
#include <string.h>

double share_of(__u64 k, __u64 n)
{
	return n ? (double)k / (double)n : 0;
}

const char *format_percent(double p, char *text, size_t size)
{
	p *= 100;
	snprintf(text, size, p == 0 || p >= 99.95 ? "%.0f%%" : p < 0.0995 ? "%.2g%%" : "%.1f%%", p);
	return text;
}

const char *format_duration(__u64 ns, char *text, size_t size)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	double value = (double)ns;
	int unit = 0;

	while (value >= 999.5 && unit < 3) {
		value /= 1000;
		unit++;
	}
	snprintf(text, size,
		 unit == 0 || value >= 99.95 ? "%.0f%s"
		 : value >= 9.995	     ? "%.1f%s"
					     : "%.2f%s",
		 value, units[unit]);
	return text;
}

const char *format_bytes(__u64 n, char *text, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)n;
	int unit = 0;

	while (value >= 1024 && unit < 4) {
		value /= 1024;
		unit++;
	}
	snprintf(text, size, unit ? "%.1f %s" : "%.0f %s", value, units[unit]);
	return text;
}

const char *format_count(__u64 n, int width, char *text, size_t size)
{
	static const char units[] = " kMGTPE";
	double value = (double)n;
	int unit = 0;

	if (snprintf(text, size, "%llu", n) <= width)
		return text;
	while (value >= 999.5) {
		value /= 1000;
		unit++;
	}
	snprintf(text, size, "%.3g%c", value, units[unit]);
	return text;
}

void append_printable(char *text, size_t size, const char *more)
{
	size_t used = strlen(text);

	for (; *more && used + 1 < size; more++)
		text[used++] = isprint((unsigned char)*more) ? *more : '?';
	text[used] = '\0';
	if (*more && used >= 3)
		memcpy(text + used - 3, "...", 3);
}

void printable(char *text, size_t size, const char *from)
{
	text[0] = '\0';
	append_printable(text, size, from);
}

void list_add(struct list *l, const char *text)
{
	int len = (int)strlen(text);

	if (!l->column) {
		l->column = l->indent;
	} else if (l->column + len + 3 > COLUMNS) {
		fprintf(l->out, ",\n%*s", l->indent, "");
		l->column = l->indent;
	} else {
		l->column += fprintf(l->out, ", ");
	}
	l->column += fprintf(l->out, "%s", text);
}

void print_wrapped(FILE *out, const char *text, int indent)
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
