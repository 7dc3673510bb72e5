// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Writers of an mm by name: see writers.h. */
#include "counters/writers.h"
#include "syscall_names.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

/* Younger than some headers. */
#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node 450
#endif
#ifndef SYS_map_shadow_stack
#define SYS_map_shadow_stack 453
#endif
#ifndef SYS_mseal
#define SYS_mseal 462
#endif

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct name {
	__u32 value;
	const char *name;
};

/* Values are the kernel's ABI (include/uapi, x86); headers of a build machine may be older than the kernel. */
static const struct name prot_names[] = {
	{ 1, "PROT_READ" },
	{ 2, "PROT_WRITE" },
	{ 4, "PROT_EXEC" },
	{ 0x01000000, "PROT_GROWSDOWN" },
	{ 0x02000000, "PROT_GROWSUP" },
	{ 0, NULL },
};

static const struct name map_names[] = {
	{ 0x1, "MAP_SHARED" },
	{ 0x2, "MAP_PRIVATE" },
	{ 0x10, "MAP_FIXED" },
	{ 0x20, "MAP_ANONYMOUS" },
	{ 0x40, "MAP_32BIT" },
	{ 0x100, "MAP_GROWSDOWN" },
	{ 0x2000, "MAP_LOCKED" },
	{ 0x4000, "MAP_NORESERVE" },
	{ 0x8000, "MAP_POPULATE" },
	{ 0x20000, "MAP_STACK" },
	{ 0x40000, "MAP_HUGETLB" },
	{ 0x100000, "MAP_FIXED_NOREPLACE" },
	{ 0, NULL },
};

static const struct name mremap_names[] = {
	{ 1, "MREMAP_MAYMOVE" },
	{ 2, "MREMAP_FIXED" },
	{ 4, "MREMAP_DONTUNMAP" },
	{ 0, NULL },
};

static const struct name mlock2_names[] = { { 1, "MLOCK_ONFAULT" }, { 0, NULL } };

static const struct name mlockall_names[] = {
	{ 1, "MCL_CURRENT" },
	{ 2, "MCL_FUTURE" },
	{ 4, "MCL_ONFAULT" },
	{ 0, NULL },
};

/* The signal of a clone is in the low byte, and not shown. */
static const struct name clone_names[] = {
	{ 0x100, "CLONE_VM" },
	{ 0x4000, "CLONE_VFORK" },
	{ 0x10000, "CLONE_THREAD" },
	{ 0, NULL },
};

static const struct name madvise_names[] = {
	{ 0, "MADV_NORMAL" },	       { 1, "MADV_RANDOM" },
	{ 2, "MADV_SEQUENTIAL" },      { 3, "MADV_WILLNEED" },
	{ 4, "MADV_DONTNEED" },	       { 8, "MADV_FREE" },
	{ 9, "MADV_REMOVE" },	       { 10, "MADV_DONTFORK" },
	{ 11, "MADV_DOFORK" },	       { 12, "MADV_MERGEABLE" },
	{ 13, "MADV_UNMERGEABLE" },    { 14, "MADV_HUGEPAGE" },
	{ 15, "MADV_NOHUGEPAGE" },     { 16, "MADV_DONTDUMP" },
	{ 17, "MADV_DODUMP" },	       { 18, "MADV_WIPEONFORK" },
	{ 19, "MADV_KEEPONFORK" },     { 20, "MADV_COLD" },
	{ 21, "MADV_PAGEOUT" },	       { 22, "MADV_POPULATE_READ" },
	{ 23, "MADV_POPULATE_WRITE" }, { 24, "MADV_DONTNEED_LOCKED" },
	{ 25, "MADV_COLLAPSE" },       { 100, "MADV_HWPOISON" },
	{ 101, "MADV_SOFT_OFFLINE" },  { 102, "MADV_GUARD_INSTALL" },
	{ 103, "MADV_GUARD_REMOVE" },  { 0, NULL },
};

static const struct name policy_names[] = {
	{ 0, "MPOL_DEFAULT" },
	{ 1, "MPOL_PREFERRED" },
	{ 2, "MPOL_BIND" },
	{ 3, "MPOL_INTERLEAVE" },
	{ 4, "MPOL_LOCAL" },
	{ 5, "MPOL_PREFERRED_MANY" },
	{ 6, "MPOL_WEIGHTED_INTERLEAVE" },
	{ 0, NULL },
};

static const struct name prctl_names[] = {
	{ 35, "PR_SET_MM" }, { 41, "PR_SET_THP_DISABLE" }, { 67, "PR_SET_MEMORY_MERGE" }, { 0x53564d41, "PR_SET_VMA" },
	{ 0, NULL },
};

static const struct name uffd_names[] = {
	{ 0x00, "UFFDIO_REGISTER" },
	{ 0x01, "UFFDIO_UNREGISTER" },
	{ 0x02, "UFFDIO_WAKE" },
	{ 0x03, "UFFDIO_COPY" },
	{ 0x04, "UFFDIO_ZEROPAGE" },
	{ 0x05, "UFFDIO_MOVE" },
	{ 0x06, "UFFDIO_WRITEPROTECT" },
	{ 0x07, "UFFDIO_CONTINUE" },
	{ 0x08, "UFFDIO_POISON" },
	{ 0x3f, "UFFDIO_API" },
	{ 0, NULL },
};

