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
static struct report r;
static char *text; /* of the last print */

static int canned(void **state)
{
	canned_counters(&c);
	r = canned_report(NULL);
	r.verbose = true;
	return 0;
}

static int tear_down(void **state)
{
	free(text);
	text = NULL;
	return 0;
}

/* Each line of the text fits, and is nothing but printable ASCII; the last one is whole. */
static void check_lines(void)
{
	for (const char *at = text; *at;) {
		size_t n = strcspn(at, "\n");
		char line[512];

		snprintf(line, sizeof(line), "%.*s", (int)n, at);
		expect_u64(line, n > COLUMNS ? n : COLUMNS, COLUMNS);
		for (size_t i = 0; i < n; i++)
			expect_u64(line, isprint((unsigned char)at[i]) != 0, true);
		expect_u64(line, at[n], '\n');
		at += n + 1;
	}
}

/* Print @s as one of the report functions does, to the text. */
static void print_span(int (*as)(const struct report *, const struct span *), const struct span *s)
{
	size_t size;

	free(text);
	r.out = open_memstream(&text, &size);
	assert_int_equal(as(&r, s), 0);
	fclose(r.out);
	check_lines();
}

static void print(int (*as)(const struct report *, const struct span *), double elapsed)
{
	print_span(as, &(struct span) { .counters = &c, .elapsed_s = elapsed, .final = true });
}

/* Some line of the text matches @pattern. */
static bool has(const char *pattern)
{
	regex_t re;
	int miss;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB), 0);
	miss = regexec(&re, text, 0, NULL, 0);
	regfree(&re);
	return !miss;
}

static void expect_line(const char *pattern)
{
	if (!has(pattern))
		expect_str("missing", pattern, text);
}

static void expect_no_line(const char *pattern)
{
	if (has(pattern))
		expect_str("unwanted", pattern, text);
}

static void print_summary(void)
{
	print(text_summary, 12.5);
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
		"^address +321 +322 +323 +324 +3\\.6%",
		"^per_vma_seq +331 +332 +333 +334 +3\\.7%",
		"^per_mm_seq +341 +342 +343 +344 +3\\.9% \\(3\\.5%? ?\\.\\.\\. ?4\\.3%\\)",
		"^answered by +failed +real +spurious +missed$",
		"^kernel +351 +352 +353 +354 +4\\.0?%",
		"Of 8900 windows, 2240 really changed",
		"a per-MM check would needlessly fail 343 of them, 27\\.4 a second\\.$",
		"^snapshot differs +uffd_flags 201, shared 202, ops 203, file 204",
		" pgoff 206$",
		"^meaning differs +ctx 211, uffd_flags 212, shared 213, ops 214",
		" offset 216$",
		"^tolerated +range 221, flags 222, prot 223, policy 224",
		"^odd start +401 windows",
		"^early \\(hugetlb\\) +at most p50 .*, in 406 windows",
		"^ +mm_lock_seq moved in that time in 407 of them",
		"^TRUST +plan retry_state \\(exact\\), self-test passed$",
		"^ +kernel skipped 413 BPF runs; windows lost: at most 1968$",
		"^ +WARNING: anomalies, facts in contradiction \\(please report\\): 403$",
		"^ +WARNING: undetermined windows: 1135$",
		"^ +WARNING: windows whose end was not seen: 411$",
		"^ +WARNING: windows without memory, at most: 412$",
	};

	print_summary();
	for (size_t i = 0; i < COUNT(lines); i++)
		expect_line(lines[i]);
	expect_no_line("nothing lost");
	expect_no_line("self-test failed");
}

/* On a kernel without per-VMA locks the report says so and prints no number instead. */
static void without_vma_locks(void **state)
{
	r.seq = SEQ_NONE;
	print_summary();
	expect_line("^locked +not on this kernel$");
	expect_line("^per_vma_seq +not on this kernel$");
	expect_line("^per_mm_seq +not on this kernel$");
	expect_line("^5558 others had a writer of the mm. This kernel has no mm_lock_seq\\.$");
	expect_no_line("a per-MM check would");
}

