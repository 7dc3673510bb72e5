// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * Records of --events (report/event.c, event_other.c): all that is known, null for the rest,
 * harmless names, and lines that fit the terminal.
 */
#include "canned.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Columns of the terminal; 0: the report goes elsewhere. */
static int columns;

/* What is printed for @e. The caller frees it. */
static char *printed_with(const struct event *e, bool json, enum seq_kind seq,
			  const struct writer_entry *writers)
{
	struct report r = canned_report(NULL);
	char *text;
	size_t size;

	r.json = json;
	r.columns = columns;
	r.seq = seq;
	r.writers = writers;
	r.out = open_memstream(&text, &size);
	assert_int_equal(report_event(&r, e), 0);
	assert_int_equal(report_flush(&r), 0);
	fclose(r.out);
	if (json)
		keep_records(text);
	return text;
}

static char *printed(const struct event *e, bool json, enum seq_kind seq)
{
	return printed_with(e, json, seq, NULL);
}

/* Member @key of the object in @text is @want, as JSON. */
static void expect_member(const char *text, const char *key, const char *want)
{
	struct json_object *o = json_tokener_parse(text), *value = NULL;

	assert_non_null(o);
	if (!json_object_object_get_ex(o, key, &value))
		expect_str(key, "missing", text);
	expect_str(key, json_object_to_json_string_ext(value, JSON_C_TO_STRING_PLAIN), want);
	json_object_put(o);
}

static void everything_known(void **state)
{
	static const char *const members[][2] = {
		{ "type", "\"event\"" },
		{ "schema", "1" },
		{ "event", "\"window\"" },
		{ "pid", "41" },
		{ "tid", "42" },
		{ "comm", "\"handler\"" },
		{ "dst", "139716164218880" },
		{ "kind", "\"shmem\"" },
		{ "class", "\"tolerated\"" },
		{ "snapshot_reasons", "[]" },
		{ "meaning_reasons", "[]" },
		{ "tolerated_reasons", "[\"range\",\"prot\"]" },
		{ "checks",
		  "{\"ops_pointer\":\"pass\",\"snapshot\":\"pass\",\"address\":\"pass\","
		  "\"per_vma_seq\":\"EAGAIN\",\"per_mm_seq\":\"EAGAIN\",\"kernel\":\"pass\"}" },
		{ "window_ns", "2500" },
		{ "retake_ns", "1500" },
		{ "external", "true" },
		{ "odd_start", "true" },
		{ "anomaly", "false" },
		{ "writers", "null" },
	};
	char *text = printed(&canned_window, true, SEQ_COUNT);

	for (size_t i = 0; i < COUNT(members); i++)
		expect_member(text, members[i][0], members[i][1]);
	expect_u64("lines", strcspn(text, "\n"), strlen(text) - 1);
	assert_memory_equal(text, "{\"type\":\"event\"", 15);
	free(text);
}

/* The time is that of the begin, by the present setting of the clock. */
static void time_is_the_begin(void **state)
{
	struct event e = canned_window;
	struct timespec mono, real;
	struct json_object *o, *value;
	char *text;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_REALTIME, &real);
	e.begin_ns = ((__u64)mono.tv_sec - 100) * 1000000000ULL + (__u64)mono.tv_nsec;
	text = printed(&e, true, SEQ_COUNT);
	o = json_tokener_parse(text);
	assert_true(json_object_object_get_ex(o, "time", &value));
	expect_near("time", json_object_get_double(value),
		    (double)real.tv_sec - 100 + (double)real.tv_nsec / 1e9, 1.0);
	json_object_put(o);
	free(text);
}

