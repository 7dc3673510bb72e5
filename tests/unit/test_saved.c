// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * `uffdretry report` (report/saved.c, counters/from_json.c, sys/records.c): the text of a saved record
 * is the text of the live run, byte for byte, and a hostile file is refused or harmless.
 */
#include "canned.h"
#include "report/json.h"
#include "report/saved.h"
#include "report/text.h"
#include "sys/err.h"
#include "unit.h"

#include <ctype.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

/* Stand-in for the system's. */
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
static struct span span;
static struct saved saved;

static int canned(void **state)
{
	canned_counters(&c);
	/* What the JSON cannot have. */
	c.skipped[COSTS_NOTHING] = 0;
	r = canned_report(NULL);
	span = (struct span) { .counters = &c, .elapsed_s = 12.5, .final = true };
	return 0;
}

/* What @print makes of a report; the caller frees it. */
static char *printed(int (*print)(const struct report *, const struct span *), struct report *from,
		     const struct span *s)
{
	char *text;
	size_t size;

	from->out = open_memstream(&text, &size);
	assert_int_equal(print(from, s), 0);
	fclose(from->out);
	return text;
}

/* Read @json as a file. Returns the exit status. */
static int read_saved(const char *json)
{
	int fd = memfd_create("record", 0), status;
	char path[64];

	assert_int_equal(write(fd, json, strlen(json)), strlen(json));
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	status = saved_read(&saved, path);
	close(fd);
	return status;
}

static void expect_same_text(const char *what, bool verbose)
{
	char *live, *later;

	r.verbose = saved.report.verbose = verbose;
	live = printed(text_summary, &r, &span);
	release = "another kernel";
	later = printed(text_summary, &saved.report, &saved.span);
	release = "7.3.4+deb14-cloud-amd64";
	if (strcmp(later, live))
		expect_str(what, later, live);
	free(live);
	free(later);
}

/* The proof: live text and the text of the record are equal. */
static void same(const char *what)
{
	char *json = printed(json_span, &r, &span);

	keep_records(json);
	assert_int_equal(read_saved(json), 0);
	expect_same_text(what, false);
	expect_same_text(what, true);
	saved_free(&saved);
	free(json);
}

/* Without mm_lock_seq nothing of this is counted. */
static void without_seq(void)
{
	memset(&c.totals.checks[CHECK_PER_VMA_SEQ], 0, sizeof(struct check_totals));
	memset(&c.totals.checks[CHECK_PER_MM_SEQ], 0, sizeof(struct check_totals));
	for (int kind = 0; kind < NR_KINDS; kind++) {
		c.totals.windows[kind][CLASS_LOCKED] = 0;
		memset(&c.hists[kind][CLASS_LOCKED], 0, sizeof(struct hist));
	}
	c.totals.odd_start = 0;
	c.totals.passed_ns = c.totals.passed_steps = 0;
	r.seq = SEQ_NONE;
}

static void the_run(void **state)
{
	static struct target one = { .pids = { 42 }, .nr = 1 },
			     two = { .pids = { 42, 43 }, .nr = 2 },
			     group = { .cgroup = "a/b\n\xc3\xa4\xff" };
	char *command[] = { (char *)"/a/very/long/path/to/a/program\xff", (char *)"--option \x1b",
			    (char *)"", NULL };

	same("every process");
	r.target = &one;
	same("a process");
	r.target = &two;
	same("two processes");
	r.target = &group;
	same("a cgroup");
	r.target = &one;
	r.command = command;
	same("a command");
	r.exact = false;
	r.exactness = "begins 3 us early";
	r.self_test = "failed";
	r.kernel_check = "none";
	r.sees_hugetlb = true;
	c.totals.windows[KIND_HUGETLB][CLASS_REAL] = 77;
	c.hists[KIND_HUGETLB][CLASS_REAL].count[19] = 77;
	same("another plan");
	r.bounds_begin = false;
	c.totals.begin_bounded = c.totals.begin_moved = 0;
	same("begins without bounds");
}

static void what_the_kernel_tells(void **state)
{
	c.begin.count[hist_bucket(300)] = 406;
	c.totals.odd_start = 0;
	r.seq = SEQ_INT;
	same("mm_lock_seq is an int");
	without_seq();
	same("no mm_lock_seq");
}

static void what_was_asked_for(void **state)
{
	r.claims = true;
	r.overhead = true;
	r.relock = true;
	c.relock[RELOCK_MMAP_LOCK].count[7] = 3;
	c.relock[RELOCK_VMA_LOCK].count[9] = 10;
	c.relock[RELOCK_MMAP_LOCK].count[9] = 10;
	same("all options");
}

static void writers_in_words(void **state)
{
	r.writers = canned_writers(&c);
	same("writers");
	for (__u32 i = 0; i < 4; i++) {
		static struct writer_entry kinds[MAX_WRITERS];

		memcpy(kinds, r.writers, sizeof(kinds));
		kinds[0].key =
			(struct writer_key) { .origin = WRITER_KTHREAD, .comm = "khugepaged" };
		kinds[1].key = (struct writer_key) { .nr = 9, .sub = 0x22, .comm = "mapper" };
		kinds[2].key = (struct writer_key) { .nr = 4000, .tgid = 1 };
		kinds[4].key = (struct writer_key) { .origin = WRITER_STACK };
		r.writers = kinds;
		c.writers[i].windows += 1000 * i;
		same("other writers");
	}
}

