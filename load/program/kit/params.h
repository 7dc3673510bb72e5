// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The options of the loads that resemble programs: all values, the tables, and their defaults.
#ifndef UFFDLOAD_PARAMS_H
#define UFFDLOAD_PARAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "steps/settings.h"

enum writer_what { WRITER_UNRELATED, WRITER_BENIGN, WRITER_REPLACE };
enum source_kind { SOURCE_MAP, SOURCE_BUFFER, SOURCE_ANON };
enum cache { CACHE_WARM, CACHE_COLD };

extern const char *const what_words[];
extern const char *const source_words[];
extern const char *const cache_words[];

/* Of all loads; a load has those of its tables. Rates are a second. */
struct params {
	uint64_t pages;
	uint64_t threads;
	uint64_t handlers;
	uint64_t writers;
	uint64_t writer_rate;
	enum writer_what writer_what;
	uint64_t seed;
	uint64_t duration_ms; /* 0: until all pages are done */
	uint64_t passes;      /* 0: as many as fit in the duration */
	bool wait;
	enum source_kind source;
	enum cache cache;
	const char *dir;
	uint64_t run;
	uint64_t device_rate;
	uint64_t balloon_rate;
	uint64_t prefetch;
	uint64_t remap_rate;
	uint64_t alloc_rate;
	uint64_t released; /* percent */
};

/* Options of all loads, of a VM, and of a snapshot file that is copied from. */
extern const struct setting common_settings[];
extern const struct setting vm_settings[];
extern const struct setting file_settings[];
/* An option of both loads with a balloon. */
extern const struct setting balloon_settings[];

/* Defaults, for a guest with two CPUs. A load ignores values of options that it does not have. */
#define DEFAULTS .threads = 2, .handlers = 1, .writers = 1, .seed = 1
/* As many pages as an emulated guest restores in a second. */
#define VM_DEFAULTS DEFAULTS, .pages = 4096, .run = 8, .device_rate = 100

#define SETTING_THREADS(text) NUMBER_SETTING(struct params, threads, "threads", "N", 1, 64, (text))
#define SETTING_HANDLERS(text) \
	NUMBER_SETTING(struct params, handlers, "handlers", "N", 1, 64, (text))
#define SETTING_RUN                                             \
	NUMBER_SETTING(struct params, run, "run", "N", 1, 4096, \
		       "Pages that a thread touches in a row before it goes elsewhere")

#endif
