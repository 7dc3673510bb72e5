// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The file of --trace (report/trace_file.c): each event is the element that it should be, names do
 * no harm, and wherever the run ends the file holds whole elements.
 */
#include "canned.h"
#include "no_quota.h"
#include "report/trace_file.h"
#include "strict.h"
#include "unit.h"
#include "version.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static char path[] = "/tmp/uffdretry-trace-XXXXXX";
static struct event window;
static struct trace_file trace;
static struct report report;
static struct counters counters;

#define VMM                                                                 \
	{                                                                   \
		.op = CHANGING_REMOVE, .tgid = 376, .syscall = SYS_madvise, \
		.advice = MADV_DONTNEED, .comm = "vmm"                      \
	}

static const struct event raised = {
	.what = EVENT_RAISED,
	.begin_ns = 6000000000100,
	.dst = 0x7f1234569000,
	.pid = 376,
	.tid = 376,
	.comm = "vmm",
	.changed = { .who = VMM, .end = 0x7f123456b000 },
};

static const struct event lowered = {
	.what = EVENT_LOWERED,
	.begin_ns = 6000030000000, /* which began the 100 ns before its raise was seen */
	.dst = 0x7f1234569000,
	.pid = 376,
	.tid = 376,
	.comm = "vmm",
	.changed = { .who = VMM, .end = 0x7f123456b000, .held_ns = 30000000, .refused = 400 },
};

/* --- The elements ----------------------------------------------------------------------------- */

#define NAME(What, Pid, Tid, Name)                                                      \
	"{\"name\":\"" What "_name\",\"cat\":\"__metadata\",\"ph\":\"M\",\"pid\":" #Pid \
	",\"tid\":" #Tid ",\"args\":{\"name\":\"" Name "\"}}\n"
#define TASK(Name, Category, Phase, Ts, Pid, Tid)                                          \
	"{\"name\":\"" Name "\",\"cat\":\"" Category "\",\"ph\":\"" Phase "\",\"ts\":" #Ts \
	",\"pid\":" #Pid ",\"tid\":" #Tid
#define TOLERATED_CHECKS                                                                   \
	"\"checks\":{\"ops_pointer\":\"pass\",\"snapshot\":\"pass\",\"address\":\"pass\"," \
	"\"per_vma_seq\":\"EAGAIN\",\"per_mm_seq\":\"EAGAIN\",\"kernel\":\"pass\"}"
#define TOLERATED                                                                             \
	"\"args\":{\"dst\":\"0x7f1234567000\",\"kind\":\"shmem\",\"class\":\"tolerated\","    \
	"\"tolerated_reasons\":[\"range\",\"prot\"]," TOLERATED_CHECKS ",\"window_ns\":2500," \
	"\"retake_ns\":1500,\"external\":true,\"odd_start\":true,\"anomaly\":false}}\n"
#define HOLD "REMOVE by madvise(MADV_DONTNEED)"
#define HOLD_ARGS                                                                           \
	"\"args\":{\"op\":\"remove\",\"syscall\":\"madvise\",\"advice\":\"MADV_DONTNEED\"," \
	"\"range\":{\"start\":\"0x7f1234569000\",\"end\":\"0x7f123456b000\"}}}\n"
#define ENDED_ARGS "\"args\":{\"held_ns\":30000000,\"refused\":400}}\n"

