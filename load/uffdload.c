// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// uffdload: UFFDIO_COPY loads. Commands, and the options of those whose windows are known for certain.
#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steps/handler.h"
#include "load.h"
#include "program/program.h"
#include "steps/settings.h"

#define AT_ONCE_LIMIT 64

/* --- options that several have ------------------------------------------------------------------------------ */

static const char *const locks_words[] = { "vma", "mmap", NULL };
static const char *const free_words[] = { "unrelated", "benign", "replaced", "none", NULL };

#define RUNS(s, limit) NUMBER_SETTING(s, runs, "runs", "N", 1, (limit), "Do each of them N times")
#define SEED(s) NUMBER_SETTING(s, seed, "seed", "S", 0, UINT64_MAX, "Seed of the order and of all choices")
#define WAIT(s)                                                                                                        \
	FLAG_SETTING(s, wait, "wait",                                                                                  \
		     "After all set-up say \"ready PID\" on stderr and wait for SIGUSR1 before the first UFFDIO_COPY")
#define KERNEL_CHECK(s)                                                                                                \
	WORD_SETTING(s, kernel_check, "kernel-check", "CHECK", truth_kernel_names,                                     \
		     "What the running kernel compares after the retry: snapshot (7.1 and later), none (up to 7.0), "  \
		     "per_mm_seq or per_vma_seq (kernels built for a test)")
#define LOCKS(s)                                                                                                       \
	WORD_SETTING(s, mmap_lock_only, "locks", "LOCKS", locks_words,                                                 \
		     "What the running kernel guards a VMA with: vma (a lock of its own, 6.4 and later) or mmap "      \
		     "(mmap_lock alone)")

static void parse(const struct setting *table, const char *doc, void *options, int argc, char **argv)
{
	const struct setting *const tables[] = { table, NULL };
	const struct settings settings = { .tables = tables, .doc = doc };

	settings_parse(&settings, options, argc, argv);
}

/* --- exact -------------------------------------------------------------------------------------------------- */

static int exact_command(int argc, char **argv)
{
	struct exact_command {
		struct exact_options options;
		bool list;
		bool json;
	} command = { .options = { .runs = 5, .seed = 1 } };
	static const struct setting shared[] = {
		RUNS(struct exact_options, 10000),
		SEED(struct exact_options),
		TEXT_SETTING(struct exact_options, only, "only", "NAME,...", "Only these scenarios"),
		WAIT(struct exact_options),
		KERNEL_CHECK(struct exact_options),
		LOCKS(struct exact_options),
		{ 0 },
	};
	static const struct setting own[] = {
		FLAG_SETTING(struct exact_command, list, "list", "List the scenarios and their classes, and exit"),
		FLAG_SETTING(struct exact_command, json, "json",
			     "With --list: as JSON, with all that is expected of them"),
		{ 0 },
	};
	static const struct setting *const tables[] = { shared, own, NULL };
	static const struct settings settings = {
		.tables = tables,
		.doc = "Named windows in a shuffled order, each held open while its one thing happens. The exact truth "
		       "goes to stdout as one JSON object.\v"
		       "Exit: 0 all was as expected, 1 the kernel did otherwise (named on stderr), 64 usage.",
	};

	settings_parse(&settings, &command, argc, argv);
	return command.list ? exact_list(command.json) : exact_main(&command.options);
}

/* --- random ------------------------------------------------------------------------------------------------- */

static int random_command(int argc, char **argv)
{
	static const struct setting table[] = {
		NUMBER_SETTING(struct random_options, windows, "windows", "N", 1, 1000000000,
			       "Open at least N windows"),
		SEED(struct random_options),
		NUMBER_SETTING(struct random_options, at_once, "at-once", "K", 1, AT_ONCE_LIMIT,
			       "Up to K windows open at a time"),
		WAIT(struct random_options),
		KERNEL_CHECK(struct random_options),
		LOCKS(struct random_options),
		{ 0 },
	};
	struct random_options options = { .windows = 10000, .seed = 1, .at_once = 8 };

	parse(table,
	      "Random windows on random destinations, with zero to four random operations in each. A model of the "
	      "address space computes what each window is, and what the kernel must answer.\v"
	      "Exit: 0 all was as expected, 1 the kernel did otherwise (described on stderr), 64 usage.",
	      &options, argc, argv);
	return random_main(&options);
}

/* --- free --------------------------------------------------------------------------------------------------- */

static int free_command(int argc, char **argv)
{
	static const struct setting table[] = {
		NUMBER_SETTING(struct free_options, pages, "pages", "N", 1, 1 << 20,
			       "Pages of each copier's destination"),
		NUMBER_SETTING(struct free_options, copiers, "copiers", "T", 1, 256, "Copier threads"),
		NUMBER_SETTING(struct free_options, writers, "writers", "W", 0, 256, "Writer threads"),
		NUMBER_SETTING(struct free_options, rate, "rate", "R", 0, 1000000,
			       "Write operations a second of each writer, 0 for as fast as it can"),
		WORD_SETTING(struct free_options, what, "what", "WHAT", free_words,
			     "What the writers write: unrelated (other mappings), benign (the destinations, but "
			     "nothing that the kernel's check compares), replaced (the destinations anew), none"),
		SEED(struct free_options),
		TIME_SETTING(struct free_options, duration_ms, "duration",
			     "Stop after TIME, like 500ms, 10s or 1m (default: at a signal)"),
		WAIT(struct free_options),
		{ 0 },
	};
	struct free_options options = { .pages = 256, .copiers = 2, .writers = 1, .rate = 1000, .seed = 1 };

	parse(table,
	      "Copiers and writers that run freely. Each copy comes from an untouched page, so it has exactly one "
	      "window. The truth has only what is certain. SIGINT and SIGTERM end it with the truth printed.",
	      &options, argc, argv);
	return free_main(&options);
}

