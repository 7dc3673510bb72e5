// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* `uffdretry diff` (report/diff.c): the numbers of two runs, their intervals and verdicts, in 80 columns. */
#include "canned.h"
#include "report/diff.h"
#include "report/json.h"
#include "unit.h"

#include <ctype.h>
#include <regex.h>
#include <sys/mman.h>
#include <unistd.h>

static struct counters c[2];
static struct report r[2];
static struct diff d;
static char *text;

/* 120 and 60 EAGAIN of 10,000 copies; 24 and 20 needless of 400 windows; 0 and 5 wrong pages. */
static int two_runs(void **state)
{
	memset(c, 0, sizeof(c));
	for (int i = 0; i < 2; i++) {
		r[i] = canned_report(NULL);
		c[i].totals.calls = 10000;
		c[i].totals.returned[0] = i ? 9940 : 9880;
		c[i].totals.returned[EAGAIN] = i ? 60 : 120;
		c[i].failures.failed[FAIL_EAGAIN][SITE_CHECK] = i ? 60 : 120;
		c[i].failures.failed[FAIL_EAGAIN][SITE_PAGE] = i ? 4 : 3;
		c[i].totals.windows[KIND_ANON][CLASS_QUIET] = i ? 380 : 376;
		c[i].totals.windows[KIND_ANON][CLASS_UNRELATED] = i ? 20 : 24;
		c[i].totals.checks[CHECK_PER_MM_SEQ].spurious = i ? 20 : 24;
		c[i].totals.checks[CHECK_KERNEL].missed = i ? 5 : 0;
		c[i].hists[KIND_ANON][CLASS_QUIET].count[hist_bucket(1000)] = i ? 100 : 376;
		c[i].hists[KIND_ANON][CLASS_QUIET].count[hist_bucket(64000)] = i ? 280 : 24;
	}
	d.names[0] = "before.json";
	d.names[1] = "after.json";
	return 0;
}

static int tear_down(void **state)
{
	for (int i = 0; i < 2; i++)
		saved_free(&d.runs[i]);
	free(text);
	text = NULL;
	return 0;
}

/* By way of the records. */
static void read_run(int i, double elapsed)
{
	const struct span s = { .counters = &c[i], .elapsed_s = elapsed, .final = true };
	int fd = memfd_create("record", 0);
	char path[64];

	r[i].out = fdopen(dup(fd), "w");
	assert_int_equal(json_span(&r[i], &s), 0);
	fclose(r[i].out);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(saved_read(&d.runs[i], path), 0);
	close(fd);
}

static void print(int (*as)(FILE *, const struct diff *))
{
	size_t size;
	FILE *out = open_memstream(&text, &size);

	read_run(0, 12.5);
	read_run(1, 10);
	assert_int_equal(as(out, &d), 0);
	fclose(out);
}

static void check_lines(void)
{
	for (const char *at = text; *at;) {
		size_t n = strcspn(at, "\n");
		char line[512];

		snprintf(line, sizeof(line), "%.*s", (int)n, at);
		expect_u64(line, n > 80 ? n : 80, 80);
		for (size_t i = 0; i < n; i++)
			expect_u64(line, isprint((unsigned char)at[i]) != 0, true);
		at += n + 1;
	}
}

static void expect_line(const char *pattern)
{
	regex_t re;
	int miss;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB), 0);
	miss = regexec(&re, text, 0, NULL, 0);
	regfree(&re);
	if (miss)
		expect_str("missing", pattern, text);
}

