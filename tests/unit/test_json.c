// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * JSON (sys/json_lines.c, report/json.c and its parts): any bytes make a line that parses; every
 * member of schema 1.
 */
#include "canned.h"
#include "report/sections/claims.h"
#include "report/json.h"
#include "sys/json_lines.h"
#include "strict.h"
#include "unit.h"
#include "version.h"

#include <math.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

/* --- One value --- */

#define BAD "\xef\xbf\xbd" /* U+FFFD */

static const struct {
	const char *name, *bytes, *want;
} strings[] = {
	{ "empty", "", "" },
	{ "plain", "plain", "plain" },
	{ "quotes and backslash", "a\"b\\c/d", "a\"b\\c/d" },
	{ "control bytes", "\x01\x1b[2J\n\t\x1f\x7f", "\x01\x1b[2J\n\t\x1f\x7f" },
	{ "two bytes", "\xc3\xa4", "\xc3\xa4" },
	{ "three bytes", "\xe2\x82\xac", "\xe2\x82\xac" },
	{ "four bytes", "\xf0\x9f\x90\xa7", "\xf0\x9f\x90\xa7" },
	{ "smallest of each length", "\x01\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80",
	  "\x01\xc2\x80\xe0\xa0\x80\xf0\x90\x80\x80" },
	{ "largest of each length", "\x7f\xdf\xbf\xef\xbf\xbf\xf4\x8f\xbf\xbf",
	  "\x7f\xdf\xbf\xef\xbf\xbf\xf4\x8f\xbf\xbf" },
	{ "around the surrogates", "\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80" },
	{ "lone continuation", "a\x80z", "a" BAD "z" },
	{ "lone lead at the end", "a\xc3", "a" BAD },
	{ "lead and no continuation", "\xc3(", BAD "(" },
	{ "cut three bytes", "\xe2\x82", BAD BAD },
	{ "cut four bytes", "\xf0\x9f\x90", BAD BAD BAD },
	{ "overlong NUL", "\xc0\x80", BAD BAD },
	{ "overlong slash", "\xc1\xaf", BAD BAD },
	{ "overlong, three bytes", "\xe0\x9f\xbf", BAD BAD BAD },
	{ "overlong, four bytes", "\xf0\x8f\xbf\xbf", BAD BAD BAD BAD },
	{ "high surrogate", "\xed\xa0\x80", BAD BAD BAD },
	{ "low surrogate", "\xed\xbf\xbf", BAD BAD BAD },
	{ "beyond U+10FFFF", "\xf4\x90\x80\x80", BAD BAD BAD BAD },
	{ "five bytes", "\xf8\x88\x80\x80\x80", BAD BAD BAD BAD BAD },
	{ "no UTF-8 byte", "\xfe\xff", BAD BAD },
	{ "good after bad", "\xff\xc3\xa4", BAD "\xc3\xa4" },
};

/* What json_write() made of @o: exactly one line. The caller frees it. */
static char *line_of(struct json_object *o)
{
	char *line;
	size_t size;
	FILE *f = open_memstream(&line, &size);

	assert_int_equal(json_write(f, o), 0);
	fclose(f);
	assert_int_equal(strlen(line), size); /* no NUL */
	assert_ptr_equal(strchr(line, '\n'), line + size - 1);
	return line;
}

/*
 * Bytes that a terminal acts on are escaped, also DEL and U+0080 to U+009F, which json-c does not
 * escape.
 */
static void terminals_are_safe(void **state)
{
	struct json_object *o = json_object_new_object();
	char *line;

	add_str(o, "s", "\x1b[m\x7f\xc2\x80|\xc2\x9b\xc2\x9f\xc2\xa0");
	line = line_of(o);
	expect_str("line", line, "{\"s\":\"\\u001b[m\\u007f\\u0080|\\u009b\\u009f\xc2\xa0\"}\n");
	free(line);
}

/* Parse strictly: valid UTF-8, nothing behind the object. */
static struct json_object *parsed(const char *line)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *o;

	json_tokener_set_flags(tokener, strict_json());
	o = json_tokener_parse_ex(tokener, line, (int)strlen(line) + 1);
	assert_int_equal(json_tokener_get_error(tokener), json_tokener_success);
	assert_int_equal(json_tokener_get_parse_end(tokener), strlen(line));
	json_tokener_free(tokener);
	return o;
}