static void holders_in_words(void **state)
{
	static const struct holder_row rows[] = {
		{ { CHANGING_REMOVE, 376, 28, 4, "uffdload" },
		  { 400, 0, 30000000, 72037, 4712, 1 } },
		{ { CHANGING_FORK, 1, -1, -1, "\xc3\xa4\xff\x1b" }, { 1, 0, 1, 4, 4712, 1 } },
		{ { CHANGING_UNMAP, 4294967295U, 9999, 555, "sixteen bytes ab" },
		  { ~0ULL, 0, ~0ULL, 3, 4712, 1 } },
	};

	span.holders = rows;
	for (span.nr_holders = 0; span.nr_holders <= 3; span.nr_holders++)
		same("holders");
	span.nr_holders = 3;
	c.failures.refused_stuck = 0;
	c.failures.failed[FAIL_EAGAIN][SITE_ENTRY] = 80000;
	c.failures.refused = 72044;
	c.totals.returned[EAGAIN] = 80000;
	same("a pending event");
	span.nr_holders = 1;
	same("one holder alone");
	c.chain_longest = 0;
	same("no chain");
	c.chain_longest = CHAIN_WORD(7, FAIL_EEXIST, SITE_PAGE);
	same("a chain of EEXIST");
	c.failures.chains_ended = 0;
	same("a chain that goes on");
}

static void add_target(struct by_table *t, __u64 id, __u32 pid, const char *comm, __u64 eagain)
{
	struct by_row *row = &t->rows[t->nr++];

	*row = (struct by_row) {
		.used = 1,
		.key = { .id = id },
		.pid = pid,
		.counts = { .calls = 700 + eagain, .eagain = eagain, .windows = 3, .needless = 2 },
	};
	row->counts.lengths[by_bucket(1000 * (1 + eagain))] = 3;
	memcpy(row->comm, comm, strnlen(comm, COMM_LEN));
}

/* Some targets, of every kind. */
static struct by_table *some_targets(void)
{
	static struct by_table table;
	static struct by_list list;

	memset(&table, 0, sizeof(table));
	table.nr = 1;
	table.rows[0].counts.calls = 5;
	add_target(&table, 50, 4242, "qemu-system-x86", 90);
	add_target(&table, 51, 4243, "\x1b[2J56789abcd\xc3\xa4\xff", 80);
	add_target(&table, 52, 0, "elsewhere", 70);
	add_target(&table, 0, 0, "", 60);
	r.by = BY_PROCESS;
	r.by_list = &list;
	span.by = &table;
	return &table;
}

static void targets(void **state)
{
	static struct cgroup_names names;
	struct by_table *table = some_targets();

	same("processes");
	r.seq = SEQ_NONE;
	without_seq();
	same("processes on a kernel without mm_lock_seq");
	r.by = BY_CGROUP;
	r.cgroups = &names;
	cgroup_names_add(&names, 50);
	cgroup_names_set(&names, 50, "/vms/a\n\xc3\xa4");
	cgroup_names_add(&names, 51);
	cgroup_names_set(&names, 51,
			 "/machine.slice/machine-qemu-1-\xff\xc3\xa4.scope/a-long-name");
	cgroup_names_add(&names, 52);
	same("cgroups");
	r.by = BY_PROCESS;
	while (table->nr <= 20)
		add_target(table, 100 + table->nr, 5000 + table->nr, "many", 10);
	same("as many as the text has lines");
	table->nr = 1;
	same("only calls of no target");
	table->rows[0].counts.calls = 0;
	same("no target");
}

/* The record has no lengths: the text that sums more lines does not say a p99. */
static void more_targets_than_lines(void **state)
{
	struct by_table *table = some_targets();
	char *json, *later;

	while (table->nr <= 2000)
		add_target(table, 100 + table->nr, 5000 + table->nr, "many", 10);
	json = printed(json_span, &r, &span);
	assert_int_equal(read_saved(json), 0);
	expect_same_text("1,024 lines, the others as the record has them", true);
	saved.report.verbose = false;
	later = printed(text_summary, &saved.report, &saved.span);
	assert_non_null(strstr(
		later,
		"\nmany                           5020      710       10        3        2  10.2us\n"
		"1980 others                          1405805    19800     5940     3960       -\n"));
	saved_free(&saved);
	free(later);
	free(json);
}

static void nothing_happened(void **state)
{
	static struct uffd_process processes[9] = { { .pid = 12, .comm = "qemu\033[2J\xff" },
						    { .pid = 376, .comm = "load" } };
	static struct uffd_list owners = { .processes = processes };
	static const struct target one = { .pids = { 42 }, .nr = 1 };

	memset(&c, 0, sizeof(c));
	same("nobody looked");
	r.owners = &owners;
	for (owners.nr = 0; owners.nr <= 9; owners.nr++)
		same("owners");
	owners.nr = 2;
	owners.unreadable = 3;
	r.target = &one;
	same("owners, and others unreadable");
	owners.hidden = true;
	same("owners, and others hidden");
}