static int begin(void **state)
{
	window = canned_window;
	window.begin_ns = 5000001234567;
	int fd;

	strcpy(path, "/tmp/uffdretry-trace-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	trace = (struct trace_file) {};
	report = canned_report(NULL);
	assert_int_equal(trace_file_open(&trace, path), 0);
	trace_file_begin(&trace, &report);
	return 0;
}

static int clean(void **state)
{
	fclose(trace.output.file);
	unlink(path);
	return 0;
}

/* What the file holds. Static. */
static const char *content(void)
{
	static char text[4 << 20];
	FILE *f = fopen(path, "r");

	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	fclose(f);
	return text;
}

/* The elements of @text, an array whose closing bracket may be missing. */
static struct json_object *elements(const char *text)
{
	struct json_tokener *tok = json_tokener_new();
	char *closed;
	struct json_object *o;

	assert_true(asprintf(&closed, "%s%s", text, strstr(text, "\n]\n") ? "" : "]") > 0);
	json_tokener_set_flags(tok, strict_json());
	o = json_tokener_parse_ex(tok, closed, -1);
	assert_int_equal(json_tokener_get_error(tok), json_tokener_success);
	json_tokener_free(tok);
	free(closed);
	return o;
}

/* What the file has behind the names of our process and the start. */
static const char *after_start(void)
{
	const char *text = content();

	for (int line = 0; line < 4; line++)
		text = strchr(text, '\n') + 1;
	return text;
}

/* @events are written as @want, each element behind a comma. */
static void expect_written(const struct event *events, size_t nr, const char *want)
{
	for (size_t i = 0; i < nr; i++)
		trace_file_event(&trace, &report, &events[i]);
	trace_file_flush(&trace);
	expect_str("elements", after_start(), want);
}

/* A thread is named once. Times are exact, to the nanosecond. */
static void windows(void **state)
{
	struct event events[] = { window, window };

	events[1].begin_ns = 5000001237068;
	events[1].window_ns = 123456789;
	events[1].relock_ns = 0;
	events[1].dst = 0;
	events[1].verdict = (struct verdict) { .class = CLASS_ABORTED };
	events[1].external = 0;
	expect_written(
		events, 2,
		"," NAME("process", 41, 42, "handler") "," NAME("thread", 41, 42, "handler") "," TASK(
			"tolerated", "window", "X", 5000001234.567, 41,
			42) ",\"dur\":2.500," TOLERATED
			    "," TASK("aborted", "window", "X", 5000001237.068, 41,
				     42) ",\"dur\":123456.789,\"args\":{\"kind\":\"shmem\",\"class\":\"aborted\","
					 "\"window_ns\":123456789,\"external\":false,\"odd_start\":false,"
					 "\"anomaly\":false}}\n");
}

/* Who wrote, and where, is part of the window. */
static void writers_in_a_window(void **state)
{
	static struct counters c;
	struct event e = window;
	struct json_object *all, *args, *list;

	report.writers = canned_writers(&c);
	e.writers = (struct writer_set) { .nr = 6, .ids = { 3, 0, MAX_WRITERS, 900 } };
	trace_file_event(&trace, &report, &e);
	trace_file_flush(&trace);
	all = elements(content());
	args = json_object_object_get(json_object_array_get_idx(all, 5), "args");
	list = json_object_object_get(args, "writers");
	expect_u64("writers", json_object_array_length(list), 2);
	expect_u64("writers", json_object_get_int(json_object_object_get(args, "nr_writers")), 6);
	expect_str("first",
		   json_object_to_json_string_ext(json_object_array_get_idx(list, 0),
						  JSON_C_TO_STRING_PLAIN),
		   "{\"op\":\"madvise\",\"syscall\":\"madvise\",\"advice\":\"MADV_DONTFORK\","
		   "\"comm\":\"\\u001b[2J\xef\xbf\xbd"
		   "56789abcdef\",\"pid\":4294967295,"
		   "\"covers_dst\":true}");
	json_object_put(all);
}

/* A name can be any bytes; a task that changes it is named again. */
static void names_do_no_harm(void **state)
{
	struct event events[] = { window, window, window };

	memcpy(events[0].comm, "\x1b[2J\n\"\\\xff\xc3\xa4\x80yyyyy", COMM_LEN);
	events[0].tid = events[1].tid = 41;
	strcpy(events[1].comm, "main");
	expect_written(
		events, 3,
		"," NAME("process", 41, 41, "\\u001b[2J\\n\\\"\\\\\xef\xbf\xbd\xc3\xa4\xef\xbf\xbdyyyyy") "," NAME("thread", 41, 41, "\\u001b[2J\\n\\\"\\\\\xef\xbf\xbd\xc3\xa4\xef\xbf\xbdyyyyy") "," TASK(
			"tolerated", "window", "X", 5000001234.567, 41,
			41) ",\"dur\":2.500," TOLERATED
			    "," NAME("process", 41, 41, "main") "," NAME(
				    "thread", 41, 41,
				    "main") "," TASK("tolerated", "window", "X", 5000001234.567, 41,
						     41) ",\"dur\":2.500," TOLERATED
							 "," NAME("thread", 41, 42, "handler") "," TASK(
								 "tolerated", "window", "X",
								 5000001234.567, 41,
								 42) ",\"dur\":2.500," TOLERATED);
}

/* Tasks that have no number here share one: their windows may overlap. */
static void another_pid_namespace(void **state)
{
	struct event events[] = { window, window };

	for (int i = 0; i < 2; i++)
		events[i].pid = events[i].tid = 0;
	strcpy(events[1].comm, "another");
	expect_written(
		events, 2,
		"," NAME("process", 0, 0, "other namespace") "," NAME(
			"thread", 0, 0,
			"other namespace") "," TASK("tolerated", "window", "b", 5000001234.567, 0,
						    0) ",\"id\":1," TOLERATED
						       "," TASK("tolerated", "window", "e",
								5000001237.067, 0,
								0) ",\"id\":1}\n"
								   "," TASK("tolerated", "window",
									    "b", 5000001234.567, 0,
									    0) ",\"id\":2," TOLERATED
									       "," TASK("tolerated",
											"window",
											"e",
											5000001237.067,
											0,
											0) ",\"id\":2}\n");
}

static void failed_copies(void **state)
{
	const struct event e = {
		.what = EVENT_FAILED_COPY,
		.begin_ns = 5000000000000,
		.dst = 0x7f1234567000,
		.pid = 41,
		.tid = 41,
		.comm = "handler",
		.failed = { .len = 8192,
			    .err = EAGAIN,
			    .site = SITE_ENTRY,
			    .readable = 1,
			    .raised = 1,
			    .who = VMM },
	};

	expect_written(
		&e, 1,
		"," NAME("process", 41, 41, "handler") "," NAME("thread", 41, 41, "handler") "," TASK(
			"EAGAIN", "failed_copy", "i", 5000000000.000, 41,
			41) ",\"s\":\"t\",\"args\":{\"dst\":\"0x7f1234567000\",\"len\":8192,\"errno\":\"EAGAIN\","
			    "\"place\":\"entry\",\"cause\":\"entry_mmap_changing\",\"raised_by\":{\"op\":\"remove\","
			    "\"syscall\":\"madvise\",\"advice\":\"MADV_DONTNEED\",\"pid\":376,\"comm\":\"vmm\"}}}\n");
}

#define VMM_NAMES "," NAME("process", 376, 376, "vmm") "," NAME("thread", 376, 376, "vmm")

/* A slice for each hold, as long as the event says, beside the others of its task. */
static void holds(void **state)
{
	struct event events[] = { raised, raised, lowered, lowered };

	events[1].begin_ns += 20000000;
	events[2].begin_ns = events[1].begin_ns + 30000000; /* the second one ends first */
	expect_written(events, 4,
		       VMM_NAMES
		       "," TASK(HOLD, "mmap_changing", "b", 6000000000.100, 376,
				376) ",\"id\":1," HOLD_ARGS
				     "," TASK(HOLD, "mmap_changing", "b", 6000020000.100, 376,
					      376) ",\"id\":2," HOLD_ARGS
						   "," TASK(HOLD, "mmap_changing", "e",
							    6000050000.100, 376,
							    376) ",\"id\":2," ENDED_ARGS
								 "," TASK(HOLD, "mmap_changing",
									  "e", 6000030000.100, 376,
									  376) ",\"id\":1," ENDED_ARGS);
}

static void holds_in_order(void **state)
{
	struct event events[] = { raised, raised, lowered, lowered };

	events[1].begin_ns += 20000000;
	events[3].begin_ns += 20000000;
	expect_written(events, 4,
		       VMM_NAMES
		       "," TASK(HOLD, "mmap_changing", "b", 6000000000.100, 376,
				376) ",\"id\":1," HOLD_ARGS
				     "," TASK(HOLD, "mmap_changing", "b", 6000020000.100, 376,
					      376) ",\"id\":2," HOLD_ARGS
						   "," TASK(HOLD, "mmap_changing", "e",
							    6000030000.100, 376,
							    376) ",\"id\":1," ENDED_ARGS
								 "," TASK(HOLD, "mmap_changing",
									  "e", 6000050000.100, 376,
									  376) ",\"id\":2," ENDED_ARGS);
}

/*
 * Its begin was lost, or no target raised it. What the same task raised before, and another one
 * meanwhile, goes on.
 */
static void hold_without_a_begin(void **state)
{
	struct event events[] = { raised, raised, lowered };

	events[0].begin_ns -= 20000000;
	events[1].tid = 377;
	expect_written(events, 3,
		       VMM_NAMES
		       "," TASK(HOLD, "mmap_changing", "b", 5999980000.100, 376,
				376) ",\"id\":1," HOLD_ARGS
				     "," NAME("thread", 376, 377, "vmm") "," TASK(
					     HOLD, "mmap_changing", "b", 6000000000.100, 376,
					     377) ",\"id\":2," HOLD_ARGS
						  "," TASK(HOLD, "mmap_changing", "b",
							   6000000000.000, 376,
							   376) ",\"id\":3," HOLD_ARGS
								"," TASK(HOLD, "mmap_changing", "e",
									 6000030000.000, 376,
									 376) ",\"id\":3," ENDED_ARGS);
}

/* With more holds than there are places, each is a slice, and what had no place an instant first. */
static void many_holds(void **state)
{
	const __u32 nr = TRACE_HOLDS + 2;
	int begins = 0, ends = 0, instants = 0;
	struct event e;

	for (int i = 0; i < 2; i++) {
		e = i ? lowered : raised;
		for (e.tid = 1000; e.tid < 1000 + nr; e.tid++)
			trace_file_event(&trace, &report, &e);
	}
	trace_file_flush(&trace);
	for (const char *p = content(); (p = strstr(p, "\"ph\":\"b\"")); p++)
		begins++;
	for (const char *p = content(); (p = strstr(p, "\"ph\":\"e\"")); p++)
		ends++;
	for (const char *p = content(); (p = strstr(p, "\"mmap_changing\",\"ph\":\"i\"")); p++)
		instants++;
	expect_u64("instants", instants, 2);
	expect_u64("many", begins, nr);
	expect_u64("many", ends, nr);
}

/* --- The file --------------------------------------------------------------------------------- */

static const char *member(struct json_object *all, size_t i, const char *key)
{
	return json_object_get_string(
		json_object_object_get(json_object_array_get_idx(all, i), key));
}

/* The start tells of the run, the end what is missing; and the array is closed. */
static void start_and_end(void **state)
{
	const struct span span = { .counters = &counters, .elapsed_s = 1.5, .final = true };
	struct json_object *all, *args;
	const char *text;

	canned_counters(&counters);
	trace_file_event(&trace, &report, &raised);
	trace_file_end(&trace, &span);
	trace_file_event(&trace, &report, &window); /* too late */
	text = content();
	assert_memory_equal(text, "[\n{\"name\":\"process_name\",", 25);
	expect_str("closed", text + strlen(text) - 4, "}\n]\n");
	all = elements(text);
	expect_u64("all", json_object_array_length(all), 7);
	expect_str("start", member(all, 2, "name"), "start");
	expect_str("start", member(all, 2, "s"), "g");
	args = json_object_object_get(json_object_array_get_idx(all, 2), "args");
	expect_str("version",
		   json_object_to_json_string_ext(json_object_object_get(args, "tool"),
						  JSON_C_TO_STRING_PLAIN),
		   "{\"name\":\"uffdretry\",\"version\":\"" UFFDRETRY_VERSION "\"}");
	assert_true(json_object_get_double(json_object_object_get(args, "time")) > 1600000000);
	expect_str("end", member(all, 6, "name"), "end: 1248 events lost");
	expect_str("end", member(all, 6, "args"),
		   "{ \"elapsed_s\": 1.500000, \"lost\": { \"windows\": 411, \"events\": 415, "
		   "\"changing_events\": 416, \"copy_events\": 417, \"recursion\": 413, "
		   "\"rehooks\": 426, \"map_full\": 412, "
		   "\"skipped\": { \"windows\": 421, \"calls\": 422, \"calls_of_pages\": 423, "
		   "\"unmaps\": 424, \"children\": 425 } } }");
	json_object_put(all);
}

static void nothing_lost(void **state)
{
	const struct span span = { .counters = &counters, .elapsed_s = 1.5, .final = true };
	struct json_object *all;

	counters = (struct counters) {};
	trace_file_end(&trace, &span);
	all = elements(content());
	expect_u64("all", json_object_array_length(all), 4);
	expect_str("end", member(all, 3, "name"), "end");
	json_object_put(all);
}

/* Without a flush, and without an end: as SIGKILL leaves it. */
static void a_killed_run(void **state)
{
	struct json_object *all;
	size_t length;

	for (int i = 0; i < 300; i++)
		trace_file_event(&trace, &report, &window);
	length = strlen(content());
	assert_true(length > TRACE_BUFFER && content()[length - 1] == '\n');
	all = elements(content());
	assert_in_range(json_object_array_length(all), 150, 305);
	json_object_put(all);
}

/* Nothing half written stays, and the old errno tells. */
static void a_full_disk(void **state)
{
	struct rlimit limit;
	struct json_object *all;

	getrlimit(RLIMIT_FSIZE, &limit);
	limit.rlim_cur = 50000;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	for (int i = 0; i < 1000; i++)
		trace_file_event(&trace, &report, &window);
	trace_file_flush(&trace);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_FSIZE, &limit);
	expect_u64("full", trace.err, EFBIG);
	assert_null(trace.out);
	all = elements(content());
	assert_in_range(json_object_array_length(all), 50, 120);
	json_object_put(all);
}

