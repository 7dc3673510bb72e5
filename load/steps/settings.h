// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Options as a table: the parser, --help with the defaults, and the JSON of all values come from
// it.
#ifndef UFFDLOAD_SETTINGS_H
#define UFFDLOAD_SETTINGS_H

#include <json-c/json.h>
#include <stddef.h>
#include <stdint.h>

enum setting_type {
	SETTING_NUMBER, /* min to max */
	SETTING_RATE,	/* the same, or "max" */
	SETTING_TIME,	/* 500ms, 10s, 1m: as ms */
	SETTING_WORD,	/* one of words: as its index */
	SETTING_TEXT,	/* const char * */
	SETTING_FLAG,	/* without argument: bool */
};

#define RATE_MAX UINT64_MAX

/* Where the value is kept: an integer of any size, a bool, an enum, or a const char *. */
struct setting {
	const char *name; /* without dashes; NULL ends a table */
	const char *arg;
	enum setting_type type;
	size_t offset;
	size_t size;
	const char *const *words; /* NULL at the end */
	uint64_t min;
	uint64_t max;
	const char *doc; /* --help adds the default, the value before parsing */
};

/* Rows of a table: for a member of struct s. */
#define SETTING(type, s, member, name, arg, words, min, max, doc)                                \
	{                                                                                        \
		name, arg, type, offsetof(s, member), sizeof(((s *)0)->member), words, min, max, \
			doc                                                                      \
	}
#define NUMBER_SETTING(s, member, name, arg, min, max, doc) \
	SETTING(SETTING_NUMBER, s, member, name, arg, NULL, min, max, doc)
#define RATE_SETTING(s, member, name, max, doc) \
	SETTING(SETTING_RATE, s, member, name, "N", NULL, 0, max, doc)
#define TIME_SETTING(s, member, name, doc) \
	SETTING(SETTING_TIME, s, member, name, "TIME", NULL, 0, 0, doc)
#define WORD_SETTING(s, member, name, arg, words, doc) \
	SETTING(SETTING_WORD, s, member, name, arg, words, 0, 0, doc)
#define TEXT_SETTING(s, member, name, arg, doc) \
	SETTING(SETTING_TEXT, s, member, name, arg, NULL, 0, 0, doc)
#define FLAG_SETTING(s, member, name, doc) \
	SETTING(SETTING_FLAG, s, member, name, NULL, NULL, 0, 0, doc)

/*
 * Parse into *values, which holds the defaults. tables: NULL at the end. doc: the text of --help.
 * Ends the program after --help (0) and at a usage error (64).
 */
void settings_parse(const struct setting *const *tables, const char *doc, void *values, int argc,
		    char **argv);
/* {"name":value,...}: times in ms, RATE_MAX as "max", null for an option that was not given. */
struct json_object *settings_json(const struct setting *const *tables, const void *values);

#endif