/* In a time namespace of its own, a process that sees a window of now, of the host's clock. */
static int in_time_namespace(__u64 hosts_now)
{
	static const char offset[] = "monotonic 86400 500000000\n";
	int fd, status;
	pid_t pid;

	if (unshare(CLONE_NEWTIME))
		return 77;
	fd = open("/proc/self/timens_offsets", O_WRONLY);
	if (fd < 0 || write(fd, offset, sizeof(offset) - 1) != sizeof(offset) - 1)
		return 2;
	close(fd);
	pid = fork(); /* children live in it */
	if (!pid) {
		struct event e = canned_window;
		struct json_object *o, *value;
		char *text;
		double late;

		e.begin_ns = hosts_now;
		text = printed(&e, true, SEQ_COUNT);
		o = json_tokener_parse(text);
		json_object_object_get_ex(o, "time", &value);
		late = (double)time(NULL) - json_object_get_double(value);
		_exit(late > -2 && late < 100 ? 0 : 3);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 4;
}

static void time_in_a_time_namespace(void **state)
{
	struct timespec now;
	int status;
	pid_t pid;

	clock_gettime(CLOCK_MONOTONIC, &now);
	pid = fork();
	if (!pid)
		_exit(in_time_namespace((__u64)now.tv_sec * 1000000000 + (__u64)now.tv_nsec));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77) /* not root, or no such namespaces */
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void unknown_is_null(void **state)
{
	struct event e = { .verdict = { .class = CLASS_ABORTED, .eagain = 0x1f },
			   .kind = KIND_ANON,
			   .comm = "x" };
	char *text = printed(&e, true, SEQ_NONE);

	expect_member(text, "pid", "null");
	expect_member(text, "tid", "null");
	expect_member(text, "dst", "null");
	expect_member(text, "retake_ns", "null");
	expect_member(text, "odd_start", "null");
	expect_member(text, "checks",
		      "{\"ops_pointer\":null,\"snapshot\":null,\"address\":null,"
		      "\"per_vma_seq\":null,\"per_mm_seq\":null,\"kernel\":null}");
	free(text);
	/* Without mm_lock_seq two checks cannot be evaluated, whatever the bits say. */
	text = printed(&canned_window, true, SEQ_NONE);
	expect_member(text, "checks",
		      "{\"ops_pointer\":\"pass\",\"snapshot\":\"pass\",\"address\":\"pass\","
		      "\"per_vma_seq\":null,\"per_mm_seq\":null,\"kernel\":\"pass\"}");
	free(text);
}

static void names_do_no_harm(void **state)
{
	/*
	 * Sixteen bytes without a NUL: an escape sequence, a newline, a quote, bytes that are not
	 * UTF-8.
	 */
	static const char hostile[COMM_LEN + 1] = "\x1b[2J\n\"\\\xff\xc3\xa4\x80yyyyy";
	struct event e = canned_window;
	char *text;

	memcpy(e.comm, hostile, COMM_LEN);
	text = printed(&e, true, SEQ_COUNT);
	expect_member(text, "comm",
		      "\"\\u001b[2J\\n\\\"\\\\\xef\xbf\xbd\xc3\xa4\xef\xbf\xbdyyyyy\"");
	expect_u64("lines", strcspn(text, "\n"), strlen(text) - 1);
	free(text);
	text = printed(&e, false, SEQ_COUNT);
	for (const char *p = text; *p; p++)
		expect_u64(text, (*p >= ' ' && *p <= '~') || *p == '\n', true);
	assert_non_null(strstr(text, " ?[2J?\"\\????yyyyy "));
	free(text);
}

static void one_line_of_text(void **state)
{
	char *text = printed(&canned_window, false, SEQ_COUNT);
	struct event e = canned_window;

	assert_non_null(
		strstr(text,
		       "      42 handler         shmem   tolerated    0x7f1234567000        2.5        1.5 "
		       "would fail: per_vma_seq,per_mm_seq tolerated: range,prot external\n"));
	free(text);
	text = printed(&canned_window, false, SEQ_NONE);
	assert_null(strstr(text, "would fail"));
	free(text);
	/* The kernel's own answer is no shadow verdict. */
	e.verdict.reached |= 1U << CHECK_KERNEL;
	e.verdict.eagain = 1U << CHECK_SNAPSHOT | 1U << CHECK_KERNEL;
	text = printed(&e, false, SEQ_COUNT);
	assert_non_null(strstr(text, "would fail: snapshot kernel: failed tolerated:"));
	free(text);
}

#define MUNMAPPER                                                                                                        \
	"[{\"op\":\"munmap\",\"syscall\":\"munmap\",\"advice\":null,\"flags\":null,\"comm\":\"munmapper\",\"pid\":4000," \
	"\"covers_dst\":false,\"range\":null}]"

/*
 * At most four writers are named. A writer without a known name counts among "N more". None has a
 * range: a row has that of its last section.
 */
static void writers_by_name(void **state)
{
	static const struct {
		struct writer_set set;
		const char *text;
		const char *json;
		const char *nr;
	} rows[] = {
		{ {}, NULL, "[]", "0" },
		{ { .nr = 1, .ids = { 0 } }, " writers: munmap\n", MUNMAPPER, "1" },
		{ { .nr = 6, .ids = { 0, 1, 2, 4 } },
		  " writers: munmap,munmap,munmap,munmap,2 more\n",
		  NULL,
		  "6" },
		{ { .nr = 2, .ids = { MAX_WRITERS, 0 } },
		  " writers: munmap,1 more\n",
		  MUNMAPPER,
		  "2" },
		{ { .nr = 2, .ids = { 900, 901 } }, " writers: 2 more\n", "[]", "2" },
	};
	static struct counters c;
	static struct writer_entry writers[MAX_WRITERS];

	memcpy(writers, canned_writers(&c), sizeof(writers));
	writers[0].start = 0x1000;
	writers[0].end = 0x2000;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct event e = canned_window;
		char *text;

		e.writers = rows[i].set;
		e.external = 0;
		text = printed_with(&e, false, SEQ_COUNT, writers);
		if (rows[i].text && !strstr(text, rows[i].text))
			expect_str("text", text, rows[i].text);
		if (!rows[i].text)
			assert_null(strstr(text, "writers"));
		free(text);
		text = printed_with(&e, true, SEQ_COUNT, writers);
		if (rows[i].json)
			expect_member(text, "writers", rows[i].json);
		expect_member(text, "nr_writers", rows[i].nr);
		free(text);
	}
}