static void nothing_happened(void **state)
{
	memset(&c, 0, sizeof(c));
	print(text_summary, 0);
	expect_line("^copies +0 calls, 0 pages, 0 B$");
	expect_line("^returned +0 ok$");
	expect_line("^windows +0( |$)");
	for (int i = 0; i <= CLASS_REAL; i++) {
		char line[64];

		snprintf(line, sizeof(line), "^%s .* 0 +0%%$", class_names[i]);
		expect_line(line);
	}
	expect_line("^per_mm_seq +0 +0 +0 +0 +no windows$");
	expect_line("^         nothing lost, 0 anomalies$");
	/* Lines that appear only when there is something to tell. */
	expect_no_line("^(gone|blocked|aborted|undetermined) ");
	expect_no_line(
		"WARNING|^(snapshot|meaning) differs|odd start|still open|Of 0|[^a-z](nan|inf)");
}

/* 0 of N is shown with its 95 % upper bound. */
static void none_of_many(void **state)
{
	memset(&c, 0, sizeof(c));
	c.totals.windows[KIND_ANON][CLASS_QUIET] = 3000;
	print(text_summary, 1);
	expect_line("^per_mm_seq +0 +0 +0 +0 +< 0\\.1% \\(0 of 3000\\)$");
	expect_line("^quiet .* 3000 +100%$");
	expect_line("Of 3000 windows, 0 really changed");
}

/* A share that is not 0 must not read as 0. */
static void one_in_a_million(void **state)
{
	memset(&c, 0, sizeof(c));
	c.totals.windows[KIND_SHMEM][CLASS_QUIET] = 999999;
	c.totals.windows[KIND_SHMEM][CLASS_UNRELATED] = 1;
	c.totals.checks[CHECK_PER_MM_SEQ].eagain = 1;
	c.totals.checks[CHECK_PER_MM_SEQ].spurious = 1;
	print(text_summary, 1);
	expect_line("^unrelated .* 1 +0\\.0001%$");
	expect_line("^per_mm_seq +1 +0 +1 +0 +0\\.0001% \\(");
}

/* Any one of these, alone, is a warning with its number, and something is lost then. */
static void every_loss_counts(void **state)
{
	__u64 *const losses[] = {
		&c.totals.lost[LOST_WINDOWS],
		&c.totals.lost[LOST_MAP_FULL],
		&c.totals.lost[LOST_EVENTS],
		&c.totals.lost[LOST_CHANGING_EVENTS],
		&c.totals.lost[LOST_COPY_EVENTS],
		&c.totals.windows[KIND_SHMEM][CLASS_UNDETERMINED],
		&c.totals.writers.other,
		&c.totals.anomalies,
		&c.failures.failed[FAIL_EAGAIN][SITE_UNKNOWN],
		&c.failures.failed[FAIL_ENOENT][SITE_UNKNOWN],
		&c.failures.stopped[FAIL_EAGAIN][SITE_UNKNOWN],
		&c.failures.holders_lost,
		&c.failures.chains_lost,
	};

	r.writers = canned_writers(&c);
	for (size_t i = 0; i < COUNT(losses); i++) {
		memset(&c, 0, sizeof(c));
		*losses[i] = 7;
		print(text_summary, 1);
		expect_line("^ +WARNING:.*[^0-9.]7([^0-9]|$)");
		expect_no_line("nothing lost");
	}
	memset(&c, 0, sizeof(c));
	print(text_summary, 1);
	expect_line("^         nothing lost, 0 anomalies$");
}

