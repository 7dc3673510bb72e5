// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Loads that resemble programs: their parameters, and the table of them. docs/development/loads.md says what each is modelled on.
#ifndef UFFDLOAD_PROD_H
#define UFFDLOAD_PROD_H

#include <stdbool.h>
#include <stdint.h>

#include "steps/settings.h"

/* This machine lacks what the load needs; named on stderr. */
#define EXIT_LACKS 77

enum writer_what { WRITER_UNRELATED, WRITER_BENIGN, WRITER_REPLACE };
enum source_kind { SOURCE_MAP, SOURCE_BUFFER, SOURCE_ANON };
enum cache { CACHE_WARM, CACHE_COLD };

/* Of all loads; which of them a load has is what its settings say. Rates are a second. */
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

struct run;

#define SETTINGS_MAX 3

struct prod {
	const char *name;
	const char *doc;
	const struct setting *settings[SETTINGS_MAX]; /* tables, beside that of all loads */
	struct params defaults;
	/* All pages once: 0 or -errno, with a message printed. */
	int (*pass)(struct run *run);
};

extern const struct prod restore_prod, restore_inproc_prod, swap_prod, hugetlb_prod;
extern const struct prod gc_prod, torture_prod;

/* NULL when there is none of this name. */
const struct prod *prod_by_name(const char *name);
int prod_main(const struct prod *prod, int argc, char **argv);

/* --- what several have -------------------------------------------------------------------------------------- */

extern const char *const what_words[];
extern const char *const source_words[];
extern const char *const cache_words[];

/* Defaults: what a guest with two CPUs bears. What a load has no option for, it does not look at. */
#define DEFAULTS .threads = 2, .handlers = 1, .writers = 1, .seed = 1
/* A device's requests, and as many pages of 4 KiB as restore an emulated guest in a second. */
#define VM_DEFAULTS DEFAULTS, .pages = 4096, .run = 8, .device_rate = 100

#define SETTING_THREADS(text) NUMBER_SETTING(struct params, threads, "threads", "N", 1, 64, (text))
#define SETTING_HANDLERS(text) NUMBER_SETTING(struct params, handlers, "handlers", "N", 1, 64, (text))
#define SETTING_RUN                                                                                                    \
	NUMBER_SETTING(struct params, run, "run", "N", 1, 4096,                                                        \
		       "Pages that a thread touches in a row before it goes elsewhere")
#define SETTING_SOURCE                                                                                                 \
	WORD_SETTING(struct params, source, "source", "KIND", source_words,                                            \
		     "Where a copy comes from: map (the mapped file itself: windows) or buffer (the file is read "     \
		     "into one first: hardly any)")
#define SETTING_CACHE                                                                                                  \
	WORD_SETTING(struct params, cache, "cache", "STATE", cache_words,                                              \
		     "The file's pages at the begin of each pass: warm (in the page cache) or cold (dropped; not "     \
		     "possible on tmpfs)")
#define SETTING_DIR TEXT_SETTING(struct params, dir, "dir", "DIR", "Where the file is made (default $TMPDIR or /tmp)")
#define SETTING_DEVICE_RATE                                                                                            \
	RATE_SETTING(struct params, device_rate, "device-rate", 1000000,                                               \
		     "Buffers a second that a device thread maps, uses and unmaps, 0 for none")

#endif
