// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* A file of JSON records: see records.h. */
#include "sys/records.h"
#include "sys/err.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* It has fewer than 15,000 objects and arrays. Each takes about a KiB of memory. */
#define OBJECTS_MAX 65536

/* A record begins so. In a string of JSON this cannot stand: quotes are escaped there. */
#define MARK "{\"type\":\""
#define MARK_LEN (sizeof(MARK) - 1)

struct records {
	struct json_tokener *tokener;
	size_t begun;	/* bytes of the object that is being read */
	size_t objects; /* and arrays in it */
	void (*each)(void *data, struct json_object *o);
	void *data;
};

static const char *find_mark(const char *text, const char *end)
{
	return memmem(text, (size_t)(end - text), MARK, MARK_LEN);
}

static bool is_mark(const char *text, const char *end)
{
	return (size_t)(end - text) >= MARK_LEN && !memcmp(text, MARK, MARK_LEN);
}

/* Behind space an object, else the next record in the line; or NULL. */
static const char *find_object(const char *text, const char *end)
{
	while (text < end && isspace((unsigned char)*text))
		text++;
	return text < end && *text == '{' ? text : find_mark(text, end);
}

/* Those in strings too: names have few. */
static size_t count_objects(const char *text, size_t n)
{
	size_t nr = 0;

	for (size_t i = 0; i < n; i++)
		nr += text[i] == '{' || text[i] == '[';
	return nr;
}

static void forget(struct records *r)
{
	json_tokener_reset(r->tokener);
	r->begun = r->objects = 0;
}

enum parsed { PARSED, UNFINISHED, NO_JSON };

/* Parse an object, or what is left of it, and set @text to its end. If too large, it is no JSON. */
static enum parsed parse_object(struct records *r, const char **text, const char *end)
{
	const size_t n = (size_t)(end - *text);
	struct json_object *o = json_tokener_parse_ex(r->tokener, *text, (int)n);
	const enum json_tokener_error error = json_tokener_get_error(r->tokener);
	const size_t used = error == json_tokener_continue ? n
							   : json_tokener_get_parse_end(r->tokener);
	bool fits;

	r->begun += used;
	r->objects += count_objects(*text, used);
	*text += used;
	fits = r->begun <= RECORD_MAX && r->objects <= OBJECTS_MAX;
	if (fits && error == json_tokener_continue)
		return UNFINISHED;
	fits = fits && error == json_tokener_success;
	if (fits)
		r->each(r->data, o);
	json_object_put(o);
	forget(r);
	return fits ? PARSED : NO_JSON;
}

/*
 * Parse a line, or a part of a long one. An object that it does not end ends where a record begins.
 * After what is no JSON, the next record is searched for.
 */
static void parse_line(struct records *r, const char *text, const char *end)
{
	const char *begin;
	enum parsed parsed;

	if (is_mark(text, end))
		forget(r);
	while (text) {
		const bool goes_on = r->begun;

		begin = text = goes_on ? text : find_object(text, end);
		parsed = begin ? parse_object(r, &text, end) : PARSED;
		if (goes_on && parsed == NO_JSON)
			text = begin;
		else if (parsed != PARSED)
			text = goes_on ? NULL : find_mark(begin + 1, end);
		if (text && parsed == UNFINISHED)
			forget(r);
	}
}

static void parse(struct records *r, const char *text, size_t n)
{
	const char *end = text + n, *line;

	for (; text < end; text = line) {
		line = memchr(text, '\n', (size_t)(end - text));
		line = line ? line + 1 : end;
		parse_line(r, text, line);
	}
}

/* The bytes of whole lines; where none fits into @size, all but what may be the begin of a mark. */
static size_t whole_lines(const char *text, size_t n, size_t size)
{
	const char *end = memrchr(text, '\n', n);

	if (end)
		return (size_t)(end - text) + 1;
	if (n < size)
		return 0;
	end = memrchr(text + n - MARK_LEN, '{', MARK_LEN);
	return end ? (size_t)(end - text) : n;
}

/* Returns 0, or -1 with errno set. */
static int read_all(struct records *r, int fd)
{
	static char buffer[64 << 10];
	size_t kept = 0, whole;
	ssize_t n;

	while ((n = read(fd, buffer + kept, sizeof(buffer) - kept)) > 0) {
		kept += (size_t)n;
		whole = whole_lines(buffer, kept, sizeof(buffer));
		parse(r, buffer, whole);
		kept -= whole;
		memmove(buffer, buffer + whole, kept);
	}
	if (!n)
		parse(r, buffer, kept);
	return (int)n;
}

const char *records_name(const char *path)
{
	return strcmp(path, "-") ? path : "standard input";
}

int records_read(const char *path, void (*each)(void *data, struct json_object *o), void *data)
{
	struct records r = { .tokener = json_tokener_new(), .each = each, .data = data };
	int fd = strcmp(path, "-") ? open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
				   : dup(STDIN_FILENO);
	int err = 0;

	if (fd < 0 || !r.tokener || read_all(&r, fd))
		err = errno;
	if (r.tokener)
		json_tokener_free(r.tokener);
	if (fd >= 0)
		close(fd);
	return err ? fail(EXIT_ERROR, NULL, "cannot read %s: %s", records_name(path), strerror(err))
		   : 0;
}
