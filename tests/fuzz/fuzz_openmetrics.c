// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Any kernel release, plan and numbers: each line of the file of metrics keeps to the format. */
#include "hostile.h"
#include "report/openmetrics.h"

#include <ctype.h>
#include <search.h>
#include <sys/utsname.h>
#include <unistd.h>

static char release[65];

/* Stand-in for the system's. */
int uname(struct utsname *uts)
{
	memset(uts, 0, sizeof(*uts));
	memcpy(uts->release, release, sizeof(uts->release));
	return 0;
}

/* After NAME[a-zA-Z0-9_]. */
static const char *name(const char *p)
{
	demand(isalpha((unsigned char)*p) || *p == '_');
	while (isalnum((unsigned char)*p) || *p == '_')
		p++;
	return p;
}

/* After NAME="VALUE", in which a backslash is followed by itself, a quote or n. */
static const char *label(const char *p)
{
	p = name(p);
	demand(*p++ == '=' && *p++ == '"');
	for (; *p != '"'; p++) {
		demand(*p && *p != '\n');
		if (*p == '\\') {
			p++;
			demand(*p == '\\' || *p == '"' || *p == 'n');
		}
	}
	return p + 1;
}

static const char *labels(const char *p)
{
	do
		p = label(p + 1);
	while (*p == ',');
	demand(*p == '}');
	return p + 1;
}

/* NAME[{LABELS}] VALUE, each series once. */
static void sample(char *line, void **seen)
{
	const char *p = name(line);
	char *end, *series, *known;

	if (*p == '{')
		p = labels(p);
	demand(*p == ' ');
	series = strndup(line, (size_t)(p - line));
	known = *(char **)tsearch(series, seen, (int (*)(const void *, const void *))strcmp);
	demand(known == series);
	demand(strtod(p + 1, &end) >= 0 && end != p + 1 && !*end);
}

static void metadata(const char *line)
{
	const char *p;

	demand(!strncmp(line, "# TYPE ", 7) || !strncmp(line, "# HELP ", 7) ||
	       !strncmp(line, "# UNIT ", 7));
	p = name(line + 7);
	demand(*p == ' ');
}

static void demand_format(char *text)
{
	void *seen = NULL;
	bool eof = false;

	for (char *line = text, *end; *line; line = end + 1) {
		demand(!eof);
		end = strchr(line, '\n');
		demand(end);
		*end = '\0';
		eof = !strcmp(line, "# EOF");
		if (*line != '#')
			sample(line, &seen);
		else if (!eof)
			metadata(line);
	}
	demand(eof);
	tdestroy(seen, free);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct hostile h;
	static char path[64], text[1 << 20];
	struct bytes b = { data, size };
	char name_of_plan[24] = "";
	FILE *f;
	size_t length;

	take(&b, release, sizeof(release) - 1);
	take(&b, name_of_plan, sizeof(name_of_plan) - 1);
	hostile_fill(&h, &b, NULL);
	h.report.plan = name_of_plan;
	snprintf(path, sizeof(path), "/dev/shm/fuzz_openmetrics.%d", getpid());
	demand(report_openmetrics(&h.report, &h.span, path) == 0);
	f = fopen(path, "r");
	demand(f);
	length = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	unlink(path);
	text[length] = '\0';
	demand(strlen(text) == length);
	demand_harmless(text, length);
	demand_format(text);
	return 0;
}