static void text_survives(void **state)
{
	for (size_t i = 0; i < COUNT(strings); i++) {
		struct json_object *o = json_object_new_object();
		char *line;

		add_str(o, "text", strings[i].bytes);
		line = line_of(o);
		for (const char *c = line; c[1]; c++)
			assert_true((unsigned char)*c >= ' '); /* control bytes are escaped */
		o = parsed(line);
		expect_str(strings[i].name,
			   json_object_get_string(json_object_object_get(o, "text")),
			   strings[i].want);
		json_object_put(o);
		free(line);
	}
}

/* Any two bytes at all make a line that parses. */
static void any_bytes(void **state)
{
	for (unsigned int i = 1; i < 1 << 16; i++) {
		const char text[] = { (char)(i >> 8), (char)i, '\0' };
		struct json_object *o = json_object_new_object();
		char *line;

		add_str(o, "comm", text);
		line = line_of(o);
		json_object_put(parsed(line));
		free(line);
	}
}

static void values(void **state)
{
	struct json_object *o = json_object_new_object();
	char *line;

	add_str(o, "type", "test");
	add_u64(o, "zero", 0);
	add_u64(o, "beyond double", (1ULL << 53) + 1);
	add_u64(o, "max", UINT64_MAX);
	add_double(o, "second", 1);
	add_double(o, "micro", 0.000001);
	add_double(o, "day", 86400.123456);
	add_double(o, "negative", -1);
	add_double(o, "nan", NAN);
	add_double(o, "inf", INFINITY);
	add_bool(o, "yes", true);
	add_bool(o, "no", false);
	add_str(o, "none", NULL);
	add_null(o, "null");
	add_u64(add_object(o, "object"), "member", 1);
	line = line_of(o);
	assert_string_equal(line,
			    "{\"type\":\"test\",\"zero\":0,\"beyond double\":9007199254740993,"
			    "\"max\":18446744073709551615,\"second\":1.000000,\"micro\":0.000001,"
			    "\"day\":86400.123456,\"negative\":null,\"nan\":null,\"inf\":null,\"yes\":true,"
			    "\"no\":false,\"none\":null,\"null\":null,\"object\":{\"member\":1}}\n");
	o = parsed(line);
	assert_true(json_object_get_uint64(json_object_object_get(o, "max")) == UINT64_MAX);
	json_object_put(o);
	free(line);
}

static void a_full_disk_is_reported(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	struct json_object *o = json_object_new_object();

	assert_non_null(full);
	assert_int_equal(json_write(full, o), -1);
	assert_int_equal(errno, ENOSPC);
	fclose(full);
}

/* --- The records --- */

static struct json_object *record(int (*print)(const struct report *, const struct span *),
				  struct report *r, const struct span *s)
{
	struct json_object *o;
	char *line;
	size_t size;

	r->out = open_memstream(&line, &size);
	assert_int_equal(print(r, s), 0);
	fclose(r->out);
	keep_records(line);
	assert_int_equal(strncmp(line, "{\"type\":", 8), 0); /* first */
	assert_ptr_equal(strchr(line, '\n'), line + size - 1);
	o = parsed(line);
	free(line);
	return o;
}

static struct json_object *member(struct json_object *o, const char *path)
{
	char name[64];

	while (*path) {
		size_t n = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", (int)n, path);
		if (!json_object_object_get_ex(o, name, &o)) {
			print_message("# no member %s\n", name);
			fail();
		}
		path += n + (path[n] == '.');
	}
	return o;
}

static void want_u64(struct json_object *o, const char *path, __u64 want)
{
	expect_u64(path, json_object_get_uint64(member(o, path)), want);
}

static void want_str(struct json_object *o, const char *path, const char *want)
{
	expect_str(path, json_object_get_string(member(o, path)), want);
}

static void want_length(struct json_object *o, const char *path, size_t want)
{
	expect_u64(path, json_object_array_length(member(o, path)), want);
}

static struct json_object *element(struct json_object *o, const char *path, size_t i)
{
	return json_object_array_get_idx(member(o, path), i);
}

