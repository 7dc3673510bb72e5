// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The command line (sys/options.c, sys/option_values.c): single values, whole lines, and refused ones. */
#include "sys/err.h"
#include "sys/options.h"
#include "sys/option_values.h"
#include "unit.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

/* --- Stand-ins for err.c and libbpf --- */

static int fails; /* calls of fail() */
static char fail_message[1024];
static bool said_verbose;
static FILE *json_errors;

int(fail)(int status, const char *hint, const char *fmt, ...)
{
	va_list ap;

	assert_non_null(hint);
	va_start(ap, fmt);
	vsnprintf(fail_message, sizeof(fail_message), fmt, ap);
	va_end(ap);
	fails++;
	return status;
}

void err_json(FILE *json)
{
	json_errors = json;
}

void err_verbose(bool on)
{
	said_verbose = on;
}

__u32 libbpf_major_version(void)
{
	return 1;
}

__u32 libbpf_minor_version(void)
{
	return 0;
}

/* --- Single values --- */

static const struct {
	const char *text;
	__u64 ns;
} durations[] = {
	{ "1", 1000000000 },	   { "1s", 1000000000 },    { "0.5", 500000000 },
	{ ".5s", 500000000 },	   { "1.", 1000000000 },    { "500ms", 500000000 },
	{ "10s", 10000000000 },	   { "1m", 60000000000 },   { "2h", 7200000000000 },
	{ "1.5h", 5400000000000 }, { "1us", 1000 },	    { "0.001ms", 1000 },
	{ "007s", 7000000000 },	   { "1e3ms", 1000000000 }, { "3.2e9", 3200000000000000000 },
};

static const char *const no_durations[] = {
	"",	".",	    "s",   "0",	    "0s",    "0.9us",  "-1",
	"-0",	"+1",	    " 1",  "1 ",    "1 s",   "1\n",    "1S",
	"1M",	"1MS",	    "1ns", "1d",    "1min",  "1h30m",  "1s,",
	"1,5s", "1.5.1",    "1e",  "1%",    "0x10",  "0X1p4s", "nan",
	"inf",	"infinity", "x",   "3.3e9", "1e400", "1e-400", "99999999999999999999"
};

static void duration_values(void **state)
{
	for (size_t i = 0; i < COUNT(durations); i++) {
		__u64 ns = 77;

		expect_u64(durations[i].text, parse_duration(durations[i].text, &ns), 0);
		expect_u64(durations[i].text, ns, durations[i].ns);
	}
	for (size_t i = 0; i < COUNT(no_durations); i++) {
		__u64 ns = 77;

		expect_u64(no_durations[i], parse_duration(no_durations[i], &ns) != 0, true);
		expect_u64(no_durations[i], ns, 77); /* untouched */
	}
}

static const struct {
	const char *text;
	double rate; /* negative: refused */
} rates[] = {
	{ "0", 0 },	   { "0%", 0 },	    { "0.1%", 0.001 }, { "0.001", 0.001 }, { ".5", 0.5 },
	{ "1e-3", 0.001 }, { "100%", 1 },   { "1", 1 },	       { "1.0", 1 },	   { "", -1 },
	{ "%", -1 },	   { ".", -1 },	    { "1.01", -1 },    { "101%", -1 },	   { "2", -1 },
	{ "-0.1", -1 },	   { "-1%", -1 },   { "+0.1", -1 },    { " 0.1", -1 },	   { "0.1 ", -1 },
	{ "0.1 %", -1 },   { "0.1%%", -1 }, { "0.1%x", -1 },   { "0.1p", -1 },	   { "0,1%", -1 },
	{ "0x1p-4", -1 },  { "0X0", -1 },   { "nan", -1 },     { "inf", -1 },	   { "1e400", -1 },
	{ "x", -1 },
};

