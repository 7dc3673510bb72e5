// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Options as a table: the parser, --help with the defaults, and the JSON of all values come from
// it.
#include <argp.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steps/settings.h"

#define SETTINGS_MAX 48
#define DOC_MAX 512
#define FIRST_KEY 256

/* The state of one parse. */
struct parse {
	void *values;
	const struct setting *of_key[SETTINGS_MAX];
	size_t nr;
};

/* --- values ----------------------------------------------------------------------------------- */

static void set(void *values, const struct setting *setting, uint64_t n)
{
	/* Little-endian: the low bytes come first. */
	memcpy((char *)values + setting->offset, &n, setting->size);
}

static uint64_t get(const void *values, const struct setting *setting)
{
	uint64_t n = 0;

	memcpy(&n, (const char *)values + setting->offset, setting->size);
	return n;
}

static const char *get_text(const void *values, const struct setting *setting)
{
	const char *text;

	memcpy(&text, (const char *)values + setting->offset, sizeof(text));
	return text;
}

/* --- parsing ---------------------------------------------------------------------------------- */

static bool number(const char *text, char **end, uint64_t *n)
{
	errno = 0;
	*n = strtoull(text, end, 10);
	return *text >= '0' && *text <= '9' && !errno;
}

static uint64_t parse_number(struct argp_state *state, const struct setting *setting,
			     const char *text)
{
	const char *or_max = setting->type == SETTING_RATE ? ", or max" : "";
	uint64_t n;
	char *end;

	if (*or_max && !strcmp(text, "max"))
		return RATE_MAX;
	if (!number(text, &end, &n) || *end || n < setting->min || n > setting->max)
		argp_error(state, "--%s must be a number from %llu to %llu%s, not '%s'",
			   setting->name, (unsigned long long)setting->min,
			   (unsigned long long)setting->max, or_max, text);
	return n;
}

static uint64_t parse_time(struct argp_state *state, const struct setting *setting,
			   const char *text)
{
	static const struct {
		const char *suffix;
		uint64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 } };
	uint64_t n;
	char *end;
	size_t i;

	if (number(text, &end, &n) && n && n < 1000000)
		for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
			if (!strcmp(end, units[i].suffix))
				return n * units[i].ms;
	argp_error(state, "--%s is a duration like 500ms, 10s or 1m, not '%s'", setting->name,
		   text);
	return 0;
}

static void join_words(char *to, size_t size, const char *const *words)
{
	size_t used = 0;

	to[0] = 0;
	for (; *words && used < size; words++)
		used += (size_t)snprintf(to + used, size - used, "%s%s", used ? ", " : "", *words);
}

static uint64_t parse_word(struct argp_state *state, const struct setting *setting,
			   const char *text)
{
	char all[256];
	size_t i;

	for (i = 0; setting->words[i]; i++)
		if (!strcmp(setting->words[i], text))
			return i;
	join_words(all, sizeof(all), setting->words);
	argp_error(state, "--%s is one of %s, not '%s'", setting->name, all, text);
	return 0;
}

static error_t parse_one(int key, char *arg, struct argp_state *state)
{
	struct parse *parse = state->input;
	const struct setting *setting;

	if (key < FIRST_KEY || (size_t)(key - FIRST_KEY) >= parse->nr)
		return ARGP_ERR_UNKNOWN;
	setting = parse->of_key[key - FIRST_KEY];
	switch (setting->type) {
	case SETTING_NUMBER:
	case SETTING_RATE:
		set(parse->values, setting, parse_number(state, setting, arg));
		return 0;
	case SETTING_TIME:
		set(parse->values, setting, parse_time(state, setting, arg));
		return 0;
	case SETTING_WORD:
		set(parse->values, setting, parse_word(state, setting, arg));
		return 0;
	case SETTING_TEXT:
		memcpy((char *)parse->values + setting->offset, &arg, sizeof(arg));
		return 0;
	case SETTING_FLAG:
		set(parse->values, setting, 1);
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

/* --- help ------------------------------------------------------------------------------------- */

/* The text of --help, with the default if there is one. */
static void describe(char *to, size_t size, const struct setting *setting, const void *values)
{
	uint64_t n = setting->type == SETTING_TEXT ? 0 : get(values, setting);

	if (setting->type == SETTING_WORD)
		snprintf(to, size, "%s (default %s)", setting->doc, setting->words[n]);
	else if (setting->type == SETTING_RATE && n == RATE_MAX)
		snprintf(to, size, "%s (default max)", setting->doc);
	else if ((setting->type == SETTING_NUMBER || setting->type == SETTING_RATE) &&
		 n >= setting->min)
		snprintf(to, size, "%s (default %llu)", setting->doc, (unsigned long long)n);
	else
		snprintf(to, size, "%s", setting->doc);
}

void settings_parse(const struct setting *const *tables, const char *doc, void *values, int argc,
		    char **argv)
{
	static char docs[SETTINGS_MAX][DOC_MAX];
	static struct argp_option options[SETTINGS_MAX + 1];
	const struct argp argp = { .options = options, .parser = parse_one, .doc = doc };
	struct parse parse = { .values = values };
	const struct setting *setting;
	size_t n = 0;

	for (; *tables; tables++)
		for (setting = *tables; setting->name && n < SETTINGS_MAX; setting++, n++) {
			describe(docs[n], sizeof(docs[n]), setting, values);
			options[n] = (struct argp_option) { .name = setting->name,
							    .key = (int)(FIRST_KEY + n),
							    .arg = setting->arg,
							    .doc = docs[n] };
			parse.of_key[n] = setting;
		}
	parse.nr = n;
	argp_parse(&argp, argc, argv, 0, NULL, &parse);
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* A number below its minimum was not given. */
static struct json_object *value_json(const struct setting *setting, const void *values)
{
	uint64_t n = get(values, setting);

	switch (setting->type) {
	case SETTING_TEXT:
		return n ? json_object_new_string(get_text(values, setting)) : NULL;
	case SETTING_WORD:
		return json_object_new_string(setting->words[n]);
	case SETTING_FLAG:
		return json_object_new_boolean(n != 0);
	case SETTING_TIME:
		return n ? json_object_new_uint64(n) : NULL;
	case SETTING_RATE:
		return n == RATE_MAX ? json_object_new_string("max") : json_object_new_uint64(n);
	case SETTING_NUMBER:
		return n < setting->min ? NULL : json_object_new_uint64(n);
	}
	return NULL;
}

struct json_object *settings_json(const struct setting *const *tables, const void *values)
{
	struct json_object *object = json_object_new_object();
	const struct setting *setting;

	for (; *tables; tables++)
		for (setting = *tables; setting->name; setting++)
			json_object_object_add(object, setting->name, value_json(setting, values));
	return object;
}
