// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The report for people (report/text.c and its parts): never wider than 80 columns, with the right
 * numbers in it.
 */
#include "canned.h"
#include "report/text.h"
#include "unit.h"

#include <ctype.h>
#include <regex.h>
#include <stdlib.h>
#include <sys/utsname.h>

#define COLUMNS 80

/* Stand-in for the system's: releases are up to 64 characters long. */
static const char *release = "7.3.4+deb14-cloud-amd64";

int uname(struct utsname *uts)
{
	memset(uts, 0, sizeof(*uts));
	snprintf(uts->release, sizeof(uts->release), "%s", release);
	snprintf(uts->machine, sizeof(uts->machine), "x86_64");
	return 0;
}

static struct counters c;

/* Each line fits, and is nothing but printable ASCII; the last one is whole. */
static void check_lines(const char *text)
{
	while (*text) {
		size_t n = strcspn(text, "\n");
		char line[512];

		snprintf(line, sizeof(line), "%.*s", (int)n, text);
		expect_u64(line, n > COLUMNS ? n : COLUMNS, COLUMNS);
		for (size_t i = 0; i < n; i++)
			expect_u64(line, isprint((unsigned char)text[i]) != 0, true);
		expect_u64(line, text[n], '\n');
		text += n + 1;
	}
}

/* What @print makes of the counters. The caller frees it. */
static char *printed(int (*print)(const struct report *, const struct span *), struct report *r,
		     double elapsed)
{
	const struct span s = { .counters = &c, .elapsed_s = elapsed, .final = true };
	char *text;
	size_t size;

	r->out = open_memstream(&text, &size);
	assert_int_equal(print(r, &s), 0);
	fclose(r->out);
	check_lines(text);
	return text;
}

/* Some line of @text matches @pattern. */
static bool has(const char *text, const char *pattern)
{
	regex_t re;
	int miss;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB), 0);
	miss = regexec(&re, text, 0, NULL, 0);
	regfree(&re);
	return !miss;
}

static void expect_line(const char *text, const char *pattern)
{
	if (!has(text, pattern))
		expect_str("missing", pattern, text);
}

static void expect_no_line(const char *text, const char *pattern)
{
	if (has(text, pattern))
		expect_str("unwanted", pattern, text);
}

static void scale(__u64 factor)
{
	__u64 *p = (__u64 *)&c;

	for (size_t i = 0; i < sizeof(c) / sizeof(*p); i++)
		p[i] *= factor;
}

static void usual_numbers(void **state)
{
	static const char *const lines[] = {
		"^UFFDIO_COPY of every process, 12\\.5 s$",
		"^kernel 7\\.3\\.4\\+deb14-cloud-amd64, its check: snapshot$",
		"plan retry_state \\(exact\\), self-test passed",
		"^copies +5003 calls, 4999 pages, 19\\.5 MiB$",
		"^returned +4990 ok, 4 ENOENT, 9 EAGAIN$",
		"^windows +13422 \\(2\\.68 a page copied",
		"1278 anon, 12144 shmem",
		"402 by an external handler",
		"414 .*still open",
		"^quiet .* 1102 +8\\.2% +983us +983us +983us$",
		"^unrelated .* 1105 +8\\.2%",
		"^locked .* 1108 +8\\.3%",
		"^tolerated .* 1111 +8\\.3%",
		"^replaced .* 1114 +8\\.3%",
		"^hidden .* 1117 +8\\.3%",
		"^false_alarm .* 1120 +8\\.3%",
		"^real .* 1123 +8\\.4%",
		"^gone .* 1126 +8\\.4%",
		"^blocked .* 1129 +8\\.4%",
		"^aborted .* 1132 +8\\.4%",
		"^undetermined .* 1135 +8\\.5%",
		"^ops_pointer +301 +302 +303 +304 +3\\.4% \\(3\\.0%? ?\\.\\.\\. ?3\\.8%\\)",
		"^snapshot +311 +312 +313 +314 +3\\.5%",
		"^per_vma_seq +321 +322 +323 +324 +3\\.6%",
		"^per_mm_seq +331 +332 +333 +334 +3\\.7% \\(3\\.4%? ?\\.\\.\\. ?4\\.2%\\)",
		"^ +failed$",
		"^kernel +341 +342 +343 +344 +3\\.9%",
		"Of 8900 windows, 2240 really changed",
		"a per-MM check would needlessly fail 333 of them, 26\\.6 a second\\.$",
		"^snapshot differs +uffd_flags 201, shared 202, ops 203, file 204",
		" pgoff 206$",
		"^meaning differs +ctx 211, uffd_flags 212, shared 213, ops 214",
		" offset 216$",
		"^tolerated +range 221, flags 222, prot 223, policy 224",
		"^odd start +401 windows",
		"^begin early +at most p50 .*, in 406 windows",
		"^ +mm_lock_seq moved in that time in 407 of them",
		"^WARNING.* 403 anomalies",
		"^WARNING.* 411([^0-9]|$)",
		"(^| )412([^0-9]|$)",
		"(^| )413([^0-9]|$)",
	};
	struct report r = canned_report(NULL);
	char *text;

	canned_counters(&c);
	text = printed(text_summary, &r, 12.5);
	for (size_t i = 0; i < COUNT(lines); i++)
		expect_line(text, lines[i]);
	expect_no_line(text, "nothing lost");
	expect_no_line(text, "self-test failed");
	free(text);
}