static void trouble(void **state)
{
	memset(&c, 0, sizeof(c));
	r.self_test = "failed";
	print(text_summary, 1);
	expect_line("^TRUST .*self-test failed$");
	expect_line("^         do not trust these numbers$");
	expect_no_line("nothing lost");

	r.self_test = "passed";
	c.totals.lost[LOST_WINDOWS] = 1;
	print(text_summary, 1);
	expect_line("^         something was lost:$");
	expect_line("^ +WARNING: windows whose end was not seen: 1$");
	expect_no_line("nothing lost|do not trust|anomalies");

	memset(&c, 0, sizeof(c));
	c.recursion = 7;
	c.skipped[COSTS_NOTHING] = 4;
	c.skipped[COSTS_CALL] = 3;
	print(text_summary, 1);
	expect_line("^ +kernel skipped 7 BPF runs; windows lost: 0$");
	expect_line("^ +WARNING: calls not counted, nor their EAGAIN, at most: 3$");
	expect_no_line("nothing lost|(windows|unmaps) missing");
	c.skipped[COSTS_WINDOW] = 2;
	print(text_summary, 1);
	expect_line("^ +kernel skipped 7 BPF runs; windows lost: at most 2$");
	expect_line("^ +WARNING: windows missing, at most: 2$");

	memset(&c, 0, sizeof(c));
	c.totals.anomalies = 1;
	print(text_summary, 1);
	expect_line("^ +WARNING: anomalies, .*: 1$");
}

/* No number makes a line too long. */
static void every_magnitude(void **state)
{
	for (__u64 factor = 1; factor < 100000000000000; factor *= 10) {
		canned_counters(&c);
		scale(factor);
		for (__u32 e = 0; e < NR_RETURNED; e++)
			c.totals.returned[e] = factor;
		print(text_summary, (double)factor);
	}
	memset(&c, 0, sizeof(c));
	c.totals.calls = 1ULL << 63;
	c.totals.returned[0] = 1ULL << 63;
	c.totals.windows[KIND_ANON][CLASS_REAL] = 1ULL << 63;
	c.totals.checks[CHECK_PER_MM_SEQ] = (struct check_totals) { .eagain = 1ULL << 63,
								    .real = 1,
								    .spurious = (1ULL << 63) - 1 };
	c.hists[KIND_ANON][CLASS_REAL].count[HIST_BUCKETS - 1] = 1ULL << 63;
	print(text_summary, 1e-9);
	expect_line("^real .* 100% +120s +120s +120s$");
}

static void long_names(void **state)
{
	char *command[] = { (char *)"/a/very/long/path/to/a/program/that/restores/a/virtual/machine",
			    (char *)"--option", NULL };

	release = "123456789012345678901234567890123456789012345678901234567890abcd";
	r.command = command;
	r.timestamp = true;
	print(text_summary, 1e7);
	release = "7.3.4";
}

/* --- The first screen --- */

/* Up to the first table; the head has one blank line. */
static size_t screen_lines(void)
{
	const char *end = strstr(strstr(text, "\n\n") + 2, "\n\n");
	size_t lines = 1;

	for (const char *at = text; *at && at != end; at++)
		lines += *at == '\n' && at[1];
	return lines;
}

static const struct holder_row dropper = { { CHANGING_REMOVE, 376, 28, 4, "uffdload" },
					   { 400, 4000000000, 30000000, 72037, 4712, 1 } };
static struct span busy = { .counters = &c,
			    .elapsed_s = 10.21,
			    .holders = &dropper,
			    .nr_holders = 1,
			    .final = true };

/* A handler that spins on EAGAIN beside a balloon, and a writer elsewhere in 21 of 402 windows. */
static void balloon(void)
{
	memset(&c, 0, sizeof(c));
	r.verbose = false;
	c.totals.calls = 75681;
	c.totals.returned[0] = 75681 - 72037;
	c.totals.returned[EAGAIN] = 72037;
	c.totals.returned[0] = 3644;
	c.totals.windows[KIND_ANON][CLASS_QUIET] = 381;
	c.totals.windows[KIND_ANON][CLASS_UNRELATED] = 21;
	c.totals.checks[CHECK_PER_MM_SEQ] = (struct check_totals) { .eagain = 21, .spurious = 21 };
	c.failures.failed[FAIL_EAGAIN][SITE_ENTRY] = 72030;
	c.failures.failed[FAIL_EAGAIN][SITE_RELOCK] = 7;
	c.failures.refused = 72037;
	c.failures.chains = 250;
	c.failures.chains_ended = 249;
	c.failures.chain_lost_ns = 1410000000;
	c.chain_longest = CHAIN_WORD(13577, FAIL_EAGAIN, SITE_ENTRY);
	c.recursion = 5;
	c.skipped[COSTS_NOTHING] = 5;
}

