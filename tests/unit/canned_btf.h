/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* BTF of Debian's series, as bpftool shows it, reduced to what kernel.c asks about. */
#ifndef CANNED_BTF_H
#define CANNED_BTF_H

#include "trace/kernel.h"
#include "unit.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdlib.h>

struct canned_kernel {
	const char *series;
	const char *functions; /* separated by spaces; NAME/N has N arguments */
	int acquire_args; /* of mmap_lock_acquire_returned; 0: none. Its relatives have one less */
	const char *mm_lock_seq; /* the type of mm_struct's member: "seqcount", "int"; NULL: none */
	int vma_bits[4]; /* VMA_UFFD_{MISSING,WP,MINOR,RWP}_BIT, where they are in an enum */
	bool anon_name;	 /* vm_area_struct has it */
};

#define CANNED_EVENTS "dup_userfaultfd mremap_userfaultfd_prep userfaultfd_event_wait_completion "
#define CANNED_ALWAYS                                                                               \
	CANNED_EVENTS                                                                               \
	"expand_stack_locked fixup_exception huge_pte_alloc mfill_atomic_install_pte mm_alloc_pmd " \
	"unmap_vmas userfaultfd_ioctl "
#define CANNED_X86 "exc_page_fault "
#define CANNED_ARM64 "__do_kernel_fault "
#define CANNED_6_8                                                                                 \
	CANNED_ALWAYS                                                                              \
	"bpf_rdonly_cast copy_folio_from_user hugetlb_mfill_atomic_pte kprobe_multi_link_handler " \
	"mfill_atomic_poison "
#define CANNED_6_12 CANNED_6_8 "dup_userfaultfd_fail mfill_atomic_copy/5 uffd_lock_vma "
#define CANNED_6_18 CANNED_6_12 "__vma_start_write mremap_userfaultfd_fail uffd_mfill_lock "
#define CANNED_7_1  \
	CANNED_6_18 \
	"__mfill_atomic_pte mfill_get_vma mfill_retry_state_changed mfill_retry_state_save "

static const struct canned_kernel canned_kernels[] = {
	{ "6.1",
	  CANNED_X86 CANNED_ALWAYS "do_mas_munmap mcopy_atomic shmem_mfill_atomic_pte",
	  4,
	  NULL,
	  {},
	  false },
	{ "6.8",
	  CANNED_X86 CANNED_6_8 "mfill_atomic_copy/6 shmem_mfill_atomic_pte",
	  4,
	  "int",
	  {},
	  true },
	{ "6.12", CANNED_X86 CANNED_6_12 "shmem_mfill_atomic_pte", 4, "seqcount", {}, false },
	{ "6.18", CANNED_X86 CANNED_6_18 "shmem_mfill_atomic_pte", 3, "seqcount", {}, false },
	{ "7.1", CANNED_X86 CANNED_7_1, 3, "seqcount", { 9, 12, 41, 0 }, false },
	{ "7.3", CANNED_X86 CANNED_7_1, 3, "seqcount", { 9, 12, 41, 43 }, true },
	{ "arm64-6.1",
	  CANNED_ARM64 CANNED_ALWAYS "do_mas_munmap mcopy_atomic shmem_mfill_atomic_pte",
	  4,
	  NULL,
	  {},
	  false },
	{ "arm64-6.12", CANNED_ARM64 CANNED_6_12 "shmem_mfill_atomic_pte", 4, "seqcount", {}, false },
	{ "arm64-7.1", CANNED_ARM64 CANNED_7_1, 3, "seqcount", { 9, 12, 41, 0 }, false },
	{ "arm64-7.3", CANNED_ARM64 CANNED_7_1, 3, "seqcount", { 9, 12, 41, 43 }, true },
};

static inline const struct canned_kernel *canned_kernel(const char *series)
{
	for (size_t i = 0; i < COUNT(canned_kernels); i++)
		if (!strcmp(canned_kernels[i].series, series))
			return &canned_kernels[i];
	return NULL;
}

static inline void canned_tracepoint(struct btf *btf, const char *name, int args)
{
	int id = btf__add_func_proto(btf, 0);
	char type[64];

	for (int i = 0; i <= args; i++) /* a void * comes first */
		btf__add_func_param(btf, "", 1);
	snprintf(type, sizeof(type), "btf_trace_%s", name);
	btf__add_typedef(btf, type, btf__add_ptr(btf, id));
}