/* On a kernel without per-VMA locks the report says so and prints no number instead. */
static void without_vma_locks(void **state)
{
	struct report r = canned_report(NULL);
	char *text;

	canned_counters(&c);
	r.seq = SEQ_NONE;
	text = printed(text_summary, &r, 12.5);
	expect_line(text, "^locked +not on this kernel$");
	expect_line(text, "^per_vma_seq +not on this kernel$");
	expect_line(text, "^per_mm_seq +not on this kernel$");
	expect_line(text,
		    "^5558 others had a writer of the mm. This kernel has no mm_lock_seq\\.$");
	expect_no_line(text, "a per-MM check would");
	free(text);
}

static void nothing_happened(void **state)
{
	struct report r = canned_report(NULL);
	char *text;

	memset(&c, 0, sizeof(c));
	text = printed(text_summary, &r, 0);
	expect_line(text, "^copies +0 calls, 0 pages, 0 B$");
	expect_line(text, "^returned +0 ok$");
	expect_line(text, "^windows +0( |$)");
	for (int i = 0; i <= CLASS_REAL; i++) {
		char line[64];

		snprintf(line, sizeof(line), "^%s .* 0 +0%%$", class_names[i]);
		expect_line(text, line);
	}
	expect_line(text, "^per_mm_seq +0 +0 +0 +0 +no windows$");
	expect_line(text, "^nothing lost, 0 anomalies$");
	/* Lines that appear only when there is something to tell. */
	expect_no_line(text, "^(gone|blocked|aborted|undetermined) ");
	expect_no_line(text,
		       "WARNING|^(snapshot|meaning) differs|odd start|still open|Of 0|[^a-z](nan|inf)");
	free(text);
}

/* 0 of N is shown with its 95 % upper bound. */
static void none_of_many(void **state)
{
	struct report r = canned_report(NULL);
	char *text;

	memset(&c, 0, sizeof(c));
	c.totals.windows[KIND_ANON][CLASS_QUIET] = 3000;
	text = printed(text_summary, &r, 1);
	expect_line(text, "^per_mm_seq +0 +0 +0 +0 +< 0\\.1% \\(0 of 3000\\)$");
	expect_line(text, "^quiet .* 3000 +100%$");
	expect_line(text, "Of 3000 windows, 0 really changed");
	free(text);
}

/* A share that is not 0 must not read as 0. */
static void one_in_a_million(void **state)
{
	struct report r = canned_report(NULL);
	char *text;

	memset(&c, 0, sizeof(c));
	c.totals.windows[KIND_SHMEM][CLASS_QUIET] = 999999;
	c.totals.windows[KIND_SHMEM][CLASS_UNRELATED] = 1;
	c.totals.checks[CHECK_PER_MM_SEQ].eagain = 1;
	c.totals.checks[CHECK_PER_MM_SEQ].spurious = 1;
	text = printed(text_summary, &r, 1);
	expect_line(text, "^unrelated .* 1 +0\\.0001%$");
	expect_line(text, "^per_mm_seq +1 +0 +1 +0 +0\\.0001% \\(");
	free(text);
}

