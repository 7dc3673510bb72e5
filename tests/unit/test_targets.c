// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* --by and --top as text and JSON (report/sections/targets.c). */
#include "canned.h"
#include "report/json.h"
#include "report/sections/targets.h"
#include "report/text.h"
#include "unit.h"

#include <fcntl.h>
#include <json-c/json.h>
#include <pty.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static struct by_table table, before;
static struct by_list list_of_lines;
static struct cgroup_names cgroups;
static struct counters c;
static struct report r;
static struct span s;
static char *text; /* of the last print */

static void add_row(__u64 id, __u32 pid, const char *comm, __u64 eagain)
{
	struct by_row *row = &table.rows[table.nr++];

	*row = (struct by_row) {
		.used = 1,
		.key = { .id = id, .tgid = id ? pid : 0 },
		.pid = pid,
		.counts = { .calls = 700 + eagain, .eagain = eagain, .windows = 3, .needless = 2 },
	};
	row->counts.lengths[by_bucket(14000)] = 3;
	memcpy(row->comm, comm, strnlen(comm, COMM_LEN));
}

static int set_up(void **state)
{
	canned_counters(&c);
	r = canned_report(NULL);
	r.by = BY_PROCESS;
	r.by_list = &list_of_lines;
	r.cgroups = &cgroups;
	memset(&table, 0, sizeof(table));
	memset(&cgroups, 0, sizeof(cgroups));
	table.nr = 1;
	add_row(50, 4242, "qemu-system-x86", 90);
	add_row(51, 4243, "\x1b[2J56789abcdef\xff", 80);
	add_row(52, 0, "elsewhere", 70); /* in no pid namespace of ours */
	add_row(0, 0, "", 60);		 /* the owner was gone */
	s = (struct span) { .counters = &c, .by = &table, .elapsed_s = 2, .final = true };
	return 0;
}

static int tear_down(void **state)
{
	free(text);
	text = NULL;
	return 0;
}

static int text_only_targets(const struct report *report, const struct span *span)
{
	text_targets(report, span);
	return 0;
}

static void print(int (*as)(const struct report *, const struct span *))
{
	size_t size;

	free(text);
	r.out = open_memstream(&text, &size);
	assert_int_equal(as(&r, &s), 0);
	fclose(r.out);
}

static void without_by_there_is_nothing(void **state)
{
	s.by = NULL;
	print(text_only_targets);
	assert_string_equal(text, "");
	print(json_span);
	assert_null(strstr(text, "targets"));
}

static void a_line_each(void **state)
{
	table.rows[0].counts.calls = 5;
	print(text_only_targets);
	assert_string_equal(
		text,
		"\nowner of the memory             pid   copies   EAGAIN  windows needless     p99\n"
		"qemu-system-x86                4242      790       90        3        2  14.3us\n"
		"?[2J56789abcdef?               4243      780       80        3        2  14.3us\n"
		"elsewhere                         -      770       70        3        2  14.3us\n"
		"(gone before the copy)                   760       60        3        2  14.3us\n"
		"others                                     5        0        0        0       -\n");
	r.seq = SEQ_NONE;
	print(text_only_targets);
	assert_non_null(strstr(text, "4242      790       90        3        -  14.3us\n"));
}

/* 20 lines; -v has more of them. The rest is one line. */
static void many_lines(void **state)
{
	for (__u32 i = 0; i < 30; i++)
		add_row(100 + i, 5000 + i, "many", 10);
	print(text_only_targets);
	assert_non_null(strstr(text, "5015      710"));
	assert_null(strstr(text, "5016 "));
	assert_non_null(strstr(
		text,
		"\n14 others                               9940      140       42       28  14.3us\n"));
	r.verbose = true;
	print(text_only_targets);
	assert_non_null(strstr(text, "5029 "));
	assert_null(strstr(text, "others"));
}

static void cgroups_by_their_paths(void **state)
{
	r.by = BY_CGROUP;
	cgroup_names_add(&cgroups, 51);
	cgroup_names_add(&cgroups, 50);
	cgroup_names_add(&cgroups, 52);
	cgroups.names[0].path = "/vms/a\n";
	cgroups.names[1].path = "/machine.slice/machine-qemu-1-first.scope/vm";
	print(text_only_targets);
	assert_string_equal(
		text,
		"\ncgroup of the memory's owner          copies   EAGAIN  windows needless     p99\n"
		"/vms/a?                                  790       90        3        2  14.3us\n"
		"...ce/machine-qemu-1-first.scope/vm      780       80        3        2  14.3us\n"
		"cgroup 52                                770       70        3        2  14.3us\n"
		"(gone before the copy)                   760       60        3        2  14.3us\n");
}

static struct json_object *member(struct json_object *o, const char *name)
{
	struct json_object *value = NULL;

	assert_true(json_object_object_get_ex(o, name, &value));
	return value;
}

