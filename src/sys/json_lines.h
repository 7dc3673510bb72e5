/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * JSON lines over json-c: exact 64-bit integers, valid UTF-8 whatever the bytes, null for what is
 * not measured. Without memory a record is not written at all (ENOMEM).
 */
#ifndef JSON_LINES_H
#define JSON_LINES_H

#include <json-c/json.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>

#define JSON_SCHEMA 1

/* Add a member to @o. A NULL string, and a double that is negative or not finite, become null. */
void add_u64(struct json_object *o, const char *key, __u64 value);
void add_double(struct json_object *o, const char *key, double value);
/* Nanoseconds as a number of microseconds with three decimals, exactly. */
void add_us(struct json_object *o, const char *key, __u64 ns);
void add_bool(struct json_object *o, const char *key, bool value);
void add_str(struct json_object *o, const char *key, const char *value);
void add_null(struct json_object *o, const char *key);
/* Add an empty object and return it, or NULL without memory, which all these take as @o. */
struct json_object *add_object(struct json_object *o, const char *key);

/* Add @value (NULL: null) to @o, or at the end of @array. They own it from then on. */
void add_value(struct json_object *o, const char *key, struct json_object *value);
void json_append(struct json_object *array, struct json_object *value);

/* Make a value. Bytes of a string that are not UTF-8 become U+FFFD. */
struct json_object *json_new(void);
struct json_object *json_array(void);
struct json_object *json_int(int value);
struct json_object *json_text(const char *value);

/* Write @o as one line that no terminal acts on, and free it. Returns 0, or -1 with errno set. */
int json_put_line(FILE *f, struct json_object *o);

/* The same, and flush. */
int json_write(FILE *f, struct json_object *o);

#endif /* JSON_LINES_H */
