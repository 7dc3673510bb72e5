// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The hook table, and the questions to BTF that choose from it. */
#include "plan.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const struct hook ioctl_exit = {
	"ioctl_exit", "fexit", "userfaultfd_ioctl", true, "calls, by their result",
};
static const struct hook mfill_atomic_copy_exit = {
	"mfill_atomic_copy_exit", "fexit", "mfill_atomic_copy", true, "bytes; windows ended by a fault",
};
static const struct hook retry_state_save_exit = {
	"mfill_retry_state_save_exit", "fexit", "mfill_retry_state_save", true, "a window begins",
};
static const struct hook get_vma_exit = {
	"mfill_get_vma_exit", "fexit", "mfill_get_vma", true, "the VMA could not be re-taken",
};
static const struct hook retry_state_changed_exit = {
	"mfill_retry_state_changed_exit", "fexit", "mfill_retry_state_changed", true, "a window ends; kernel's verdict",
};
static const struct hook unmap_entry = {
	"vms_complete_munmap_vmas_entry", "fentry", "vms_complete_munmap_vmas", true, "unmaps: replaced or not",
};
static const struct hook vma_start_write_exit = {
	"vma_start_write_exit", "fexit", "__vma_start_write", false, "VMA write locks: second witness",
};

static const struct hook copy_worker_entry = {
	"copy_worker_entry", "fentry", "mfill_atomic_copy", true, "a copy begins",
};
static const struct hook copy_worker_exit = {
	"copy_worker_exit", "fexit", "mfill_atomic_copy", true, "bytes; windows ended by an error",
};
static const struct hook uffd_lock_vma_exit = {
	"uffd_lock_vma_exit", "fexit", "uffd_lock_vma", true, "the VMA, locked and re-taken",
};
static const struct hook fixup_exception_entry = {
	"fixup_exception_entry", "fentry", "fixup_exception", true, "a window begins (anon)",
};
static const struct hook shmem_mfill_atomic_pte_exit = {
	"shmem_mfill_atomic_pte_exit", "fexit", "shmem_mfill_atomic_pte", true, "a window begins (shmem)",
};
static const struct hook mm_alloc_pmd_entry = {
	"mm_alloc_pmd_entry", "fentry", "mm_alloc_pmd", true, "the re-taken VMA was accepted",
};

static const struct hook hugetlb_lock_vma_exit = {
	"hugetlb_lock_vma_exit", "fexit", "uffd_lock_vma", false, "hugetlb: the VMA, re-taken",
};
static const struct hook hugetlb_mfill_atomic_pte_exit = {
	"hugetlb_mfill_atomic_pte_exit", "fexit", "hugetlb_mfill_atomic_pte", false, "hugetlb: a window begins, ends",
};

static const struct hook *const retry_state_hooks[] = {
	/* Exits of the outer function first: what opens a window must never run without what closes it. */
	&mfill_atomic_copy_exit, &retry_state_changed_exit,
	&get_vma_exit,		 &unmap_entry,
	&vma_start_write_exit,	 &ioctl_exit,
	&hugetlb_lock_vma_exit,	 &hugetlb_mfill_atomic_pte_exit,
	&retry_state_save_exit,	 NULL,
};

/* 7.1 and later: snapshot and comparison are functions of their own, called once a window. */
static const struct plan retry_state = {
	.name = "retry_state",
	.exactness = "exact",
	.exact = true,
	.hooks = retry_state_hooks,
};

static const struct hook *const interval_hooks[] = {
	&copy_worker_exit,
	&mm_alloc_pmd_entry,
	&uffd_lock_vma_exit,
	&unmap_entry,
	&vma_start_write_exit,
	&ioctl_exit,
	&fixup_exception_entry,
	&shmem_mfill_atomic_pte_exit,
	&hugetlb_mfill_atomic_pte_exit,
	&copy_worker_entry,
	NULL,
};

/* 6.12 to 7.0: shmem_mfill_atomic_pte() went with 7.1, which has the functions of retry_state. */
static const struct plan interval = {
	.name = "interval",
	.exactness = "begin early by a fault's return",
	.exact = false,
	.hooks = interval_hooks,
};

const struct plan *const plans[] = { &retry_state, &interval, NULL };

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

/* Does struct @type have @member, also inside anonymous members? */
static bool has_member(const struct btf *btf, int type, const char *member)
{
	const struct btf_type *t = btf__type_by_id(btf, (__u32)type);
	const struct btf_member *m;

	if (!t || !btf_is_composite(t))
		return false;
	m = btf_members(t);
	for (int i = 0; i < btf_vlen(t); i++) {
		const char *name = btf__name_by_offset(btf, m[i].name_off);

		if (!strcmp(name, member))
			return true;
		if (!*name && has_member(btf, (int)m[i].type, member))
			return true;
	}
	return false;
}

static bool struct_has(const struct btf *btf, const char *type, const char *member)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);

	return id > 0 && has_member(btf, id, member);
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
	if (!has_function(k->btf, hugetlb_mfill_atomic_pte_exit.target))
		k->unmeasured[n++] = "hugetlb windows";
	k->unmeasured[n++] = "causes of EAGAIN outside windows";
	k->unmeasured[n++] = "writers";
	k->unmeasured[n++] = "chains";
	k->unmeasured[n++] = "re-take latency";
	k->unmeasured[n] = NULL;
}

int kernel_open(struct kernel *k)
{
	memset(k, 0, sizeof(*k));
	k->btf = btf__load_vmlinux_btf();
	if (!k->btf)
		return -errno;
	k->uffd_mask = uffd_mask(k->btf);
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
	char name[128];

	if (strcmp(h->variant, "tp_btf"))
		return has_function(k->btf, h->target);
	snprintf(name, sizeof(name), "btf_trace_%s", h->target);
	return btf__find_by_name_kind(k->btf, name, BTF_KIND_TYPEDEF) > 0;
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