static void trouble(void **state)
{
	struct report r = canned_report(NULL);
	char *text;

	memset(&c, 0, sizeof(c));
	r.self_test = "failed";
	text = printed(text_summary, &r, 1);
	expect_line(text, "self-test failed$");
	expect_line(text, "^WARNING: the self-test failed");
	expect_line(text, "^nothing lost, 0 anomalies$");
	free(text);

	r.self_test = "passed";
	c.totals.lost[LOST_WINDOWS] = 1;
	text = printed(text_summary, &r, 1);
	expect_line(text, "^WARNING.* 1([^0-9]|$)");
	expect_no_line(text, "nothing lost|WARNING.*self-test|anomalies");
	free(text);

	memset(&c, 0, sizeof(c));
	c.recursion = 7;
	text = printed(text_summary, &r, 1);
	expect_line(text, "^WARNING.* 7 ");
	expect_no_line(text, "nothing lost");
	free(text);

	memset(&c, 0, sizeof(c));
	c.totals.anomalies = 1;
	text = printed(text_summary, &r, 1);
	expect_line(text, "^WARNING: 1 anomal");
	free(text);
}

/* No number makes a line too long. */
static void every_magnitude(void **state)
{
	struct report r = canned_report(NULL);
	char *text;

	for (__u64 factor = 1; factor < 100000000000000; factor *= 10) {
		canned_counters(&c);
		scale(factor);
		for (__u32 e = 0; e < NR_RETURNED; e++)
			c.totals.returned[e] = factor;
		free(printed(text_summary, &r, (double)factor));
	}
	memset(&c, 0, sizeof(c));
	c.totals.calls = 1ULL << 63;
	c.totals.returned[0] = 1ULL << 63;
	c.totals.windows[KIND_ANON][CLASS_REAL] = 1ULL << 63;
	c.totals.checks[CHECK_PER_MM_SEQ] = (struct check_totals) { .eagain = 1ULL << 63,
								    .real = 1,
								    .spurious = (1ULL << 63) - 1 };
	c.hists[KIND_ANON][CLASS_REAL].count[HIST_BUCKETS - 1] = 1ULL << 63;
	text = printed(text_summary, &r, 1e-9);
	expect_line(text, "^real .* 100% +120s +120s +120s$");
	free(text);
}

static void long_names(void **state)
{
	char *command[] = { (char *)"/a/very/long/path/to/a/program/that/restores/a/virtual/machine",
			    (char *)"--option", NULL };
	struct report r = canned_report(NULL);

	canned_counters(&c);
	release = "123456789012345678901234567890123456789012345678901234567890abcd";
	r.command = command;
	r.timestamp = true;
	free(printed(text_summary, &r, 1e7));
	release = "7.3.4";
}

/* --- The line of an interval --- */

static int twenty_intervals(const struct report *r, const struct span *s)
{
	int err = 0;

	for (int i = 0; i < 20; i++)
		err |= text_interval(r, s);
	return err;
}

static void intervals(void **state)
{
	struct report r = canned_report(NULL);
	char *text;

	canned_counters(&c);
	text = printed(twenty_intervals, &r, 1);
	expect_line(text, "copies +pages +EAGAIN +windows +real +hidden ");
	expect_line(text, "^ *5003 +4999 +9 +13422 +1123 +1117 +333 +983us +983us$");
	free(text);

	r.timestamp = true;
	text = printed(twenty_intervals, &r, 1);
	expect_line(text, "^[0-9:]{8} +5003 +4999 +9 +13422 +1123 +1117 +333 +983us +983us$");
	free(text);
	for (__u64 factor = 1; factor < 100000000000000; factor *= 10) {
		canned_counters(&c);
		scale(factor);
		free(printed(twenty_intervals, &r, 1));
	}

	memset(&c, 0, sizeof(c));
	text = printed(twenty_intervals, &r, 1);
	expect_line(text, " 0 +0 +0 +0 +0 +0 +0 +(-|0ns) +(-|0ns)$");
	free(text);
}

/* --- Whose windows --- */

