// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The command line: one table, one row an option, for getopt_long() and --help alike. */
#include "sys/options.h"
#include "sys/err.h"
#include "sys/option_values.h"
#include "version.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 1, 2))) static int usage_error(const char *fmt, ...)
{
	char message[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	return fail(EXIT_USAGE, "uffdretry --help lists the options", "%s", message);
}

bool options_read_events(const struct options *o)
{
	return o->events || o->trace;
}

static bool has_pid(const struct options *o, pid_t pid)
{
	for (int i = 0; i < o->nr_pids; i++)
		if (o->pids[i] == pid)
			return true;
	return false;
}

int parse_pids(const char *text, struct options *o)
{
	char *copy = strdup(text), *rest = copy, *item;
	int err = copy ? 0 : -ENOMEM;

	while (!err && (item = strsep(&rest, ","))) {
		__u64 pid;

		if (parse_number(item, INT_MAX, &pid))
			err = -EINVAL;
		else if (has_pid(o, (pid_t)pid))
			continue;
		else if (o->nr_pids == MAX_PIDS)
			err = -E2BIG;
		else
			o->pids[o->nr_pids++] = (pid_t)pid;
	}
	free(copy);
	return err;
}

static int set_pids(struct options *o, const char *arg)
{
	int err = parse_pids(arg, o);

	if (err == -E2BIG)
		return usage_error("more than %d PIDs: trace their cgroup (-c), or all (-a)",
				   MAX_PIDS);
	return err ? usage_error("bad PID list '%s'", arg) : 0;
}

/* Two would need a union, and the last alone is not what its user asked for. */
static int set_cgroup(struct options *o, const char *arg)
{
	if (o->cgroup)
		return usage_error("%s can be given once; a common parent includes its other children",
				   "--cgroup");
	o->cgroup = arg;
	return 0;
}

static int set_duration(struct options *o, const char *arg)
{
	return parse_duration(arg, &o->duration_ns)
		       ? usage_error("bad TIME '%s' (500ms, 10s, 1m)", arg)
		       : 0;
}

/* At once, so that a bad argument that follows is also reported as JSON. */
static int set_json(struct options *o, const char *arg)
{
	(void)arg;
	o->json = true;
	err_json(stdout);
	return 0;
}

static int set_fail_above(struct options *o, const char *arg)
{
	return parse_rate(arg, &o->fail_above) ? usage_error("bad RATE '%s' (0.1%% or 0.001)", arg)
					       : 0;
}

static int set_by(struct options *o, const char *arg)
{
	if (!strcmp(arg, "process"))
		o->by = BY_PROCESS;
	else if (!strcmp(arg, "cgroup"))
		o->by = BY_CGROUP;
	else
		return usage_error("--by takes process or cgroup, not '%s'", arg);
	return 0;
}

static int set_self_test(struct options *o, const char *arg)
{
	if (!arg)
		o->self_test = SELF_TEST_ON;
	else if (!strcmp(arg, "only"))
		o->self_test = SELF_TEST_ONLY;
	else if (!strcmp(arg, "off"))
		o->self_test = SELF_TEST_OFF;
	else
		return usage_error("--self-test takes only or off, not '%s'", arg);
	return 0;
}

/* The end of --help and --version. */
static int end_of_print(void)
{
	if (fflush(stdout) || ferror(stdout))
		exit(fail(EXIT_ERROR, NULL, "cannot write to stdout: %s", strerror(errno)));
	exit(EXIT_DONE);
}

static int print_version(struct options *o, const char *arg)
{
	(void)o;
	(void)arg;
	printf("uffdretry %s\nlibbpf %u.%u\n", UFFDRETRY_VERSION, libbpf_major_version(),
	       libbpf_minor_version());
	return end_of_print();
}

static int print_help(struct options *o, const char *arg);

/* An option with one of @parse, @flag and @text; or, with only @help, a heading of --help. */
static const struct row {
	const char *name;
	int letter;	  /* 0: only the long name */
	const char *arg;  /* of its value; "[...]": optional; NULL: none */
	const char *help; /* at most 52 columns a line */
	int (*parse)(struct options *o, const char *arg); /* 0 or an exit status */
	size_t flag;					  /* offset of the bool to set */
	size_t text;					  /* offset of the string to set */
	unsigned int subs;				  /* who takes it beside a run: of SUB() */
} rows[] = {
#define SETS(field) .flag = offsetof(struct options, field)
#define STORES(field) .text = offsetof(struct options, field)
#define SUB(name) (1U << SUBCMD_##name)
#define ALL_SUBS (SUB(LIST) | SUB(REPORT) | SUB(DIFF))
	{ .help = "Whose windows:" },
	{ "pid", 'p', "PID[,PID...]", "those whose caller or destination is one of these",
	  .parse = set_pids },
	{ "cgroup", 'c', "PATH", "the same for the processes below this cgroup (v2)",
	  .parse = set_cgroup },
	{ "all", 'a', NULL, "every process (default without a target)", SETS(all) },

	{ .help = "How long and how:" },
	{ "duration", 'd', "TIME", "stop after TIME: 500ms, 10s, 1m", .parse = set_duration },
	{ "events", 'e', NULL, "one line a window, failed copy and unread event", SETS(events) },
	{ "trace", 0, "FILE", "write these to FILE as a trace, for Perfetto", STORES(trace) },
	{ "by", 0, "process|cgroup", "add a table: which of them, by who owns the memory",
	  .parse = set_by },
	{ "top", 0, NULL, "print that table each INTERVAL (1 s)", SETS(top) },
	{ "json", 'j', NULL, "print JSON lines instead of text", .parse = set_json,
	  .subs = SUB(LIST) | SUB(DIFF) },
	{ "output", 'o', "FILE", "write the report to FILE instead of stdout", STORES(output),
	  .subs = ALL_SUBS },
	{ "brief", 0, NULL, "with list: print the PIDs alone, one a line", SETS(brief),
	  .subs = SUB(LIST) },
	{ "user", 0, "NAME", "go on as NAME, with COMMAND (default: sudo's caller)", STORES(user),
	  .subs = ALL_SUBS },
	{ "openmetrics", 0, "FILE", "keep FILE current, for Prometheus's textfiles",
	  STORES(openmetrics) },
	{ "claims", 0, NULL, "add the claims of the mails, each with its number", SETS(claims) },
	{ "timestamp", 'T', NULL, "put the time on interval lines and on the summary",
	  SETS(timestamp), .subs = SUB(REPORT) },
	{ "fail-above", 0, "RATE", "exit 2 above RATE (0.1%) of needless per-MM failures",
	  .parse = set_fail_above },

	{ .help = "What it costs:" },
	{ "relock", 0, NULL, "measure relocks, and how long writers hold mmap_lock", SETS(relock) },
	{ "no-writers", 0, NULL, "do not record writers: saves the costliest hook",
	  SETS(no_writers) },
	{ "witness", 0, NULL, "also hook every write lock of a VMA (for tests)", SETS(witness) },
	{ "overhead", 0, NULL, "add the runs and the time of each BPF program", SETS(overhead) },
	{ "stacks", 0, NULL, "add the stacks of writers in windows, folded", SETS(stacks) },

	{ .help = "About this kernel and this tool:" },
	{ "probe", 0, NULL, "show kernel, rights, BTF, plans and hooks, and exit", SETS(probe) },
	{ "self-test", 0, "[=only|off]", "prove the plan by known windows, only that, or not",
	  .parse = set_self_test },
	{ "plan", 0, "NAME", "force a probe plan (for tests)", STORES(plan) },
	{ "verbose", 'v', NULL, "print the whole report, and what libbpf prints", SETS(verbose),
	  .subs = SUB(REPORT) },
	{ "version", 'V', NULL, "print the version, and libbpf's", .parse = print_version },
	{ "help", 'h', NULL, "print this help", .parse = print_help },
};

#define NR_ROWS ((int)(sizeof(rows) / sizeof(rows[0])))
_Static_assert(NR_ROWS <= 64, "a row has no bit in options.given");

static const struct {
	const char *name;
	int files;
} subs[NR_SUBCOMMANDS] = {
	[SUBCMD_LIST] = { "list", 0 },
	[SUBCMD_REPORT] = { "report", 1 },
	[SUBCMD_DIFF] = { "diff", 2 },
};

static const char help_begin[] =
	"Usage: uffdretry [OPTION...] [INTERVAL [COUNT]]\n"
	"       uffdretry [OPTION...] -- COMMAND [ARG...]\n"
	"       uffdretry list [-j] [-o FILE] [--brief]\n"
	"       uffdretry report [-v] [-T] [-o FILE] FILE\n"
	"       uffdretry diff [-j] [-o FILE] BEFORE AFTER\n"
	"Count UFFDIO_COPY's retry windows, and what each candidate check would do there.\n";

static const char help_end[] =
	"\n"
	"INTERVAL prints the numbers of each interval, COUNT times, like vmstat(8).\n"
	"SIGINT, SIGTERM and the end of the target print the summary.\n"
	"\n"
	"EXAMPLES:\n"
	"  uffdretry                      every process, until Ctrl-C\n"
	"  uffdretry -p 4242 -d 10s       one process (handler or owner), ten seconds\n"
	"  uffdretry -j -- ./restore vm1  run a command and its children, JSON\n"
	"  uffdretry --fail-above 0.1%    exit 2 above 1 needless failure in 1,000\n"
	"  uffdretry list                 who holds a userfaultfd; traces nothing\n"
	"\n"
	"Exit status: 0 done, 1 error, 2 --fail-above exceeded, 3 --fail-above cannot be\n"
	"judged, 64 usage; that of COMMAND when it is not 0.\n";

#define HELP_COLUMN 28

static void print_row(const struct row *row)
{
	const char *line = row->help, *end;
	int column = 0;

	if (!row->name) {
		printf("\n%s\n", row->help);
		return;
	}
	column += row->letter ? printf("  -%c, ", row->letter) : printf("      ");
	column += printf("--%s%s%s", row->name, row->arg && row->arg[0] != '[' ? " " : "",
			 row->arg ?: "");
	if (column > HELP_COLUMN - 2) {
		putchar('\n');
		column = 0;
	}
	for (; (end = strchr(line, '\n')); line = end + 1, column = 0)
		printf("%*s%.*s\n", HELP_COLUMN - column, "", (int)(end - line), line);
	printf("%*s%s\n", HELP_COLUMN - column, "", line);
}

static int print_help(struct options *o, const char *arg)
{
	(void)o;
	(void)arg;
	fputs(help_begin, stdout);
	for (int i = 0; i < NR_ROWS; i++)
		print_row(&rows[i]);
	fputs(help_end, stdout);
	return end_of_print();
}

/* What getopt_long() returns for a row: its letter, or a number that no letter has. */
static int key_of(int row)
{
	return rows[row].letter ?: 256 + row;
}

static const struct row *row_of(int key)
{
	for (int i = 0; i < NR_ROWS; i++)
		if (rows[i].name && key_of(i) == key)
			return &rows[i];
	return NULL;
}

static int takes_arg(const struct row *row)
{
	if (!row->arg)
		return no_argument;
	return row->arg[0] == '[' ? optional_argument : required_argument;
}

static void getopt_tables(struct option longs[NR_ROWS + 1], char shorts[2 * NR_ROWS + 2])
{
	char *s = shorts;
	int nr = 0;

	/* The colon: getopt returns it for a missing value, and prints nothing itself. */
	*s++ = ':';
	for (int i = 0; i < NR_ROWS; i++) {
		if (!rows[i].name)
			continue;
		longs[nr++] =
			(struct option) { rows[i].name, takes_arg(&rows[i]), NULL, key_of(i) };
		if (rows[i].letter) {
			*s++ = (char)rows[i].letter;
			if (rows[i].arg)
				*s++ = ':';
		}
	}
	longs[nr] = (struct option) {};
	*s = '\0';
}

static enum subcommand sub_named(const char *arg)
{
	for (int i = SUBCMD_NONE + 1; i < NR_SUBCOMMANDS; i++)
		if (!strcmp(arg, subs[i].name))
			return (enum subcommand)i;
	return SUBCMD_NONE;
}

/* An argument of list, report or diff. */
static int parse_file(const char *arg, struct options *o)
{
	for (int i = 0; i < subs[o->sub].files; i++) {
		if (o->files[i])
			continue;
		o->files[i] = arg;
		return 0;
	}
	return usage_error("%s takes no argument '%s'", subs[o->sub].name, arg);
}

static int parse_positional(const char *arg, struct options *o)
{
	if (o->sub)
		return parse_file(arg, o);
	if (!o->interval_ns && sub_named(arg)) {
		o->sub = sub_named(arg);
		return 0;
	}
	if (!o->interval_ns)
		return parse_duration(arg, &o->interval_ns) ? usage_error("bad INTERVAL '%s'", arg)
							    : 0;
	if (!o->count)
		return parse_number(arg, UINT32_MAX, &o->count) ? usage_error("bad COUNT '%s'", arg)
								: 0;
	return usage_error("unexpected argument '%s'", arg);
}

/* getopt_long() refused @arg. In a bundle of letters only optopt names the bad one. */
static int refused(int key, const char *arg)
{
	const char letter[] = { '-', (char)optopt, '\0' };

	if (key == ':')
		return usage_error("%s needs a value", arg);
	if (row_of(optopt))
		return usage_error("%s: the option takes no value", arg);
	return usage_error("no such option: %s", optopt ? letter : arg);
}

static int parse_option(const struct row *row, const char *arg, struct options *o)
{
	o->given |= 1ULL << (row - rows);
	if (row->parse)
		return row->parse(o, arg);
	if (row->text)
		*(const char **)((char *)o + row->text) = arg;
	else
		*(bool *)((char *)o + row->flag) = true;
	return 0;
}

static int check_sub(const struct options *o)
{
	const char *name = subs[o->sub].name;

	if (o->brief && o->sub != SUBCMD_LIST)
		return usage_error("%s goes with list", "--brief");
	if (!o->sub)
		return 0;
	for (int i = 0; i < NR_ROWS; i++)
		if (o->given >> i & 1 && !(rows[i].subs >> o->sub & 1))
			return usage_error("%s takes no --%s", name, rows[i].name);
	if (o->command)
		return usage_error("%s takes no COMMAND", name);
	if (o->json && o->brief)
		return usage_error("%s cannot be combined with --json", "--brief");
	if (subs[o->sub].files && !o->files[subs[o->sub].files - 1])
		return usage_error(o->sub == SUBCMD_DIFF ? "%s needs two FILEs" : "%s needs a FILE",
				   name);
	if (o->sub == SUBCMD_DIFF && !strcmp(o->files[0], "-") && !strcmp(o->files[1], "-"))
		return usage_error("%s cannot read standard input twice", name);
	return 0;
}

static int check_combination(const struct options *o)
{
	bool target = o->nr_pids || o->cgroup || o->command;
	bool traces = !o->probe && o->self_test != SELF_TEST_ONLY;

	if (o->all && target)
		return usage_error("%s cannot be combined with another target", "--all");
	if (o->nr_pids && o->command)
		return usage_error("%s cannot be combined with a COMMAND", "--pid");
	if (o->cgroup && (o->nr_pids || o->command))
		return usage_error("%s cannot be combined with another target", "--cgroup");
	if (!traces && (target || o->interval_ns))
		return usage_error("%s takes no target and no INTERVAL",
				   o->probe ? "--probe" : "--self-test=only");
	if (!traces && o->events)
		return usage_error("%s needs a run that traces", "--events");
	if (!traces && o->by)
		return usage_error("%s needs a run that traces", o->top ? "--top" : "--by");
	if (o->top && o->events)
		return usage_error("%s cannot be combined with --events", "--top");
	if (!traces && o->overhead)
		return usage_error("%s needs a run that traces", "--overhead");
	if (!traces && o->stacks)
		return usage_error("%s needs a run that traces", "--stacks");
	if (o->stacks && o->no_writers)
		return usage_error("%s cannot be combined with --no-writers", "--stacks");
	if (!traces && o->openmetrics)
		return usage_error("%s needs a run that traces", "--openmetrics");
	if (!traces && o->trace)
		return usage_error("%s needs a run that traces", "--trace");
	if (!traces && o->fail_above >= 0)
		return usage_error("%s needs a run that traces", "--fail-above");
	return 0;
}

/* Hide COMMAND from getopt, which would take its arguments for ours. Returns our argc. */
static int split_command(struct options *o, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--"))
			continue;
		o->command = &argv[i + 1];
		return i;
	}
	return argc;
}

int options_parse(struct options *o, int argc, char **argv)
{
	struct option longs[NR_ROWS + 1];
	char shorts[2 * NR_ROWS + 2];
	int key, err = 0;

	memset(o, 0, sizeof(*o));
	o->fail_above = -1;
	argc = split_command(o, argc, argv);
	getopt_tables(longs, shorts);
	optind = 0; /* starts glibc's getopt anew */
	while (!err && (key = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		const struct row *row = key == ':' || key == '?' ? NULL : row_of(key);

		err = row ? parse_option(row, optarg, o) : refused(key, argv[optind - 1]);
	}
	while (!err && optind < argc)
		err = parse_positional(argv[optind++], o);
	if (err)
		return err;
	if (o->command && !o->command[0])
		return usage_error("%s needs a COMMAND", "--");
	if (o->top && !o->by)
		o->by = BY_PROCESS;
	err = check_sub(o) ?: check_combination(o);
	if (o->top && !o->interval_ns)
		o->interval_ns = 1000000000;
	if (!o->nr_pids && !o->cgroup && !o->command)
		o->all = true;
	err_verbose(o->verbose);
	return err;
}
