// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The hook table, and the questions to BTF that choose from it. */
#include "trace/hooks.h"
#include "sys/access.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct hook ioctl_exit = {
	.program = "userfaultfd_ioctl_exit",
	.variant = "fexit",
	.target = "userfaultfd_ioctl",
	.required = true,
	.why = "calls, by their result",
};
static const struct hook mfill_atomic_copy_exit = {
	.program = "mfill_atomic_copy_exit",
	.variant = "fexit",
	.target = "mfill_atomic_copy",
	.required = true,
	.why = "bytes; windows ended by a fault",
};
static const struct hook copy_folio_retry_entry = {
	.program = "mfill_copy_folio_retry_entry",
	.variant = "fentry",
	.target = "mfill_copy_folio_retry",
	.required = true,
	.why = "a window begins",
};
static const struct hook copy_folio_retry_exit = {
	.program = "mfill_copy_folio_retry_exit",
	.variant = "fexit",
	.target = "mfill_copy_folio_retry",
	.required = true,
	.why = "a window ends; kernel's verdict",
};
static const struct hook retry_state_saving = {
	.program = "mfill_retry_state_save_entry__retry_fn",
	.variant = "fentry",
	.target = "mfill_retry_state_save",
	.why = "the kernel has read mm_lock_seq",
};
static const struct hook get_vma_exit_early = {
	.program = "mfill_get_vma_exit",
	.variant = "fexit",
	.target = "mfill_get_vma",
	.why = "the VMA, re-taken; seen earlier",
};
static const struct hook retry_state_save_entry = {
	.program = "mfill_retry_state_save_entry__retry_state",
	.variant = "fentry",
	.target = "mfill_retry_state_save",
	.required = true,
	.why = "a window begins",
};
static const struct hook mfill_atomic_pte_exit = {
	.program = "__mfill_atomic_pte_exit",
	.variant = "fexit",
	.target = "__mfill_atomic_pte",
	.required = true,
	.why = "a page's end: errno, the window",
};
static const struct hook retry_state_changed_exit = {
	.program = "mfill_retry_state_changed_exit",
	.variant = "fexit",
	.target = "mfill_retry_state_changed",
	.required = true,
	.why = "re-taken VMA; kernel's verdict",
};
static const struct hook unmap_entry = {
	.program = "unmap_vmas_entry",
	.variant = "fentry",
	.target = "unmap_vmas",
	.required = true,
	.why = "unmaps: replaced or not",
};
static const struct hook vma_start_write_exit = {
	.program = "__vma_start_write_exit",
	.variant = "fexit",
	.target = "__vma_start_write",
	.use = USE_WITNESS,
	.why = "VMA write locks: second witness",
};

static const struct hook write_locked = {
	.program = "mmap_lock_acquire_returned__writers",
	.variant = "tp_btf",
	.target = "mmap_lock_acquire_returned",
	.args = 3,
	.use = USE_WRITERS,
	.why = "who writes",
};
static const struct hook write_locked_memcg = {
	.program = "mmap_lock_acquire_returned__writers_memcg",
	.variant = "tp_btf",
	.target = "mmap_lock_acquire_returned",
	.args = 4,
	.use = USE_WRITERS,
	.why = "who writes (with a memcg path)",
};
static const struct hook expand_stack_locked_entry = {
	.program = "expand_stack_locked_entry",
	.variant = "fentry",
	.target = "expand_stack_locked",
	.use = USE_WRITERS,
	.rare = true,
	.why = "who writes: stacks that grow",
};

static const struct hook copy_worker_entry = {
	.program = "mfill_atomic_copy_entry__interval",
	.variant = "fentry",
	.target = "mfill_atomic_copy",
	.required = true,
	.why = "a copy begins",
};
static const struct hook copy_worker_exit = {
	.program = "mfill_atomic_copy_exit__interval",
	.variant = "fexit",
	.target = "mfill_atomic_copy",
	.required = true,
	.why = "bytes; windows ended by an error",
};
static const struct hook uffd_lock_vma_exit = {
	.program = "uffd_lock_vma_exit__interval",
	.variant = "fexit",
	.target = "uffd_lock_vma",
	.required = true,
	.why = "the VMA, locked and re-taken",
};
static const struct hook fixup_exception_entry = {
	.program = "fixup_exception_entry__interval",
	.variant = "fentry",
	.target = "fixup_exception",
	.required = true,
	.why = "a window begins",
};
static const struct hook shmem_mfill_atomic_pte_exit = {
	.program = "shmem_mfill_atomic_pte_exit",
	.variant = "fexit",
	.target = "shmem_mfill_atomic_pte",
	.why = "begin (shmem), nearer to the drop",
};
static const struct hook mfill_atomic_install_pte_exit = {
	.program = "mfill_atomic_install_pte_exit",
	.variant = "fexit",
	.target = "mfill_atomic_install_pte",
	.why = "why a page was not installed",
};
static const struct hook mm_alloc_pmd_entry = {
	.program = "mm_alloc_pmd_entry",
	.variant = "fentry",
	.target = "mm_alloc_pmd",
	.required = true,
	.why = "the re-taken VMA was accepted",
};

