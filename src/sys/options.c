// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The command line: getopt_long for the syntax, one checked parser a kind of value. */
#include "sys/options.h"
#include "sys/err.h"
#include "version.h"

#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	OPT_FAIL_ABOVE = 256,
	OPT_OPENMETRICS,
	OPT_CLAIMS,
	OPT_RELOCK,
	OPT_NO_WRITERS,
	OPT_WITNESS,
	OPT_OVERHEAD,
	OPT_PROBE,
	OPT_SELF_TEST,
	OPT_PLAN,
	OPT_USER,
};

static const struct option long_options[] = {
	{ "pid", required_argument, NULL, 'p' },
	{ "cgroup", required_argument, NULL, 'c' },
	{ "all", no_argument, NULL, 'a' },
	{ "duration", required_argument, NULL, 'd' },
	{ "events", no_argument, NULL, 'e' },
	{ "json", no_argument, NULL, 'j' },
	{ "output", required_argument, NULL, 'o' },
	{ "timestamp", no_argument, NULL, 'T' },
	{ "openmetrics", required_argument, NULL, OPT_OPENMETRICS },
	{ "claims", no_argument, NULL, OPT_CLAIMS },
	{ "relock", no_argument, NULL, OPT_RELOCK },
	{ "no-writers", no_argument, NULL, OPT_NO_WRITERS },
	{ "witness", no_argument, NULL, OPT_WITNESS },
	{ "overhead", no_argument, NULL, OPT_OVERHEAD },
	{ "fail-above", required_argument, NULL, OPT_FAIL_ABOVE },
	{ "probe", no_argument, NULL, OPT_PROBE },
	{ "self-test", optional_argument, NULL, OPT_SELF_TEST },
	{ "plan", required_argument, NULL, OPT_PLAN },
	{ "user", required_argument, NULL, OPT_USER },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, 'V' },
	{ "help", no_argument, NULL, 'h' },
	{},
};

/* The colon: getopt tells an option without its value from an unknown one, and prints nothing itself. */
static const char short_options[] = ":p:c:ad:ejo:TvVh";

static const char help[] = "Usage: uffdretry [OPTION...] [INTERVAL [COUNT]]\n"
			   "       uffdretry [OPTION...] -- COMMAND [ARG...]\n"
			   "Show UFFDIO_COPY's retry path, and what each candidate check would have said.\n"
			   "\n"
			   "Whose windows:\n"
			   "  -p, --pid PID[,PID...]    those whose caller or whose destination belongs to\n"
			   "                            these processes\n"
			   "  -c, --cgroup PATH         those whose caller or whose destination is in this\n"
			   "                            cgroup (v2) or one below it\n"
			   "  -a, --all                 every process (default without a target)\n"
			   "\n"
			   "How long and how:\n"
			   "  -d, --duration TIME       stop after TIME: 500ms, 10s, 1m\n"
			   "  -e, --events              one line for each window\n"
			   "  -j, --json                JSON lines instead of text\n"
			   "  -o, --output FILE         write the report to FILE instead of stdout\n"
			   "      --openmetrics FILE    keep FILE current, each INTERVAL or 15 s, for a\n"
			   "                            Prometheus textfile collector\n"
			   "      --claims              add the arguments of the list, each with its number\n"
			   "  -T, --timestamp           put the time on interval lines and on the summary\n"
			   "      --fail-above RATE     exit 2 when per-MM would fail more than RATE (0.1%)\n"
			   "                            of the windows that came to a check for nothing\n"
			   "\n"
			   "What it costs:\n"
			   "      --relock              measure how long taking the VMA again takes, and how\n"
			   "                            often that needs mmap_lock: two hooks more\n"
			   "      --no-writers          do not ask who writes: the dearest hook, which every\n"
			   "                            mmap_lock operation of the machine pays for\n"
			   "      --witness             hook every write lock of a VMA as well (for tests)\n"
			   "      --overhead            add what the kernel counted for each program: runs,\n"
			   "                            time a run, share of a CPU\n"
			   "\n"
			   "Rights:\n"
			   "      --user NAME           whose rights COMMAND has, files are opened with, and\n"
			   "                            the tool keeps; default: who called sudo\n"
			   "\n"
			   "About this kernel and this tool:\n"
			   "      --probe               show kernel, rights, BTF, plans and hooks, and exit\n"
			   "      --self-test[=only|off]\n"
			   "                            prove the plan with windows of known class at start\n"
			   "                            (default), do only that, or skip it\n"
			   "      --plan NAME           force a probe plan (for tests)\n"
			   "  -v, --verbose             say more, also what libbpf says\n"
			   "  -V, --version             print the version, and libbpf's\n"
			   "  -h, --help                print this help\n"
			   "\n"
			   "INTERVAL prints the numbers of each interval as they come, COUNT of them; both\n"
			   "as in vmstat(8). SIGINT, SIGTERM and the end of the target print the summary.\n"
			   "\n"
			   "EXAMPLES:\n"
			   "  uffdretry                      every process, until Ctrl-C\n"
			   "  uffdretry -p 4242 -d 10s       one process (handler or owner), ten seconds\n"
			   "  uffdretry -p 4242 1            a line a second, then the summary\n"
			   "  uffdretry -j -- ./restore vm1  run a command and its children, JSON\n"
			   "  uffdretry --fail-above 0.1% -d 1h  exit 2: per-MM fails more than 1 in 1,000\n"
			   "  uffdretry --probe              what works on this kernel\n"
			   "\n"
			   "Exit status: 0 done, 1 error, 2 --fail-above exceeded, 64 usage; with COMMAND\n"
			   "its own when that is not 0.\n";

