// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The record of a window (report/event.c): all that is known, null for the rest, and harmless
 * names.
 */
#include "canned.h"
#include "unit.h"

#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct event usual = {
	.begin_ns = 1,
	.window_ns = 2500,
	.relock_ns = 1500,
	.dst = 0x7f1234567000,
	.verdict = {
		.class = CLASS_TOLERATED,
		.tolerated_reasons = 1U << TOLERATED_DIFF_RANGE | 1U << TOLERATED_DIFF_PROT,
		.reached = 0x3f,
		.eagain = 1U << CHECK_PER_VMA_SEQ | 1U << CHECK_PER_MM_SEQ,
		.odd_start = 1,
	},
	.pid = 41,
	.tid = 42,
	.kind = KIND_SHMEM,
	.external = 1,
	.comm = "handler",
};

/* What is printed for @e. The caller frees it. */
static char *printed_with(const struct event *e, bool json, enum seq_kind seq,
			  const struct writer_entry *writers)
{
	struct report r = canned_report(NULL);
	char *text;
	size_t size;

	r.json = json;
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
	char *text = printed(&usual, true, SEQ_COUNT);

	for (size_t i = 0; i < COUNT(members); i++)
		expect_member(text, members[i][0], members[i][1]);
	expect_u64("lines", strcspn(text, "\n"), strlen(text) - 1);
	assert_memory_equal(text, "{\"type\":\"event\"", 15);
	free(text);
}

/* The time is that of the begin, by the present setting of the clock. */
static void time_is_the_begin(void **state)
{
	struct event e = usual;
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
		struct event e = usual;
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
	text = printed(&usual, true, SEQ_NONE);
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
	struct event e = usual;
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
	char *text = printed(&usual, false, SEQ_COUNT);
	struct event e = usual;

	assert_non_null(
		strstr(text,
		       "      42 handler         shmem   tolerated    0x7f1234567000        2.5        1.5 "
		       "would fail: per_vma_seq,per_mm_seq tolerated: range,prot external\n"));
	free(text);
	text = printed(&usual, false, SEQ_NONE);
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

/* At most four writers are named. A writer without a known name counts among "N more". */
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
	const struct writer_entry *writers = canned_writers(&c);

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct event e = usual;
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
	struct event e = usual;
	char *text;

	e.relock_ns = 0;
	e.external = 0;
	text = printed(&e, false, SEQ_COUNT);
	assert_non_null(strstr(text, "        2.5          - would fail"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_in_a_time_namespace), /* first: the offset is read once */
		cmocka_unit_test(everything_known),	    cmocka_unit_test(time_is_the_begin),
		cmocka_unit_test(unknown_is_null),	    cmocka_unit_test(names_do_no_harm),
		cmocka_unit_test(one_line_of_text),	    cmocka_unit_test(writers_by_name),
		cmocka_unit_test(without_a_relock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