static void rate_values(void **state)
{
	for (size_t i = 0; i < COUNT(rates); i++) {
		double rate = 77;
		int err = parse_rate(rates[i].text, &rate);

		expect_u64(rates[i].text, err == 0, rates[i].rate >= 0);
		expect_near(rates[i].text, rate, rates[i].rate >= 0 ? rates[i].rate : 77, 1e-15);
	}
}

static const struct {
	const char *text;
	__u64 count;
} counts[] = {
	{ "1", 1 },
	{ "10", 10 },
	{ "010", 10 }, /* decimal */
	{ "4294967295", 4294967295 },
};

static const char *const no_counts[] = {
	"",    "0",    "-1", "+1", " 1",  "1 ",		"1.0",
	"1e3", "0x10", "1k", "x",  "nan", "4294967296", "18446744073709551617"
};

static void count_values(void **state)
{
	for (size_t i = 0; i < COUNT(counts); i++) {
		__u64 count = 77;

		expect_u64(counts[i].text, parse_number(counts[i].text, UINT32_MAX, &count), 0);
		expect_u64(counts[i].text, count, counts[i].count);
	}
	for (size_t i = 0; i < COUNT(no_counts); i++) {
		__u64 count = 77;

		expect_u64(no_counts[i], parse_number(no_counts[i], UINT32_MAX, &count) != 0, true);
		expect_u64(no_counts[i], count, 77);
	}
}

static const struct {
	const char *text;
	int nr;
	pid_t pids[3];
} pid_lists[] = {
	{ "1", 1, { 1 } },
	{ "4242", 1, { 4242 } },
	{ "1,2,3", 3, { 1, 2, 3 } },
	{ "3,1,3,1", 2, { 3, 1 } },
	{ "2147483647", 1, { 2147483647 } },
};

static const char *const no_pid_lists[] = {
	"",    ",",	"1,",	",1",	      "1,,2",	    "1, 2",
	"1 2", "0",	"1,0",	"-1",	      "+1",	    "0x1",
	"1.5", "12abc", "self", "2147483648", "4294967297", "18446744073709551617"
};

static void pid_values(void **state)
{
	static struct options o;

	for (size_t i = 0; i < COUNT(pid_lists); i++) {
		memset(&o, 0, sizeof(o));
		expect_u64(pid_lists[i].text, parse_pids(pid_lists[i].text, &o), 0);
		expect_u64(pid_lists[i].text, (__u64)o.nr_pids, (__u64)pid_lists[i].nr);
		for (int p = 0; p < o.nr_pids; p++)
			expect_u64(pid_lists[i].text, (__u64)o.pids[p],
				   (__u64)pid_lists[i].pids[p]);
	}
	for (size_t i = 0; i < COUNT(no_pid_lists); i++) {
		memset(&o, 0, sizeof(o));
		expect_u64(no_pid_lists[i], (__u64)-parse_pids(no_pid_lists[i], &o), EINVAL);
	}
}

static void at_most_max_pids(void **state)
{
	static struct options o;
	char pid[16];

	for (int i = 1; i <= MAX_PIDS; i++) {
		snprintf(pid, sizeof(pid), "%d", i);
		assert_int_equal(parse_pids(pid, &o), 0);
	}
	assert_int_equal(o.nr_pids, MAX_PIDS);
	assert_int_equal(parse_pids("5000", &o), -E2BIG);
	assert_int_equal(parse_pids("1", &o), 0);
	assert_int_equal(o.nr_pids, MAX_PIDS);
}

/* --- Whole command lines --- */

#define ARGS 12

/* options_parse() of @args; getopt's own messages are dropped. */
static int parse(struct options *o, const char *const *args, char **argv)
{
	int argc = 1, status, err = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);

	argv[0] = (char *)"./uffdretry";
	for (int i = 0; i < ARGS && args[i]; i++)
		argv[argc++] = (char *)args[i];
	argv[argc] = NULL;
	fails = 0;
	json_errors = NULL;
	said_verbose = false;
	dup2(null, STDERR_FILENO);
	status = options_parse(o, argc, argv);
	dup2(err, STDERR_FILENO);
	close(err);
	close(null);
	return status;
}

