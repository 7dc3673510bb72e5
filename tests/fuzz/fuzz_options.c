// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The option parser on any words: it accepts them, or refuses with EXIT_USAGE and a harmless
 * message. Accepted options satisfy what the rest of the tool relies on.
 */
#include "sys/err.h"
#include "fuzz.h"
#include "sys/options.h"

#include <setjmp.h>

#define MAX_WORDS 32

static jmp_buf done;
static FILE *real_stderr;

/* Stand-in for exit(): --help and --version end the program, not the fuzzer. */
void fuzz_exit(int status);
void fuzz_exit(int status)
{
	demand(status == EXIT_DONE);
	longjmp(done, 1);
}

static void demand_sound(const struct options *o)
{
	demand(o->nr_pids >= 0 && o->nr_pids <= MAX_PIDS);
	for (int i = 0; i < o->nr_pids; i++) {
		demand(o->pids[i] > 0);
		for (int k = 0; k < i; k++)
			demand(o->pids[k] != o->pids[i]);
	}
	demand(!!o->nr_pids + !!o->cgroup + !!o->command + o->all == 1);
	demand(!o->command || o->command[0]);
	demand(o->fail_above == -1 || (o->fail_above >= 0 && o->fail_above <= 1));
	demand(!o->count || o->interval_ns);
	demand(!o->interval_ns || o->interval_ns >= 1000);
	demand(!o->duration_ns || o->duration_ns >= 1000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct options o;
	char *copy = malloc(size + 1), *argv[MAX_WORDS + 2], *said = NULL;
	size_t length;
	volatile int argc = 0;

	memcpy(copy, data, size);
	copy[size] = '\0';
	argv[argc++] = "uffdretry";
	for (char *word = copy; word <= copy + size && argc <= MAX_WORDS; word += strlen(word) + 1)
		argv[argc++] = word;
	argv[argc] = NULL;
	if (!real_stderr) {
		real_stderr = stderr;
		if (!freopen("/dev/null", "w", stdout))
			return 0;
	}
	stderr = open_memstream(&said, &length);
	if (!setjmp(done)) {
		int err = options_parse(&o, argc, argv);

		fflush(stderr);
		demand(err == 0 || err == EXIT_USAGE);
		demand(err ? length > 0 : length == 0);
		if (!err)
			demand_sound(&o);
	}
	err_json(NULL);
	fclose(stderr);
	stderr = real_stderr;
	demand_harmless(said, length);
	free(said);
	free(copy);
	return 0;
}