static void target_names(void **state)
{
	static struct target two = { .pids = { 42, 4243 }, .nr = 2 },
			     one = { .pids = { 42 }, .nr = 1 }, none, group = { .cgroup = "a/b\n" };
	char *plain[] = { (char *)"./restore", (char *)"vm 1", NULL };
	char *escapes[] = { (char *)"\x1b[2Jx\x07\n\r\x9b\xc3\xa4", NULL };
	const struct {
		const struct target *target;
		char **command;
		size_t size;
		const char *want;
	} rows[] = {
		{ NULL, NULL, 64, "every process" },
		{ &none, NULL, 64, "every process" },
		{ &one, NULL, 64, "PID 42" },
		{ &two, NULL, 64, "PIDs 42, 4243" },
		{ &one, plain, 64, "./restore vm 1" },
		{ NULL, escapes, 64, "?[2Jx??\?\?\?\?" },
		{ &group, NULL, 64, "cgroup a/b?" },
		{ &two, NULL, 10, "PIDs 4..." },
		{ NULL, plain, 1, "" },
	};
	struct report r = canned_report(NULL);

	for (size_t i = 0; i < COUNT(rows); i++) {
		char text[65];

		memset(text, '#', sizeof(text));
		r.target = rows[i].target;
		r.command = rows[i].command;
		target_text(&r, text, rows[i].size);
		expect_str(rows[i].want, text, rows[i].want);
		assert_int_equal(text[rows[i].size], '#'); /* and not a byte more */
	}
}

/* The first eight by name, and how many more there are. */
static void writers(void **state)
{
	struct report r = canned_report(NULL);
	char *text;

	canned_counters(&c);
	text = printed(text_summary, &r, 12.5);
	expect_no_line(text, "writers of the mm");
	free(text);
	r.writers = canned_writers(&c);
	text = printed(text_summary, &r, 12.5);
	expect_line(text, "^writers of the mm in windows +comm +pid covers windows +locks$");
	expect_line(
		text,
		"^madvise MADV_DONTFORK +\\?\\[2J\\?56789ab\\.\\.\\. +4294967295 +dst +1801 +18\\.4E$");
	expect_line(text, "^munmap +munmapper +4000 +20 +30$");
	expect_line(text, "^munmap +munmapper +4007 +13 +23$");
	expect_no_line(text, "munmapper +4008");
	expect_line(text, "^and 2 more; -j lists them all$");
	expect_line(text, "^1902 write sections in 1901 windows; by unknown writers: 1903$");
	expect_line(text, "^1905 more by writers that do not fit in the list$");
	free(text);
}

/* 4,000 runs of 1.25 ms in all, in 12.5 s: 312.5 ns a run, a ten-thousandth of a CPU. */
static void overhead(void **state)
{
	struct report r = canned_report(NULL);
	char *text;

	canned_counters(&c);
	text = printed(text_summary, &r, 12.5);
	expect_no_line(text, "of a CPU");
	free(text);
	r.overhead = true;
	text = printed(text_summary, &r, 12.5);
	expect_line(text,
		    "^BPF programs, as the kernel counts them +runs +ns/run +of a CPU +skipped$");
	expect_line(text, "^fexit +mfill_atomic_copy +4000 +312 +0\\.010% +19$");
	expect_no_line(text, "sched_process_fork");
	expect_line(text, "^total +0\\.010%$");
	free(text);
}

/*
 * --claims: each with its number, its interval or bound, and the verdict. Few windows decide
 * nothing.
 */
static void claims(void **state)
{
	struct report r = canned_report(NULL);
	char *text;

	canned_counters(&c);
	r.claims = true;
	text = printed(text_summary, &r, 12.5);
	expect_line(text, "^claims about the check after the retry \\(95 % intervals\\)$");
	expect_line(text, "^    1105 of 8900 .*, 12\\.4% \\(11\\.7% \\.\\.\\. 13\\.1%\\)$");
	expect_line(text, "^    560 of 559 .*");
	expect_line(text, "^    not enough windows \\(have 559, need 3000\\)$");
	expect_line(text, "^    supported$");
	free(text);
	memset(&c, 0, sizeof(c));
	c.totals.windows[KIND_ANON][CLASS_QUIET] = 6000;
	text = printed(text_summary, &r, 12.5);
	expect_line(text, "^    0 of 6000 .*, below 0\\.05%$");
	expect_line(text, "^    0 of 0 [^,]*$");
	free(text);
	r.seq = SEQ_NONE;
	text = printed(text_summary, &r, 12.5);
	expect_line(text, "^    not on this kernel$");
	free(text);
}

static void relock(void **state)
{
	struct report r = canned_report(NULL);
	char *text;

	canned_counters(&c);
	c.relock[RELOCK_MMAP_LOCK].count[hist_bucket(1000000)] = 3;
	text = printed(text_summary, &r, 12.5);
	expect_no_line(text, "^relock ");
	free(text);
	r.relock = true;
	text = printed(text_summary, &r, 12.5);
	expect_line(text, "^relock +3 times: p50 983us, p99 983us, max 983us$");
	expect_line(text, "^  with mmap_lock +3 times: p50 983us");
	free(text);
	memset(c.relock, 0, sizeof(c.relock));
	text = printed(text_summary, &r, 12.5);
	expect_line(text, "^relock +0$");
	free(text);
}