/* An array as JSON. */
static const char *plain(struct json_object *o, const char *path)
{
	return json_object_to_json_string_ext(member(o, path), JSON_C_TO_STRING_PLAIN);
}

/* The canned run, whose summary is @final. */
static struct counters c;
static struct report r;
static const struct span final = { .counters = &c, .elapsed_s = 12.5, .final = true };

static int canned(void **state)
{
	canned_counters(&c);
	r = canned_report(NULL);
	return 0;
}

/* Every number of schema 1, and what canned_counters() makes of it. */
static const struct {
	const char *path;
	__u64 want;
} numbers[] = {
	{ "schema", 1 },
	{ "copy.calls", 5003 },
	{ "copy.pages", 4999 },
	{ "copy.bytes", 20475904 },
	{ "copy.returned.ok", 4990 },
	{ "copy.returned.EAGAIN", 9 },
	{ "copy.returned.ENOENT", 4 },
	{ "windows.total", 13422 },
	{ "windows.quiet", 1102 },
	{ "windows.unrelated", 1105 },
	{ "windows.locked", 1108 },
	{ "windows.tolerated", 1111 },
	{ "windows.replaced", 1114 },
	{ "windows.hidden", 1117 },
	{ "windows.false_alarm", 1120 },
	{ "windows.real", 1123 },
	{ "windows.gone", 1126 },
	{ "windows.blocked", 1129 },
	{ "windows.aborted", 1132 },
	{ "windows.undetermined", 1135 },
	{ "windows_open", 414 },
	{ "snapshot_reasons.uffd_flags", 201 },
	{ "snapshot_reasons.shared", 202 },
	{ "snapshot_reasons.ops", 203 },
	{ "snapshot_reasons.file", 204 },
	{ "snapshot_reasons.inode", 205 },
	{ "snapshot_reasons.pgoff", 206 },
	{ "meaning_reasons.ctx", 211 },
	{ "meaning_reasons.uffd_flags", 212 },
	{ "meaning_reasons.shared", 213 },
	{ "meaning_reasons.ops", 214 },
	{ "meaning_reasons.inode", 215 },
	{ "meaning_reasons.offset", 216 },
	{ "tolerated_reasons.range", 221 },
	{ "tolerated_reasons.flags", 222 },
	{ "tolerated_reasons.prot", 223 },
	{ "tolerated_reasons.policy", 224 },
	{ "tolerated_reasons.name", 225 },
	{ "checks.ops_pointer.differs", 305 },
	{ "checks.snapshot.differs", 315 },
	{ "checks.address.differs", 325 },
	{ "checks.per_vma_seq.differs", 335 },
	{ "checks.per_mm_seq.differs", 345 },
	{ "checks.kernel.seen", 404 },
	{ "checks.kernel.absent", 405 },
	{ "checks.kernel.raced", 406 },
	{ "begin_early.windows", 406 },
	{ "begin_early.seq_moved", 407 },
	{ "odd_start", 401 },
	{ "file_unsure", 408 },
	{ "external", 402 },
	{ "anomalies", 403 },
	{ "eagain_causes.entry_mmap_changing", 501 },
	{ "eagain_causes.lock_mmap_changing", 502 },
	{ "eagain_causes.relock_mmap_changing", 505 },
	{ "eagain_causes.vma_lock", 503 },
	{ "eagain_causes.snapshot", 506 },
	{ "eagain_causes.pte", 507 },
	{ "eagain_causes.short_copy", 509 },
	/* Of the sites that have no EAGAIN of their own, and of the lost. */
	{ "eagain_causes.unknown", 504 + 508 + 510 },
	{ "causes.EEXIST.page", 517 },
	{ "short_copy.ENOENT.calls", 521 },
	{ "short_copy.ENOENT.bytes", 522 },
	{ "short_copy.ENOENT.at.relock", 521 },
	{ "fill_ioctls.move.ok", 531 },
	{ "fill_ioctls.move.mmap_changing", 532 },
	{ "fill_ioctls.move.EINVAL", 533 },
	{ "mmap_changing.raised", 541 },
	{ "mmap_changing.refused", 542 },
	{ "mmap_changing.unseen", 543 },
	{ "mmap_changing.stuck", 544 },
	{ "mmap_changing.lost", 545 },
	{ "chains.count", 551 },
	{ "chains.ended", 552 },
	{ "chains.lost", 553 },
	{ "chains.lost_ns", 554 },
	{ "chains.reissued", 555 },
	{ "chains.reopened", 556 },
	{ "chains.retried", 559 },
	{ "chains.succeeded", 560 },
	{ "chains.open", 557 },
	{ "chains.longest", 558 },
	{ "lost.windows", 411 },
	{ "lost.events", 415 },
	{ "lost.changing_events", 416 },
	{ "lost.copy_events", 417 },
	{ "lost.recursion", 413 },
	{ "lost.rehooks", 426 },
	{ "lost.map_full", 412 },
	{ "lost.skipped.windows", 421 },
	{ "lost.skipped.calls", 422 },
	{ "lost.skipped.calls_of_pages", 423 },
	{ "lost.skipped.unmaps", 424 },
	{ "lost.skipped.children", 425 },
};

