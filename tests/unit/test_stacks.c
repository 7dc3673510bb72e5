// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* --stacks: what the rows of the BPF programs read like (counters/stacks.c, report/sections/stacks.c). */
#include "canned.h"
#include "report/json.h"
#include "report/sections/stacks.h"
#include "report/text.h"
#include "unit.h"

#include <json-c/json.h>
#include <stdlib.h>

static struct stack_row rows[MAX_STACKS];
static struct stack_name names[MAX_STACK_NAMES];
static const struct stacks stacks = { rows, names };
static struct counters c;
static struct report r;
static struct span s;
static char *text; /* of the last print */

enum { LIBC = 1, OPS, LONG, GONE, TRACEPOINT, PROGRAM, MPROTECT, SYSCALL, KCODE };

static void add_name(__u32 id, __u32 levels, const char *const *parts)
{
	names[id] = (struct stack_name) { .used = 1, .levels = levels };
	for (__u32 i = 0; i < levels; i++)
		memcpy(names[id].parts[i], parts[i], strlen(parts[i]));
}

static void add_function(__u32 id, const char *name)
{
	names[id] = (struct stack_name) { .used = 1, .levels = 1 };
	memcpy(names[id].parts, name, strlen(name)); /* on into the second part */
}

/* The innermost frame first, as the kernel has them. */
static void add_stack(__u32 id, const char *comm, __u64 sections)
{
	rows[id] = (struct stack_row) {
		.used = 1,
		.sections = sections,
		.key = { .pid = 4242 },
		.nr_user = 3,
		.nr_kernel = 4,
		.user = { .at = { 0x11a2b, 0x401234, 0x7f0000001000 }, .names = { LIBC, OPS, 0 } },
		.kernel = { .at = { 1, 2, 0xffffffff81000003, 4 },
			    .names = { PROGRAM, TRACEPOINT, MPROTECT, SYSCALL } },
	};
	memcpy(rows[id].key.comm, comm, strnlen(comm, COMM_LEN));
}

static int set_up(void **state)
{
	memset(rows, 0, sizeof(rows));
	memset(names, 0, sizeof(names));
	add_name(LIBC, 3, (const char *[]) { "libc.so.6", "x86_64-linux-gnu", "usr" });
	add_name(OPS, 1, (const char *[]) { "o;p s\x1b" });
	add_function(TRACEPOINT, "__traceiter_mmap_lock_acquire_returned");
	add_function(PROGRAM,
		     "bpf_prog_0123456789abcdef_mmap_lock_acquire_returned__writers [bpf]");
	add_function(MPROTECT, "do_mprotect_pkey");
	add_function(SYSCALL, "entry_SYSCALL_64_after_hwframe");
	add_stack(FIRST_STACK, "uffdload", 3);
	canned_counters(&c);
	r = canned_report(NULL);
	r.writers = canned_writers(&c);
	s = (struct span) { .counters = &c, .stacks = &stacks, .elapsed_s = 2, .final = true };
	return 0;
}

static int tear_down(void **state)
{
	free(text);
	text = NULL;
	return 0;
}

static int text_only_stacks(const struct report *report, const struct span *span)
{
	text_stacks(report, span);
	return 0;
}

static void print(int (*as)(const struct report *, const struct span *))
{
	size_t size;

	free(text);
	r.out = open_memstream(&text, &size);
	assert_int_equal(as(&r, &s), 0);
	fclose(r.out);
	if (as == json_span)
		keep_records(text);
}

static void without_the_option_there_is_nothing(void **state)
{
	s.stacks = NULL;
	print(text_only_stacks);
	assert_string_equal(text, "");
	print(json_span);
	assert_null(strstr(text, "stacks"));
}

/* The innermost frames are those of tracing. */
static void a_line_each(void **state)
{
	add_stack(9, "busy;1\n", 18446744073709551000ULL);
	add_stack(10, "met by no window", 0);
	add_stack(11, "being written", 5);
	rows[11].used = 0;
	print(text_only_stacks);
	assert_string_equal(text,
			    "\nstacks of 18.4E write sections in windows, folded:\n"
			    "busy?1?;0x7f0000001000;o?p s?+0x401234;libc.so.6+0x11a2b;"
			    "entry_SYSCALL_64_after_hwframe_[k];do_mprotect_pkey_[k] 18446744073709551000\n"
			    "uffdload;0x7f0000001000;o?p s?+0x401234;libc.so.6+0x11a2b;"
			    "entry_SYSCALL_64_after_hwframe_[k];do_mprotect_pkey_[k] 3\n");
}

/* Two calls in one function are two rows, which read the same: together they are more than the first. */
static void lines_differ(void **state)
{
	add_stack(9, "busy", 4);
	add_stack(10, "uffdload", 2);
	rows[10].kernel.at[2]++;
	print(text_only_stacks);
	assert_string_equal(text, "\nstacks of 9 write sections in windows, folded:\n"
				  "uffdload;0x7f0000001000;o?p s?+0x401234;libc.so.6+0x11a2b;"
				  "entry_SYSCALL_64_after_hwframe_[k];do_mprotect_pkey_[k] 5\n"
				  "busy;0x7f0000001000;o?p s?+0x401234;libc.so.6+0x11a2b;"
				  "entry_SYSCALL_64_after_hwframe_[k];do_mprotect_pkey_[k] 4\n");
}

/* What the tracepoint's function is called depends on the kernel and its compiler. */
static void frames_of_tracing(void **state)
{
	static const char *const functions[] = { "__mmap_lock_do_trace_acquire_returned",
						 "__do_trace_mmap_lock_acquire_returned",
						 "__bpf_trace_mmap_lock_acquire_returned",
						 "bpf_trace_run3" };

	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		add_function(TRACEPOINT, functions[i]);
		print(text_only_stacks);
		assert_non_null(strstr(text, ";do_mprotect_pkey_[k] 3\n"));
	}
}