/* What writer_shape.sub of a system call is. */
enum sub_kind {
	SUB_NONE,
	SUB_BITS,   /* a set of flags, by names */
	SUB_VALUE,  /* one value */
	SUB_ADVICE, /* the same, and an advice */
	SUB_REQUEST /* of ioctl */
};

#define UFFD_REQUEST 0xaa00
#define CLONE_NOT_VM                                                                                                   \
	{                                                                                                              \
		.mask = CLONE_VM, .value = 0                                                                           \
	}

static const struct syscall {
	int nr;
	enum sub_kind kind;
	const struct name *names;
	struct writer_shape shape;
} syscalls[] = {
	/* The address is a hint without MAP_FIXED, and nothing of the destination's is touched. */
	{ SYS_mmap, SUB_BITS, map_names, { .sub = 4, .start = { 1 }, .len = { 2 }, .ranged = { { 0x10, 0x10 } } } },
	{ SYS_munmap, SUB_NONE, NULL, { .start = { 1 }, .len = { 2 } } },
	{ SYS_mprotect, SUB_BITS, prot_names, { .sub = 3, .start = { 1 }, .len = { 2 } } },
	{ SYS_pkey_mprotect, SUB_BITS, prot_names, { .sub = 3, .start = { 1 }, .len = { 2 } } },
	{ SYS_madvise, SUB_ADVICE, madvise_names, { .sub = 3, .start = { 1 }, .len = { 2 } } },
	/* Of the vector only the first range is read. */
	{ SYS_process_madvise, SUB_ADVICE, madvise_names, { .sub = 4, .at = 2, .at_is_range = 1 } },
	{ SYS_mremap,
	  SUB_BITS,
	  mremap_names,
	  { .sub = 4, .start = { 1, 5 }, .len = { 2, 3 }, .ranged = { { 0, 0 }, { 2, 2 } } } },
	{ SYS_brk, SUB_NONE, NULL, { 0 } },
	{ SYS_mlock, SUB_NONE, NULL, { .start = { 1 }, .len = { 2 } } },
	{ SYS_mlock2, SUB_BITS, mlock2_names, { .sub = 3, .start = { 1 }, .len = { 2 } } },
	{ SYS_munlock, SUB_NONE, NULL, { .start = { 1 }, .len = { 2 } } },
	/* Only MCL_CURRENT touches what is mapped already. */
	{ SYS_mlockall, SUB_BITS, mlockall_names, { .sub = 1, .whole = 1, .everything = { 1, 1 } } },
	{ SYS_munlockall, SUB_NONE, NULL, { .whole = 1 } },
	/* A fork locks every VMA (dup_mmap()); with CLONE_VM there is nothing to copy. */
	{ SYS_clone, SUB_BITS, clone_names, { .sub = 1, .whole = 1, .everything = CLONE_NOT_VM } },
	{ SYS_clone3,
	  SUB_BITS,
	  clone_names,
	  { .sub = WRITER_SUB_AT, .at = 1, .whole = 1, .everything = CLONE_NOT_VM } },
	{ SYS_fork, SUB_NONE, NULL, { .whole = 1 } },
	{ SYS_mbind, SUB_VALUE, policy_names, { .sub = 3, .start = { 1 }, .len = { 2 } } },
	{ SYS_set_mempolicy_home_node, SUB_NONE, NULL, { .start = { 1 }, .len = { 2 } } },
	{ SYS_remap_file_pages, SUB_NONE, NULL, { .start = { 1 }, .len = { 2 } } },
	{ SYS_mseal, SUB_NONE, NULL, { .start = { 1 }, .len = { 2 } } },
	{ SYS_prctl,
	  SUB_VALUE,
	  prctl_names,
	  { .sub = 1, .start = { 3 }, .len = { 4 }, .ranged = { { ~0U, 0x53564d41 } } } },
	{ SYS_ioctl,
	  SUB_REQUEST,
	  uffd_names,
	  { .sub = 2, .at = 3, .at_is_range = 1, .ranged = { { 0xff00, UFFD_REQUEST } } } },
	{ SYS_ptrace, SUB_VALUE, NULL, { .sub = 1 } },
};

void writer_shapes_fill(struct writer_shape shapes[NR_WRITER_SHAPES])
{
	memset(shapes, 0, NR_WRITER_SHAPES * sizeof(*shapes));
	for (size_t i = 0; i < ARRAY_SIZE(syscalls); i++)
		shapes[syscalls[i].nr] = syscalls[i].shape;
}

static const struct syscall *find_syscall(__u32 nr)
{
	for (size_t i = 0; i < ARRAY_SIZE(syscalls); i++)
		if ((__u32)syscalls[i].nr == nr)
			return &syscalls[i];
	return NULL;
}