static void all_answers(void **state)
{
	static const char want[] =
		"UFFDIO_COPY of every process, 10.2 s\n"
		"kernel 7.3.4, its check: snapshot\n"
		"\n"
		"EAGAIN   72037 of 75681 copies (95.2%). Cause: unread userfaultfd event (72037)\n"
		"         madvise(MADV_DONTNEED) of uffdload (pid 376) raised 400 events, each\n"
		"         pending up to 30.0ms; they refused 72037 of the 72037 calls\n"
		"         250 pages failed, 249 filled since, mean 5.66ms later; one page failed\n"
		"         13577 times in a row (EAGAIN)\n"
		"         -> on EAGAIN read() all events, drop removed pages, retry the others\n"
		"PER-MM   a per-MM check would needlessly fail 5763 of a million successful\n"
		"         copies: 21 of 402 retry windows, 5.2% (95 %: 3.4% ... 7.9%)\n"
		"WRONG    0 pages filled wrongly in 402 windows; this kernel's check refused 0\n"
		"TRUST    plan retry_state (exact), self-test passed\n"
		"         kernel skipped 5 BPF runs; windows lost: 0\n"
		"\n";

	release = "7.3.4";
	balloon();
	print_span(text_summary, &busy);
	expect_u64("lines", screen_lines() <= 24, true);
	if (strncmp(text, want, sizeof(want) - 1))
		expect_str("screen", text, want);
	/* Only rows that say something, and nothing twice. */
	expect_line("^quiet .* 381 ");
	expect_line("^per_mm_seq +21 +0 +21 +0 ");
	expect_no_line(
		"^(locked|real|snapshot|answered by) |EAGAIN, by cause|^mmap_changing|^advice");
}

static void an_event_that_stays(void **state)
{
	struct holder_row never = dropper;
	struct span span = busy;

	never.totals.held_ns = 0;
	span.holders = &never;
	balloon();
	print_span(text_summary, &span);
	expect_line("raised 400 events, not$");
	expect_line("^ +lowered until the end; they refused");
}

/* The advice is silent about whom nobody saw, and names one process everywhere. */
static void no_more_blame_than_seen(void **state)
{
	balloon();
	c.failures.refused = 80000;
	c.failures.refused_unseen = 7963;
	print_span(text_summary, &busy);
	expect_line("they refused 72037 of the 80000 calls$");
	expect_line("^  an unknown holder: refused 7963$");
	r.verbose = true;
	print_span(text_summary, &busy);
	expect_line("^- 72037 of 72037 EAGAIN: an event, most often REMOVE, was pending");
	expect_no_line("4712");
	c.failures.chains = 1;
	c.failures.chains_ended = 0;
	busy.nr_holders = 0;
	print_span(text_summary, &busy);
	expect_line("^ +who raised the event was not seen$");
	expect_line("^ +1 page failed, 0 filled since; one page failed 13577 times in a row$");
	expect_no_line("uffdload");
	busy.nr_holders = 1;
}

