// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The maps of the BPF object: their memory on a large machine. */
#include "unit.h"
#include "uffdretry.h"
#include "uffdretry.skel.h"

#include <bpf/bpf.h>

#define CPUS 256
#define LIMIT (32ULL << 20)

static struct uffdretry_bpf *skel;

static int open_object(void **state)
{
	skel = uffdretry_bpf__open();
	return !skel;
}

static int close_object(void **state)
{
	uffdretry_bpf__destroy(skel);
	return 0;
}

/* The kernel rounds each value up to 8 bytes. A ring buffer has neither keys nor values. */
static __u64 bytes_of(const struct bpf_map *map)
{
	__u64 value = (bpf_map__value_size(map) + 7ULL) & ~7ULL, nr = bpf_map__max_entries(map);

	switch (bpf_map__type(map)) {
	case BPF_MAP_TYPE_RINGBUF:
		return nr;
	case BPF_MAP_TYPE_HASH:
		return nr * (value + bpf_map__key_size(map));
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		return nr * value * CPUS;
	default:
		return nr * value;
	}
}

/* With every option: all maps of the object as they are before the loader makes some smaller. */
static void maps_fit_in_memory(void **state)
{
	const struct bpf_map *map;
	__u64 all = 0;

	bpf_object__for_each_map(map, skel->obj)
	{
		print_message("# %-16s %9llu bytes\n", bpf_map__name(map),
			      (unsigned long long)bytes_of(map));
		all += bytes_of(map);
	}
	print_message("# all maps, %d CPUs: %.1f MiB of %llu\n", CPUS, (double)all / (1 << 20),
		      LIMIT >> 20);
	assert_in_range(all, 1 << 20, LIMIT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_fit_in_memory),
	};

	return cmocka_run_group_tests(tests, open_object, close_object);
}