/* --- writers ------------------------------------------------------------------------------------------------ */

static int writers_command(int argc, char **argv)
{
	static const struct setting table[] = {
		RUNS(struct writers_options, 10000),
		WAIT(struct writers_options),
		{ 0 },
	};
	struct writers_options options = { .runs = 3 };

	parse(table,
	      "Each way to write to an mm once in a window that is held open: by this process, by another one, by the "
	      "kernel. Who must be named goes to stdout as one JSON object.\v"
	      "Exit: 0 all was as expected, 1 the kernel did otherwise (named on stderr), 64 usage.",
	      &options, argc, argv);
	return writers_main(&options);
}

/* --- causes ------------------------------------------------------------------------------------------------- */

static int causes_command(int argc, char **argv)
{
	static const struct setting table[] = {
		RUNS(struct causes_options, 100),
		WAIT(struct causes_options),
		KERNEL_CHECK(struct causes_options),
		LOCKS(struct causes_options),
		{ 0 },
	};
	struct causes_options options = { .runs = 3 };

	parse(table,
	      "Copies that fail, each for a reason known beforehand, and what is re-issued until it succeeds. The "
	      "exact truth goes to stdout as one JSON object.\v"
	      "Exit: 0 all was as expected, 1 the kernel did otherwise (named on stderr), 64 usage.",
	      &options, argc, argv);
	return causes_main(&options);
}

/* --- the commands ------------------------------------------------------------------------------------------- */

struct command {
	const char *name;
	int (*main)(int argc, char **argv);
};

static const struct command commands[] = {
	{ "exact", exact_command },	{ "random", random_command }, { "free", free_command },
	{ "writers", writers_command }, { "causes", causes_command },
};

/* What was asked for: one of the two. */
struct chosen {
	const struct command *command;
	const struct prod *prod;
};

static const struct command *command_by_name(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

static error_t parse_command(int key, char *arg, struct argp_state *state)
{
	struct chosen *chosen = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		chosen->command = command_by_name(arg);
		chosen->prod = prod_by_name(arg);
		if (!chosen->command && !chosen->prod)
			argp_error(state, "no command '%s'", arg);
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp top_argp = {
	.parser = parse_command,
	.args_doc = "COMMAND [OPTION...]",
	.doc = "UFFDIO_COPY loads: some whose retry windows are known for certain, against which uffdretry's numbers "
	       "are tested, and some that resemble programs.\v"
	       "KNOWN FOR CERTAIN:\n"
	       "  exact   named windows, each with its class, verdicts and reasons\n"
	       "  random  random windows, and a model that says what each of them is\n"
	       "  free    copiers and writers that run freely, as fast as they can\n"
	       "  writers each way to write to an mm, one a window\n"
	       "  causes  copies that fail, each with its cause\n"
	       "\n"
	       "LIKE A PROGRAM (docs/development/loads.md):\n"
	       "  restore         a VM's memory from a snapshot file, by another process (Firecracker)\n"
	       "  restore-inproc  the same by threads of the VMM, beside remaps (Cloud Hypervisor)\n"
	       "  gc              compaction from a released buffer beside allocating mutators (ART)\n"
	       "  swap            a restore whose source was reclaimed (a dense host)\n"
	       "  hugetlb         a restore into huge pages\n"
	       "  torture         copies against writers, both as fast as they can\n"
	       "\n"
	       "EXAMPLES:\n"
	       "  uffdload exact --list                 what there is\n"
	       "  uffdload exact --runs 20 --seed 7     every scenario 20 times, in an order that 7 gives\n"
	       "  uffdload exact --only fork,mprotect   these two\n"
	       "  uffdload random --windows 10000       many more windows than anybody thought of\n"
	       "  uffdload restore --duration 10s --writer-rate 1000\n"
	       "                                        restores for ten seconds, beside a writer\n"
	       "  uffdload torture --duration 10s       how coarse is a check of the whole mm?\n"
	       "\n"
	       "`uffdload COMMAND --help` has each command's options. A userfaultfd that serves the kernel's own "
	       "faults is needed: root, or vm.unprivileged_userfaultfd=1, or access to /dev/userfaultfd.",
};

/* The load starts itself anew as its external handler. */
static bool is_handler(int argc, char **argv)
{
	return argc == 3 && !strncmp(argv[1], HANDLER_OPTION, strlen(HANDLER_OPTION));
}

int main(int argc, char **argv)
{
	struct chosen chosen = { 0 };
	static char name[64];

	prepare_process();
	if (is_handler(argc, argv))
		return handler_main(atoi(argv[1] + strlen(HANDLER_OPTION)), atoi(argv[2]));
	argp_parse(&top_argp, argc, argv, ARGP_IN_ORDER, NULL, &chosen);
	/* What precedes the command is --help and --usage only, and these do not return. */
	snprintf(name, sizeof(name), "uffdload %s", chosen.prod ? chosen.prod->name : chosen.command->name);
	argv[1] = name;
	return chosen.prod ? prod_main(chosen.prod, argc - 1, argv + 1) : chosen.command->main(argc - 1, argv + 1);
}
