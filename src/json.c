// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* JSON lines: see json.h. */
#include "json.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* The length of the valid UTF-8 sequence at @s (no overlong forms, no surrogates, at most U+10FFFF), or 0. */
static size_t utf8_len(const unsigned char *s)
{
	unsigned char lo = 0x80, hi = 0xbf;
	size_t n;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if ((s[0] & 0xf0) == 0xe0)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		return 0;
	if (s[0] == 0xe0)
		lo = 0xa0;
	if (s[0] == 0xed)
		hi = 0x9f;
	if (s[0] == 0xf0)
		lo = 0x90;
	if (s[0] == 0xf4)
		hi = 0x8f;
	if (s[1] < lo || s[1] > hi)
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

struct json_object *json_text(const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	struct json_object *o;
	char *text, *p;

	text = p = malloc(strlen(value) * (sizeof(replacement) - 1) + 1);
	if (!text)
		return NULL;
	while (*s) {
		size_t n = utf8_len(s);

		if (n) {
			memcpy(p, s, n);
			p += n;
			s += n;
		} else {
			memcpy(p, replacement, sizeof(replacement) - 1);
			p += sizeof(replacement) - 1;
			s++;
		}
	}
	*p = '\0';
	o = json_object_new_string(text);
	free(text);
	return o;
}

void add_u64(struct json_object *o, const char *key, __u64 value)
{
	json_object_object_add(o, key, json_object_new_uint64(value));
}

void add_double(struct json_object *o, const char *key, double value)
{
	char text[32];

	if (!(value >= 0) || isinf(value)) {
		add_null(o, key);
		return;
	}
	/* Six decimals: microseconds of an elapsed time, and never an exponent. */
	snprintf(text, sizeof(text), "%.6f", value);
	json_object_object_add(o, key, json_object_new_double_s(value, text));
}

void add_bool(struct json_object *o, const char *key, bool value)
{
	json_object_object_add(o, key, json_object_new_boolean(value));
}

void add_str(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, value ? json_text(value) : NULL);
}

void add_null(struct json_object *o, const char *key)
{
	json_object_object_add(o, key, NULL);
}

struct json_object *add_object(struct json_object *o, const char *key)
{
	struct json_object *child = json_object_new_object();

	json_object_object_add(o, key, child);
	return child;
}

/* json-c escapes below U+0020 only; a terminal also acts on DEL and on U+0080 to U+009F, which only strings can hold. */
static int put_escaped(FILE *f, const char *text)
{
	const char *begin = text;

	for (; *text; text++) {
		const unsigned char *c = (const unsigned char *)text;
		bool del = c[0] == 0x7f, c1 = c[0] == 0xc2 && c[1] < 0xa0;

		if (!del && !c1)
			continue;
		if (fprintf(f, "%.*s\\u%04x", (int)(text - begin), begin, c[c1]) < 0)
			return -1;
		text += c1;
		begin = text + 1;
	}
	return fprintf(f, "%s\n", begin) < 0 ? -1 : 0;
}

int json_put_line(FILE *f, struct json_object *o)
{
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	int err = text ? put_escaped(f, text) : -1;

	json_object_put(o);
	return err;
}

int json_write(FILE *f, struct json_object *o)
{
	return json_put_line(f, o) || fflush(f) ? -1 : 0;
}