/* The record has @name, which is @want. */
static void expect_member(struct json_object *record, const char *name, const char *want)
{
	expect_str(name,
		   json_object_to_json_string_ext(member(record, name), JSON_C_TO_STRING_PLAIN),
		   want);
}

static void print_json(void)
{
	print(json_span);
	keep_records(text);
}

static void json_of_processes(void **state)
{
	struct json_object *o;

	table.rows[0].counts.calls = 5;
	print_json();
	o = json_tokener_parse(text);
	expect_member(o, "targets",
		      "[{\"comm\":\"qemu-system-x86\",\"pid\":4242,\"calls\":790,\"eagain\":90,"
		      "\"windows\":3,\"needless\":2,\"p99_ns\":14335},"
		      "{\"comm\":\"\\u001b[2J56789abcdef\xef\xbf\xbd\",\"pid\":4243,\"calls\":780,"
		      "\"eagain\":80,\"windows\":3,\"needless\":2,\"p99_ns\":14335},"
		      "{\"comm\":\"elsewhere\",\"pid\":null,\"calls\":770,\"eagain\":70,"
		      "\"windows\":3,\"needless\":2,\"p99_ns\":14335},"
		      "{\"comm\":null,\"pid\":null,\"calls\":760,\"eagain\":60,\"windows\":3,"
		      "\"needless\":2,\"p99_ns\":14335}]");
	expect_member(o, "targets_other",
		      "{\"targets\":0,\"calls\":5,\"eagain\":0,\"windows\":0,\"needless\":0,"
		      "\"p99_ns\":null}");
	json_object_put(o);
}

static void json_of_cgroups(void **state)
{
	struct json_object *o, *list;

	r.by = BY_CGROUP;
	r.seq = SEQ_NONE;
	cgroup_names_add(&cgroups, 50);
	cgroups.names[0].path = "/vms/a";
	s.final = false;
	s.by_then = &before;
	print_json();
	o = json_tokener_parse(text);
	list = member(o, "targets");
	expect_str("type", json_object_get_string(member(o, "type")), "interval");
	expect_u64("targets", json_object_array_length(list), 4);
	expect_member(json_object_array_get_idx(list, 0), "cgroup", "\"\\/vms\\/a\"");
	expect_member(json_object_array_get_idx(list, 0), "cgroup_id", "50");
	expect_member(json_object_array_get_idx(list, 0), "needless", "null");
	expect_member(json_object_array_get_idx(list, 1), "cgroup", "null");
	expect_member(json_object_array_get_idx(list, 1), "cgroup_id", "51");
	expect_member(json_object_array_get_idx(list, 3), "cgroup", "null");
	expect_member(json_object_array_get_idx(list, 3), "cgroup_id", "null");
	json_object_put(o);
}

static void json_has_1024(void **state)
{
	struct json_object *o;

	while (table.nr <= BY_ROWS)
		add_row(1000 + table.nr, 5000 + table.nr, "many", 10);
	print_json();
	o = json_tokener_parse(text);
	expect_u64("targets", json_object_array_length(member(o, "targets")), BY_SHOWN);
	expect_u64("others", json_object_get_int64(member(member(o, "targets_other"), "targets")),
		   BY_ROWS - BY_SHOWN);
	json_object_put(o);
}

/* Into a file or a pipe: one table after the other. */
static void top_in_a_file(void **state)
{
	s.final = false;
	s.by_then = &before;
	for (__u32 i = 0; i < 30; i++)
		add_row(100 + i, 5000 + i, "many", 10);
	print(text_top);
	assert_null(strchr(text, '\033'));
	/* "12:34:56, 2.0 s: ..." */
	assert_string_equal(
		strchr(text, ','),
		strstr(text, ", 2.0 s: 5003 copies, 9 EAGAIN, 13422 windows\nowner of the memory"));
	assert_non_null(strstr(text, "\n14 others "));
	assert_string_equal(text + strlen(text) - 2, "\n\n");
}

/* On a terminal it begins with a clear screen, and is not longer than that. */
static void top_on_a_terminal(void **state)
{
	const struct winsize size = { .ws_row = 10, .ws_col = 80 };
	int lines = 0, other;

	assert_int_equal(openpty(&r.terminal, &other, NULL, NULL, &size), 0);
	r.on_terminal = true;
	s.final = false;
	for (__u32 i = 0; i < 30; i++)
		add_row(100 + i, 5000 + i, "many", 10);
	print(text_top);
	assert_memory_equal(text, "\033[H\033[J", 6);
	assert_non_null(strstr(text, "\n28 others "));
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		lines++;
	expect_u64("lines", lines, 9);
	close(other);
	close(r.terminal);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(without_by_there_is_nothing),
		TEST(a_line_each),
		TEST(many_lines),
		TEST(cgroups_by_their_paths),
		TEST(json_of_processes),
		TEST(json_of_cgroups),
		TEST(json_has_1024),
		TEST(top_in_a_file),
		TEST(top_on_a_terminal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