/* A member that is not measured is null, never 0. */
static const char *const unmeasured[] = {
	"by_kind.hugetlb",
	"writers",
	"write_sections",
	"hist_ns.relock",
	"hist_ns.window_by_kind.hugetlb",
};

/* The tables among the members: one number a check, or a class and kind. */
static void check_tables(struct json_object *o, bool none)
{
	static const char *const columns[] = { "eagain", "real", "spurious", "missed" };
	char path[64];

	for (__u32 i = 0; i < NR_CHECKS; i++)
		for (__u32 k = 0; k < COUNT(columns); k++) {
			snprintf(path, sizeof(path), "checks.%s.%s", check_names[i], columns[k]);
			want_u64(o, path, none ? 0 : 301 + 10 * i + k);
		}
	for (__u32 i = 0; i < NR_CLASSES; i++) {
		snprintf(path, sizeof(path), "by_kind.anon.%s", class_names[i]);
		want_u64(o, path, none ? 0 : 101 + i);
		snprintf(path, sizeof(path), "by_kind.shmem.%s", class_names[i]);
		want_u64(o, path, none ? 0 : 1001 + 2 * i);
	}
}

static void writers(void **state)
{
	struct json_object *o, *first, *second;

	r.writers = canned_writers(&c);
	o = record(json_span, &r, &final);
	want_length(o, "writers", 10);
	first = element(o, "writers", 0);
	want_str(first, "op", "madvise");
	want_str(first, "syscall", "madvise");
	want_str(first, "advice", "MADV_DONTFORK");
	assert_null(member(first, "flags"));
	want_str(first, "comm", "\x1b[2J" BAD "56789abcdef");
	want_u64(first, "pid", 4294967295U);
	assert_true(json_object_get_boolean(member(first, "covers_dst")));
	want_u64(first, "windows", 1801);
	want_u64(first, "sections", UINT64_MAX);
	want_u64(first, "range.start", 0x7f0000000000);
	want_u64(first, "range.end", 0x7f0000001000);
	second = element(o, "writers", 1);
	want_u64(second, "pid", 4000);
	assert_false(json_object_get_boolean(member(second, "covers_dst")));
	assert_null(member(second, "advice"));
	assert_null(member(second, "range"));
	want_u64(o, "write_sections.windows", 1901);
	want_u64(o, "write_sections.total", 1902);
	want_u64(o, "write_sections.unseen", 1903);
	want_u64(o, "write_sections.unseen_windows", 1904);
	want_u64(o, "write_sections.other", 1905);
	json_object_put(o);
}

static void want_double(struct json_object *o, const char *path, double want)
{
	const double got = json_object_get_double(member(o, path));

	if (fabs(got - want) > 1e-5)
		expect_u64(path, (__u64)got, (__u64)want);
	assert_true(fabs(got - want) <= 1e-5);
}

