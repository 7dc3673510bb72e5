// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Questions to the running kernel's BTF: see kernel.h. */
#include "trace/kernel.h"
#include "sys/can_trace.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The value of @name in any enum, or -1. vm_flags bits are in an anonymous one since 6.19. */
static int enumerator(const struct btf *btf, const char *name)
{
	unsigned int nr = btf__type_cnt(btf);

	for (unsigned int id = 1; id < nr; id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);
		const struct btf_enum *e = btf_enum(t);

		if (!btf_is_enum(t))
			continue;
		for (int i = 0; i < btf_vlen(t); i++)
			if (!strcmp(btf__name_by_offset(btf, e[i].name_off), name))
				return e[i].val;
	}
	return -1;
}

/* @args: how many arguments it takes; 0: any number. */
static bool has_function(const struct btf *btf, const char *name, int args)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_FUNC);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (__u32)id) : NULL;

	return t && (!args || btf_vlen(btf__type_by_id(btf, t->type)) == args);
}

/* btf_trace_<tracepoint> points to a function that takes a void * and then the arguments. */
static bool has_tracepoint(const struct btf *btf, const char *tracepoint, int args)
{
	const struct btf_type *t;
	char name[128];
	int id;

	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	id = btf__find_by_name_kind(btf, name, BTF_KIND_TYPEDEF);
	if (id <= 0)
		return false;
	t = btf__type_by_id(btf, (__u32)id);
	while (t && (btf_is_typedef(t) || btf_is_ptr(t)))
		t = btf__type_by_id(btf, t->type);
	return t && btf_is_func_proto(t) && (!args || btf_vlen(t) == args + 1);
}

/*
 * A macro before 6.19, which moved twice: functions of about the same releases tell the bit. The
 * self-test makes sure.
 */
static int minor_bit(const struct btf *btf)
{
	if (!has_function(btf, "mfill_atomic_poison", 0))
		return 37;					    /* 6.1 to 6.5 */
	return has_function(btf, "__vma_start_write", 0) ? 41 : 38; /* 6.17, 6.18; 6.6 to 6.12 */
}

/*
 * The vm_flags bits that are userfaultfd modes: __VMA_UFFD_FLAGS of 7.3, VM_UFFD_* before. Without
 * the enum: MISSING and WP never moved, and RWP is younger than the enum.
 */
static __u64 uffd_mask(const struct btf *btf)
{
	const struct {
		const char *name;
		int fallback;
	} modes[] = {
		{ "VMA_UFFD_MISSING_BIT", 9 },
		{ "VMA_UFFD_WP_BIT", 12 },
		{ "VMA_UFFD_MINOR_BIT", minor_bit(btf) },
		{ "VMA_UFFD_RWP_BIT", -1 },
	};
	__u64 mask = 0;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		int bit = enumerator(btf, modes[i].name);

		if (bit < 0)
			bit = modes[i].fallback;
		if (bit >= 0)
			mask |= 1ULL << bit;
	}
	return mask;
}

/* The type of @member of struct @type, also inside anonymous members, or NULL. */
static const struct btf_type *find_member(const struct btf *btf, int type, const char *member)
{
	const struct btf_type *t = btf__type_by_id(btf, (__u32)type), *found = NULL;
	const struct btf_member *m;

	if (!t || !btf_is_composite(t))
		return NULL;
	m = btf_members(t);
	for (int i = 0; i < btf_vlen(t) && !found; i++) {
		const char *name = btf__name_by_offset(btf, m[i].name_off);

		if (!strcmp(name, member))
			found = btf__type_by_id(btf, (__u32)btf__resolve_type(btf, m[i].type));
		else if (!*name)
			found = find_member(btf, (int)m[i].type, member);
	}
	return found;
}

static bool struct_has(const struct btf *btf, const char *type, const char *member)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);

	return id > 0 && find_member(btf, id, member);
}

/* The offset in bytes of a direct member of @type, or -1. */
static int offset_of(const struct btf *btf, const struct btf_type *type, const char *member)
{
	for (__u32 i = 0; i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_members(type)[i].name_off), member))
			return (int)(btf_member_bit_offset(type, i) / 8);
	return -1;
}

