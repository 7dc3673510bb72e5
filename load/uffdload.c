// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// uffdload: UFFDIO_COPY loads whose retry windows are known for certain. Commands and options.
#include <argp.h>
#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "handler.h"
#include "load.h"

#define AT_ONCE_LIMIT 64

static const char *const free_names[NR_FREE] = {
	[FREE_UNRELATED] = "unrelated",
	[FREE_BENIGN] = "benign",
	[FREE_REPLACED] = "replaced",
	[FREE_NONE] = "none",
};

/* --- option values ------------------------------------------------------------------------------------------ */

static uint64_t parse_number(struct argp_state *state, const char *what, const char *text, uint64_t min, uint64_t max)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || n < min || n > max)
		argp_error(state, "%s must be a number from %llu to %llu, not '%s'", what, (unsigned long long)min,
			   (unsigned long long)max, text);
	return n;
}

/* 500ms, 10s, 1m */
static uint64_t parse_duration(struct argp_state *state, const char *text)
{
	static const struct {
		const char *suffix;
		uint64_t ms;
	} units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 } };
	unsigned long long n;
	char *end;
	size_t i;

	errno = 0;
	n = strtoull(text, &end, 10);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (*text >= '0' && *text <= '9' && !errno && n && n < 1000000 && !strcmp(end, units[i].suffix))
			return n * units[i].ms;
	argp_error(state, "a duration is like 500ms, 10s or 1m, not '%s'", text);
	return 0;
}

static enum kernel_check parse_kernel_check(struct argp_state *state, const char *text)
{
	int check = kernel_check_by_name(text);

	if (check < 0)
		argp_error(state, "--kernel-check is snapshot, none, per_mm_seq or per_vma_seq, not '%s'", text);
	return (enum kernel_check)check;
}

static bool parse_locks(struct argp_state *state, const char *text)
{
	if (strcmp(text, "vma") && strcmp(text, "mmap"))
		argp_error(state, "--locks is vma or mmap, not '%s'", text);
	return !strcmp(text, "mmap");
}

static enum free_what parse_what(struct argp_state *state, const char *text)
{
	enum free_what what;

	for (what = 0; what < NR_FREE; what++)
		if (!strcmp(free_names[what], text))
			return what;
	argp_error(state, "--what is unrelated, benign, replaced or none, not '%s'", text);
	return FREE_NONE;
}

/* --- exact -------------------------------------------------------------------------------------------------- */

enum key {
	KEY_RUNS = 256,
	KEY_SEED,
	KEY_ONLY,
	KEY_LIST,
	KEY_JSON,
	KEY_WAIT,
	KEY_KERNEL_CHECK,
	KEY_LOCKS,
	KEY_WINDOWS,
	KEY_AT_ONCE,
	KEY_PAGES,
	KEY_COPIERS,
	KEY_WRITERS,
	KEY_RATE,
	KEY_WHAT,
	KEY_DURATION,
};

#define OPTION_SEED                                                                                                    \
	{                                                                                                              \
		"seed", KEY_SEED, "S", 0, "Seed of the order and of all choices (default 1)", 0                        \
	}
#define OPTION_WAIT                                                                                                    \
	{                                                                                                              \
		"wait", KEY_WAIT, NULL, 0,                                                                             \
			"After all set-up say \"ready PID\" on stderr and wait for SIGUSR1 before the first "          \
			"UFFDIO_COPY",                                                                                 \
			0                                                                                              \
	}
#define OPTION_KERNEL_CHECK                                                                                            \
	{                                                                                                              \
		"kernel-check", KEY_KERNEL_CHECK, "CHECK", 0,                                                          \
			"What the running kernel compares after the retry: snapshot (7.1 and later; default), none "   \
			"(up to 7.0), "                                                                                \
			"per_mm_seq or per_vma_seq (kernels built for a test)",                                        \
			0                                                                                              \
	}
#define OPTION_LOCKS                                                                                                   \
	{                                                                                                              \
		"locks", KEY_LOCKS, "LOCKS", 0,                                                                        \
			"What the running kernel guards a VMA with: vma (a lock of its own, 6.4 and later; default) "  \
			"or mmap (mmap_lock alone)",                                                                   \
			0                                                                                              \
	}

