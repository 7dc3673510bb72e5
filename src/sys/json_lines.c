// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* JSON lines: see json_lines.h. */
#include "sys/json_lines.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */

/* Length of the valid UTF-8 sequence at @s, or 0. Neither overlong nor a surrogate. */
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

/* No memory for a part of the present record. Printed as null it would mean "not measured". */
static bool is_short;

static struct json_object *made(struct json_object *o)
{
	is_short |= !o;
	return o;
}

struct json_object *json_text(const char *value)
{
	const unsigned char *s = (const unsigned char *)value;
	struct json_object *o;
	char *text, *p;

	text = p = malloc(strlen(value) * (sizeof(replacement) - 1) + 1);
	if (!text)
		return made(NULL);
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
	o = made(json_object_new_string(text));
	free(text);
	return o;
}

struct json_object *json_new(void)
{
	return made(json_object_new_object());
}

struct json_object *json_array(void)
{
	return made(json_object_new_array());
}

struct json_object *json_int(int value)
{
	return made(json_object_new_int(value));
}

/* Returns false, with @value freed, when there is no memory. */
static bool added(struct json_object *o, const char *key, struct json_object *value)
{
	if (o && !json_object_object_add(o, key, value))
		return true;
	is_short = true;
	json_object_put(value);
	return false;
}

void add_value(struct json_object *o, const char *key, struct json_object *value)
{
	added(o, key, value);
}

void json_append(struct json_object *array, struct json_object *value)
{
	if (array && !json_object_array_add(array, value))
		return;
	is_short = true;
	json_object_put(value);
}

void add_u64(struct json_object *o, const char *key, __u64 value)
{
	add_value(o, key, made(json_object_new_uint64(value)));
}

void add_double(struct json_object *o, const char *key, double value)
{
	add_value(o, key, value >= 0 && !isinf(value) ? made(json_object_new_double(value)) : NULL);
}

void add_us(struct json_object *o, const char *key, __u64 ns)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu.%03llu", ns / 1000, ns % 1000);
	add_value(o, key, made(json_object_new_double_s((double)ns / 1e3, text)));
}

void add_bool(struct json_object *o, const char *key, bool value)
{
	add_value(o, key, made(json_object_new_boolean(value)));
}

void add_str(struct json_object *o, const char *key, const char *value)
{
	add_value(o, key, value ? json_text(value) : NULL);
}

void add_null(struct json_object *o, const char *key)
{
	add_value(o, key, NULL);
}

struct json_object *add_object(struct json_object *o, const char *key)
{
	struct json_object *child = json_new();

	return added(o, key, child) ? child : NULL;
}

static const char *short_escape(char c)
{
	switch (c) {
	case '"':
		return "\\\"";
	case '\\':
		return "\\\\";
	case '\b':
		return "\\b";
	case '\f':
		return "\\f";
	case '\n':
		return "\\n";
	case '\r':
		return "\\r";
	case '\t':
		return "\\t";
	default:
		return NULL;
	}
}

/* @text is valid UTF-8. DEL and U+0080 to U+009F are escaped because terminals act on them. */
static void put_string(FILE *f, const char *text)
{
	putc('"', f);
	for (; *text; text++) {
		const unsigned char *c = (const unsigned char *)text;
		bool c1 = c[0] == 0xc2 && c[1] < 0xa0;

		if (short_escape(*text))
			fputs(short_escape(*text), f);
		else if (c[0] < ' ' || c[0] == 0x7f || c1)
			fprintf(f, "\\u%04x", c[c1]);
		else
			putc(c[0], f);
		text += c1;
	}
	putc('"', f);
}

static void put_value(FILE *f, struct json_object *o);

static void put_object(FILE *f, struct json_object *o)
{
	const char *before = "{";

	json_object_object_foreach(o, key, value) {
		fputs(before, f);
		put_string(f, key);
		putc(':', f);
		put_value(f, value);
		before = ",";
	}
	fputs(*before == '{' ? "{}" : "}", f);
}

static void put_array(FILE *f, struct json_object *array)
{
	putc('[', f);
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		if (i)
			putc(',', f);
		put_value(f, json_object_array_get_idx(array, i));
	}
	putc(']', f);
}

/* json-c's own printer drops what it has no memory for, silently. */
static void put_value(FILE *f, struct json_object *o)
{
	switch (json_object_get_type(o)) {
	case json_type_object:
		put_object(f, o);
		break;
	case json_type_array:
		put_array(f, o);
		break;
	case json_type_string:
		put_string(f, json_object_get_string(o));
		break;
	case json_type_int:
		if (json_object_get_int64(o) < 0)
			fprintf(f, "%lld", (long long)json_object_get_int64(o));
		else
			fprintf(f, "%llu", (unsigned long long)json_object_get_uint64(o));
		break;
	case json_type_double:
		/* Its own text, or six decimals: microseconds of an elapsed time, never an exponent. */
		if (json_object_get_userdata(o))
			fputs(json_object_get_userdata(o), f);
		else
			fprintf(f, "%.6f", json_object_get_double(o));
		break;
	case json_type_boolean:
		fputs(json_object_get_boolean(o) ? "true" : "false", f);
		break;
	case json_type_null:
		fputs("null", f);
		break;
	}
}

int json_put_line(FILE *f, struct json_object *o)
{
	bool complete = !is_short;

	is_short = false;
	if (complete) {
		put_value(f, o);
		putc('\n', f);
	} else {
		errno = ENOMEM;
	}
	json_object_put(o);
	return complete && !ferror(f) ? 0 : -1;
}

int json_write(FILE *f, struct json_object *o)
{
	return json_put_line(f, o) || fflush(f) ? -1 : 0;
}