/* The result of good lines; other members are 0. */
static const struct {
	const char *args[ARGS + 1];
	struct {
		int pid, pid2;
		bool not_all;
		__u64 duration_ns, interval_ns, count;
		bool json, probe, timestamp, verbose, events, no_writers, witness, overhead, stacks,
			relock, claims, brief;
		enum subcommand sub;
		const char *file, *file2;
		const char *output, *openmetrics, *trace, *cgroup, *plan, *command, *command_arg;
		double fail_above; /* 0: not asked for */
		enum self_test_mode self_test;
	} want;
} good_lines[] = {
	{ {}, {} },
	{ { "-a" }, {} },
	{ { "--all" }, {} },
	{ { "-p", "12" }, { .pid = 12, .not_all = true } },
	{ { "-p12" }, { .pid = 12, .not_all = true } },
	{ { "--pid", "12" }, { .pid = 12, .not_all = true } },
	{ { "--pid=12,13" }, { .pid = 12, .pid2 = 13, .not_all = true } },
	{ { "-p", "12", "-p", "13" }, { .pid = 12, .pid2 = 13, .not_all = true } },
	{ { "-d", "500ms" }, { .duration_ns = 500000000 } },
	{ { "--duration", "1m" }, { .duration_ns = 60000000000 } },
	{ { "--duration=1m" }, { .duration_ns = 60000000000 } },
	{ { "-j" }, { .json = true } },
	{ { "--json" }, { .json = true } },
	{ { "-o", "x" }, { .output = "x" } },
	{ { "--output=x" }, { .output = "x" } },
	{ { "-T" }, { .timestamp = true } },
	{ { "--timestamp" }, { .timestamp = true } },
	{ { "-v" }, { .verbose = true } },
	{ { "--verbose" }, { .verbose = true } },
	{ { "-jTv" }, { .json = true, .timestamp = true, .verbose = true } },
	{ { "--fail-above", "0.1%" }, { .fail_above = 0.001 } },
	{ { "--fail-above=0.5" }, { .fail_above = 0.5 } },
	{ { "-e" }, { .events = true } },
	{ { "--events" }, { .events = true } },
	{ { "-ej" }, { .events = true, .json = true } },
	{ { "-c", "x" }, { .cgroup = "x", .not_all = true } },
	{ { "--cgroup=x/y" }, { .cgroup = "x/y", .not_all = true } },
	{ { "--no-writers" }, { .no_writers = true } },
	{ { "--witness" }, { .witness = true } },
	{ { "--overhead" }, { .overhead = true } },
	{ { "--stacks" }, { .stacks = true } },
	{ { "--relock" }, { .relock = true } },
	{ { "--claims" }, { .claims = true } },
	{ { "--openmetrics", "x" }, { .openmetrics = "x" } },
	{ { "--openmetrics=x" }, { .openmetrics = "x" } },
	{ { "--trace", "x" }, { .trace = "x" } },
	{ { "--trace=x", "-e" }, { .trace = "x", .events = true } },
	{ { "--probe" }, { .probe = true } },
	{ { "--probe", "-j" }, { .probe = true, .json = true } },
	{ { "list" }, { .sub = SUBCMD_LIST } },
	{ { "list", "-j", "-o", "x" }, { .sub = SUBCMD_LIST, .json = true, .output = "x" } },
	{ { "-o", "x", "list", "--brief" }, { .sub = SUBCMD_LIST, .brief = true, .output = "x" } },
	{ { "--", "list" }, { .not_all = true, .command = "list" } },
	{ { "report", "x" }, { .sub = SUBCMD_REPORT, .file = "x" } },
	{ { "report", "-v", "-T", "-o", "y", "-" },
	  { .sub = SUBCMD_REPORT, .file = "-", .output = "y", .verbose = true, .timestamp = true } },
	{ { "diff", "x", "-j", "y" },
	  { .sub = SUBCMD_DIFF, .file = "x", .file2 = "y", .json = true } },
	{ { "diff", "list", "diff" }, { .sub = SUBCMD_DIFF, .file = "list", .file2 = "diff" } },
	{ { "--self-test" }, {} },
	{ { "--self-test=only" }, { .self_test = SELF_TEST_ONLY } },
	{ { "--self-test=off" }, { .self_test = SELF_TEST_OFF } },
	{ { "--plan", "x" }, { .plan = "x" } },
	{ { "--plan=x" }, { .plan = "x" } },
	{ { "1" }, { .interval_ns = 1000000000 } },
	{ { "500ms", "10" }, { .interval_ns = 500000000, .count = 10 } },
	{ { "-j", "1", "2" }, { .interval_ns = 1000000000, .count = 2, .json = true } },
	{ { "1", "-j", "2" }, { .interval_ns = 1000000000, .count = 2, .json = true } },
	{ { "1", "2", "-j" }, { .interval_ns = 1000000000, .count = 2, .json = true } },
	{ { "-p", "12", "1" }, { .pid = 12, .not_all = true, .interval_ns = 1000000000 } },
	{ { "--", "ls" }, { .not_all = true, .command = "ls" } },
	{ { "--", "ls", "-l" }, { .not_all = true, .command = "ls", .command_arg = "-l" } },
	{ { "-j", "--", "ls", "-l" },
	  { .json = true, .not_all = true, .command = "ls", .command_arg = "-l" } },
	{ { "--", "ls", "--" }, { .not_all = true, .command = "ls", .command_arg = "--" } },
	{ { "--", "ls", "-j" }, { .not_all = true, .command = "ls", .command_arg = "-j" } },
	{ { "-d", "5", "--", "ls" },
	  { .duration_ns = 5000000000, .not_all = true, .command = "ls" } },
	{ { "1", "--", "ls", "-l" },
	  { .interval_ns = 1000000000, .not_all = true, .command = "ls", .command_arg = "-l" } },
	{ { "1", "-j", "2", "--", "ls" },
	  { .interval_ns = 1000000000, .count = 2, .json = true, .not_all = true, .command = "ls" } },
};