struct exact_command {
	struct exact_options options;
	bool list;
	bool json;
};

static const struct argp_option exact_options[] = {
	{ "runs", KEY_RUNS, "N", 0, "Run each scenario N times (default 5)", 0 },
	OPTION_SEED,
	{ "only", KEY_ONLY, "NAME,...", 0, "Only these scenarios", 0 },
	{ "list", KEY_LIST, NULL, 0, "List the scenarios and their classes, and exit", 0 },
	{ "json", KEY_JSON, NULL, 0, "With --list: as JSON, with all that is expected of them", 0 },
	OPTION_WAIT,
	OPTION_KERNEL_CHECK,
	OPTION_LOCKS,
	{ 0 },
};

static error_t parse_exact(int key, char *arg, struct argp_state *state)
{
	struct exact_command *command = state->input;

	switch (key) {
	case KEY_RUNS:
		command->options.runs = parse_number(state, "--runs", arg, 1, 10000);
		return 0;
	case KEY_SEED:
		command->options.seed = parse_number(state, "--seed", arg, 0, UINT64_MAX);
		return 0;
	case KEY_ONLY:
		command->options.only = arg;
		return 0;
	case KEY_LIST:
		command->list = true;
		return 0;
	case KEY_JSON:
		command->json = true;
		return 0;
	case KEY_WAIT:
		command->options.wait = true;
		return 0;
	case KEY_KERNEL_CHECK:
		command->options.kernel_check = parse_kernel_check(state, arg);
		return 0;
	case KEY_LOCKS:
		command->options.mmap_lock_only = parse_locks(state, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp exact_argp = {
	.options = exact_options,
	.parser = parse_exact,
	.doc = "Named windows in a shuffled order, each held open while its one thing happens. The exact truth goes to "
	       "stdout as one JSON object.\v"
	       "Exit: 0 all was as expected, 1 the kernel did otherwise (named on stderr), 64 usage.",
};

static int exact_command(int argc, char **argv)
{
	struct exact_command command = { .options = { .runs = 5, .seed = 1 } };

	argp_parse(&exact_argp, argc, argv, 0, NULL, &command);
	return command.list ? exact_list(command.json) : exact_main(&command.options);
}

/* --- random ------------------------------------------------------------------------------------------------- */

static const struct argp_option random_options[] = {
	{ "windows", KEY_WINDOWS, "N", 0, "Open at least N windows (default 10000)", 0 },
	OPTION_SEED,
	{ "at-once", KEY_AT_ONCE, "K", 0, "Up to K windows open at a time (default 8)", 0 },
	OPTION_WAIT,
	OPTION_KERNEL_CHECK,
	OPTION_LOCKS,
	{ 0 },
};

static error_t parse_random(int key, char *arg, struct argp_state *state)
{
	struct random_options *options = state->input;

	switch (key) {
	case KEY_WINDOWS:
		options->windows = parse_number(state, "--windows", arg, 1, 1000000000);
		return 0;
	case KEY_SEED:
		options->seed = parse_number(state, "--seed", arg, 0, UINT64_MAX);
		return 0;
	case KEY_AT_ONCE:
		options->at_once = (unsigned int)parse_number(state, "--at-once", arg, 1, AT_ONCE_LIMIT);
		return 0;
	case KEY_WAIT:
		options->wait = true;
		return 0;
	case KEY_KERNEL_CHECK:
		options->kernel_check = parse_kernel_check(state, arg);
		return 0;
	case KEY_LOCKS:
		options->mmap_lock_only = parse_locks(state, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp random_argp = {
	.options = random_options,
	.parser = parse_random,
	.doc = "Random windows on random destinations, with zero to four random operations in each. A model of the "
	       "address space computes what each window is, and what the kernel must answer.\v"
	       "Exit: 0 all was as expected, 1 the kernel did otherwise (described on stderr), 64 usage.",
};

static int random_command(int argc, char **argv)
{
	struct random_options options = { .windows = 10000, .seed = 1, .at_once = 8 };

	argp_parse(&random_argp, argc, argv, 0, NULL, &options);
	return random_main(&options);
}

/* --- free --------------------------------------------------------------------------------------------------- */

static const struct argp_option free_options[] = {
	{ "pages", KEY_PAGES, "N", 0, "Pages of each copier's destination (default 256)", 0 },
	{ "copiers", KEY_COPIERS, "T", 0, "Copier threads (default 2)", 0 },
	{ "writers", KEY_WRITERS, "W", 0, "Writer threads (default 1)", 0 },
	{ "rate", KEY_RATE, "R", 0, "Write operations a second of each writer, 0 for as fast as it can (default 1000)",
	  0 },
	{ "what", KEY_WHAT, "WHAT", 0,
	  "What the writers write: unrelated (other mappings; default), benign (the destinations, but nothing that the "
	  "kernel's check compares), replaced (the destinations anew), none",
	  0 },
	OPTION_SEED,
	{ "duration", KEY_DURATION, "TIME", 0, "Stop after TIME, like 500ms, 10s or 1m (default: at a signal)", 0 },
	OPTION_WAIT,
	{ 0 },
};

static error_t parse_free(int key, char *arg, struct argp_state *state)
{
	struct free_options *options = state->input;

	switch (key) {
	case KEY_PAGES:
		options->pages = (unsigned int)parse_number(state, "--pages", arg, 1, 1 << 20);
		return 0;
	case KEY_COPIERS:
		options->copiers = (unsigned int)parse_number(state, "--copiers", arg, 1, 256);
		return 0;
	case KEY_WRITERS:
		options->writers = (unsigned int)parse_number(state, "--writers", arg, 0, 256);
		return 0;
	case KEY_RATE:
		options->rate = parse_number(state, "--rate", arg, 0, 1000000);
		return 0;
	case KEY_WHAT:
		options->what = parse_what(state, arg);
		return 0;
	case KEY_SEED:
		options->seed = parse_number(state, "--seed", arg, 0, UINT64_MAX);
		return 0;
	case KEY_DURATION:
		options->duration_ms = parse_duration(state, arg);
		return 0;
	case KEY_WAIT:
		options->wait = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp free_argp = {
	.options = free_options,
	.parser = parse_free,
	.doc = "Copiers and writers that run freely. Each copy comes from an untouched page, so it has exactly one "
	       "window. The truth has only what is certain. SIGINT and SIGTERM end it with the truth printed.",
};

static int free_command(int argc, char **argv)
{
	struct free_options options = { .pages = 256, .copiers = 2, .writers = 1, .rate = 1000, .seed = 1 };

	argp_parse(&free_argp, argc, argv, 0, NULL, &options);
	return free_main(&options);
}

/* --- writers ------------------------------------------------------------------------------------------------ */

static const struct argp_option writers_options[] = {
	{ "runs", KEY_RUNS, "N", 0, "Do each operation N times (default 3)", 0 },
	OPTION_WAIT,
	{ 0 },
};

static error_t parse_writers(int key, char *arg, struct argp_state *state)
{
	struct writers_options *options = state->input;

	switch (key) {
	case KEY_RUNS:
		options->runs = parse_number(state, "--runs", arg, 1, 10000);
		return 0;
	case KEY_WAIT:
		options->wait = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp writers_argp = {
	.options = writers_options,
	.parser = parse_writers,
	.doc = "Each way to write to an mm once in a window that is held open: by this process, by another one, by the "
	       "kernel. Who must be named goes to stdout as one JSON object.\v"
	       "Exit: 0 all was as expected, 1 the kernel did otherwise (named on stderr), 64 usage.",
};

static int writers_command(int argc, char **argv)
{
	struct writers_options options = { .runs = 3 };

	argp_parse(&writers_argp, argc, argv, 0, NULL, &options);
	return writers_main(&options);
}

/* --- causes ------------------------------------------------------------------------------------------------- */

static const struct argp_option causes_options[] = {
	{ "runs", KEY_RUNS, "N", 0, "Do each case N times (default 3)", 0 },
	OPTION_WAIT,
	OPTION_KERNEL_CHECK,
	OPTION_LOCKS,
	{ 0 },
};

static error_t parse_causes(int key, char *arg, struct argp_state *state)
{
	struct causes_options *options = state->input;

	switch (key) {
	case KEY_RUNS:
		options->runs = parse_number(state, "--runs", arg, 1, 100);
		return 0;
	case KEY_WAIT:
		options->wait = true;
		return 0;
	case KEY_KERNEL_CHECK:
		options->kernel_check = parse_kernel_check(state, arg);
		return 0;
	case KEY_LOCKS:
		options->mmap_lock_only = parse_locks(state, arg);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp causes_argp = {
	.options = causes_options,
	.parser = parse_causes,
	.doc = "Copies that fail, each for a reason known beforehand, and what is re-issued until it succeeds. The exact "
	       "truth goes to stdout as one JSON object.\v"
	       "Exit: 0 all was as expected, 1 the kernel did otherwise (named on stderr), 64 usage.",
};

static int causes_command(int argc, char **argv)
{
	struct causes_options options = { .runs = 3 };

	argp_parse(&causes_argp, argc, argv, 0, NULL, &options);
	return causes_main(&options);
}

/* --- the commands ------------------------------------------------------------------------------------------- */

struct command {
	const char *name;
	int (*main)(int argc, char **argv);
};

static const struct command commands[] = {
	{ "exact", exact_command },
	{ "random", random_command },
	{ "free", free_command },
	{ "writers", writers_command },
	{ "causes", causes_command },
};

static error_t parse_command(int key, char *arg, struct argp_state *state)
{
	const struct command **command = state->input;
	size_t i;

	switch (key) {
	case ARGP_KEY_ARG:
		for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
			if (!strcmp(commands[i].name, arg))
				*command = &commands[i];
		if (!*command)
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
	.args_doc = "exact|random|free|writers|causes [OPTION...]",
	.doc = "UFFDIO_COPY loads whose retry windows are known for certain; uffdretry's numbers are tested against "
	       "them.\v"
	       "COMMANDS:\n"
	       "  exact   named windows, each with its class, verdicts and reasons\n"
	       "  random  random windows, and a model that says what each of them is\n"
	       "  free    copiers and writers that run freely, as fast as they can\n"
	       "  writers each way to write to an mm, one a window\n"
	       "  causes  copies that fail, each with its cause\n"
	       "\n"
	       "EXAMPLES:\n"
	       "  uffdload exact --list                 what there is\n"
	       "  uffdload exact --runs 20 --seed 7     every scenario 20 times, in an order that 7 gives\n"
	       "  uffdload exact --only fork,mprotect   these two\n"
	       "  uffdload random --windows 10000       many more windows than anybody thought of\n"
	       "  uffdload free --what unrelated --rate 0 --duration 10s\n"
	       "                                        how coarse is a check of the whole mm?\n"
	       "\n"
	       "`uffdload COMMAND --help` has each command's options. A userfaultfd that serves the kernel's own "
	       "faults "
	       "is needed: root, or vm.unprivileged_userfaultfd=1, or access to /dev/userfaultfd.",
};

/* The load starts itself anew as its external handler. */
static bool is_handler(int argc, char **argv)
{
	return argc == 3 && !strncmp(argv[1], HANDLER_OPTION, strlen(HANDLER_OPTION));
}

int main(int argc, char **argv)
{
	const struct command *command = NULL;
	char name[64];

	prepare_process();
	if (is_handler(argc, argv))
		return handler_main(atoi(argv[1] + strlen(HANDLER_OPTION)), atoi(argv[2]));
	argp_parse(&top_argp, argc, argv, ARGP_IN_ORDER, NULL, &command);
	/* What precedes the command is --help and --usage only, and these do not return. */
	snprintf(name, sizeof(name), "uffdload %s", command->name);
	argv[1] = name;
	return command->main(argc - 1, argv + 1);
}