static const struct hook page_fault_kernel = {
	.program = "page_fault_kernel",
	.variant = "tp_btf",
	.target = "page_fault_kernel",
	.why = "how early the begin is",
	.bounds_begin = true,
};

static const struct hook hugetlb_copy_entry = {
	.program = "copy_folio_from_user_entry",
	.variant = "fentry",
	.target = "copy_folio_from_user",
	.why = "hugetlb: how early the begin is",
	.bounds_begin = true,
	.rare = true,
};
static const struct hook hugetlb_mfill_lock_exit = {
	.program = "uffd_mfill_lock_exit",
	.variant = "fexit",
	.target = "uffd_mfill_lock",
	.why = "hugetlb: the VMA, re-taken",
	.rare = true,
};
static const struct hook hugetlb_lock_vma_exit = {
	.program = "uffd_lock_vma_exit__hugetlb",
	.variant = "fexit",
	.target = "uffd_lock_vma",
	.unless = "uffd_mfill_lock",
	.why = "hugetlb: the VMA, re-taken",
	.rare = true,
};
static const struct hook hugetlb_mfill_atomic_pte_exit = {
	.program = "hugetlb_mfill_atomic_pte_exit",
	.variant = "fexit",
	.target = "hugetlb_mfill_atomic_pte",
	.why = "hugetlb: a window begins, ends",
	.rare = true,
};

static const struct hook mcopy_atomic_entry = {
	.program = "mcopy_atomic_entry",
	.variant = "fentry",
	.target = "mcopy_atomic",
	.required = true,
	.why = "a copy begins",
};
static const struct hook mcopy_atomic_exit = {
	.program = "mcopy_atomic_exit",
	.variant = "fexit",
	.target = "mcopy_atomic",
	.required = true,
	.why = "bytes; windows ended by an error",
};
static const struct hook legacy_fixup_entry = {
	.program = "fixup_exception_entry__legacy",
	.variant = "fentry",
	.target = "fixup_exception",
	.required = true,
	.why = "a retry begins; source unreadable",
};
static const struct hook mmap_lock_released = {
	.program = "mmap_lock_released",
	.variant = "tp_btf",
	.target = "mmap_lock_released",
	.required = true,
	.why = "a window begins",
};
static const struct hook mmap_lock_acquire_returned = {
	.program = "mmap_lock_acquire_returned__legacy",
	.variant = "tp_btf",
	.target = "mmap_lock_acquire_returned",
	.args = 4,
	.required = true,
	.why = "the VMA, re-taken; every writer",
};
static const struct hook huge_pte_alloc_entry = {
	.program = "huge_pte_alloc_entry",
	.variant = "fentry",
	.target = "huge_pte_alloc",
	.why = "hugetlb: the VMA was accepted",
	.rare = true,
};
static const struct hook do_mas_munmap_entry = {
	.program = "do_mas_munmap_entry",
	.variant = "fentry",
	.target = "do_mas_munmap",
	.required = true,
	.why = "unmaps: replaced or not",
};

static const struct hook event_wait_completion_exit = {
	.program = "userfaultfd_event_wait_completion_exit",
	.variant = "fexit",
	.target = "userfaultfd_event_wait_completion",
	.why = "mmap_changing is lowered",
	.rare = true,
};
static const struct hook mremap_userfaultfd_fail_exit = {
	.program = "mremap_userfaultfd_fail_exit",
	.variant = "fexit",
	.target = "mremap_userfaultfd_fail",
	.why = "mmap_changing is lowered by a failed mremap",
	.rare = true,
};
static const struct hook dup_userfaultfd_entry = {
	.program = "dup_userfaultfd_entry",
	.variant = "fentry",
	.target = "dup_userfaultfd",
	.why = "mmap_changing is raised by fork",
	.rare = true,
};
static const struct hook mremap_userfaultfd_prep_entry = {
	.program = "mremap_userfaultfd_prep_entry",
	.variant = "fentry",
	.target = "mremap_userfaultfd_prep",
	.why = "mmap_changing is raised by mremap",
	.rare = true,
};
static const struct hook event_wait_completion_entry = {
	.program = "userfaultfd_event_wait_completion_entry",
	.variant = "fentry",
	.target = "userfaultfd_event_wait_completion",
	.why = "mmap_changing was raised by madvise, an unmap",
	.rare = true,
};