static void any_magnitude(void **state)
{
	__u64 *p = (__u64 *)&c;

	r.writers = canned_writers(&c);
	for (int i = 0; i < 14; i++) {
		for (size_t k = 0; k < sizeof(c) / sizeof(*p); k++)
			p[k] *= 10;
		c.chain_longest = CHAIN_WORD(558ULL << i, FAIL_EAGAIN, SITE_CHECK);
		same("ten times more");
	}
	span.elapsed_s = 1e-6;
	same("a microsecond");
	span.elapsed_s = 123456.789012;
	same("a day and a half");
}

/* The kernel of the record had larger pages than the one here. */
static void another_page_size(void **state)
{
	char *json;

	set_page_size(65536);
	json = printed(json_span, &r, &span);
	set_page_size(0);
	assert_int_equal(read_saved(json), 0);
	assert_int_equal(pages_of(20475904), 312);
	saved_free(&saved);
	assert_int_equal(pages_of(20475904), 20475904 / sysconf(_SC_PAGESIZE));
	free(json);
}

/* -T: the time of the record. */
static void the_time(void **state)
{
	char *json = printed(json_span, &r, &span), *later, want[16];

	assert_int_equal(read_saved(json), 0);
	saved.report.timestamp = true;
	saved.report.time = 1700000000;
	later = printed(text_summary, &saved.report, &saved.span);
	strftime(want, sizeof(want), "%H:%M:%S ", localtime(&saved.report.time));
	assert_int_equal(strncmp(later, want, 9), 0);
	saved_free(&saved);
	free(later);
	free(json);
}

/* --- JSON again: no counter was forgotten, also none that the text leaves out --- */

static struct json_object *without_host(const char *json)
{
	struct json_object *o = json_tokener_parse(json), *plan;

	json_object_object_del(o, "time");
	json_object_object_get_ex(o, "plan", &plan);
	json_object_object_del(plan, "hooks");
	json_object_object_del(plan, "unmeasured");
	return o;
}

/* A record with each member that there is. The caller frees it. */
static char *full_record(void)
{
	static const struct holder_row row = { { CHANGING_REMOVE, 376, 28, 4, "uffdload" },
					       { 400, 5, 30000000, 72037, 4712, 0 } };
	static struct uffd_process process = { .pid = 12, .comm = "qemu" };
	static struct uffd_list owners = { .processes = &process, .nr = 1, .unreadable = 2 };
	static struct target one = { .pids = { 42 }, .nr = 1, .cgroup = "a/b" };
	static struct writer_entry writers[MAX_WRITERS];
	static char *command[] = { (char *)"a", NULL };

	memcpy(writers, canned_writers(&c), sizeof(writers));
	memcpy(writers[3].key.comm, "a writer", 9);
	writers[1].key = (struct writer_key) { .nr = 9, .sub = 0x22, .comm = "mapper" };
	r.writers = writers;
	r.owners = &owners;
	r.target = &one;
	r.command = command;
	r.relock = true;
	c.relock[RELOCK_VMA_LOCK].count[9] = 10;
	c.relock[RELOCK_MMAP_LOCK].count[9] = 4;
	r.sees_hugetlb = true;
	for (__u32 i = 0; i < NR_CLASSES; i++) {
		c.totals.windows[KIND_HUGETLB][i] = 11 + i;
		c.hists[KIND_HUGETLB][i].count[19] = 11 + i;
	}
	c.chain_lengths.count[3] = 8;
	c.begin.count[30] = 9;
	c.hists[KIND_ANON][CLASS_QUIET].sum = 123456;
	memcpy(some_targets()->rows[2].comm, "a target\0\0\0\0\0\0\0\0", COMM_LEN);
	span.holders = &row;
	span.nr_holders = 1;
	return printed(json_span, &r, &span);
}

static void json_again(void **state)
{
	char *first = full_record(), *second;
	struct json_object *before, *after;

	assert_int_equal(read_saved(first), 0);
	saved.report.unmeasured = canned_unmeasured;
	second = printed(json_span, &saved.report, &saved.span);
	before = without_host(first);
	after = without_host(second);
	if (!json_object_equal(before, after))
		expect_str("JSON", json_object_to_json_string(after),
			   json_object_to_json_string(before));
	json_object_put(before);
	json_object_put(after);
	saved_free(&saved);
	free(first);
	free(second);
}

/* Is all of @part in @whole? A later version may add members. */
static bool has_all(struct json_object *whole, struct json_object *part)
{
	if (json_object_is_type(part, json_type_array)) {
		bool same = json_object_is_type(whole, json_type_array) &&
			    json_object_array_length(whole) == json_object_array_length(part);

		for (size_t i = 0; same && i < json_object_array_length(part); i++)
			same = has_all(json_object_array_get_idx(whole, i),
				       json_object_array_get_idx(part, i));
		return same;
	}
	if (!json_object_is_type(part, json_type_object))
		return json_object_equal(whole, part);
	json_object_object_foreach(part, key, value) {
		struct json_object *there;

		if (!json_object_object_get_ex(whole, key, &there) || !has_all(there, value))
			return false;
	}
	return true;
}

