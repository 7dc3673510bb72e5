// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Members of JSON: see json_read.h. */
#include "sys/json_read.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

/* Returns false where there is none. */
static bool find(struct json_object *o, const char *path, struct json_object **value)
{
	char name[40];

	while (*path) {
		const size_t n = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)n, path);
		if (!json_object_is_type(o, json_type_object) ||
		    !json_object_object_get_ex(o, name, &o))
			return false;
		path += n + (path[n] == '.');
	}
	*value = o;
	return true;
}

void read_failed(struct json_reader *r, const char *path)
{
	if (!r->bad[0])
		snprintf(r->bad, sizeof(r->bad), "%s", path);
}

struct json_object *read_member(struct json_reader *r, struct json_object *o, const char *path,
				enum json_type type)
{
	struct json_object *value;

	if (find(o, path, &value) && json_object_is_type(value, type))
		return value;
	read_failed(r, path);
	return NULL;
}

bool read_null(struct json_object *o, const char *path)
{
	struct json_object *value;

	return find(o, path, &value) && !value;
}

bool read_there(struct json_object *o, const char *path)
{
	struct json_object *value;

	return find(o, path, &value);
}

__u64 read_u64(struct json_reader *r, struct json_object *o, const char *path)
{
	struct json_object *value = read_member(r, o, path, json_type_int);

	if (value && json_object_get_int64(value) >= 0)
		return json_object_get_uint64(value);
	read_failed(r, path);
	return 0;
}

__u64 read_u64_or_null(struct json_reader *r, struct json_object *o, const char *path)
{
	return read_null(o, path) ? 0 : read_u64(r, o, path);
}

double read_double(struct json_reader *r, struct json_object *o, const char *path)
{
	struct json_object *value;
	double number = -1;

	if (find(o, path, &value) && (json_object_is_type(value, json_type_double) ||
				      json_object_is_type(value, json_type_int)))
		number = json_object_get_double(value);
	if (number >= 0 && number <= 1e12)
		return number;
	read_failed(r, path);
	return 0;
}

bool read_bool(struct json_reader *r, struct json_object *o, const char *path)
{
	return json_object_get_boolean(read_member(r, o, path, json_type_boolean));
}

void read_text(struct json_reader *r, struct json_object *o, const char *path, char *text,
	       size_t size)
{
	static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
	struct json_object *value = read_member(r, o, path, json_type_string);
	const char *s = value ? json_object_get_string(value) : "";
	size_t used = 0;

	while (*s && used + 1 < size) {
		const bool lost = !strncmp(s, replacement, 3);

		text[used++] = !lost && isprint((unsigned char)*s) ? *s : '?';
		s += lost ? 3 : 1;
	}
	text[used] = '\0';
}

void read_text_or_null(struct json_reader *r, struct json_object *o, const char *path, char *text,
		       size_t size)
{
	text[0] = '\0';
	if (!read_null(o, path))
		read_text(r, o, path, text, size);
}