/* Without a relock its time is unknown, not 0. */
static void without_a_relock(void **state)
{
	struct event e = canned_window;
	char *text;

	e.relock_ns = 0;
	e.external = 0;
	text = printed(&e, false, SEQ_COUNT);
	assert_non_null(strstr(text, "        2.5          - would fail"));
	free(text);
}

/* --- Failed copies, and mmap_changing --------------------------------------------------------- */

#define HOLDER(Op, Advice, Comm)                                                            \
	{                                                                                   \
		.op = CHANGING_##Op, .tgid = 376, .syscall = SYS_madvise, .advice = Advice, \
		.comm = Comm                                                                \
	}

static const struct event refused = {
	.what = EVENT_FAILED_COPY,
	.dst = 0x7f1234567000,
	.pid = 41,
	.tid = 42,
	.comm = "handler",
	.failed = { .len = 8192,
		    .err = EAGAIN,
		    .site = SITE_ENTRY,
		    .readable = 1,
		    .raised = 1,
		    .who = HOLDER(REMOVE, MADV_DONTNEED, "vmm") },
};

static const struct event lowered = {
	.what = EVENT_LOWERED,
	.dst = 0x7f1234569000,
	.pid = 376,
	.tid = 377,
	.comm = "vmm",
	.changed = { .who = HOLDER(REMOVE, MADV_DONTNEED, "vmm"),
		     .end = 0x7f123456b000,
		     .held_ns = 30000000,
		     .refused = 400 },
};

/* @e's line ends so. */
static void expect_end(const struct event *e, const char *end)
{
	char *text = printed(e, false, SEQ_COUNT);
	size_t length = strlen(text);

	if (length < strlen(end) || strcmp(text + length - strlen(end), end))
		expect_str("line", text, end);
	free(text);
}