/* The records of real runs, which tests/cli/report.t prints. Their text has the rest. */
static void real_records(void **state)
{
	static const char *const files[] = { "device.json", "balloon.json", "legacy.json" };
	static const char *const here[] = { "host", "tool", "overhead" };

	for (size_t i = 0; i < COUNT(files); i++) {
		struct json_object *before, *after;
		char path[64], *line = NULL, *again;
		size_t size = 0;
		FILE *file;

		snprintf(path, sizeof(path), "tests/cli/records/%s", files[i]);
		file = fopen(path, "r");
		assert_non_null(file);
		while (getline(&line, &size, file) > 0)
			;
		fclose(file);
		assert_int_equal(saved_read(&saved, path), 0);
		saved.report.unmeasured = canned_unmeasured;
		again = printed(json_span, &saved.report, &saved.span);
		before = without_host(line);
		after = without_host(again);
		for (size_t k = 0; k < COUNT(here); k++) {
			json_object_object_del(before, here[k]);
			json_object_object_del(after, here[k]);
		}
		if (!has_all(after, before))
			expect_str(files[i], json_object_to_json_string(after),
				   json_object_to_json_string(before));
		json_object_put(before);
		json_object_put(after);
		saved_free(&saved);
		free(line);
		free(again);
	}
}

/* --- The file --- */

static char said[1024]; /* on stderr, by the last read_said() */

static int read_said(const char *json)
{
	FILE *real = stderr;
	int status;

	memset(said, 0, sizeof(said));
	stderr = fmemopen(said, sizeof(said) - 1, "w");
	status = read_saved(json);
	fclose(stderr);
	stderr = real;
	return status;
}

#define START "{\"type\":\"start\",\"schema\":1}\n"

static const struct {
	const char *name, *file, *says;
} refused[] = {
	{ "nothing", "", "has no record of uffdretry" },
	{ "text", "hello\n", "has no record of uffdretry" },
	{ "text with a brace", "{ hello\n", "has no record of uffdretry" },
	{ "an array", "[{\"schema\":1}]", "has no record of uffdretry" },
	{ "another program's JSON", "{\"type\":\"load\",\"schema\":2,\"copies\":3}\n",
	  "has no record of uffdretry" },
	{ "no type", "{\"schema\":1}\n", "has no record of uffdretry" },
	{ "types", "{\"type\":1,\"schema\":\"1\"}\n", "has no record of uffdretry" },
	{ "interrupted", START, "has no summary: its run was interrupted" },
	{ "interrupted in its summary", START "{\"type\":\"summary\",\"schema\":1,\"cop",
	  "has no summary: its run was interrupted" },
	{ "a list", "{\"type\":\"list\",\"schema\":1}\n",
	  "has no summary: it is not of a run that traced" },
	{ "newer", START "{\"type\":\"summary\",\"schema\":2}\n",
	  "has JSON schema 2, and this version reads 1" },
	{ "much newer", "{\"type\":\"summary\",\"schema\":18446744073709551615}\n",
	  "has JSON schema 18446744073709551615" },
	{ "empty", "{\"type\":\"summary\",\"schema\":1}\n", "no valid 'copy.calls'" },
	{ "deep",
	  "{\"type\":\"summary\",\"schema\":1,\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
	  "has no record of uffdretry" },
};

static void refused_files(void **state)
{
	for (size_t i = 0; i < COUNT(refused); i++) {
		expect_u64(refused[i].name, read_said(refused[i].file), EXIT_ERROR);
		if (!strstr(said, refused[i].says))
			expect_str(refused[i].name, said, refused[i].says);
		expect_u64(refused[i].name, strstr(said, "/proc/self/fd/") != NULL, true);
		saved_free(&saved);
	}
}

/* A summary of another schema, which is refused if it is read. */
#define NEWER "\"type\":\"summary\",\"schema\":2,\"a\":"

/* NEWER with a string, of @size bytes in all. The caller frees it. */
static char *long_object(size_t size)
{
	static const char begin[] = "{" NEWER "\"";
	char *text = malloc(size + 1);

	memset(text, 'a', size);
	memcpy(text, begin, strlen(begin));
	strcpy(text + size - 2, "\"}");
	return text;
}

/* NEWER with [{},{},...{}], @nr objects and arrays in all. The caller frees it. */
static char *many_objects(size_t nr)
{
	char *text = malloc(3 * nr + 64), *end = text + sprintf(text, "{" NEWER "[{}");

	for (size_t i = 3; i < nr; i++)
		end += sprintf(end, ",{}");
	strcpy(end, "]}");
	return text;
}