/* Of copies without a window the rule of three says something; with lost windows it does not. */
static void no_window(void **state)
{
	balloon();
	memset(&c, 0, sizeof(c));
	c.totals.calls = 3840;
	print_summary();
	expect_line("^EAGAIN   none in 3840 copies$");
	expect_line(
		"^PER-MM   3840 copies, no retry window: a per-MM check could fail < 0\\.078% of$");
	expect_line("^         copies$");
	expect_line("^WRONG    no page: that takes a retry window, and none came to a check$");
	c.totals.returned[ENOENT] = 4;
	c.totals.returned[EEXIST] = 30;
	print_summary();
	expect_line(
		"^EAGAIN   none in 3840 copies; 34 failed otherwise \\(0\\.9%\\), most of them with$");
	expect_no_line("^class|^check|^answered|^length|^chains");
	c.failures.failed[FAIL_EEXIST][SITE_PAGE] = 40;
	c.skipped[COSTS_CALL] = 1;
	print_summary();
	expect_line("^EAGAIN   none seen in 3840 copies; 34 failed otherwise");
	expect_line(
		"^         -> on EEXIST the page is there already: UFFDIO_WAKE its waiters, and go$");
	c.skipped[COSTS_WINDOW] = 2;
	print_summary();
	expect_line("^PER-MM   unknown: 2 windows are missing at most$");
	expect_line(
		"^WRONG    no page: that takes a retry window, and none was seen to come to a$");
	c.skipped[COSTS_WINDOW] = 0;
	c.totals.windows[KIND_ANON][CLASS_GONE] = 1;
	print_summary();
	expect_line("^PER-MM   3840 copies, no retry window that came to a check: ");
	c.skipped[COSTS_CALL] = 0;
	c.rehooks = 7;
	print_summary();
	expect_line("^EAGAIN   none seen in 3840 copies; 34 failed otherwise");
	expect_line("^PER-MM   unknown: other tracers may have cost calls$");
	expect_line(
		"^WRONG    no page: that takes a retry window, and none was seen to come to a$");
	c.rehooks = 0;
	r.seq = SEQ_NONE;
	print_summary();
	expect_line("^PER-MM   not on this kernel");
	expect_no_line("could fail");
}

static void no_needless_failure(void **state)
{
	balloon();
	c.totals.windows[KIND_ANON][CLASS_UNRELATED] = 0;
	c.totals.checks[CHECK_PER_MM_SEQ] = (struct check_totals) {};
	print_summary();
	expect_line(
		"^PER-MM   a per-MM check would needlessly fail none of 381 retry windows \\(95 %: <$");
	expect_line("^         0\\.8%, < 823 of a million successful copies\\)$"); /* 3 / 3,644 */
	r.exact = false;
	c.totals.checks[CHECK_PER_MM_SEQ].spurious = 4;
	print_summary();
	expect_line("^PER-MM   a per-MM check would needlessly fail at most 1098 of a million$");
	expect_line(": 4 of 381 retry windows, 1\\.0%"); /* 4 / 3,644 */
	c.totals.windows[KIND_ANON][CLASS_GONE] = 10;
	print_summary();
	expect_line(": 4 of 381 checked retry windows, 1\\.0%");
}

static void wrong_pages(void **state)
{
	balloon();
	c.totals.checks[CHECK_KERNEL] = (struct check_totals) { 31, 10, 21, 5, 0 };
	print_summary();
	expect_line("^WRONG    5 pages filled wrongly in 402 windows: the address meant another");
	expect_line("this kernel's check let them pass and refused 31 others, 21 of$");
	expect_line(
		"^         -> program: do not remap or re-register ranges it copies to \\(-e: where\\)$");
	expect_line("^kernel +31 +10 +21 +5 ");
	c.totals.meaning_reasons[MEANING_DIFF_CTX] = 1;
	c.totals.checks[CHECK_PER_VMA_SEQ].missed = 1;
	print_summary();
	expect_line("^ +or userfaultfd; this kernel's check let them pass and");
	expect_line("; a per-MM check would refuse them all$");
	c.totals.checks[CHECK_PER_VMA_SEQ].missed = 0;
	c.totals.meaning_reasons[MEANING_DIFF_CTX] = 0;
	r.kernel_check = "none";
	print_summary();
	expect_line("this kernel has no check; a per-VMA or a per-MM check would$");
}