/* --top is a table of processes each second, unless told otherwise. */
static const struct {
	const char *args[ARGS + 1];
	enum by by;
	bool top;
	__u64 interval_ns, count;
} by_lines[] = {
	{ { "--by", "process" }, .by = BY_PROCESS },
	{ { "--by=cgroup" }, .by = BY_CGROUP },
	{ { "--by", "cgroup", "2" }, .by = BY_CGROUP, .interval_ns = 2000000000 },
	{ { "--top" }, .by = BY_PROCESS, .top = true, .interval_ns = 1000000000 },
	{ { "--top", "--by", "cgroup" }, .by = BY_CGROUP, .top = true, .interval_ns = 1000000000 },
	{ { "--top", "5", "3" },
	  .by = BY_PROCESS,
	  .top = true,
	  .interval_ns = 5000000000,
	  .count = 3 },
};

static void by_and_top(void **state)
{
	static struct options o;

	for (size_t i = 0; i < COUNT(by_lines); i++) {
		char *argv[ARGS + 2];
		const char *row = by_lines[i].args[1] ?: by_lines[i].args[0];

		expect_u64(row, parse(&o, by_lines[i].args, argv), 0);
		expect_u64(row, o.by, by_lines[i].by);
		expect_u64(row, o.top, by_lines[i].top);
		expect_u64(row, o.interval_ns, by_lines[i].interval_ns);
		expect_u64(row, o.count, by_lines[i].count);
	}
}

static void check_text(const char *row, const char *got, const char *want)
{
	assert_int_equal(!got, !want);
	if (want)
		expect_str(row, got, want);
}