/* Who raised mmap_changing: the call if known, its advice, and a printable name. */
static void holders(void **state)
{
	static const struct holder_row rows[] = {
		{ { CHANGING_REMOVE, 4711, 28, 4, "\x1b[2Jdropper" },
		  { 7, 0, 2500000, 5, 4712, 1 } },
		{ { CHANGING_FORK, 4713, -1, -1, "sixteen bytes ab" }, { 1, 0, 1000, 1, 4713, 1 } },
		{ { NR_CHANGING_OPS + 3, 4714, -1, -1, "odd" }, { 1, 0, 1000, 1, 4714, 1 } },
		{ { CHANGING_UNMAP, 4715, 11, -1, "four" }, { 1, 0, 1000, 1, 4715, 1 } },
		{ { CHANGING_UNMAP, 4716, 11, -1, "five" }, { 1, 0, 1000, 1, 4716, 1 } },
		{ { CHANGING_UNMAP, 4717, 11, -1, "six" }, { 1, 0, 1000, 1, 4717, 1 } },
	};
	struct report r = canned_report(NULL);
	struct span s = {
		.counters = &c, .elapsed_s = 12.5, .holders = rows, .nr_holders = 6, .final = true
	};
	char *text;
	size_t size;

	canned_counters(&c);
	r.out = open_memstream(&text, &size);
	assert_int_equal(report_span(&r, &s), 0);
	fclose(r.out);
	check_lines(text);
	expect_line(text,
		    "^mmap_changing refused 542 calls: read the event queue first\\. Raised by$");
	expect_line(text, "^  madvise\\(MADV_DONTNEED\\) by \\?\\[2Jdropper \\(4711\\):$");
	expect_line(text, "^    7 times, longest 2\\.5 ms, refused 5$");
	expect_line(text, "^  fork by sixteen bytes ab \\(4713\\):$");
	expect_line(text, "^  munmap by five \\(4716\\):$");
	expect_no_line(text, "4717"); /* five are shown */
	expect_line(text, "^  an unknown holder: refused 543$");
	expect_line(text, "^  STUCK, no event is pending: refused 544$");
	free(text);
	/* Without refusals no holder is named. */
	c.failures.refused = 0;
	r.out = open_memstream(&text, &size);
	assert_int_equal(report_span(&r, &s), 0);
	fclose(r.out);
	expect_no_line(text, "^mmap_changing refused|^    7 times");
	free(text);
}

/* stdout of --self-test=only. */
static void only_the_self_test(void **state)
{
	const struct self_test t = { .result = SELF_TEST_PASSED, .windows = 12 };
	struct report r = canned_report(NULL);
	char *text;
	size_t size;

	r.out = open_memstream(&text, &size);
	assert_int_equal(report_self_test(&r, &t), 0);
	fclose(r.out);
	assert_string_equal(text, "plan retry_state: self-test passed, 12 windows\n");
	free(text);
	r.out = fopen("/dev/full", "w");
	assert_int_equal(report_self_test(&r, &t), -1);
	fclose(r.out);
}

static void a_full_disk_is_reported(void **state)
{
	struct report r = canned_report(fopen("/dev/full", "w"));
	const struct span s = { .counters = &c, .final = true };

	assert_non_null(r.out);
	assert_int_equal(text_summary(&r, &s), -1);
	assert_int_equal(text_interval(&r, &s), -1);
	fclose(r.out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_numbers),
		cmocka_unit_test(nothing_happened),
		cmocka_unit_test(without_vma_locks),
		cmocka_unit_test(none_of_many),
		cmocka_unit_test(one_in_a_million),
		cmocka_unit_test(trouble),
		cmocka_unit_test(every_magnitude),
		cmocka_unit_test(long_names),
		cmocka_unit_test(intervals),
		cmocka_unit_test(target_names),
		cmocka_unit_test(a_full_disk_is_reported),
		cmocka_unit_test(writers),
		cmocka_unit_test(overhead),
		cmocka_unit_test(claims),
		cmocka_unit_test(relock),
		cmocka_unit_test(holders),
		cmocka_unit_test(only_the_self_test),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
