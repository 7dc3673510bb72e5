/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Members of JSON that anybody may have written. What is missing or has another type is noted, once,
 * and reads as 0: the caller looks at @bad when all is read.
 */
#ifndef JSON_READ_H
#define JSON_READ_H

#include <json-c/json.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

struct json_reader {
	char bad[64]; /* the first member that is missing or has another type; "": none */
};

/* Keep that @path is bad. */
void read_failed(struct json_reader *r, const char *path);

/* The member at @path ("a.b.c") of @o, or NULL, which is noted. */
struct json_object *read_member(struct json_reader *r, struct json_object *o, const char *path,
				enum json_type type);

/* Is it there and null? */
bool read_null(struct json_object *o, const char *path);

/* Is it there, whatever it is? */
bool read_there(struct json_object *o, const char *path);

/* A count; a negative one is bad. */
__u64 read_u64(struct json_reader *r, struct json_object *o, const char *path);
/* The same, or 0 where it is null. */
__u64 read_u64_or_null(struct json_reader *r, struct json_object *o, const char *path);
/* A number from 0 to 1e12. */
double read_double(struct json_reader *r, struct json_object *o, const char *path);
bool read_bool(struct json_reader *r, struct json_object *o, const char *path);

/*
 * read_text() - a string as printable ASCII: '?' for each other byte, and for U+FFFD, which stands for
 * one byte (json_lines.h). What is no string is bad, and reads as "".
 */
void read_text(struct json_reader *r, struct json_object *o, const char *path, char *text,
	       size_t size);
/* The same, or "" where it is null. */
void read_text_or_null(struct json_reader *r, struct json_object *o, const char *path, char *text,
		       size_t size);

#endif /* JSON_READ_H */