static const char *find_name(const struct name *names, __u32 value)
{
	for (; names && names->name; names++)
		if (names->value == value)
			return names->name;
	return NULL;
}

static void say(char *text, size_t size, const char *more)
{
	size_t used = strlen(text);

	snprintf(text + used, size - used, "%s%s", used ? "|" : "", more);
}

/* Bits without a name are shown as one number. */
static void say_bits(char *text, size_t size, const struct name *names, __u32 bits)
{
	char rest[16];

	for (; names->name; names++) {
		if (!(bits & names->value))
			continue;
		say(text, size, names->name);
		bits &= ~names->value;
	}
	if (!bits)
		return;
	snprintf(rest, sizeof(rest), "0x%x", bits);
	say(text, size, rest);
}

static void say_value(char *text, size_t size, const struct name *names, __u32 value)
{
	const char *name = find_name(names, value);

	if (name)
		snprintf(text, size, "%s", name);
	else
		snprintf(text, size, "0x%x", value);
}

static void say_request(struct writer_text *text, __u32 request)
{
	const char *name = find_name(uffd_names, request & 0xff);

	if ((request & 0xff00) == UFFD_REQUEST && name)
		snprintf(text->op, sizeof(text->op), "%s", name);
	else
		snprintf(text->flags, sizeof(text->flags), "0x%x", request);
}

static bool duplicates_mm(const struct writer_key *key)
{
	switch (key->nr) {
	case SYS_fork:
		return true;
	case SYS_clone:
	case SYS_clone3:
		return !(key->sub & CLONE_VM);
	default:
		return false;
	}
}

static void describe_syscall(const struct writer_key *key, struct writer_text *text)
{
	const struct syscall *s = find_syscall(key->nr);

	if (key->nr < ARRAY_SIZE(syscall_names) && syscall_names[key->nr])
		snprintf(text->syscall, sizeof(text->syscall), "%s", syscall_names[key->nr]);
	else if (key->nr == SYS_mseal)
		snprintf(text->syscall, sizeof(text->syscall), "mseal");
	else if (key->nr == SYS_map_shadow_stack)
		snprintf(text->syscall, sizeof(text->syscall), "map_shadow_stack");
	else
		snprintf(text->syscall, sizeof(text->syscall), "syscall_%u", key->nr);
	snprintf(text->op, sizeof(text->op), "%s", duplicates_mm(key) ? "fork" : text->syscall);
	if (!s)
		return;
	switch (s->kind) {
	case SUB_NONE:
		break;
	case SUB_BITS:
		say_bits(text->flags, sizeof(text->flags), s->names,
			 s->names == clone_names ? key->sub & ~0xffU : key->sub);
		break;
	case SUB_VALUE:
		say_value(text->flags, sizeof(text->flags), s->names, key->sub);
		break;
	case SUB_ADVICE:
		say_value(text->advice, sizeof(text->advice), s->names, key->sub);
		break;
	case SUB_REQUEST:
		say_request(text, key->sub);
		break;
	}
}

void writer_describe(const struct writer_key *key, struct writer_text *text)
{
	static const char *const ops[] = {
		[WRITER_COMPAT] = "32-bit system call", [WRITER_FAULT] = "fault",
		[WRITER_STACK] = "stack growth",	[WRITER_KTHREAD] = "kernel thread",
		[WRITER_IO_WORKER] = "io_uring worker", [WRITER_USER_WORKER] = "vhost worker",
	};

	memset(text, 0, sizeof(*text));
	memcpy(text->comm, key->comm, sizeof(key->comm));
	if (key->origin == WRITER_SYSCALL) {
		describe_syscall(key, text);
		return;
	}
	snprintf(text->op, sizeof(text->op), "%s", key->origin < ARRAY_SIZE(ops) ? ops[key->origin] : "other");
	if (key->origin == WRITER_COMPAT)
		snprintf(text->flags, sizeof(text->flags), "nr %u", key->nr);
	if (key->origin == WRITER_KTHREAD && !strcmp(text->comm, "khugepaged"))
		snprintf(text->op, sizeof(text->op), "khugepaged");
}

struct ranked {
	struct writer_counts counts;
	int id;
};

static int compare(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->counts.windows != y->counts.windows)
		return x->counts.windows > y->counts.windows ? -1 : 1;
	if (x->counts.sections != y->counts.sections)
		return x->counts.sections > y->counts.sections ? -1 : 1;
	return x->id - y->id;
}

int writers_sort(const struct writer_counts counts[MAX_WRITERS], const struct writer_entry entries[MAX_WRITERS],
		 int ids[MAX_WRITERS])
{
	static struct ranked ranked[MAX_WRITERS];
	int nr = 0;

	for (int i = 0; i < MAX_WRITERS; i++)
		if (entries[i].used && counts[i].sections)
			ranked[nr++] = (struct ranked) { counts[i], i };
	qsort(ranked, (size_t)nr, sizeof(ranked[0]), compare);
	for (int i = 0; i < nr; i++)
		ids[i] = ranked[i].id;
	return nr;
}