/* 1,000 copies with 520 windows: 20 really changed, a quarter had an external handler. */
static void count_copies(void)
{
	struct totals *t = &c.totals;

	memset(t, 0, sizeof(*t));
	t->calls = 1000;
	t->windows[KIND_ANON][CLASS_QUIET] = 400;
	t->windows[KIND_ANON][CLASS_UNRELATED] = 100;
	t->windows[KIND_ANON][CLASS_REAL] = 20;
	t->external = 130;
	t->checks[CHECK_PER_MM_SEQ].spurious = 100;
	/* 4,000 write sections in 4 s; quiet windows of 10 us; sections of 30 us. */
	t->passed_ns = 4000000000;
	t->passed_steps = 8000;
	memset(&c.hists, 0, sizeof(c.hists));
	c.hists[KIND_ANON][CLASS_QUIET].count[7] = 300;
	c.hists[KIND_ANON][CLASS_QUIET].sum = 300 * 11000;
	c.hists[KIND_SHMEM][CLASS_QUIET].count[9] = 100;
	c.hists[KIND_SHMEM][CLASS_QUIET].sum = 100 * 7000;
	c.hists[KIND_ANON][CLASS_UNRELATED].count[20] = 100;
	c.hists[KIND_ANON][CLASS_UNRELATED].sum = 100 * 90000;
	t->held = 10;
	t->held_ns = 10 * 30000;
}

static void per_mm(void **state)
{
	const struct span interval = { .counters = &c, .elapsed_s = 12.5 };
	struct json_object *o;

	count_copies();
	o = record(json_span, &r, &final);
	want_double(o, "per_mm.sections_per_s", 1000);
	want_double(o, "per_mm.window_ns", 10000);
	want_double(o, "per_mm.hold_ns", 30000);
	want_double(o, "per_mm.needless_per_million_copies", 100000);
	/* 500,000 * (3/4 * (1 - exp(-0.04)) + 1/4 * (1 - exp(-0.02))) */
	want_double(o, "per_mm.modelled_per_million_copies", 17179.126155);
	want_u64(o, "per_mm.passed_ns", 4000000000);
	want_u64(o, "per_mm.passed_steps", 8000);
	want_u64(o, "per_mm.quiet_ns", 4000000);
	want_u64(o, "per_mm.held", 10);
	want_u64(o, "per_mm.held_ns", 300000);
	json_object_put(o);
	/* Sections shorter than a window. */
	c.totals.held_ns = 10 * 4000;
	o = record(json_span, &r, &final);
	want_double(o, "per_mm.sections_per_s", 1000);
	want_double(o, "per_mm.hold_ns", 4000);
	/* 500,000 * (1 - exp(-0.014)) */
	want_double(o, "per_mm.modelled_per_million_copies", 6951.227869);
	json_object_put(o);
	o = record(json_span, &r, &interval);
	assert_false(json_object_object_get_ex(o, "per_mm", NULL));
	json_object_put(o);
}

static void want_unknown(const char *path)
{
	struct json_object *o = record(json_span, &r, &final);

	assert_null(member(o, path));
	assert_null(member(o, "per_mm.modelled_per_million_copies"));
	json_object_put(o);
}

/* Never 0 for what is not known; but where nobody writes, nothing fails. */
static void per_mm_unknown(void **state)
{
	struct json_object *o;

	count_copies();
	c.totals.held = 0;
	want_unknown("per_mm.hold_ns");
	want_unknown("per_mm.held_ns");
	c.totals.passed_steps = 0;
	o = record(json_span, &r, &final);
	want_double(o, "per_mm.sections_per_s", 0);
	want_double(o, "per_mm.modelled_per_million_copies", 0);
	json_object_put(o);
	count_copies();
	c.totals.passed_ns = 0;
	want_unknown("per_mm.sections_per_s");
	want_unknown("per_mm.passed_steps");
	count_copies();
	c.totals.calls = 0;
	want_unknown("per_mm.needless_per_million_copies");
	count_copies();
	memset(&c.hists, 0, sizeof(c.hists));
	want_unknown("per_mm.window_ns");
	count_copies();
	c.totals.passed_ns = 0;
	r.seq = SEQ_NONE;
	want_unknown("per_mm.needless_per_million_copies");
}

static void want_kinds(size_t nr, const char *last)
{
	struct json_object *o = record(json_span, &r, &final);
	struct json_object *kinds = member(o, "begin_early.kinds");

	assert_int_equal(json_object_array_length(kinds), nr);
	expect_str("the last kind",
		   json_object_get_string(json_object_array_get_idx(kinds, nr - 1)), last);
	json_object_put(o);
}