static void the_same_host(void **state)
{
	/* Wilson's and Newcombe's intervals, computed elsewhere. */
	static const char *const lines[] = {
		"^file +before\\.json +after\\.json$",
		"^kernel +[^ ]+ in both$",
		"^traced +every process in both$",
		"^for +12\\.5 s +10\\.0 s$",
		"^per million copies +before +after +difference \\(95 %\\)$",
		"^EAGAIN +12000 +6000 +-6000$",
		"^ +10045 \\.\\.\\. 14329 +4665 \\.\\.\\. 7715 +-8685 \\.\\.\\. -3400$",
		"^ +120 of 10000 +60 of 10000 +less$",
		"^snapshot +12000 +6000 +-6000$",
		"^pte +300 +400 +\\+100$",
		"^ +3 of 10000 +4 of 10000 +no difference seen$",
		"^needless by per-MM +2400 +2000 +-400$",
		"^of checked windows +before +after +difference \\(95 %\\)$",
		"^needless by per-MM +6\\.0% +5\\.0% +-1\\.0%$",
		"^ +4\\.1% \\.\\.\\. 8\\.8% +3\\.3% \\.\\.\\. 7\\.6% +-4\\.3% \\.\\.\\. \\+2\\.2%$",
		"^ +24 of 400 +20 of 400 +no difference seen$",
		"^pages filled wrongly +0% +1\\.2% +\\+1\\.2%$",
		"^ +< 0\\.8% +0\\.5% \\.\\.\\. 2\\.9% +\\+0\\.06% \\.\\.\\. \\+2\\.9%$",
		"^ +0 of 400 +5 of 400 +more$",
		"^windows per copy +0\\.04 +0\\.04$",
		"^ +400 / 10000 +400 / 10000$",
		"^p50 +959ns +61\\.4us +\\+60\\.5us$",
		"^ +896ns \\.\\.\\. 1\\.02us +57\\.3us \\.\\.\\. 65\\.5us +more$", /* whole buckets */
		"^p99 +61\\.4us +61\\.4us +\\+0ns$",
		"^ .* no difference seen$",
		"^nothing was lost in either$",
	};

	print(text_diff);
	check_lines();
	for (size_t i = 0; i < COUNT(lines); i++)
		expect_line(lines[i]);
	assert_null(strstr(text, "WARNING"));
	assert_null(strstr(text, "machine"));
	assert_null(strstr(text, "short_copy"));
}

static void what_one_cannot_tell(void **state)
{
	r[0].seq = SEQ_NONE;
	r[0].relock = true;
	r[0].self_test = "failed";
	memset(&c[0].totals.checks[CHECK_PER_MM_SEQ], 0, sizeof(struct check_totals));
	memset(c[1].totals.windows, 0, sizeof(c[1].totals.windows));
	memset(c[1].hists, 0, sizeof(c[1].hists));
	memset(c[1].totals.checks, 0, sizeof(c[1].totals.checks));
	c[1].totals.anomalies = 7;
	c[1].recursion = 12345;
	print(text_diff);
	check_lines();
	expect_line("^options +--no-writers --relock +--no-writers$");
	expect_line("^self-test +failed +passed$");
	expect_line("^needless by per-MM +not on this kernel +-$");
	expect_line("^ +0 of 0$");
	expect_line("^p50 +959ns +-$");
	expect_line("^anomalies +0 +7$");
	expect_line("^skipped program runs +0 +12345$");
}

/* Of one window each no quantile has an interval, so there is no verdict. A call of many pages has many windows. */
static void too_few_windows(void **state)
{
	for (int i = 0; i < 2; i++) {
		memset(c[i].totals.windows, 0, sizeof(c[i].totals.windows));
		memset(c[i].hists, 0, sizeof(c[i].hists));
		c[i].totals.windows[KIND_ANON][CLASS_UNRELATED] = 1;
		c[i].hists[KIND_ANON][CLASS_UNRELATED].count[30 + 20 * i] = 1;
		c[i].totals.lost[LOST_EVENTS] = (__u64)i;
	}
	c[1].rehooks = REHOOKS_UNTOLD;
	print(text_diff);
	check_lines();
	expect_line("^ +\\? \\.\\.\\. \\? +\\? \\.\\.\\. \\?$");
	expect_line("^events lost +0 +1$");
	expect_line("^other BPF programs: untold +0 +1$");
	free(text);
	print(json_diff);
	assert_non_null(strstr(text, "\"low\":null,\"high\":null"));
	assert_null(strstr(text, "NaN"));
	free(text);
	c[0].totals.windows[KIND_ANON][CLASS_UNRELATED] = 5 * c[0].totals.calls;
	c[0].totals.checks[CHECK_PER_MM_SEQ].spurious = 2 * c[0].totals.calls;
	print(text_diff);
	check_lines();
	expect_line("^needless by per-MM +2000000 ");
}

/* Of what the missing calls returned nothing is known: no bound, and no verdict. */
static void calls_are_missing(void **state)
{
	c[1].skipped[COSTS_CALL] = 5000;
	print(text_diff);
	check_lines();
	expect_line("^EAGAIN +12000 +6000 +-6000$");
	expect_line("^ +10045 \\.\\.\\. 14329$");
	expect_line("^ +120 of 10000 +60 of 10000$");
	expect_line("^ +3 of 10000 +4 of 10000$");
	expect_line("^needless by per-MM +2400 +2000 +-400$");
	expect_line("^ +24 of 10000 +20 of 10000$");
	expect_line(
		"^ +4\\.1% \\.\\.\\. 8\\.8% +3\\.3% \\.\\.\\. 7\\.6% +-4\\.3% \\.\\.\\. \\+2\\.2%$");
}