static void idle(void **state)
{
	static struct uffd_process holders[9] = {
		{ .pid = 12, .comm = "qemu\033[2J" },
		{ .pid = 376, .comm = "load" },
	};
	static struct uffd_list owners = { .processes = holders, .nr = 2 };
	static const struct target one = { .pids = { 42 }, .nr = 1 };
	char *command[] = { (char *)"true", NULL };

	memset(&c, 0, sizeof(c));
	r.verbose = false;
	r.owners = &owners;
	print_summary();
	expect_line("^NOTHING  happened: no fill ioctl and no retry window in 12\\.5 s$");
	expect_line(
		"^         at the start a userfaultfd was open in: qemu\\?\\[2J \\(pid 12\\), load");
	expect_line("^         -> trace longer");
	expect_no_line("^(EAGAIN|PER-MM|WRONG|class|check) ");
	r.target = &one;
	print_summary();
	expect_line("^         -> trace one of these \\(-p PID\\), or every process \\(-a\\)$");
	r.command = command;
	owners.nr = 9;
	owners.unreadable = 3;
	print_summary();
	expect_line("and 5 more; 3 processes could not be looked at$");
	expect_line("^         -> is it another process that fills the pages\\?");
	r.command = NULL;
	owners.nr = 0;
	print_summary();
	expect_line(
		"^         at the start no process had a userfaultfd open; 3 processes could not$");
	expect_line("^         -> start the program that fills pages under the tool");
	owners.hidden = true;
	print_summary();
	expect_line("^         at the start no process had a userfaultfd open; /proc hides others");
	/* Another ioctl than UFFDIO_COPY. */
	c.failures.fills[FILL_CONTINUE].ok = 1;
	print_summary();
	expect_line("^EAGAIN   none in 0 copies$");
	expect_line("^PER-MM   unknown: no copy was seen$");
	expect_no_line("^NOTHING");
}

/* Everything at once fits as well. */
static void the_largest_screen(void **state)
{
	static const struct holder_row longest = { { CHANGING_REMOVE, 4294967295U, 440, 21,
						     "sixteen bytes ab" },
						   { ~0ULL, 0, ~0ULL, ~0ULL, 4712, 1 } };
	struct span s = { .counters = &c,
			  .elapsed_s = 1e7,
			  .holders = &longest,
			  .nr_holders = 1,
			  .final = true };

	for (__u64 factor = 1; factor < 100000000000000; factor *= 10) {
		canned_counters(&c);
		r.verbose = false;
		for (int i = 0; i < NR_FILLS; i++)
			c.failures.fills[i].mmap_changing = 532;
		scale(factor);
		print_span(text_summary, &s);
		expect_u64("lines", screen_lines() > 24 ? screen_lines() : 24, 24);
	}
	expect_line("^ +[0-9]+ more warnings: -v$");
}

/* The windows' lengths by powers of two: 3 of 1 us, 1 of 5 us. */
static void lengths(void **state)
{
	balloon();
	c.hists[KIND_ANON][CLASS_QUIET].count[hist_bucket(1024)] = 3;
	c.hists[KIND_SHMEM][CLASS_REAL].count[hist_bucket(5000)] = 1;
	print_summary();
	expect_line("^length of windows +windows$");
	expect_line("^  1\\.02us \\.\\.\\. 2\\.05us +3 \\|\\*{40}\\|$");
	expect_line("^  2\\.05us \\.\\.\\. 4\\.10us +0 \\| {40}\\|$");
	expect_line("^  4\\.10us \\.\\.\\. 8\\.19us +1 \\|\\*{13} {27}\\|$");
	expect_no_line("512ns|8\\.19us \\.");
}

/* --- The line of an interval --- */

static int twenty_intervals(const struct report *report, const struct span *s)
{
	int err = 0;

	for (int i = 0; i < 20; i++)
		err |= text_interval(report, s);
	return err;
}