static void a_trace_that_does_not_arrive(void **state)
{
	const struct span span = { .counters = &counters, .final = true };

	no_quota = true;
	trace_file_end(&trace, &span);
	no_quota = false;
	expect_u64("not arrived", trace.err, EDQUOT);
}

/* The old trace stays until the new one is whole. */
static void an_older_trace(void **state)
{
	const struct span span = { .counters = &counters, .final = true };
	FILE *f;

	fclose(trace.output.file);
	f = fopen(path, "w");
	fputs("old", f);
	fclose(f);
	trace = (struct trace_file) {};
	assert_int_equal(trace_file_open(&trace, path), 0);
	trace_file_begin(&trace, &report);
	trace_file_event(&trace, &report, &window);
	trace_file_flush(&trace);
	expect_str("during the run", content(), "old");
	trace_file_end(&trace, &span);
	assert_memory_equal(content(), "[\n{", 3);
}

/* A reader could make the tracer wait. */
static void only_regular_files(void **state)
{
	struct trace_file other = {};

	assert_int_equal(trace_file_open(&other, "/dev/null"), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(trace_file_open(&other, path), -1);
	assert_int_equal(errno, EBUSY);
	assert_int_equal(trace_file_open(&other, "/nonexistent/x"), -1);
	assert_int_equal(errno, ENOENT);
	/* Then all of it does nothing. */
	trace_file_begin(&other, &report);
	trace_file_event(&other, &report, &window);
	trace_file_flush(&other);
}

int main(void)
{
#define test(name) cmocka_unit_test_setup_teardown(name, begin, clean)
	const struct CMUnitTest tests[] = {
		test(windows),		test(writers_in_a_window),
		test(names_do_no_harm), test(another_pid_namespace),
		test(failed_copies),	test(holds),
		test(holds_in_order),	test(hold_without_a_begin),
		test(many_holds),	test(start_and_end),
		test(nothing_lost),	test(a_killed_run),
		test(a_full_disk),	test(a_trace_that_does_not_arrive),
		test(an_older_trace),	test(only_regular_files),
	};

	return cmocka_run_group_tests_name("trace_file", tests, NULL, NULL);
}