/* Where a plan is exact only hugetlb has two bounds of a begin. */
static void begins_with_two_bounds(void **state)
{
	r.sees_hugetlb = true;
	want_kinds(1, "hugetlb");
	r.exact = false;
	want_kinds(3, "hugetlb");
	r.sees_hugetlb = false;
	want_kinds(2, "shmem");
}

/* On a kernel without per-VMA locks these are null as well. */
static void without_vma_locks(void **state)
{
	static const char *const null[] = {
		"windows.locked",
		"by_kind.anon.locked",
		"by_kind.shmem.locked",
		"hist_ns.window.locked",
		"checks.per_vma_seq",
		"checks.per_mm_seq",
		"odd_start",
		"begin_early",
		"hist_ns.begin_early",
	};
	struct json_object *o;

	r.seq = SEQ_NONE;
	r.bounds_begin = false;
	o = record(json_span, &r, &final);
	for (size_t i = 0; i < COUNT(null); i++)
		assert_null(member(o, null[i]));
	want_u64(o, "windows.unrelated", 1105);
	want_u64(o, "checks.snapshot.eagain", 311);
	json_object_put(o);
}

static void check_numbers(struct json_object *o)
{
	__u64 sum = 0;

	check_tables(o, false);
	for (size_t i = 0; i < COUNT(numbers); i++) {
		struct json_object *n = member(o, numbers[i].path);

		assert_int_equal(json_object_get_type(n), json_type_int);
		expect_u64(numbers[i].path, json_object_get_uint64(n), numbers[i].want);
	}
	for (size_t i = 0; i < COUNT(unmeasured); i++)
		assert_null(member(o, unmeasured[i]));
	for (int i = 0; i < NR_CLASSES; i++)
		sum += json_object_get_uint64(
			json_object_object_get(member(o, "windows"), class_names[i]));
	assert_int_equal(sum, json_object_get_uint64(member(o, "windows.total")));
	assert_int_equal(json_object_object_length(member(o, "windows")), NR_CLASSES + 1);
}

static void check_hists(struct json_object *o)
{
	for (__u32 i = 0; i < NR_CLASSES; i++) {
		char path[64];

		snprintf(path, sizeof(path), "hist_ns.window.%s", class_names[i]);
		want_length(o, path, 2);
		want_u64(element(o, path, 0), "min", 896);
		want_u64(element(o, path, 0), "max", 1023);
		want_u64(element(o, path, 0), "count", 101 + i);
		want_u64(element(o, path, 1), "min", 917504);
		want_u64(element(o, path, 1), "count", 1001 + 2 * i);
		snprintf(path, sizeof(path), "hist_ns.window_by_kind.shmem.%s", class_names[i]);
		want_length(o, path, 1);
	}
}

/* The run itself is described in the start record and in the summary. */
static void check_context(struct json_object *o)
{
	struct utsname uts;

	uname(&uts);
	want_str(o, "tool.name", "uffdretry");
	want_str(o, "tool.version", UFFDRETRY_VERSION);
	want_str(o, "host.kernel", uts.release);
	want_str(o, "host.arch", uts.machine);
	want_u64(o, "host.cpus", sysconf(_SC_NPROCESSORS_ONLN));
	want_u64(o, "host.page_size", sysconf(_SC_PAGESIZE));
	want_str(o, "plan.name", "retry_state");
	assert_int_equal(json_object_get_boolean(member(o, "plan.exact")), true);
	want_str(o, "plan.exactness", "exact");
	want_str(o, "plan.self_test", "passed");
	want_length(o, "plan.hooks", 2);
	for (size_t i = 0; i < 2; i++) {
		struct json_object *hook = element(o, "plan.hooks", i);

		want_str(hook, "name", canned_hook_names[i]);
		want_str(hook, "variant", canned_hook_variants[i]);
		assert_int_equal(json_object_get_boolean(member(hook, "attached")), i == 0);
		want_u64(hook, "missed", 21 + i);
	}
	assert_string_equal(plain(o, "plan.unmeasured"), "[\"writers\",\"chains\"]");
}

static void summary(void **state)
{
	struct json_object *o = record(json_span, &r, &final);

	want_str(o, "type", "summary");
	assert_true(json_object_get_double(member(o, "elapsed_s")) == 12.5);
	assert_true(json_object_get_double(member(o, "time")) > 1.7e9);
	check_numbers(o);
	check_hists(o);
	check_context(o);
	json_object_put(o);
}