static void intervals(void **state)
{
	print(twenty_intervals, 1);
	expect_line("copies +pages +EAGAIN +windows +real +hidden ");
	expect_line("^ *5003 +4999 +9 +13422 +1123 +1117 +343 +983us +983us$");

	r.timestamp = true;
	print(twenty_intervals, 1);
	expect_line("^[0-9:]{8} +5003 +4999 +9 +13422 +1123 +1117 +343 +983us +983us$");
	for (__u64 factor = 1; factor < 100000000000000; factor *= 10) {
		canned_counters(&c);
		scale(factor);
		print(twenty_intervals, 1);
	}

	memset(&c, 0, sizeof(c));
	print(twenty_intervals, 1);
	expect_line(" 0 +0 +0 +0 +0 +0 +0 +(-|0ns) +(-|0ns)$");

	/* One that is longer than asked for says so. */
	r.interval_s = 1;
	print(twenty_intervals, 1.4);
	expect_no_line("^in ");
	print(twenty_intervals, 3.24);
	expect_line("^in 3\\.2 s:$");
	/* The last one of a run that ends before its time. */
	print(twenty_intervals, 0.43);
	expect_line("^in 0\\.4 s:$");
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

	for (size_t i = 0; i < COUNT(rows); i++) {
		char name[65];

		memset(name, '#', sizeof(name));
		r.target = rows[i].target;
		r.command = rows[i].command;
		target_text(&r, name, rows[i].size);
		expect_str(rows[i].want, name, rows[i].want);
		assert_int_equal(name[rows[i].size], '#'); /* and not a byte more */
	}
}

/* The first eight by name, and how many more there are. */
static void writers(void **state)
{
	print_summary();
	expect_no_line("writers of the mm");
	r.writers = canned_writers(&c);
	print_summary();
	expect_line("^writers of the mm in windows +comm +pid covers windows +locks$");
	expect_line(
		"^madvise MADV_DONTFORK +\\?\\[2J\\?56789ab\\.\\.\\. +4294967295 +dst +1801 +18\\.4E$");
	expect_line("^munmap +munmapper +4000 +20 +30$");
	expect_line("^munmap +munmapper +4007 +13 +23$");
	expect_no_line("munmapper +4008");
	expect_line("^and 2 more; -j lists them all$");
	expect_line("^1902 write sections in 1901 windows; by unknown writers: 1903$");
	expect_line("^1905 more by writers that do not fit in the list$");
}

/* 4,000 runs of 1.25 ms in all, in 12.5 s: 312.5 ns a run, a ten-thousandth of a CPU. */
static void overhead(void **state)
{
	print_summary();
	expect_no_line("of a CPU");
	r.overhead = true;
	print_summary();
	expect_line("^BPF programs, as the kernel counts them +runs +ns/run +of a CPU +skipped$");
	expect_line("^fexit +mfill_atomic_copy +4000 +312 +0\\.010% +19$");
	expect_no_line("sched_process_fork");
	expect_line("^total +0\\.010%$");
}

/*
 * --claims: each with its number, its interval or bound, and the verdict; few windows decide
 * nothing.
 */
static void claims(void **state)
{
	r.claims = true;
	print_summary();
	expect_line("^claims about the check after the retry \\(95 % intervals\\)$");
	expect_line("^    1105 of 8900 .*, 12\\.4% \\(11\\.7% \\.\\.\\. 13\\.1%\\)$");
	expect_line("^    560 of 559 .*");
	expect_line("^    not enough windows \\(have 559, need 3000\\)$");
	expect_line("^    supported$");
	memset(&c, 0, sizeof(c));
	c.totals.windows[KIND_ANON][CLASS_QUIET] = 6000;
	print_summary();
	expect_line("^    0 of 6000 .*, below 0\\.05%$");
	expect_line("^    0 of 0 [^,]*$");
	r.seq = SEQ_NONE;
	print_summary();
	expect_line("^    not on this kernel$");
}