static void good_command_lines(void **state)
{
	static struct options o;

	for (size_t i = 0; i < COUNT(good_lines); i++) {
		const __typeof__(good_lines[i].want) *want = &good_lines[i].want;
		char *argv[ARGS + 2], row[256] = "uffdretry";

		for (int a = 0; good_lines[i].args[a]; a++)
			snprintf(row + strlen(row), sizeof(row) - strlen(row), " %s",
				 good_lines[i].args[a]);
		expect_u64(row, parse(&o, good_lines[i].args, argv), 0);
		expect_u64(row, fails, 0);
		expect_u64(row, (__u64)o.nr_pids, (__u64)(want->pid != 0) + (want->pid2 != 0));
		expect_u64(row, (__u64)o.pids[0], (__u64)want->pid);
		expect_u64(row, (__u64)o.pids[1], (__u64)want->pid2);
		expect_u64(row, o.all, !want->not_all);
		expect_u64(row, o.duration_ns, want->duration_ns);
		expect_u64(row, o.interval_ns, want->interval_ns);
		expect_u64(row, o.count, want->count);
		expect_u64(row, o.json, want->json);
		expect_u64(row, json_errors == stdout, want->json);
		expect_u64(row, o.probe, want->probe);
		expect_u64(row, o.timestamp, want->timestamp);
		expect_u64(row, o.verbose, want->verbose);
		expect_u64(row, said_verbose, want->verbose);
		check_text(row, o.output, want->output);
		check_text(row, o.openmetrics, want->openmetrics);
		check_text(row, o.trace, want->trace);
		expect_u64(row, options_read_events(&o), want->events || want->trace);
		check_text(row, o.cgroup, want->cgroup);
		expect_u64(row, o.events, want->events);
		expect_u64(row, o.stacks, want->stacks);
		expect_u64(row, o.no_writers, want->no_writers);
		expect_u64(row, o.witness, want->witness);
		expect_u64(row, o.overhead, want->overhead);
		expect_u64(row, o.relock, want->relock);
		expect_u64(row, o.claims, want->claims);
		expect_u64(row, o.sub, want->sub);
		check_text(row, o.files[0], want->file);
		check_text(row, o.files[1], want->file2);
		expect_u64(row, o.brief, want->brief);
		check_text(row, o.plan, want->plan);
		expect_near(row, o.fail_above, want->fail_above > 0 ? want->fail_above : -1, 1e-15);
		expect_u64(row, o.self_test, want->self_test);
		expect_u64(row, !!o.command, !!want->command);
		if (!o.command)
			continue;
		check_text(row, o.command[0], want->command);
		check_text(row, o.command[1], want->command_arg);
	}
}