/* It is skipped, with and without an end, wherever it stands; alone it is no summary. */
static void expect_skipped(const char *what, char *large)
{
	static const char *const files[] = { "%s%s\n%s", "%s%s%s", "%s x%s\n%s", "%s x%s%s" };
	char *first = printed(json_span, &r, &span), *last, *file;

	c.totals.calls = 7;
	last = printed(json_span, &r, &span);
	c.totals.calls = 5003;
	for (size_t i = 0; i < 2 * COUNT(files); i++) {
		assert_true(asprintf(&file, files[i % COUNT(files)], first, large, last) > 0);
		expect_u64(what, read_said(file), 0);
		expect_str(what, said, "");
		expect_u64(what, saved.all.counters.totals.calls, 7);
		saved_free(&saved);
		free(file);
		if (i == COUNT(files) - 1)
			large[strlen(large) - 1] = '\0';
	}
	assert_true(asprintf(&file, START "%s", large) > 0);
	expect_u64(what, read_said(file), EXIT_ERROR);
	assert_non_null(strstr(said, "has no summary: its run was interrupted"));
	saved_free(&saved);
	free(file);
	free(first);
	free(last);
	free(large);
}

/* As large as may be. */
static void expect_read(char *large)
{
	assert_int_equal(read_said(large), EXIT_ERROR);
	assert_non_null(strstr(said, "has JSON schema 2"));
	saved_free(&saved);
	free(large);
}

/* No record of ours is larger than 4 MiB, or has more than 65,536 objects, which would fill the memory. */
static void too_large(void **state)
{
	expect_read(long_object(4 << 20));
	expect_skipped("a byte more", long_object((4 << 20) + 1));
	expect_skipped("7 MiB", long_object(7 << 20));
	expect_read(many_objects(65536));
	expect_skipped("an object more", many_objects(65537));
	expect_skipped("700,000 objects", many_objects(700000));
}

/* What COMMAND prints beside the records is skipped; the last summary counts. */
static void among_other_text(void **state)
{
	char *first, *last, *pretty, *file;
	struct json_object *o;

	first = printed(json_span, &r, &span);
	c.totals.calls = 7;
	last = printed(json_span, &r, &span);
	o = json_tokener_parse(last);
	pretty = (char *)json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY);
	assert_true(asprintf(&file,
			     "42 \"pages\n{ no JSON\n\n{\"type\":\"load\"}\n"
			     "{\"x\":{\"type\":\"summary\",\"schema\":2}}\n%s%s%s%s bye",
			     START, first, START, pretty) > 0);
	assert_int_equal(read_said(file), 0);
	expect_str("stderr", said, "");
	expect_u64("calls", saved.all.counters.totals.calls, 7);
	expect_same_text("laid out by another program", true);
	saved_free(&saved);
	free(file);
	assert_true(asprintf(&file, "%s" START, first) > 0);
	assert_int_equal(read_said(file), 0);
	assert_non_null(strstr(said, "a later run in it has no summary"));
	expect_u64("calls", saved.all.counters.totals.calls, 5003);
	saved_free(&saved);
	free(file);
	free(first);
	free(last);
	json_object_put(o);
}

/* What COMMAND did not end, a line or JSON, hides no record, wherever a read() of the file ends. */
static void after_what_is_unfinished(void **state)
{
	static const char *const unfinished[] = {
		"{\n \"x\": 1,\n",
		"{\n",
		"{\"x\": \"1\n",
		"{\"x\": [\n 1,\n 2\n",
		"{\"x\": [\n",
		"{\"x\":\n",
		"{\"x\": [\n" START,
		"restored 100%",
		"{\"x\": [",
		"{\"x\": \"1",
		"{} {\"x\": {\"type\":\"y\"}, ",
		"{\"type\":\"event\",\"schema\":1,\"time\":17",
		"{\"type\":\"event\",\"schema\":1,\"checks\":{\n",
	};
	char *json = printed(json_span, &r, &span), *file;

	for (size_t i = 0; i < COUNT(unfinished); i++)
		for (int pad = 65536 - 24; pad < 65536 + 4; pad++) {
			assert_true(asprintf(&file, "%*s%s%s%s", pad, "x", pad % 2 ? "\n" : "",
					     unfinished[i], json) > 0);
			expect_u64(unfinished[i], read_said(file), 0);
			expect_str(unfinished[i], said, "");
			saved_free(&saved);
			free(file);
		}
	free(json);
}

/* --- A hostile record --- */

static void expect_harmless(const char *what, const char *text)
{
	for (const char *p = text; *p; p++)
		expect_u64(what, *p == '\n' || isprint((unsigned char)*p), true);
}

/* @json may be refused. If not, it prints nothing that a terminal acts on. */
static void try_hostile(const char *what, const char *json)
{
	char *text;

	if (!read_said(json)) {
		saved.report.verbose = true;
		text = printed(text_summary, &saved.report, &saved.span);
		expect_harmless(what, text);
		free(text);
	}
	expect_harmless(what, said);
	saved_free(&saved);
}

static const char *const hostile[] = {
	"null",
	"-1",
	"1e999",
	"NaN",
	"18446744073709551616",
	"9223372036854775808",
	"-0.5",
	"true",
	"\"\\u001b[2J\\u009b\\u0000\"",
	"[]",
	"{}",
	"[null,7,{}]",
};