/* What lowers first: what is raised must never stay so for want of it. */
const struct hook *const event_hooks[] = {
	&event_wait_completion_exit,
	&mremap_userfaultfd_fail_exit,
	&dup_userfaultfd_entry,
	&mremap_userfaultfd_prep_entry,
	&event_wait_completion_entry,
	NULL,
};

static const struct hook relock_exit = {
	.program = "uffd_lock_vma_exit__relock",
	.variant = "fexit",
	.target = "uffd_lock_vma",
	.why = "re-take latency",
};
static const struct hook relock_entry = {
	.program = "uffd_lock_vma_entry__relock",
	.variant = "fentry",
	.target = "uffd_lock_vma",
	.why = "re-take latency",
};
static const struct hook relock_legacy_start = {
	.program = "mmap_lock_start_locking",
	.variant = "tp_btf",
	.target = "mmap_lock_start_locking",
	.unless = "uffd_lock_vma",
	.args = 3,
	.why = "re-take latency",
};

const struct hook *const relock_hooks[] = { &relock_exit, &relock_entry, &relock_legacy_start, NULL };

/* What every plan but legacy has, for changes, writers and results. */
#define COMMON_HOOKS                                                                                  \
	&unmap_entry, &vma_start_write_exit, &write_locked, &write_locked_memcg, &expand_stack_locked_entry, &ioctl_exit
/* Windows of hugetlb destinations, from 7.1 on. */
#define HUGETLB_HOOKS \
	&hugetlb_mfill_lock_exit, &hugetlb_lock_vma_exit, &hugetlb_copy_entry, &hugetlb_mfill_atomic_pte_exit

static const struct hook *const retry_fn_hooks[] = {
	/* Exits of the outer function first: what opens a window must never run without what closes it. */
	&mfill_atomic_copy_exit,
	&copy_folio_retry_exit,
	&get_vma_exit_early,
	&retry_state_saving,
	&mfill_atomic_pte_exit,
	COMMON_HOOKS,
	HUGETLB_HOOKS,
	&copy_folio_retry_entry,
	NULL,
};

/* 7.1 and later, where the compiler or the builder kept the function out of line. */
static const struct plan retry_fn = {
	.name = "retry_fn",
	.exactness = "exact",
	.exact = true,
	.hooks = retry_fn_hooks,
	.hugetlb = &hugetlb_mfill_atomic_pte_exit,
};

static const struct hook *const retry_state_hooks[] = {
	&mfill_atomic_copy_exit,
	&retry_state_changed_exit,
	&mfill_atomic_pte_exit,
	COMMON_HOOKS,
	HUGETLB_HOOKS,
	&retry_state_save_entry,
	NULL,
};

/* 7.1 and later: snapshot and comparison are functions of their own, called once a window. */
static const struct plan retry_state = {
	.name = "retry_state",
	.exactness = "exact",
	.exact = true,
	.hooks = retry_state_hooks,
	.hugetlb = &hugetlb_mfill_atomic_pte_exit,
};

static const struct hook *const interval_hooks[] = {
	&copy_worker_exit,
	&mm_alloc_pmd_entry,
	&uffd_lock_vma_exit,
	&mfill_atomic_install_pte_exit,
	COMMON_HOOKS,
	&page_fault_kernel,
	&fixup_exception_entry,
	&shmem_mfill_atomic_pte_exit,
	&hugetlb_copy_entry,
	&hugetlb_mfill_atomic_pte_exit,
	&copy_worker_entry,
	NULL,
};

/* 6.12 and later, x86; meant for those before 7.1. */
static const struct plan interval = {
	.name = "interval",
	.exactness = "begin early by a fault's return",
	.exact = false,
	.hooks = interval_hooks,
	.hugetlb = &hugetlb_mfill_atomic_pte_exit,
};

static const struct hook *const legacy_hooks[] = {
	&mcopy_atomic_exit,
	&mm_alloc_pmd_entry,
	&huge_pte_alloc_entry,
	&do_mas_munmap_entry,
	&ioctl_exit,
	&mmap_lock_acquire_returned,
	&expand_stack_locked_entry,
	&mmap_lock_released,
	&legacy_fixup_entry,
	&mcopy_atomic_entry,
	NULL,
};

/* 6.1 and 6.2, x86: no per-VMA locks, so no mm_lock_seq to be had. */
static const struct plan legacy = {
	.name = "legacy",
	.exactness = "exact, without mm_lock_seq",
	.exact = true,
	.hooks = legacy_hooks,
	.hugetlb = &huge_pte_alloc_entry,
};

const struct plan *const plans[] = { &retry_fn, &retry_state, &interval, &legacy, NULL };

