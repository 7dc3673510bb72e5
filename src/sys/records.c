// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* A file of JSON records: see records.h. */
#include "sys/records.h"
#include "sys/err.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

/* The largest summary, with all its writers and holders, is below 1 MiB. */
#define RECORD_MAX (4U << 20)

struct records {
	struct json_tokener *tokener;
	size_t begun;	/* bytes of the object that is being read */
	bool skip_line; /* until its end nothing is read */
	void (*each)(void *data, struct json_object *o);
	void *data;
};

/* Skip what is no object: space, or up to the end of a line. Returns how many of @n bytes. */
static size_t skip(struct records *r, const char *text, size_t n)
{
	const size_t space = r->skip_line ? 0 : strspn(text, " \t\r\n");
	const char *end;

	if (space)
		return space;
	end = memchr(text, '\n', n);
	r->skip_line = !end;
	return end ? (size_t)(end - text) + 1 : n;
}

/* @text has a NUL behind its @n bytes. Returns false when an object is too large. */
static bool parse(struct records *r, const char *text, size_t n)
{
	struct json_object *o;
	size_t used;

	while (n) {
		if (r->skip_line || (!r->begun && *text != '{')) {
			used = skip(r, text, n);
			text += used;
			n -= used;
			continue;
		}
		o = json_tokener_parse_ex(r->tokener, text, (int)n);
		used = json_tokener_get_parse_end(r->tokener);
		if (json_tokener_get_error(r->tokener) == json_tokener_continue) {
			r->begun += n;
			return r->begun <= RECORD_MAX;
		}
		if (json_tokener_get_error(r->tokener) == json_tokener_success)
			r->each(r->data, o);
		else
			r->skip_line = true;
		json_object_put(o);
		json_tokener_reset(r->tokener);
		r->begun = 0;
		text += used;
		n -= used;
	}
	return true;
}

/* Returns 0, or -1 with errno set. */
static int read_all(struct records *r, int fd)
{
	static char buffer[(64 << 10) + 1];
	ssize_t n;

	while ((n = read(fd, buffer, sizeof(buffer) - 1)) > 0) {
		buffer[n] = '\0';
		if (parse(r, buffer, (size_t)n))
			continue;
		errno = EFBIG;
		return -1;
	}
	return n ? -1 : 0;
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