static int usage_error(const char *fmt, const char *arg)
{
	char message[256];

	snprintf(message, sizeof(message), fmt, arg);
	return fail(EXIT_USAGE, "uffdretry --help lists the options", "%s", message);
}

/* A finite decimal number at the start of @text, without sign; *@end is what follows. Returns 0 or -1. */
static int parse_decimal(const char *text, double *value, char **end)
{
	if (!isdigit((unsigned char)text[0]) && text[0] != '.')
		return -1;
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		return -1;
	errno = 0;
	*value = strtod(text, end);
	return errno || *end == text || !isfinite(*value) ? -1 : 0;
}

int parse_duration(const char *text, __u64 *ns)
{
	static const struct {
		const char *unit;
		double ns;
	} units[] = { { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { "", 1e9 }, { "m", 60e9 }, { "h", 3600e9 } };
	char *end;
	double value;

	if (parse_decimal(text, &value, &end))
		return -1;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].unit))
			continue;
		value *= units[i].ns;
		/* At least a microsecond, at most a hundred years. */
		if (value < 1e3 || value > 3.2e18)
			return -1;
		*ns = (__u64)value;
		return 0;
	}
	return -1;
}

int parse_rate(const char *text, double *rate)
{
	char *end;
	double value;

	if (parse_decimal(text, &value, &end))
		return -1;
	if (!strcmp(end, "%"))
		value /= 100;
	else if (*end)
		return -1;
	if (value > 1)
		return -1;
	*rate = value;
	return 0;
}

static int parse_number(const char *text, __u64 max, __u64 *value)
{
	unsigned long long v;
	char *end;

	if (!isdigit((unsigned char)text[0]))
		return -1;
	errno = 0;
	v = strtoull(text, &end, 10);
	if (errno || *end || v < 1 || v > max)
		return -1;
	*value = v;
	return 0;
}

int parse_count(const char *text, __u64 *count)
{
	return parse_number(text, UINT32_MAX, count);
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
	int err = copy ? 0 : -1;

	while (!err && (item = strsep(&rest, ","))) {
		__u64 pid;

		if (parse_number(item, INT_MAX, &pid) || o->nr_pids == MAX_PIDS)
			err = -1;
		else if (!has_pid(o, (pid_t)pid))
			o->pids[o->nr_pids++] = (pid_t)pid;
	}
	free(copy);
	return err;
}

static int parse_self_test(const char *text, struct options *o)
{
	if (!text)
		o->self_test = SELF_TEST_ON;
	else if (!strcmp(text, "only"))
		o->self_test = SELF_TEST_ONLY;
	else if (!strcmp(text, "off"))
		o->self_test = SELF_TEST_OFF;
	else
		return -1;
	return 0;
}

static int parse_positional(const char *arg, struct options *o)
{
	if (!o->interval_ns)
		return parse_duration(arg, &o->interval_ns) ? usage_error("bad INTERVAL '%s'", arg) : 0;
	if (!o->count)
		return parse_count(arg, &o->count) ? usage_error("bad COUNT '%s'", arg) : 0;
	return usage_error("unexpected argument '%s'", arg);
}

static void print_version(void)
{
	printf("uffdretry %s\nlibbpf %u.%u\n", UFFDRETRY_VERSION, libbpf_major_version(), libbpf_minor_version());
}

