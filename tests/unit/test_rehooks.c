// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* rehooks.c without a kernel: this file plays perf, and announces trampolines. */
#include "unit.h"
#define _GNU_SOURCE
#include "failing.h"
#include "trace/tracer_private.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Our hooks: two functions of vmlinux, whose BTF has the number 1, and a tracepoint. */
static const __u32 functions[] = { 7, 9, 0 };
#define KEY_7 "bpf_trampoline_6442450951" /* 1 << 32 | 1 << 31 | 7 */
#define KEY_8 "bpf_trampoline_6442450952"
#define KEY_9 "bpf_trampoline_6442450953"

static struct tracer t;
static char links[3];
static perf_buffer_event_fn take;
static struct perf_event_attr attr;

int bpf_link__fd(const struct bpf_link *link)
{
	return (int)((const char *)link - links);
}

int bpf_obj_get_info_by_fd(int fd, void *data, __u32 *len)
{
	struct bpf_link_info *info = data;

	if (fails("link info"))
		return -errno;
	info->type = functions[fd] ? BPF_LINK_TYPE_TRACING : BPF_LINK_TYPE_RAW_TRACEPOINT;
	info->tracing.target_obj_id = 1;
	info->tracing.target_btf_id = functions[fd];
	return 0;
}

int bpf_map_create(enum bpf_map_type type, const char *name, __u32 key_size, __u32 value_size,
		   __u32 max_entries, const struct bpf_map_create_opts *opts)
{
	return fails("map") ? -errno : open("/dev/null", O_RDONLY | O_CLOEXEC);
}

struct perf_buffer *perf_buffer__new_raw(int map, size_t pages, struct perf_event_attr *how,
					 perf_buffer_event_fn on_event, void *data,
					 const struct perf_buffer_raw_opts *opts)
{
	if (fails("perf events"))
		return NULL;
	take = on_event;
	attr = *how;
	return data;
}

int perf_buffer__consume(struct perf_buffer *buffer)
{
	return fails("consume") ? -errno : 0;
}

static int event = -1; /* its count, and its lost records */

size_t perf_buffer__buffer_cnt(const struct perf_buffer *buffer)
{
	return 2;
}

int perf_buffer__buffer_fd(const struct perf_buffer *buffer, size_t i)
{
	assert_in_range(i, 0, 1);
	assert_int_equal(lseek(event, 0, SEEK_SET), 0);
	return event;
}

void perf_buffer__free(struct perf_buffer *buffer)
{
}

static void lose(__u64 lost)
{
	const __u64 values[] = { 0, lost };

	assert_int_equal(pwrite(event, values, sizeof(values), 0), sizeof(values));
}

static void announce(__u32 type, __u16 flags, const char *name)
{
	struct {
		struct perf_event_header header;
		__u64 address;
		__u32 len;
		__u16 type, flags;
		char name[64];
	} record = { .header = { .type = type, .size = sizeof(record) }, .flags = flags };

	snprintf(record.name, sizeof(record.name), "%s", name);
	assert_int_equal(take(&t, 0, &record.header), LIBBPF_PERF_EVENT_CONT);
}

static int fresh(void **state)
{
	arm(0, 0);
	if (event < 0)
		event = memfd_create("event", MFD_CLOEXEC);
	lose(0);
	t = (struct tracer) { .nr_hooks = 4, .loses_rehooked = true, .symbols_map = -1 };
	for (int i = 0; i < 3; i++) /* the fourth was not loaded */
		t.links[i] = (struct bpf_link *)&links[i];
	return 0;
}

static void others_on_our_functions(void **state)
{
	assert_int_equal(watch_rehooks(&t), 0);
	assert_true(attr.ksymbol);
	assert_int_equal(read_rehooks(&t), 0);
	announce(PERF_RECORD_KSYMBOL, 0, KEY_8);
	announce(PERF_RECORD_KSYMBOL, 0, "bpf_prog_6deef7357e7b4530_probe");
	announce(PERF_RECORD_KSYMBOL, 0, "bpf_trampoline_0");
	announce(PERF_RECORD_KSYMBOL, PERF_RECORD_KSYMBOL_FLAGS_UNREGISTER, KEY_7);
	assert_int_equal(read_rehooks(&t), 0);
	announce(PERF_RECORD_KSYMBOL, 0, KEY_7);
	announce(PERF_RECORD_KSYMBOL, 0, KEY_9);
	assert_int_equal(read_rehooks(&t), 2);
}

/* Records without room may have been of our functions. */
static void lost_records(void **state)
{
	assert_int_equal(watch_rehooks(&t), 0);
	assert_int_equal(attr.read_format, PERF_FORMAT_LOST);
	announce(PERF_RECORD_LOST, 0, "");
	assert_int_equal(read_rehooks(&t), 0);
	lose(1);
	assert_true(read_rehooks(&t) == REHOOKS_UNTOLD);
}

static void nobody_can_tell(void **state)
{
	const int before = descriptors();

	for (int i = 1; i <= 5; i++) {
		fresh(state);
		arm(i, EPERM);
		assert_int_equal(watch_rehooks(&t), -EPERM);
		assert_true(read_rehooks(&t) == REHOOKS_UNTOLD);
		close_rehooks(&t);
		assert_int_equal(descriptors(), before);
	}
	fresh(state);
	assert_int_equal(watch_rehooks(&t), 0);
	arm(1, EIO);
	assert_true(read_rehooks(&t) == REHOOKS_UNTOLD);
	assert_int_equal(ftruncate(event, 8), 0);
	assert_true(read_rehooks(&t) == REHOOKS_UNTOLD);
}

/* 7.3 and later: nothing is opened. */
static void a_kernel_that_loses_none(void **state)
{
	t.loses_rehooked = false;
	arm(1, EPERM);
	assert_int_equal(watch_rehooks(&t), 0);
	assert_int_equal(read_rehooks(&t), 0);
	assert_null(t.symbols);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(others_on_our_functions, fresh),
		cmocka_unit_test_setup(lost_records, fresh),
		cmocka_unit_test_setup(nobody_can_tell, fresh),
		cmocka_unit_test_setup(a_kernel_that_loses_none, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