/* Put each hostile value in the place of the member number @nr of @o and below. Counts down. */
static bool replace(struct json_object *o, int *nr, const char *value)
{
	if (json_object_is_type(o, json_type_array)) {
		for (size_t i = 0; i < json_object_array_length(o); i++) {
			if (!(*nr)--) {
				json_object_array_put_idx(o, i, json_tokener_parse(value));
				return true;
			}
			if (replace(json_object_array_get_idx(o, i), nr, value))
				return true;
		}
		return false;
	}
	if (!json_object_is_type(o, json_type_object))
		return false;
	json_object_object_foreach(o, key, member) {
		if (!(*nr)--) {
			json_object_object_add(o, key, json_tokener_parse(value));
			return true;
		}
		if (replace(member, nr, value))
			return true;
	}
	return false;
}

static void hostile_members(void **state)
{
	static const struct holder_row row = { { CHANGING_REMOVE, 376, 28, 4, "uffdload" },
					       { 400, 5, 30000000, 72037, 4712, 0 } };
	char *json;
	int nr = 0;

	r.writers = canned_writers(&c);
	r.overhead = r.claims = r.relock = true;
	some_targets();
	span.holders = &row;
	span.nr_holders = 1;
	json = printed(json_span, &r, &span);
	for (bool more = true; more; nr++) {
		struct json_object *o = json_tokener_parse(json);
		int left = nr;

		more = replace(o, &left, hostile[(size_t)nr % COUNT(hostile)]);
		try_hostile("replaced", json_object_to_json_string(o));
		json_object_put(o);
	}
	expect_u64("members", nr > 500, true);
	free(json);
}

static void expect_refused(struct json_object *o, const char *row, const char *name)
{
	expect_u64(row, read_said(json_object_to_json_string(o)), EXIT_ERROR);
	if (!strstr(said, name))
		expect_str(row, said, name);
	saved_free(&saved);
}

/* Without any one of its counts or names a record is refused, not read as 0 or "". */
static void a_member_too_few(void **state)
{
	static const char *const paths[] = { "copy.calls",
					     "lost.skipped.windows",
					     "checks.kernel.missed",
					     "by_kind.anon.quiet",
					     "chains.longest",
					     "elapsed_s",
					     "host.page_size",
					     "write_sections",
					     "mmap_changing.holders",
					     "targets_other.calls",
					     "lost.copy_events",
					     "plan.name",
					     "plan.exactness",
					     "plan.self_test",
					     "plan.kernel_check",
					     "host.kernel",
					     "host.arch" };
	char *json;

	some_targets();
	json = printed(json_span, &r, &span);

	for (size_t i = 0; i < COUNT(paths); i++) {
		struct json_object *whole = json_tokener_parse(json), *o = whole;
		const char *name = paths[i];
		char part[32];

		for (; strchr(name, '.'); name = strchr(name, '.') + 1) {
			snprintf(part, sizeof(part), "%.*s", (int)strcspn(name, "."), name);
			json_object_object_get_ex(o, part, &o);
		}
		/* Another type; of the holders it is the right one. */
		json_object_object_add(o, name, json_object_new_array());
		if (strcmp(name, "holders"))
			expect_refused(whole, paths[i], name);
		json_object_object_del(o, name);
		expect_refused(whole, paths[i], name);
		json_object_put(whole);
	}
	free(json);
}

/* --- Each member of the schema --- */

/* What the text and diff do not need: all below these; "*": whatever ends so. */
static const char *const not_needed[] = {
	"tool",
	"advice",
	"plan.hooks",
	"plan.unmeasured",
	/* tools/stacks.py reads these. */
	"stacks",
	"stacks_missing",
	/* These follow from others. */
	"copy.pages",
	"eagain_causes",
	"short_copy.*.calls",
	"relock.total",
	"relock.mmap_lock",
	"claims[]",
	"overhead[].cpu_share",
	"overhead[].why",
	"begin_early.kinds",
	"per_mm.sections_per_s",
	"per_mm.window_ns",
	"per_mm.hold_ns",
	"per_mm.needless_per_million_copies",
	"per_mm.modelled_per_million_copies",
	"hist_ns.window",
	"*[].max",
	"windows.quiet",
	"windows.unrelated",
	"windows.locked",
	"windows.tolerated",
	"windows.replaced",
	"windows.hidden",
	"windows.false_alarm",
	"windows.real",
	"windows.gone",
	"windows.blocked",
	"windows.aborted",
	"windows.undetermined",
	"*fill_ioctls.rwprotect",
};

static struct {
	struct json_object *definitions;
	char *records[2], *of_record[2]; /* --by process and cgroup, and what is made of them */
	int members, needed, nulls;
	bool used[COUNT(not_needed)];
} schema;

static bool is_below(const char *path, const char *of)
{
	const size_t n = strlen(of), all = strlen(path);

	if (of[0] == '*')
		return all >= n - 1 && !strcmp(path + all - (n - 1), of + 1);
	return !strncmp(path, of, n) && strchr(".[", path[n]);
}

static bool is_needed(const char *path)
{
	for (size_t i = 0; i < COUNT(not_needed); i++) {
		if (!is_below(path, not_needed[i]))
			continue;
		schema.used[i] = true;
		return false;
	}
	return true;
}