/* The value of the enumerator @name in any enum, or -1. vm_flags bits are in an anonymous enum since 6.19. */
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

static bool has_function(const struct btf *btf, const char *name)
{
	return btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0;
}

/* A tracepoint's function takes what its program does, behind a void *. @args: how many, 0 for any. */
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

/* VM_UFFD_MINOR_BIT was a macro before 6.19. It moved twice: the functions beside it tell which it is. */
static int minor_bit(const struct btf *btf)
{
	if (has_function(btf, "mcopy_atomic"))
		return 37;					 /* 6.1 */
	return has_function(btf, "__vma_start_write") ? 41 : 38; /* 6.17, 6.18; 6.12 */
}

/*
 * The vm_flags bits that stand for a userfaultfd mode: __VMA_UFFD_FLAGS of 7.3, VM_UFFD_* before.
 * Where BTF does not say: MISSING and WP never moved (9, 12), RWP is younger than the enum.
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

/* The offset of a member of @type that is no member of a member, in bytes; -1 if there is none. */
static int offset_of(const struct btf *btf, const struct btf_type *type, const char *member)
{
	for (__u32 i = 0; i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_members(type)[i].name_off), member))
			return (int)(btf_member_bit_offset(type, i) / 8);
	return -1;
}

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

/* The type of mm_struct.mm_lock_seq tells, not the version: the seqcount was backported. */
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
		k->unmeasured[n++] = "mm_lock_seq: per_mm_seq, per_vma_seq, locked (no per-VMA locks)";
	if (k->seq != SEQ_COUNT)
		k->unmeasured[n++] = "odd_start (mm_lock_seq is no seqcount)";
	if (!has_tracepoint(k->btf, "mmap_lock_acquire_returned", 0))
		k->unmeasured[n++] = "writers (no mmap_lock tracepoints)";
	if (has_function(k->btf, "mcopy_atomic"))
		k->unmeasured[n++] = "which errno of a page stopped a short copy (EEXIST, ENOMEM or EFAULT: untold)";
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
	/* Not btf__load_vmlinux_btf(), which says ESRCH whatever the reason. */
	k->btf = btf__parse(BTF_PATH, NULL);
	if (!k->btf)
		return -errno;
	k->uffd_mask = uffd_mask(k->btf);
	k->seq = seq_kind(k->btf);
	k->has_uffd = btf__find_by_name_kind(k->btf, "userfaultfd_ctx", BTF_KIND_STRUCT) > 0;
	k->has_check = has_function(k->btf, "mfill_retry_state_changed") ||
		       has_function(k->btf, "mfill_copy_folio_retry");
	k->unmap_desc = unmap_desc_layout(k->btf);
	list_unmeasured(k);
	return 0;
}

void kernel_close(struct kernel *k)
{
	btf__free(k->btf);
	k->btf = NULL;
}

bool hook_in_btf(const struct kernel *k, const struct hook *h)
{
	if (h->unless && has_function(k->btf, h->unless))
		return false;
	if (strcmp(h->variant, "tp_btf"))
		return has_function(k->btf, h->target);
	return has_tracepoint(k->btf, h->target, h->args);
}

bool hook_replaced(const struct kernel *k, const struct hook *h)
{
	if (hook_in_btf(k, h))
		return false;
	if (h->unless && has_function(k->btf, h->unless))
		return true;
	return !strcmp(h->variant, "tp_btf") && h->args && has_tracepoint(k->btf, h->target, 0);
}

int hook_btf_id(const struct kernel *k, const struct hook *h)
{
	return btf__find_by_name_kind(k->btf, h->target, BTF_KIND_FUNC);
}

bool plan_possible(const struct kernel *k, const struct plan *p)
{
	for (const struct hook *const *h = p->hooks; *h; h++)
		if ((*h)->required && !hook_in_btf(k, *h))
			return false;
	return true;
}

void plan_missing(const struct kernel *k, const struct plan *p, char *text, unsigned int size)
{
	unsigned int used = 0;

	text[0] = '\0';
	for (const struct hook *const *h = p->hooks; *h; h++) {
		if (!(*h)->required || hook_in_btf(k, *h) || used >= size)
			continue;
		used += (unsigned int)snprintf(text + used, size - used, "%s%s", used ? ", " : "", (*h)->target);
	}
}

const struct plan *plan_by_name(const char *name)
{
	for (int i = 0; plans[i]; i++)
		if (!strcmp(plans[i]->name, name))
			return plans[i];
	return NULL;
}

const struct plan *plan_next(const struct kernel *k, const struct plan *from)
{
	bool seen = !from;

	for (int i = 0; plans[i]; i++) {
		seen |= plans[i] == from;
		if (seen && plan_possible(k, plans[i]))
			return plans[i];
	}
	return NULL;
}