/* The members of struct unmap_desc, which unmap_vmas() takes since 7.0; all 0: unknown. */
static struct unmap_desc_layout unmap_desc_layout(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "unmap_desc", BTF_KIND_STRUCT);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, (__u32)id) : NULL;
	int first = t ? offset_of(btf, t, "first") : -1;
	int start = t ? offset_of(btf, t, "vma_start") : -1;
	int end = t ? offset_of(btf, t, "vma_end") : -1;

	if (first < 0 || start < 0 || end < 0)
		return (struct unmap_desc_layout) {};
	return (struct unmap_desc_layout) { t->size, (__u32)first, (__u32)start, (__u32)end };
}

/* By the type of mm_struct.mm_lock_seq, not by the version: the seqcount was backported. */
static enum seq_kind seq_kind(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, "mm_struct", BTF_KIND_STRUCT);
	const struct btf_type *t = id > 0 ? find_member(btf, id, "mm_lock_seq") : NULL;

	if (!t)
		return SEQ_NONE;
	return btf_is_int(t) ? SEQ_INT : SEQ_COUNT;
}

static void list_unmeasured(struct kernel *k)
{
	static const struct {
		const char *type, *member, *what;
	} facts[] = {
		{ "vm_area_struct", "anon_name", "anonymous VMA names (no CONFIG_ANON_VMA_NAME)" },
		{ "vm_area_struct", "vm_policy", "memory policies (no CONFIG_NUMA)" },
		{ "mm_struct", "owner", "-p by the owner of the destination (no CONFIG_MEMCG)" },
	};
	int n = 0;

	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
		if (!struct_has(k->btf, facts[i].type, facts[i].member))
			k->unmeasured[n++] = facts[i].what;
	if (k->seq == SEQ_NONE)
		k->unmeasured[n++] =
			"mm_lock_seq: per_mm_seq, per_vma_seq, locked (no per-VMA locks)";
	if (k->seq != SEQ_COUNT)
		k->unmeasured[n++] = "odd_start (mm_lock_seq is no seqcount)";
	if (!has_tracepoint(k->btf, "mmap_lock_acquire_returned", 0))
		k->unmeasured[n++] = "writers (no mmap_lock tracepoints)";
	if (!k->has_check && !has_tracepoint(k->btf, "page_fault_kernel", 0))
		k->unmeasured[n++] =
			"how early windows begin, but of hugetlb (no tracepoint page_fault_kernel)";
	if (has_function(k->btf, "mcopy_atomic", 0))
		k->unmeasured[n++] =
			"which errno of a page stopped a short copy (EEXIST, ENOMEM or EFAULT: untold)";
	k->unmeasured[n] = NULL;
}

void note_unmeasured(struct kernel *k, const char *what)
{
	for (int i = 0; i < MAX_UNMEASURED; i++) {
		if (k->unmeasured[i])
			continue;
		k->unmeasured[i] = what;
		return;
	}
}

int kernel_open(struct kernel *k)
{
	memset(k, 0, sizeof(*k));
	/* btf__load_vmlinux_btf() would return ESRCH whatever the reason. */
	k->btf = btf__parse(BTF_PATH, NULL);
	if (!k->btf)
		return -errno;
	k->uffd_mask = uffd_mask(k->btf);
	if (enumerator(k->btf, "VMA_UFFD_MINOR_BIT") < 0)
		k->minor_guess = 1ULL << minor_bit(k->btf);
	k->seq = seq_kind(k->btf);
	k->has_uffd = btf__find_by_name_kind(k->btf, "userfaultfd_ctx", BTF_KIND_STRUCT) > 0;
	k->has_check = has_function(k->btf, "mfill_retry_state_changed", 0) ||
		       has_function(k->btf, "mfill_copy_folio_retry", 0);
	k->has_cast = has_function(k->btf, "bpf_rdonly_cast", 0);
	k->has_probes = k->has_cast && has_function(k->btf, "kprobe_multi_link_handler", 0);
	k->loses_rehooked = struct_has(k->btf, "bpf_tramp_image", "ip_after_call");
	k->unmap_desc = unmap_desc_layout(k->btf);
	list_unmeasured(k);
	return 0;
}

void kernel_close(struct kernel *k)
{
	btf__free(k->btf);
	k->btf = NULL;
}

bool kernel_has_function(const struct kernel *k, const char *name, int args)
{
	return has_function(k->btf, name, args);
}

bool kernel_has_tracepoint(const struct kernel *k, const char *name, int args)
{
	return has_tracepoint(k->btf, name, args);
}

int kernel_function_id(const struct kernel *k, const char *name)
{
	return btf__find_by_name_kind(k->btf, name, BTF_KIND_FUNC);
}