/* Where and why each call failed, in the words of the summary. */
static void failed_copies(void **state)
{
	static const struct {
		struct failed_copy failed;
		const char *text;
		const char *place, *cause, *short_copy;
	} rows[] = {
		{ { .err = EAGAIN, .site = SITE_RELOCK },
		  " copy    EAGAIN       0x7f1234567000          -          - "
		  "event unread at relock, by an unknown task\n",
		  "\"relock\"",
		  "\"relock_mmap_changing\"",
		  "null" },
		{ { .err = EAGAIN, .site = SITE_CHECK },
		  " failed: the VMA changed in the retry window\n",
		  "\"check\"",
		  "\"snapshot\"",
		  "null" },
		{ { .err = ENOENT, .site = SITE_LOCK },
		  " copy    ENOENT       0x7f1234567000          -          - "
		  "failed: first lock of the VMA\n",
		  "\"lock\"",
		  "null",
		  "null" },
		{ { .err = EAGAIN,
		    .site = SITE_SHORT,
		    .len = 16384,
		    .copied = 4096,
		    .stop_fail = FAIL_EEXIST,
		    .stop_site = SITE_PAGE },
		  " short: 4096 of 16384 bytes, then EEXIST: installing the page\n",
		  "\"short\"",
		  "\"short_copy\"",
		  "{\"bytes\":4096,\"errno\":\"EEXIST\",\"place\":\"page\"}" },
		{ { .err = 134, .site = SITE_UNKNOWN },
		  " copy    other        0x7f1234567000          -          - "
		  "failed: a fact was lost\n",
		  "\"unknown\"",
		  "null",
		  "null" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct event e = refused;
		char *text;

		e.failed = rows[i].failed;
		e.failed.readable = 1;
		expect_end(&e, rows[i].text);
		text = printed(&e, true, SEQ_COUNT);
		expect_member(text, "event", "\"failed_copy\"");
		expect_member(text, "place", rows[i].place);
		expect_member(text, "cause", rows[i].cause);
		expect_member(text, "short_copy", rows[i].short_copy);
		expect_member(text, "raised_by", "null");
		free(text);
	}
}

/* A refused call names who raised the event; an argument that cannot be read has no address. */
static void refused_copy(void **state)
{
	struct event e = refused;
	char *text = printed(&e, true, SEQ_COUNT);

	expect_end(&e, " event unread at entry, by madvise(MADV_DONTNEED) of vmm (pid 376)\n");
	expect_member(text, "dst", "139716164218880");
	expect_member(text, "len", "8192");
	expect_member(text, "errno", "\"EAGAIN\"");
	expect_member(text, "tid", "42");
	expect_member(text, "raised_by",
		      "{\"op\":\"remove\",\"syscall\":\"madvise\",\"advice\":\"MADV_DONTNEED\","
		      "\"pid\":376,\"comm\":\"vmm\"}");
	free(text);
	e.failed = (struct failed_copy) { .err = EFAULT, .site = SITE_ENTRY };
	e.dst = 0;
	expect_end(&e, " EFAULT                    -          -          - "
		       "failed: at the entry of the ioctl\n");
	text = printed(&e, true, SEQ_COUNT);
	expect_member(text, "dst", "null");
	expect_member(text, "len", "null");
	free(text);
}

static void raised_and_lowered(void **state)
{
	struct event e = lowered;
	char *text = printed(&e, true, SEQ_COUNT);

	expect_end(&e,
		   "    377 vmm             event   lowered      0x7f1234569000    30000.0          - "
		   "REMOVE by madvise(MADV_DONTNEED), pid 376, refused 400\n");
	expect_member(text, "event", "\"lowered\"");
	expect_member(text, "op", "\"remove\"");
	expect_member(text, "advice", "\"MADV_DONTNEED\"");
	expect_member(text, "range", "{\"start\":139716164227072,\"end\":139716164235264}");
	expect_member(text, "held_ns", "30000000");
	expect_member(text, "refused", "400");
	free(text);
	/* A fork has no range. */
	e.what = EVENT_RAISED;
	e.dst = 0;
	e.changed = (struct changed) { .who = HOLDER(FORK, -1, "sh") };
	e.changed.who.syscall = SYS_clone;
	expect_end(&e,
		   " event   raised                    -          -          - FORK by clone, pid 376\n");
	text = printed(&e, true, SEQ_COUNT);
	expect_member(text, "event", "\"raised\"");
	expect_member(text, "range", "null");
	expect_member(text, "held_ns", "null");
	expect_member(text, "refused", "null");
	free(text);
}

/* --- The width of a terminal ------------------------------------------------------------------ */

static void expect_width(const struct event *e, const struct writer_entry *writers, size_t width)
{
	char *text = printed_with(e, false, SEQ_COUNT, writers);
	int lines = 0;

	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), lines++)
		if (strlen(line) > width)
			expect_str("too wide", line, "");
	assert_in_range(lines, 1, 10);
	free(text);
}

