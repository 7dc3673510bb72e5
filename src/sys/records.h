/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* A file of JSON records, as -j writes them or laid out by another program. */
#ifndef RECORDS_H
#define RECORDS_H

#include <json-c/json.h>

/* No record is larger: a summary, with all its writers and holders, is below 1 MiB. */
#define RECORD_MAX (4U << 20)

/*
 * records_read() - give each JSON object of the file @path ("-": stdin) to @each, which owns none of
 * it. Anything else, and an object that is too large, is skipped up to the end of its line, or to a
 * record in it: COMMAND may have written it. An object that is not ended ends where a line begins with
 * a record.
 * Returns 0, or prints why the file cannot be read and returns EXIT_ERROR.
 */
int records_read(const char *path, void (*each)(void *data, struct json_object *o), void *data);

/* What an error calls @path. */
const char *records_name(const char *path);

#endif /* RECORDS_H */