static void per_mm(void **state)
{
	/* 500 quiet windows of 10 us of 1,000 copies by an external handler, 999.5 sections a second. */
	c.totals = (struct totals) { .calls = 1000, .passed_ns = 2000000000, .passed_steps = 3998 };
	c.totals.windows[KIND_ANON][CLASS_QUIET] = c.totals.external = 500;
	memset(&c.hists, 0, sizeof(c.hists));
	c.hists[KIND_ANON][CLASS_QUIET].count[9] = 500;
	c.hists[KIND_ANON][CLASS_QUIET].sum = 500 * 10000;
	c.totals.checks[CHECK_PER_MM_SEQ].spurious = 7;
	print_summary();
	expect_line("^per-MM check +7000 needless EAGAIN a million copies, modelled unknown$");
	expect_line("^ +S 1000 write sections/s, W 10\\.0us, D unknown \\(--relock\\)$");
	r.relock = true;
	c.totals.held = 4;
	c.totals.held_ns = 4 * 2500;
	c.totals.passed_steps = 396;
	print_summary();
	/* 500,000 * (1 - exp(-99 * 12.5e-6)) */
	expect_line("^per-MM check +7000 needless EAGAIN a million copies, modelled 618$");
	expect_line("^ +S 99 write sections/s, W 10\\.0us, D 2\\.50us$");
	r.seq = SEQ_NONE;
	print_summary();
	expect_no_line("per-MM");
}

static void relock(void **state)
{
	c.relock[RELOCK_MMAP_LOCK].count[hist_bucket(1000000)] = 3;
	print_summary();
	expect_no_line("^relock ");
	r.relock = true;
	print_summary();
	expect_line("^relock +3 times: p50 983us, p99 983us, max 983us$");
	expect_line("^  with mmap_lock +3 times: p50 983us");
	memset(c.relock, 0, sizeof(c.relock));
	print_summary();
	expect_line("^relock +0$");
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
	struct span s = {
		.counters = &c, .elapsed_s = 12.5, .holders = rows, .nr_holders = 6, .final = true
	};

	print_span(report_span, &s);
	expect_line("^mmap_changing refused 542 calls: read the event queue first\\. Raised by$");
	expect_line("^  madvise\\(MADV_DONTNEED\\) of \\?\\[2Jdropper \\(pid 4711\\):$");
	expect_line("^    7 times, longest 2\\.5 ms, refused 5$");
	expect_line("^  fork of sixteen bytes ab \\(pid 4713\\):$");
	expect_line("^  munmap of five \\(pid 4716\\):$");
	expect_no_line("4717"); /* five are shown */
	expect_line("^  an unknown holder: refused 543$");
	expect_line("^  STUCK, no event is pending: refused 544$");
	/* Without refusals no holder is named. */
	c.failures.refused = 0;
	print_span(report_span, &s);
	expect_no_line("^mmap_changing refused|^    7 times|^ +raised [0-9]");
}

/* stdout of --self-test=only. */
static void only_the_self_test(void **state)
{
	const struct self_test t = { .result = SELF_TEST_PASSED, .windows = 12 };
	size_t size;

	r.out = open_memstream(&text, &size);
	assert_int_equal(report_self_test(&r, &t), 0);
	fclose(r.out);
	assert_string_equal(text, "plan retry_state: self-test passed, 12 windows\n");
	r.out = fopen("/dev/full", "w");
	assert_int_equal(report_self_test(&r, &t), -1);
	fclose(r.out);
}

static void a_full_disk_is_reported(void **state)
{
	const struct span s = { .counters = &c, .final = true };

	r.out = fopen("/dev/full", "w");
	assert_non_null(r.out);
	assert_int_equal(text_summary(&r, &s), -1);
	assert_int_equal(text_interval(&r, &s), -1);
	fclose(r.out);
}

#define test(f) cmocka_unit_test_setup_teardown(f, canned, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(usual_numbers),
		test(nothing_happened),
		test(without_vma_locks),
		test(none_of_many),
		test(one_in_a_million),
		test(every_loss_counts),
		test(trouble),
		test(every_magnitude),
		test(long_names),
		test(all_answers),
		test(an_event_that_stays),
		test(no_more_blame_than_seen),
		test(no_window),
		test(no_needless_failure),
		test(wrong_pages),
		test(idle),
		test(the_largest_screen),
		test(lengths),
		test(intervals),
		test(target_names),
		test(a_full_disk_is_reported),
		test(writers),
		test(overhead),
		test(claims),
		test(per_mm),
		test(relock),
		test(holders),
		test(only_the_self_test),
	};

	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