static void what_is_missing_is_told(void **state)
{
	rows[STACK_BEFORE].sections = 7;
	rows[STACK_LOST].sections = 8;
	rows[FIRST_STACK].sections = 0;
	print(text_only_stacks);
	assert_string_equal(text, "\nstacks of 0 write sections in windows, folded:\n"
				  "without a stack: 7, which began before a window was open\n"
				  "without a stack: 8, for which there was no room\n");
	r.writers = NULL;
	print(text_only_stacks);
	assert_string_equal(text, "");
}

/* A side that is full, a task without the other, functions without a name. */
static void unusual_stacks(void **state)
{
	rows[FIRST_STACK].nr_user = 0;
	rows[FIRST_STACK].kernel.names[2] = 0;
	rows[FIRST_STACK].kernel.names[3] = MAX_STACK_NAMES;
	print(text_only_stacks);
	assert_non_null(strstr(text, "\nuffdload;[unknown]_[k];[unknown]_[k] 3\n"));
	rows[FIRST_STACK].kernel.names[2] = MPROTECT;
	rows[FIRST_STACK].kernel.names[3] = SYSCALL;
	add_function(MPROTECT, "0xffffffffc0001234");
	add_function(SYSCALL, "");
	print(text_only_stacks);
	assert_non_null(strstr(text, "\nuffdload;[unknown]_[k];[unknown]_[k] 3\n"));
	rows[FIRST_STACK].nr_kernel = 0;
	rows[FIRST_STACK].nr_user = STACK_DEPTH;
	print(text_only_stacks);
	assert_non_null(strstr(text, "\nuffdload;[deeper];0x0;0x0;"));
	assert_non_null(strstr(text, ";o?p s?+0x401234;libc.so.6+0x11a2b 3\n"));
}

static struct json_object *summary(void)
{
	struct json_object *o;

	print(json_span);
	o = json_tokener_parse(text);
	assert_non_null(o);
	return o;
}

static struct json_object *at(struct json_object *o, const char *pointer)
{
	struct json_object *found = NULL;

	assert_int_equal(json_pointer_get(o, pointer, &found), 0);
	return found;
}

/* The same in JSON: whole paths, any bytes as UTF-8. */
static void arrays_of_frames(void **state)
{
	struct json_object *o;

	rows[STACK_BEFORE].sections = 7;
	o = summary();
	assert_string_equal(json_object_to_json_string_ext(at(o, "/stacks"),
							   JSON_C_TO_STRING_PLAIN |
								   JSON_C_TO_STRING_NOSLASHESCAPE),
			    "[{\"pid\":4242,\"comm\":\"uffdload\",\"user\":[\"0x7f0000001000\","
			    "\"/o;p s\\u001b+0x401234\",\"/usr/x86_64-linux-gnu/libc.so.6+0x11a2b\"],"
			    "\"kernel\":[\"entry_SYSCALL_64_after_hwframe\",\"do_mprotect_pkey\"],"
			    "\"sections\":3}]");
	assert_string_equal(json_object_to_json_string_ext(at(o, "/stacks_missing"),
							   JSON_C_TO_STRING_PLAIN),
			    "{\"before\":7,\"lost\":0}");
	json_object_put(o);
}

static void unknown_in_json(void **state)
{
	struct json_object *o;

	rows[FIRST_STACK].key.pid = 0;
	rows[FIRST_STACK].nr_user = 0;
	rows[FIRST_STACK].nr_kernel = 2; /* only frames of tracing */
	o = summary();
	assert_null(at(o, "/stacks/0/pid"));
	assert_null(at(o, "/stacks/0/user"));
	assert_null(at(o, "/stacks/0/kernel"));
	json_object_put(o);
	r.writers = NULL;
	o = summary();
	assert_null(at(o, "/stacks"));
	assert_null(at(o, "/stacks_missing"));
	json_object_put(o);
}

/* Paths that are too deep, of deleted files, of names that are too long, and full rows of any bytes. */
static void paths(void **state)
{
	char frame[FRAME_TEXT];

	names[LIBC].cut = names[LIBC].deleted = 1;
	stacks_user_frame(&stacks, &rows[FIRST_STACK], 2, false, frame);
	assert_string_equal(frame, ".../usr/x86_64-linux-gnu/libc.so.6 (deleted)+0x11a2b");
	stacks_user_frame(&stacks, &rows[FIRST_STACK], 2, true, frame);
	assert_string_equal(frame, "libc.so.6 (deleted)+0x11a2b");
	memset(&names[LIBC], 'x', sizeof(names[LIBC]));
	rows[FIRST_STACK].user.at[0] = -1ULL;
	stacks_user_frame(&stacks, &rows[FIRST_STACK], 2, false, frame);
	assert_int_equal(strlen(frame), strlen("... (deleted)+0xffffffffffffffff") +
						NAME_LEVELS * (NAME_PART + 1));
	rows[FIRST_STACK].kernel.names[2] = LIBC;
	stacks_kernel_frame(&stacks, &rows[FIRST_STACK], 1, frame);
	assert_int_equal(strlen(frame), NAME_LEVELS * NAME_PART);
}

int main(void)
{
#define test(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		test(without_the_option_there_is_nothing),
		test(a_line_each),
		test(lines_differ),
		test(frames_of_tracing),
		test(what_is_missing_is_told),
		test(unusual_stacks),
		test(arrays_of_frames),
		test(unknown_in_json),
		test(paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