/* Lines that are refused with EXIT_USAGE and one message, which names the mistake. */
static const struct {
	const char *args[ARGS + 1];
	const char *says;
} bad_lines[] = {
	{ { "--nosuch" }, "--nosuch" },
	{ { "-Z" }, "Z" },
	{ { "-vZ" }, "Z" },
	{ { "-p" }, "p" },
	{ { "-d" }, "d" },
	{ { "--duration" }, "--duration" },
	{ { "--probe=yes" }, "--probe" },
	{ { "--p", "1" }, "--p" }, /* --pid, --plan or --probe */
	{ { "-p", "x" }, "'x'" },
	{ { "-p", "" }, "''" },
	{ { "-p", "1,x" }, "'1,x'" },
	{ { "-d", "x" }, "'x'" },
	{ { "-d", "0" }, "'0'" },
	{ { "-d", "-5" }, "'-5'" },
	{ { "--fail-above", "2" }, "'2'" },
	{ { "--fail-above", "" }, "''" },
	{ { "--self-test=maybe" }, "maybe" },
	{ { "x" }, "'x'" },
	{ { "" }, "''" },
	{ { "0" }, "'0'" },
	{ { "1", "0" }, "'0'" },
	{ { "1", "x" }, "'x'" },
	{ { "1", "2", "3" }, "'3'" },
	{ { "-p", "1", "-a" }, "--all" },
	{ { "-p", "1", "--", "ls" }, "--pid" },
	{ { "-a", "--", "ls" }, "--all" },
	{ { "--probe", "-p", "1" }, "--probe" },
	{ { "--probe", "1" }, "--probe" },
	{ { "--probe", "--", "ls" }, "--probe" },
	{ { "--self-test=only", "-p", "1" }, "--self-test=only" },
	{ { "--self-test=only", "1" }, "--self-test=only" },
	{ { "--self-test=only", "--", "ls" }, "--self-test=only" },
	{ { "-c" }, "c" },
	{ { "--openmetrics" }, "--openmetrics" },
	{ { "-c", "x", "-p", "1" }, "--cgroup" },
	{ { "-c", "x", "--cgroup=y" }, "--cgroup" },
	{ { "-c", "x", "--", "ls" }, "--cgroup" },
	{ { "-c", "x", "-a" }, "--all" },
	{ { "--probe", "-c", "x" }, "--probe" },
	{ { "--probe", "-e" }, "--events" },
	{ { "--self-test=only", "-e" }, "--events" },
	{ { "--overhead", "--probe" }, "--overhead" },
	{ { "--overhead", "--self-test=only" }, "--overhead" },
	{ { "--stacks", "--probe" }, "--stacks" },
	{ { "--stacks", "--self-test=only" }, "--stacks" },
	{ { "--stacks", "--no-writers" }, "--stacks" },
	{ { "--openmetrics", "x", "--probe" }, "--openmetrics" },
	{ { "--trace", "x", "--probe" }, "--trace" },
	{ { "--trace" }, "--trace" },
	{ { "list", "--trace", "x" }, "--trace" },
	{ { "list", "-p", "1" }, "--pid" },
	{ { "-d", "1", "list" }, "--duration" },
	{ { "list", "-v" }, "--verbose" },
	{ { "list", "1" }, "'1'" },
	{ { "list", "list" }, "'list'" },
	{ { "1", "list" }, "'list'" },
	{ { "list", "--", "ls" }, "COMMAND" },
	{ { "report" }, "FILE" },
	{ { "report", "x", "y" }, "'y'" },
	{ { "report", "x", "-j" }, "--json" },
	{ { "report", "x", "--claims" }, "--claims" },
	{ { "report", "--brief", "x" }, "--brief" },
	{ { "report", "x", "--", "ls" }, "COMMAND" },
	{ { "1", "report", "x" }, "'report'" },
	{ { "diff", "x" }, "two FILEs" },
	{ { "diff", "x", "y", "z" }, "'z'" },
	{ { "diff", "x", "y", "-v" }, "--verbose" },
	{ { "diff", "-", "-" }, "standard input" },
	{ { "--brief" }, "--brief" },
	{ { "list", "-j", "--brief" }, "--brief" },
	{ { "--" }, "COMMAND" },
	{ { "-j", "1", "--" }, "COMMAND" },
};

static void bad_command_lines(void **state)
{
	static struct options o;

	for (size_t i = 0; i < COUNT(bad_lines); i++) {
		char *argv[ARGS + 2], row[256] = "uffdretry";

		for (int a = 0; bad_lines[i].args[a]; a++)
			snprintf(row + strlen(row), sizeof(row) - strlen(row), " %s",
				 bad_lines[i].args[a]);
		expect_u64(row, parse(&o, bad_lines[i].args, argv), EXIT_USAGE);
		expect_u64(row, fails, 1);
		if (!strstr(fail_message, bad_lines[i].says))
			expect_str(row, fail_message, bad_lines[i].says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(duration_values),    cmocka_unit_test(rate_values),
		cmocka_unit_test(count_values),	      cmocka_unit_test(pid_values),
		cmocka_unit_test(at_most_max_pids),   cmocka_unit_test(by_and_top),
		cmocka_unit_test(good_command_lines), cmocka_unit_test(bad_command_lines),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