/* @arg: its value, or for an option that getopt refused the argument it stands in. */
static int parse_option(int key, const char *arg, struct options *o)
{
	const char letter[] = { '-', (char)optopt, '\0' };

	switch (key) {
	case 'p':
		return parse_pids(arg, o) ? usage_error("bad PID list '%s'", arg) : 0;
	case 'c':
		o->cgroup = arg;
		return 0;
	case 'a':
		o->all = true;
		return 0;
	case 'd':
		return parse_duration(arg, &o->duration_ns) ? usage_error("bad TIME '%s' (500ms, 10s, 1m)", arg) : 0;
	case 'e':
		o->events = true;
		return 0;
	case 'j':
		o->json = true;
		err_json(stdout);
		return 0;
	case 'o':
		o->output = arg;
		return 0;
	case 'T':
		o->timestamp = true;
		return 0;
	case 'v':
		o->verbose = true;
		return 0;
	case OPT_CLAIMS:
		o->claims = true;
		return 0;
	case OPT_RELOCK:
		o->relock = true;
		return 0;
	case OPT_NO_WRITERS:
		o->no_writers = true;
		return 0;
	case OPT_WITNESS:
		o->witness = true;
		return 0;
	case OPT_OVERHEAD:
		o->overhead = true;
		return 0;
	case OPT_OPENMETRICS:
		o->openmetrics = arg;
		return 0;
	case OPT_FAIL_ABOVE:
		return parse_rate(arg, &o->fail_above) ? usage_error("bad RATE '%s' (0.1%% or 0.001)", arg) : 0;
	case OPT_PROBE:
		o->probe = true;
		return 0;
	case OPT_SELF_TEST:
		return parse_self_test(arg, o) ? usage_error("--self-test takes only or off, not '%s'", arg) : 0;
	case OPT_PLAN:
		o->plan = arg;
		return 0;
	case OPT_USER:
		o->user = arg;
		return 0;
	case 'V':
		print_version();
		exit(EXIT_DONE);
	case 'h':
		fputs(help, stdout);
		exit(EXIT_DONE);
	case ':':
		return usage_error("%s needs a value", arg);
	default:
		if (optopt > 0 && optopt < OPT_FAIL_ABOVE)
			return usage_error("no such option: %s", letter);
		return usage_error(optopt ? "%s: the option takes no value" : "no such option: %s", arg);
	}
}

static int check_combination(const struct options *o)
{
	bool target = o->nr_pids || o->cgroup || o->command;

	if (o->all && target)
		return usage_error("%s does not go with another target", "--all");
	if (o->nr_pids && o->command)
		return usage_error("%s does not go with a COMMAND", "--pid");
	if (o->cgroup && (o->nr_pids || o->command))
		return usage_error("%s does not go with another target", "--cgroup");
	if (o->probe && (target || o->interval_ns))
		return usage_error("%s takes no target and no INTERVAL", "--probe");
	if (o->events && (o->probe || o->self_test == SELF_TEST_ONLY))
		return usage_error("%s needs a run that traces", "--events");
	if (o->overhead && (o->probe || o->self_test == SELF_TEST_ONLY))
		return usage_error("%s needs a run that traces", "--overhead");
	if (o->openmetrics && (o->probe || o->self_test == SELF_TEST_ONLY))
		return usage_error("%s needs a run that traces", "--openmetrics");
	if (o->self_test == SELF_TEST_ONLY && (target || o->interval_ns))
		return usage_error("%s takes no target and no INTERVAL", "--self-test=only");
	return 0;
}

int options_parse(struct options *o, int argc, char **argv)
{
	int key, err = 0;

	memset(o, 0, sizeof(*o));
	o->fail_above = -1;
	/* What follows "--" is not ours; getopt would mix our own INTERVAL into it. */
	for (int i = 1; i < argc && !o->command; i++) {
		if (strcmp(argv[i], "--"))
			continue;
		o->command = &argv[i + 1];
		argc = i;
	}
	optind = 0; /* starts glibc's getopt anew */
	while (!err && (key = getopt_long(argc, argv, short_options, long_options, NULL)) != -1)
		err = parse_option(key, key == ':' || key == '?' ? argv[optind - 1] : optarg, o);
	while (!err && optind < argc)
		err = parse_positional(argv[optind++], o);
	if (err)
		return err;
	if (o->command && !o->command[0])
		return usage_error("%s needs a COMMAND", "--");
	err = check_combination(o);
	if (!o->nr_pids && !o->cgroup && !o->command)
		o->all = true;
	err_verbose(o->verbose);
	return err;
}