/* Who had a userfaultfd when the run began. */
static void owners(void **state)
{
	static struct uffd_process processes[] = { { .pid = 42, .comm = "a handler\xff" },
						   { .pid = 43, .comm = "b" } };
	static const struct uffd_list list = { .processes = processes, .nr = 2, .unreadable = 3 };
	struct json_object *o = record(json_span, &r, &final);

	assert_null(member(o, "owners"));
	json_object_put(o);
	r.owners = &list;
	o = record(json_span, &r, &final);
	want_length(o, "owners.processes", 2);
	want_u64(element(o, "owners.processes", 0), "pid", 42);
	want_str(element(o, "owners.processes", 0), "comm", "a handler" BAD);
	want_u64(o, "owners.unreadable", 3);
	json_object_put(o);
}

static void overhead(void **state)
{
	struct json_object *o, *row;

	o = record(json_span, &r, &final);
	assert_false(json_object_object_get_ex(o, "overhead", NULL));
	json_object_put(o);
	r.overhead = true;
	o = record(json_span, &r, &final);
	want_length(o, "overhead", 1); /* only attached programs run */
	row = element(o, "overhead", 0);
	want_str(row, "name", "mfill_atomic_copy");
	want_str(row, "variant", "fexit");
	want_str(row, "why", "a reason");
	want_u64(row, "runs", 4000);
	want_u64(row, "run_ns", 1250000);
	want_u64(row, "skipped", 19);
	assert_true(json_object_get_double(member(row, "cpu_share")) == 0.0001);
	json_object_put(o);
}

static void interval(void **state)
{
	const struct span s = { .counters = &c, .elapsed_s = 1 };
	struct json_object *o = record(json_span, &r, &s);

	want_str(o, "type", "interval");
	check_numbers(o);
	assert_false(json_object_object_get_ex(o, "plan", NULL));
	json_object_put(o);
}

/* Nothing happened: zero where measured, null where not. */
static void nothing_happened(void **state)
{
	static const struct counters none;
	const struct span s = { .counters = &none, .final = true };
	struct json_object *o = record(json_span, &r, &s);

	for (size_t i = 1; i < COUNT(numbers); i++)
		if (!strstr(numbers[i].path, "returned.E") &&
		    strncmp(numbers[i].path, "causes.", 7) &&
		    strncmp(numbers[i].path, "short_copy.", 11) &&
		    strcmp(numbers[i].path, "fill_ioctls.move.EINVAL"))
			want_u64(o, numbers[i].path, 0);
	check_tables(o, true);
	for (size_t i = 0; i < COUNT(unmeasured); i++)
		assert_null(member(o, unmeasured[i]));
	assert_int_equal(json_object_object_length(member(o, "copy.returned")), 1);
	want_length(o, "hist_ns.window.real", 0);
	json_object_put(o);
}

static void huge_numbers(void **state)
{
	const struct span s = { .counters = &c, .elapsed_s = 1e9, .final = true };
	struct json_object *o, *bucket;

	memset(&c, 0, sizeof(c));
	c.totals.calls = UINT64_MAX;
	c.totals.windows[KIND_ANON][CLASS_REAL] = (1ULL << 63) + 1;
	c.hists[KIND_ANON][CLASS_REAL].count[HIST_BUCKETS - 1] = (1ULL << 63) + 1;
	o = record(json_span, &r, &s);
	want_u64(o, "copy.calls", UINT64_MAX);
	want_u64(o, "windows.real", (1ULL << 63) + 1);
	bucket = element(o, "hist_ns.window.real", 0);
	want_u64(bucket, "count", (1ULL << 63) + 1);
	want_u64(bucket, "max", UINT64_MAX);
	json_object_put(o);
}

static int start(const struct report *report, const struct span *s)
{
	return json_start(report);
}

static void start_record(void **state)
{
	static struct target target = { .pids = { 42, 43 }, .nr = 2 };
	struct json_object *o = record(start, &r, NULL);

	want_str(o, "type", "start");
	want_u64(o, "schema", 1);
	check_context(o);
	want_length(o, "target.pids", 0);
	assert_null(member(o, "target.command"));
	json_object_put(o);

	r.target = &target;
	o = record(start, &r, NULL);
	assert_string_equal(plain(o, "target.pids"), "[42,43]");
	json_object_put(o);
}