static void emulated_against_native(void **state)
{
	for (int i = 0; i < 2; i++) {
		size_t size;
		FILE *out;

		read_run(0, 1);
		read_run(1, 1);
		d.runs[0].emulated = i == 0;
		d.runs[1].emulated = i == 1;
		snprintf(d.runs[i].machine, sizeof(d.runs[i].machine), "x86_64, TCGTCGTCGTCG");
		out = open_memstream(&text, &size);
		assert_int_equal(text_diff(out, &d), 0);
		fclose(out);
		check_lines();
		expect_line(i ? "^WARNING: AFTER ran in emulation"
			      : "^WARNING: BEFORE ran in emulation");
		expect_line("^machine .*TCGTCGTCGTCG");
		tear_down(state);
	}
}

/* No number and no name makes a line too long. */
static void every_magnitude(void **state)
{
	for (int i = 0; i < 15; i++) {
		for (int k = 0; k < 2; k++) {
			__u64 *p = (__u64 *)&c[k];

			for (int site = 0; site < NR_SITES; site++)
				c[k].failures.failed[FAIL_EAGAIN][site] = 1;
			r[k].plan = "a plan of a long name that ends";
			r[k].exactness =
				k ? "begins early by no more than all of the time that there is"
				  : "exact";
			for (size_t at = 0; i && at < sizeof(c[k]) / sizeof(*p); at++)
				p[at] *= 10;
		}
		d.names[0] =
			"/a/very/long/path/to/a/record\033/of/a/run/that/was/saved/before.json";
		print(text_diff);
		check_lines();
		tear_down(state);
	}
}

static struct json_object *member(struct json_object *o, const char *path)
{
	char name[64];

	for (size_t n; *path; path += n + (path[n] == '.')) {
		n = strcspn(path, ".");
		snprintf(name, sizeof(name), "%.*s", (int)n, path);
		if (json_object_is_type(o, json_type_array))
			o = json_object_array_get_idx(o, (size_t)atoi(name));
		else if (!json_object_object_get_ex(o, name, &o))
			expect_str("no member", path, "");
	}
	return o;
}

static void as_json(void **state)
{
	static const struct {
		const char *path;
		double want;
	} numbers[] = {
		{ "before.elapsed_s", 12.5 },
		{ "before.copies", 10000 },
		{ "after.windows_per_copy", 0.04 },
		{ "shares.0.before.number", 120 },
		{ "shares.0.before.of", 10000 },
		{ "shares.0.before.per_million.value", 12000 },
		{ "shares.0.before.per_million.low", 10045.5 },
		{ "shares.0.before.per_million.high", 14329.3 },
		{ "shares.0.difference.value", -6000 },
		{ "shares.0.difference.low", -8685.0 },
		{ "shares.0.difference.high", -3399.8 },
		{ "shares.5.after.number", 60 },
		{ "shares.12.after.per_million.value", 12500 },
		{ "window_ns.0.before.value", 959 },
		{ "losses.0.after", 7 },
	};
	struct json_object *o;

	c[1].totals.anomalies = 7;
	r[0].seq = SEQ_NONE;
	print(json_diff);
	keep_records(text);
	o = json_tokener_parse(text);
	for (size_t i = 0; i < COUNT(numbers); i++)
		expect_near(numbers[i].path, json_object_get_double(member(o, numbers[i].path)),
			    numbers[i].want, 0.5);
	expect_str("verdict", json_object_get_string(member(o, "shares.0.verdict")), "less");
	expect_str("name", json_object_get_string(member(o, "shares.5.name")), "snapshot");
	expect_str("file", json_object_get_string(member(o, "after.file")), "after.json");
	assert_null(member(o, "shares.9.before")); /* per_mm_seq without mm_lock_seq */
	assert_null(member(o, "shares.9.difference"));
	assert_null(member(o, "shares.9.verdict"));
	assert_null(member(o, "warning"));
	json_object_put(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_same_host, two_runs, tear_down),
		cmocka_unit_test_setup_teardown(what_one_cannot_tell, two_runs, tear_down),
		cmocka_unit_test_setup_teardown(too_few_windows, two_runs, tear_down),
		cmocka_unit_test_setup_teardown(calls_are_missing, two_runs, tear_down),
		cmocka_unit_test_setup_teardown(emulated_against_native, two_runs, tear_down),
		cmocka_unit_test_setup_teardown(every_magnitude, two_runs, tear_down),
		cmocka_unit_test_setup_teardown(as_json, two_runs, tear_down),
	};

	return cmocka_run_group_tests_name("diff", tests, NULL, NULL);
}
