// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The options of the loads that resemble programs: the tables that several share.
#include "program/kit/params.h"

const char *const what_words[] = { "unrelated", "benign", "replace", NULL };
const char *const source_words[] = { "map", "buffer", NULL };
const char *const cache_words[] = { "warm", "cold", NULL };

const struct setting common_settings[] = {
	NUMBER_SETTING(struct params, pages, "pages", "N", 1, 1 << 22, "Pages of the destination"),
	NUMBER_SETTING(struct params, writers, "writers", "N", 1, 64,
		       "Writer threads, which share the rate"),
	RATE_SETTING(struct params, writer_rate, "writer-rate", 1000000,
		     "Writes to the destination's mm a second, 0 for none"),
	WORD_SETTING(struct params, writer_what, "writer-what", "WHAT", what_words,
		     "What they write: unrelated (other mappings), benign (the destination, but "
		     "nothing that a check needs to see), replace (the destination anew)"),
	NUMBER_SETTING(struct params, seed, "seed", "S", 0, UINT64_MAX,
		       "Seed of the pages' contents and of all choices"),
	TIME_SETTING(struct params, duration_ms, "duration",
		     "Begin anew until TIME (500ms, 10s, 1m) is over (default: end when all pages "
		     "are done)"),
	NUMBER_SETTING(struct params, passes, "passes", "N", 1, 1000000000,
		       "Do all pages N times (default 1; with --duration as often as time allows)"),
	FLAG_SETTING(struct params, wait, "wait",
		     "Before all else say \"ready PID\" on stderr and wait for SIGUSR1"),
	{ 0 },
};

const struct setting vm_settings[] = {
	SETTING_THREADS("Threads that touch the memory, as vCPUs do"),
	SETTING_HANDLERS("Threads that read faults and copy"),
	SETTING_RUN,
	TEXT_SETTING(struct params, dir, "dir", "DIR",
		     "Where the file is made (default $TMPDIR or /tmp)"),
	RATE_SETTING(struct params, device_rate, "device-rate", 1000000,
		     "Buffers a second that a device thread maps, uses and unmaps, 0 for none"),
	{ 0 },
};

const struct setting file_settings[] = {
	WORD_SETTING(struct params, source, "source", "KIND", source_words,
		     "Where a copy comes from: map (the mapped file itself: windows) or buffer (the "
		     "file is read into one first: hardly any)"),
	WORD_SETTING(struct params, cache, "cache", "STATE", cache_words,
		     "The file's pages at the begin of each pass: warm (in the page cache) or cold "
		     "(dropped; not possible on tmpfs)"),
	{ 0 },
};

const struct setting balloon_settings[] = {
	RATE_SETTING(struct params, balloon_rate, "balloon-rate", 1000000,
		     "Pieces of 16 pages a second that are given back (MADV_DONTNEED); the handler "
		     "reads the events and fills with zeroes from then on; 0 for none"),
	{ 0 },
};