/* The command unchanged, as far as UTF-8 can express it. */
static void command_in_the_record(void **state)
{
	char *command[] = { (char *)"./caf\xc3\xa9", (char *)"a b", (char *)"\xff\x1b[2J", NULL };
	static struct target target = { .pids = { 42 }, .nr = 1, .is_command = true };
	struct json_object *o;

	r.target = &target;
	r.command = command;
	o = record(start, &r, NULL);
	want_str(o, "target.command", "./caf\xc3\xa9 a b " BAD "\x1b[2J");
	json_object_put(o);
}

static int self_test_record(const struct report *report, const struct span *s)
{
	static const struct self_test failed = {
		.result = SELF_TEST_FAILED,
		.windows = 3,
		.took_ns = 18446744073709551615ULL,
		.why = "a \"reason\"",
	};
	static const struct self_test passed = { .result = SELF_TEST_PASSED, .windows = 12 };

	return report_self_test(report, s ? &passed : &failed);
}

static void only_the_self_test(void **state)
{
	const struct span passed = {};
	struct json_object *o;

	r.json = true;
	o = record(self_test_record, &r, NULL);
	want_str(o, "type", "self_test");
	want_u64(o, "windows", 3);
	want_u64(o, "took_ns", 18446744073709551615ULL);
	want_str(o, "why", "a \"reason\"");
	check_context(o);
	json_object_put(o);
	o = record(self_test_record, &r, &passed);
	assert_null(member(o, "why"));
	json_object_put(o);
}

/* The numbers of a claim that cannot be judged are null, not 0. */
static void claims(void **state)
{
	struct json_object *o, *claim;

	r.claims = true;
	o = record(json_span, &r, &final);
	want_length(o, "claims", NR_CLAIMS);
	claim = element(o, "claims", 0);
	want_str(claim, "claim", "unrelated_writers");
	want_u64(claim, "number", 1105);
	want_u64(claim, "of", 8900);
	want_u64(claim, "needed", CLAIM_WINDOWS);
	want_str(claim, "verdict", "supported");
	json_object_put(o);
	r.seq = SEQ_NONE;
	o = record(json_span, &r, &final);
	claim = element(o, "claims", 0);
	assert_null(member(claim, "number"));
	assert_null(member(claim, "high"));
	want_str(claim, "verdict", "not on this kernel");
	json_object_put(o);
}

static void relock(void **state)
{
	struct json_object *o;

	c.relock[RELOCK_MMAP_LOCK].count[7] = 3;
	for (int how = 0; how < NR_RELOCK_HOW; how++)
		c.relock[how].count[9] = 10;
	o = record(json_span, &r, &final);
	assert_null(member(o, "relock"));
	json_object_put(o);
	r.relock = true;
	o = record(json_span, &r, &final);
	want_u64(o, "relock.total", 3 + 10 * NR_RELOCK_HOW);
	want_u64(o, "relock.mmap_lock", 13);
	json_object_put(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(terminals_are_safe),
		cmocka_unit_test(text_survives),
		cmocka_unit_test(any_bytes),
		cmocka_unit_test(values),
		cmocka_unit_test(a_full_disk_is_reported),
		cmocka_unit_test_setup(summary, canned),
		cmocka_unit_test_setup(interval, canned),
		cmocka_unit_test_setup(owners, canned),
		cmocka_unit_test_setup(overhead, canned),
		cmocka_unit_test_setup(only_the_self_test, canned),
		cmocka_unit_test_setup(claims, canned),
		cmocka_unit_test_setup(per_mm, canned),
		cmocka_unit_test_setup(per_mm_unknown, canned),
		cmocka_unit_test_setup(relock, canned),
		cmocka_unit_test_setup(nothing_happened, canned),
		cmocka_unit_test_setup(huge_numbers, canned),
		cmocka_unit_test_setup(start_record, canned),
		cmocka_unit_test_setup(command_in_the_record, canned),
		cmocka_unit_test_setup(without_vma_locks, canned),
		cmocka_unit_test_setup(begins_with_two_bounds, canned),
		cmocka_unit_test_setup(writers, canned),
	};

	return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
