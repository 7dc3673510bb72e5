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

struct records {
	struct json_tokener *tokener;
	size_t begun;	/* bytes of the object that is being read */
	size_t objects; /* and arrays in it */
	bool skip_line; /* until its end nothing is read */
	bool at_line;	/* the text begins with a line */
	void (*each)(void *data, struct json_object *o);
	void *data;
};

/* Skip what is no object: space, or up to the end of a line. Returns how many of @n bytes. */
static size_t skip(struct records *r, const char *text, size_t n)
{
	const char *end;

	if (!r->skip_line && isspace((unsigned char)*text))
		return 1;
	end = memchr(text, '\n', n);
	r->skip_line = !end;
	return end ? (size_t)(end - text) + 1 : n;
}

/* Those in strings too: names have few. */
static size_t count_objects(const char *text, size_t n)
{
	size_t nr = 0;

	for (size_t i = 0; i < n; i++)
		nr += text[i] == '{' || text[i] == '[';
	return nr;
}

/* Where to go on after an error at @used: at the begin of its line, unless the object began there. */
static size_t after_error(struct records *r, const char *text, size_t used, bool begun_before)
{
	const char *end = memrchr(text, '\n', used);

	if (end)
		return (size_t)(end - text) + 1;
	if (begun_before && r->at_line)
		return 0;
	r->skip_line = true;
	return used;
}

/* Parse an object, or a part of it: @used of @n bytes. Returns false when it is too large. */
static bool parse_object(struct records *r, const char *text, size_t n, size_t *used)
{
	struct json_object *o = json_tokener_parse_ex(r->tokener, text, (int)n);
	const enum json_tokener_error error = json_tokener_get_error(r->tokener);
	const bool begun_before = r->begun;
	bool fits;

	*used = error == json_tokener_continue ? n : json_tokener_get_parse_end(r->tokener);
	r->begun += *used;
	r->objects += count_objects(text, *used);
	fits = r->begun <= RECORD_MAX && r->objects <= OBJECTS_MAX;
	if (error == json_tokener_continue)
		return fits;
	if (error != json_tokener_success)
		*used = after_error(r, text, *used, begun_before);
	else if (fits)
		r->each(r->data, o);
	json_object_put(o);
	json_tokener_reset(r->tokener);
	r->begun = r->objects = 0;
	return fits;
}

/* Returns 0, or -1 with errno set. */
static int parse(struct records *r, const char *text, size_t n)
{
	const char *end = text + n;
	size_t used;

	for (; text < end; text += used) {
		n = (size_t)(end - text);
		if (r->skip_line || (!r->begun && *text != '{')) {
			used = skip(r, text, n);
		} else if (!parse_object(r, text, n, &used)) {
			errno = EFBIG;
			return -1;
		}
	}
	if (n)
		r->at_line = end[-1] == '\n';
	return 0;
}

/* The bytes of whole lines, or all when none fits into @size. */
static size_t whole_lines(const char *text, size_t n, size_t size)
{
	const char *end = memrchr(text, '\n', n);

	if (end)
		return (size_t)(end - text) + 1;
	return n == size ? n : 0;
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
		if (parse(r, buffer, whole))
			return -1;
		kept -= whole;
		memmove(buffer, buffer + whole, kept);
	}
	return n ? -1 : parse(r, buffer, kept);
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
