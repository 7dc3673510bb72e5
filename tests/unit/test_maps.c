// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The maps of the BPF object on a large machine: their memory, and what shares a cache line. */
#include "unit.h"
#include "uffdretry.h"
#include "uffdretry.skel.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>

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

/* The counters that the loader multiplies by the CPUs: arrays that it maps. */
static bool is_of_each_cpu(const struct bpf_map *map)
{
	return bpf_map__map_flags(map) & BPF_F_MMAPABLE && !bpf_map__is_internal(map) &&
	       strcmp(bpf_map__name(map), "writer_rows") && strcmp(bpf_map__name(map), "by_rows") &&
	       strncmp(bpf_map__name(map), "stack_", 6);
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
		return nr * value * (is_of_each_cpu(map) ? CPUS : 1);
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

/* --- Cache lines ------------------------------------------------------------------------------ */

/* Written by copies, on all CPUs at once. Each begins a line, which nothing else is on. */
static const char *const written[] = {
	"copy_loops",	   "last_by",	  "longest_chain", "mm_states",	 "next_stack",
	"next_stack_name", "next_writer", "open_chains",   "task_slots",
};

static const struct btf_type *bss(void)
{
	__s32 id = btf__find_by_name_kind(bpf_object__btf(skel->obj), ".bss", BTF_KIND_DATASEC);

	assert_true(id > 0);
	return btf__type_by_id(bpf_object__btf(skel->obj), (__u32)id);
}

static const char *name_of(const struct btf_var_secinfo *var)
{
	const struct btf *btf = bpf_object__btf(skel->obj);

	return btf__name_by_offset(btf, btf__type_by_id(btf, var->type)->name_off);
}

static const struct btf_var_secinfo *variable(const char *name)
{
	const struct btf_var_secinfo *vars = btf_var_secinfos(bss());

	for (__u32 i = 0; i < btf_vlen(bss()); i++)
		if (!strcmp(name_of(&vars[i]), name))
			return &vars[i];
	fail_msg("no variable %s", name);
	return NULL;
}

static void what_copies_write_has_its_own_lines(void **state)
{
	const struct btf_var_secinfo *vars = btf_var_secinfos(bss());

	for (size_t w = 0; w < COUNT(written); w++) {
		const struct btf_var_secinfo *own = variable(written[w]);
		__u32 end = (own->offset + own->size + CACHE_LINE - 1) & -CACHE_LINE;

		expect_u64(written[w], own->offset & (CACHE_LINE - 1), 0);
		for (__u32 i = 0; i < btf_vlen(bss()); i++)
			if (&vars[i] != own && vars[i].offset < end)
				expect_row(vars[i].offset + vars[i].size <= own->offset,
					   "on the same line", "%s", written[w], name_of(&vars[i]),
					   "nothing");
	}
	/* Nor do two mms share a line. */
	assert_int_equal(variable("mm_states")->size, sizeof(skel->bss->mm_states));
	assert_int_equal(sizeof(struct mm_state), CACHE_LINE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(maps_fit_in_memory),
		cmocka_unit_test(what_copies_write_has_its_own_lines),
	};

	return cmocka_run_group_tests(tests, open_object, close_object);
}
