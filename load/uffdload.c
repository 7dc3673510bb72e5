// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// uffdload: UFFDIO_COPY loads. The table of all loads, and the choice of one.
#define _GNU_SOURCE
#include <argp.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "steps/handler.h"
#include "steps/load.h"
#include "steps/process.h"

/* One row a load: its struct load (SYMBOL_load, in its file), and its line of --help. */
/* clang-format off */
#define KNOWN_LOADS(row) \
	row(exact, "named windows, each with its class, verdicts and reasons") \
	row(random, "random windows, and a model that tells what each of them is") \
	row(free, "copiers and writers that run freely, as fast as they can") \
	row(busy, "a known number of windows, opened by many copiers at once") \
	row(writers, "each way to write to an mm, one a window") \
	row(causes, "copies that fail, each with its cause")

#define PROGRAM_LOADS(row) \
	row(restore, "a VM's memory from a snapshot file (Firecracker)") \
	row(restore_inproc, "the same by the VMM itself (Cloud Hypervisor)") \
	row(gc, "compaction beside mutators that allocate (ART)") \
	row(swap, "a restore whose source is in swap (a dense host)") \
	row(hugetlb, "a restore into huge pages") \
	row(torture, "copies against writers, both as fast as they can")

#define MEASUREMENTS(row) \
	row(native, "how long windows and write sections are, without tracing")
/* clang-format on */

#define DECLARE(symbol, line) extern const struct load symbol##_load;
KNOWN_LOADS(DECLARE)
PROGRAM_LOADS(DECLARE)
MEASUREMENTS(DECLARE)

struct command {
	const struct load *load;
	const char *line;
};

#define COMMAND(symbol, line) { &symbol##_load, line },
static const struct command known[] = { KNOWN_LOADS(COMMAND) { 0 } };
static const struct command programs[] = { PROGRAM_LOADS(COMMAND) { 0 } };
static const struct command measurements[] = { MEASUREMENTS(COMMAND) { 0 } };

static const struct command *find(const struct command *commands, const char *name)
{
	for (; commands->load; commands++)
		if (!strcmp(commands->load->name, name))
			return commands;
	return NULL;
}

/* --- the command line ------------------------------------------------------------------------- */

static error_t parse_command(int key, char *arg, struct argp_state *state)
{
	const struct command **command = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		*command = find(known, arg);
		if (!*command)
			*command = find(programs, arg);
		if (!*command)
			*command = find(measurements, arg);
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

static void print_commands(FILE *out, const struct command *commands)
{
	for (; commands->load; commands++)
		fprintf(out, "  %-15s %s\n", commands->load->name, commands->line);
}

/* The text of --help, the caller's to free; NULL without memory. */
static char *help(void)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	fputs("UFFDIO_COPY loads. Some open retry windows of known class, against which "
	      "uffdretry is tested; others resemble programs, or measure without tracing.\v"
	      "KNOWN WINDOWS:\n",
	      out);
	print_commands(out, known);
	fputs("\nLIKE A PROGRAM (docs/development/loads.md):\n", out);
	print_commands(out, programs);
	fputs("\nMEASURING (docs/development/loads.md):\n", out);
	print_commands(out, measurements);
	fputs("\nEXAMPLES:\n"
	      "  uffdload exact --list                the scenarios and their classes\n"
	      "  uffdload exact --runs 20 --seed 7    each 20 times, in the order of seed 7\n"
	      "  uffdload exact --only fork,mprotect  these two\n"
	      "  uffdload random --windows 10000      windows that nobody thought of\n"
	      "  uffdload torture --duration 10s      does a per-MM check let it end?\n"
	      "  uffdload restore --duration 10s --writer-rate 1000\n"
	      "                                       restores, beside a writer\n"
	      "  uffdload native --source file        how long a copy from a file takes\n"
	      "\n"
	      "`uffdload COMMAND --help` lists the options of a command. All need a "
	      "userfaultfd that serves the kernel's own faults: root, "
	      "vm.unprivileged_userfaultfd=1, or access to /dev/userfaultfd.",
	      out);
	return fclose(out) ? NULL : text;
}

static const struct command *choose(int argc, char **argv)
{
	struct argp argp = { .args_doc = "COMMAND [OPTION...]",
			     .parser = parse_command,
			     .doc = help() };
	const struct command *command = NULL;

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &command);
	free((char *)argp.doc);
	return command;
}

/* The load starts itself anew as its external handler. */
static bool is_handler(int argc, char **argv)
{
	return argc == 3 && !strncmp(argv[1], HANDLER_OPTION, strlen(HANDLER_OPTION));
}

int main(int argc, char **argv)
{
	const struct command *command;
	static char name[64];
	void *options;
	int status;

	prepare_process();
	if (is_handler(argc, argv))
		return handler_main(atoi(argv[1] + strlen(HANDLER_OPTION)), atoi(argv[2]));
	command = choose(argc, argv);
	/* Only --help and --usage can precede the command, and these do not return. */
	snprintf(name, sizeof(name), "uffdload %s", command->load->name);
	argv[1] = name;
	options = malloc(command->load->size);
	if (!options)
		errx(EXIT_FAILURE, "out of memory");
	memcpy(options, command->load->defaults, command->load->size);
	settings_parse(command->load->settings, command->load->doc, options, argc - 1, argv + 1);
	status = command->load->main(command->load, options);
	free(options);
	return status;
}
