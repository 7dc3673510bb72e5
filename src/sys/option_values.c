// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Numbers of the command line: see option_values.h. */
#include "sys/option_values.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A finite decimal number without sign; *@end is what follows. Returns 0 or -1. */
static int parse_decimal(const char *text, double *value, char **end)
{
	if (!isdigit((unsigned char)text[0]) && text[0] != '.')
		return -1;
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return -1;
	errno = 0;
	*value = strtod(text, end);
	return errno || *end == text || !isfinite(*value) ? -1 : 0;
}

int parse_duration(const char *text, __u64 *ns)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = { { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 },
		      { "", 1e9 },   { "m", 60e9 }, { "h", 3600e9 } };
	char *end;
	double value;

	if (parse_decimal(text, &value, &end))
		return -1;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit))
			continue;
		value *= units[i].ns;
		/* At least a microsecond, at most a hundred years. */
		if (value < 1e3 || value > 3.2e18)
			return -1;
		*ns = (__u64)value;
		return 0;
	}
	return -1;
}

int parse_rate(const char *text, double *rate)
{
	char *end;
	double value;

	if (parse_decimal(text, &value, &end))
		return -1;
	if (!strcmp(end, "%"))
		value /= 100;
	else if (*end)
		return -1;
	if (value > 1)
		return -1;
	*rate = value;
	return 0;
}

int parse_number(const char *text, __u64 max, __u64 *value)
{
	unsigned long long v;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -1;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno || *end || v < 1 || v > max)
		return -1;
	*value = v;
	return 0;
}