static inline void canned_function(struct btf *btf, const char *name, int args)
{
	int proto = btf__add_func_proto(btf, 0);

	while (args--)
		btf__add_func_param(btf, "", 1);
	assert_true(btf__add_func(btf, name, BTF_FUNC_STATIC, proto) > 0);
}

/* The BTF of @k without the functions in @less (names with a space behind each). btf__free() it. */
static inline struct btf *canned_btf(const struct canned_kernel *k, const char *less)
{
	static const char *const bits[] = { "VMA_UFFD_MISSING_BIT", "VMA_UFFD_WP_BIT",
					    "VMA_UFFD_MINOR_BIT", "VMA_UFFD_RWP_BIT" };
	struct btf *btf = btf__new_empty();
	char functions[1024], *name, *rest = functions;
	int i32, seqcount, named;

	assert_non_null(btf);
	i32 = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	assert_int_equal(i32, 1);
	seqcount = btf__add_struct(btf, "seqcount", 4);
	btf__add_field(btf, "sequence", i32, 0, 0);
	seqcount = btf__add_typedef(btf, "seqcount_t", seqcount);
	/* mm_struct's members are in an anonymous one. */
	named = btf__add_struct(btf, NULL, 16);
	if (k->mm_lock_seq)
		btf__add_field(btf, "mm_lock_seq", strcmp(k->mm_lock_seq, "int") ? seqcount : i32,
			       0, 0);
	btf__add_field(btf, "owner", i32, 32, 0);
	btf__add_struct(btf, "mm_struct", 16);
	btf__add_field(btf, "", named, 0, 0);
	btf__add_struct(btf, "vm_area_struct", 8);
	btf__add_field(btf, "vm_policy", i32, 0, 0);
	if (k->anon_name)
		btf__add_field(btf, "anon_name", i32, 32, 0);
	if (k->vma_bits[0]) {
		btf__add_enum(btf, NULL, 4);
		for (size_t i = 0; i < COUNT(bits); i++)
			if (k->vma_bits[i])
				btf__add_enum_value(btf, bits[i], k->vma_bits[i]);
	}
	snprintf(functions, sizeof(functions), "%s", k->functions);
	while ((name = strsep(&rest, " "))) {
		char *args = name, with_space[64];

		name = strsep(&args, "/");
		snprintf(with_space, sizeof(with_space), "%s ", name);
		if (*name && !strstr(less, with_space))
			canned_function(btf, name, args ? atoi(args) : 0);
	}
	if (!strstr(k->functions, CANNED_ARM64))
		canned_tracepoint(btf, "page_fault_kernel", 3);
	canned_tracepoint(btf, "sched_process_fork", 2);
	canned_tracepoint(btf, "sched_process_exit", 1);
	if (k->acquire_args) {
		canned_tracepoint(btf, "mmap_lock_acquire_returned", k->acquire_args);
		canned_tracepoint(btf, "mmap_lock_released", k->acquire_args - 1);
		canned_tracepoint(btf, "mmap_lock_start_locking", k->acquire_args - 1);
	}
	return btf;
}

/* The running kernel's BTF, which kernel_open() will own. */
static struct btf *running_btf;

/* In place of libbpf's. */
struct btf *btf__parse(const char *path, struct btf_ext **ext)
{
	struct btf *btf = running_btf;

	running_btf = NULL;
	if (!btf)
		errno = ENOENT;
	return btf;
}

/* As kernel_open() on a kernel with @btf. kernel_close() it. */
static inline struct kernel open_kernel(struct btf *btf)
{
	struct kernel k;

	running_btf = btf;
	assert_int_equal(kernel_open(&k), 0);
	return k;
}

/* Does one of the reasons in @k->unmeasured begin so? */
static inline bool is_unmeasured(const struct kernel *k, const char *begin)
{
	for (int i = 0; k->unmeasured[i]; i++)
		if (!strncmp(k->unmeasured[i], begin, strlen(begin)))
			return true;
	return false;
}

#endif /* CANNED_BTF_H */