/* Is null valid by the schema @of? */
static bool may_be_null(struct json_object *of)
{
	struct json_object *value;
	const char *ref;

	if (json_object_object_get_ex(of, "$ref", &value)) {
		ref = json_object_get_string(value) + strlen("#/$defs/");
		assert_true(json_object_object_get_ex(schema.definitions, ref, &value));
		return may_be_null(value);
	}
	if (json_object_object_get_ex(of, "anyOf", &value)) {
		for (size_t i = 0; i < json_object_array_length(value); i++)
			if (may_be_null(json_object_array_get_idx(value, i)))
				return true;
		return false;
	}
	/* "null", or among other types. */
	return json_object_object_get_ex(of, "type", &value) &&
	       strstr(json_object_to_json_string(value), "\"null\"");
}

/* What change() does to a member. */
enum change { DROP, SET_NULL };

static void change_value(struct json_object *o, const char *name, enum change how)
{
	if (how == DROP)
		json_object_object_del(o, name);
	else
		json_object_object_add(o, name, NULL);
}

/* Change @path wherever it is: "a.b", "a[].b" of each row, "a.*.b" of each member. */
static bool change(struct json_object *o, const char *path, enum change how)
{
	const size_t n = strcspn(path, ".[");
	struct json_object *below;
	bool any = false;
	char name[40];

	if (path[0] == '[') {
		for (size_t i = 0; i < json_object_array_length(o); i++)
			any |= path[2] ? change(json_object_array_get_idx(o, i), path + 3, how)
				       : !json_object_array_put_idx(o, i, NULL);
		return any;
	}
	if (!json_object_is_type(o, json_type_object))
		return false;
	if (path[0] == '*') {
		struct json_object_iter each;

		json_object_object_foreachC(o, each)
		{
			if (path[1]) {
				any |= change(each.val, path + 2, how);
				continue;
			}
			change_value(o, each.key, how);
			any = true;
		}
		return any;
	}
	snprintf(name, sizeof(name), "%.*s", (int)n, path);
	if (!json_object_object_get_ex(o, name, &below))
		return false;
	if (path[n])
		return below && change(below, path + n + (path[n] == '.'), how);
	change_value(o, name, how);
	return true;
}

/* All that comes of a record. The caller frees it. */
static char *made_of(const char *record)
{
	char *text, *json, *all;
	struct json_object *o;

	if (read_said(record)) {
		saved_free(&saved);
		return strdup("refused");
	}
	saved.report.verbose = true;
	saved.report.unmeasured = canned_unmeasured;
	text = printed(text_summary, &saved.report, &saved.span);
	json = printed(json_span, &saved.report, &saved.span);
	o = without_host(json);
	assert_true(asprintf(&all, "%s%s%s%s", text, json_object_to_json_string(o), saved.machine,
			     saved.kernel) > 0);
	json_object_put(o);
	saved_free(&saved);
	free(text);
	free(json);
	return all;
}

/* Without a member that is needed a record is refused, or something else comes of it. */
static void try_member(const char *path)
{
	const bool needed = is_needed(path);
	bool found = false;

	for (size_t i = 0; i < COUNT(schema.records); i++) {
		struct json_object *o = json_tokener_parse(schema.records[i]);
		char *without;

		if (change(o, path, DROP)) {
			found = true;
			without = made_of(json_object_to_json_string(o));
			expect_u64(path, strcmp(without, schema.of_record[i]) != 0, needed);
			free(without);
		}
		json_object_put(o);
	}
	expect_u64(path, found, true);
	schema.members++;
	schema.needed += needed;
}

/* A member whose schema @of has no null is not read as 0 or "" where it is null. */
static void try_null(struct json_object *of, const char *path)
{
	bool found = false;

	if (!is_needed(path) || may_be_null(of))
		return;
	for (size_t i = 0; i < COUNT(schema.records); i++) {
		struct json_object *o = json_tokener_parse(schema.records[i]);

		if (change(o, path, SET_NULL)) {
			found = true;
			expect_u64(path, read_said(json_object_to_json_string(o)), EXIT_ERROR);
			saved_free(&saved);
		}
		json_object_put(o);
	}
	expect_u64(path, found, true);
	schema.nulls++;
}

static void try_members(struct json_object *of, const char *path)
{
	struct json_object *value, *definition;
	char below[128];

	if (json_object_object_get_ex(of, "$ref", &value)) {
		assert_true(json_object_object_get_ex(schema.definitions,
						      json_object_get_string(value) +
							      strlen("#/$defs/"),
						      &definition));
		try_members(definition, path);
	}
	if (json_object_object_get_ex(of, "anyOf", &value))
		for (size_t i = 0; i < json_object_array_length(value); i++)
			try_members(json_object_array_get_idx(value, i), path);
	snprintf(below, sizeof(below), "%s[]", path);
	if (json_object_object_get_ex(of, "items", &value)) {
		try_null(value, below);
		try_members(value, below);
	}
	snprintf(below, sizeof(below), "%s.*", path);
	if (json_object_object_get_ex(of, "additionalProperties", &value) &&
	    json_object_is_type(value, json_type_object)) {
		try_null(value, below);
		try_members(value, below);
	}
	if (!json_object_object_get_ex(of, "properties", &value))
		return;
	json_object_object_foreach(value, key, member) {
		snprintf(below, sizeof(below), "%s%s%s", path, path[0] ? "." : "", key);
		try_member(below);
		try_null(member, below);
		try_members(member, below);
	}
}