/* With everything at its longest. */
static void lines_fit_the_terminal(void **state)
{
	static struct counters c;
	const struct writer_entry *writers = canned_writers(&c);
	struct event events[] = { canned_window, refused, refused, lowered };

	for (size_t i = 0; i < COUNT(events); i++) {
		memset(events[i].comm, 'm', COMM_LEN);
		events[i].tid = 4194303;
	}
	events[0].kind = KIND_HUGETLB;
	events[0].verdict = (struct verdict) { .class = CLASS_UNDETERMINED,
					       .reached = ~0U,
					       .eagain = ~0U,
					       .snapshot_reasons = ~0U,
					       .meaning_reasons = ~0U,
					       .tolerated_reasons = ~0U };
	events[0].window_ns = events[0].relock_ns = 99999000000;
	events[0].dst = 0xfffffffffff000;
	events[0].writers = (struct writer_set) { .nr = 999, .ids = { 0, 1, 2, 4 } };
	events[1].dst = ~0ULL;
	memset(events[1].failed.who.comm, 'M', COMM_LEN);
	events[1].failed.who.tgid = 4194303;
	events[2].failed.site = SITE_SHORT;
	events[2].failed.copied = events[2].failed.len = ~0ULL;
	events[3].changed.refused = ~0ULL;
	events[3].changed.held_ns = 99999000000000;
	for (size_t i = 0; i < COUNT(events); i++)
		for (columns = 80; columns < 140; columns++)
			expect_width(&events[i], writers, (size_t)columns);
	columns = 20; /* taken for 80 */
	expect_width(&events[0], writers, 80);
	columns = 0;
	expect_width(&events[1], writers, 1000);
}

/* 80 columns have all but the relock, and what does not fit follows indented. */
static void narrow_lines(void **state)
{
	columns = 80;
	expect_end(&canned_window,
		   "      42 handler      shmem   tolerated    0x7f1234567000 2.50us\n"
		   "        would fail: per_vma_seq,per_mm_seq tolerated: range,prot external\n");
	expect_end(&refused,
		   "      42 handler      copy    EAGAIN       0x7f1234567000      -\n"
		   "        event unread at entry, by madvise(MADV_DONTNEED) of vmm (pid 376)\n");
	expect_end(&lowered, "     377 vmm          event   lowered      0x7f1234569000 30.0ms\n"
			     "        REMOVE by madvise(MADV_DONTNEED), pid 376, refused 400\n");
	columns = 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_in_a_time_namespace), /* first: the offset is read once */
		cmocka_unit_test(everything_known),
		cmocka_unit_test(time_is_the_begin),
		cmocka_unit_test(unknown_is_null),
		cmocka_unit_test(names_do_no_harm),
		cmocka_unit_test(one_line_of_text),
		cmocka_unit_test(writers_by_name),
		cmocka_unit_test(without_a_relock),
		cmocka_unit_test(failed_copies),
		cmocka_unit_test(refused_copy),
		cmocka_unit_test(raised_and_lowered),
		cmocka_unit_test(lines_fit_the_terminal),
		cmocka_unit_test(narrow_lines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