static void each_member_of_the_schema(void **state)
{
	static struct stack_row rows[MAX_STACKS] = {
		[FIRST_STACK] = { .used = 1, .sections = 2, .nr_user = 1, .nr_kernel = 1 },
	};
	static struct stack_name stack_names[MAX_STACK_NAMES];
	static const struct stacks stacks = { rows, stack_names };
	static struct cgroup_names names;
	struct json_object *file = json_object_from_file("docs/reference/uffdretry.schema.json"),
			   *summary;

	assert_non_null(file);
	assert_true(json_object_object_get_ex(file, "$defs", &schema.definitions));
	assert_true(json_object_object_get_ex(schema.definitions, "summary", &summary));
	r.claims = r.overhead = true;
	span.stacks = &stacks;
	schema.records[0] = full_record();
	r.by = BY_CGROUP;
	r.cgroups = &names;
	cgroup_names_add(&names, 50);
	cgroup_names_set(&names, 50, "/vms/a");
	schema.records[1] = printed(json_span, &r, &span);
	for (size_t i = 0; i < COUNT(schema.records); i++) {
		schema.of_record[i] = made_of(schema.records[i]);
		assert_true(strlen(schema.of_record[i]) > 1000);
	}
	try_members(summary, "");
	for (size_t i = 0; i < COUNT(not_needed); i++)
		expect_u64(not_needed[i], schema.used[i], true);
	expect_u64("members", schema.members > 300, true);
	expect_u64("needed", schema.needed > 200, true);
	expect_u64("nulls", schema.nulls > 100, true);
	for (size_t i = 0; i < COUNT(schema.records); i++) {
		free(schema.records[i]);
		free(schema.of_record[i]);
	}
	json_object_put(file);
}

/* Null where this kernel measured: the schema allows it, for kernels that cannot. */
static void null_where_it_was_measured(void **state)
{
	static const char *const paths[] = {
		"checks.snapshot",
		"checks.per_vma_seq",
		"by_kind.anon",
		"by_kind.anon.real",
		"by_kind.anon.locked",
		"hist_ns.window_by_kind.anon.quiet",
		"hist_ns.window_by_kind.anon.locked",
		"hist_ns.relock",
		"hist_ns.relock_mmap_lock",
		"hist_ns.begin_early",
	};
	char *json;

	c.totals.windows[KIND_ANON][CLASS_REAL] = c.totals.windows[KIND_ANON][CLASS_LOCKED] = 0;
	json = full_record();
	assert_int_equal(read_said(json), 0);
	saved_free(&saved);
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct json_object *o = json_tokener_parse(json);

		assert_true(change(o, paths[i], SET_NULL));
		expect_u64(paths[i], read_said(json_object_to_json_string(o)), EXIT_ERROR);
		saved_free(&saved);
		json_object_put(o);
	}
	free(json);
}

/* More rows than there is room for. */
static void too_many_rows(void **state)
{
	static const char *const names[] = { "writers", "targets" };
	struct json_object *o, *rows;
	char *json;

	r.writers = canned_writers(&c);
	some_targets();
	json = printed(json_span, &r, &span);
	o = json_tokener_parse(json);
	for (size_t k = 0; k < COUNT(names); k++) {
		json_object_object_get_ex(o, names[k], &rows);
		for (int i = 0; i < 2000; i++)
			json_object_array_add(rows,
					      json_object_get(json_object_array_get_idx(rows, 0)));
	}
	assert_int_equal(read_said(json_object_to_json_string(o)), 0);
	free(printed(text_summary, &saved.report, &saved.span));
	saved_free(&saved);
	json_object_put(o);
	free(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_run, canned),
		cmocka_unit_test_setup(what_the_kernel_tells, canned),
		cmocka_unit_test_setup(what_was_asked_for, canned),
		cmocka_unit_test_setup(writers_in_words, canned),
		cmocka_unit_test_setup(holders_in_words, canned),
		cmocka_unit_test_setup(targets, canned),
		cmocka_unit_test_setup(more_targets_than_lines, canned),
		cmocka_unit_test_setup(nothing_happened, canned),
		cmocka_unit_test_setup(any_magnitude, canned),
		cmocka_unit_test_setup(another_page_size, canned),
		cmocka_unit_test_setup(the_time, canned),
		cmocka_unit_test_setup(json_again, canned),
		cmocka_unit_test(real_records),
		cmocka_unit_test_setup(refused_files, canned),
		cmocka_unit_test_setup(too_large, canned),
		cmocka_unit_test_setup(among_other_text, canned),
		cmocka_unit_test_setup(after_what_is_unfinished, canned),
		cmocka_unit_test_setup(hostile_members, canned),
		cmocka_unit_test_setup(a_member_too_few, canned),
		cmocka_unit_test_setup(each_member_of_the_schema, canned),
		cmocka_unit_test_setup(null_where_it_was_measured, canned),
		cmocka_unit_test_setup(too_many_rows, canned),
	};

	return cmocka_run_group_tests_name("saved", tests, NULL, NULL);
}
