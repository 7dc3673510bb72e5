// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * classify() and unseen_end(): tables of windows whose class, or end, is known. The random model is
 * fuzz_classify.
 */
#include "unit.h"
#include "classify.h"

#include <stdbool.h>

/* Bits of vm_flags, as the kernel has them. */
#define F_RW 0x3ULL
#define F_EXEC 0x4ULL
#define F_SHARED 0x8ULL
#define F_LOCKED 0x2000ULL
#define F_MISSING (1ULL << 9)
#define F_WP (1ULL << 12)
#define F_MINOR (1ULL << 41)
#define F_RWP (1ULL << 43)
#define UFFD_MASK (F_MISSING | F_WP | F_MINOR | F_RWP)

#define PAGE_SHIFT 12
#define SHMEM_OPS 0x5000ULL
#define NEVER_LOCKED 0xffffffffU

/* --- Tables ----------------------------------------------------------------------------------- */

/* One field of the facts, changed. */
struct edit {
	size_t offset;
	size_t size; /* 0: no more edits */
	__u64 value;
};

#define SET(field, v)                                                                              \
	{                                                                                          \
		offsetof(struct window_facts, field), sizeof(((struct window_facts *)0)->field), v \
	}
#define MOVED SET(end.mm_lock_seq, 1002)
#define LOCKED SET(end.mm_lock_seq, 1002), SET(end.vm_lock_seq, 1001), SET(write_locked, SEEN_YES)
#define REMAPPED LOCKED, SET(end.vma, 0x2000), SET(unmapped, SEEN_YES)
#define DIFFERS LOCKED, SET(kernel_eagain, 1) /* and the kernel says so */
#define FRONT_SPLIT SET(end.vma, 0x2000), SET(end.start, 0x702000), SET(end.pgoff, 0x12)

struct row {
	const char *name;
	const struct window_facts *base;
	struct edit edits[12];
	__u32 class, snapshot, meaning, tolerated,
		eagain; /* what must come out; the rest is asserted apart */
	__u32 anomaly, unwitnessed, odd_start, file_unsure;
	__u32 page_shift; /* 0: PAGE_SHIFT */
};

#define SHMEM_VMA                                                                               \
	{                                                                                       \
		.vma = 0x1000, .start = 0x700000, .end = 0x710000,                              \
		.flags = F_RW | F_SHARED | F_MISSING, .page_prot = 0x25, .uffd_ops = SHMEM_OPS, \
		.file = 0x6000, .inode = 0x7000, .pgoff = 0x10, .ctx = 0x8000, .policy = 0x99,  \
		.vm_lock_seq = 901, .mm_lock_seq = 1000                                         \
	}
#define ANON_VMA                                                                              \
	{                                                                                     \
		.vma = 0x1000, .start = 0x700000, .end = 0x710000, .flags = F_RW | F_MISSING, \
		.page_prot = 0x25, .uffd_ops = UFFD_OPS_ANON, .pgoff = 0x700, .ctx = 0x8000,  \
		.vm_lock_seq = 901, .mm_lock_seq = 1000                                       \
	}
#define WINDOW                                                                                 \
	.dst = 0x704000, .uffd_mask = UFFD_MASK, .relock_result = RELOCK_OK, .seq = SEQ_COUNT, \
	.kernel_answer = KERNEL_ANSWER_SEEN, .kernel_is = CHECK_SNAPSHOT

static const struct window_facts shmem = { .begin = SHMEM_VMA, .end = SHMEM_VMA, WINDOW };
static const struct window_facts anon = { .begin = ANON_VMA, .end = ANON_VMA, WINDOW };

#define OPS BIT32(CHECK_OPS_POINTER)
#define SNAP (BIT32(CHECK_SNAPSHOT) | BIT32(CHECK_KERNEL))
#define ADDRESS BIT32(CHECK_ADDRESS)
#define VMA BIT32(CHECK_PER_VMA_SEQ)
#define MM BIT32(CHECK_PER_MM_SEQ)
#define SEQS (VMA | MM)
#define S(reason) BIT32(SNAPSHOT_DIFF_##reason)
#define M(reason) BIT32(MEANING_DIFF_##reason)
#define T(reason) BIT32(TOLERATED_DIFF_##reason)

/* clang-format off */
static const struct row class_rows[] = {
	{ "quiet", &anon, {}, .class = CLASS_QUIET },
	{ "unrelated", &anon, { MOVED }, .class = CLASS_UNRELATED, .eagain = MM },
	{ "locked", &anon, { LOCKED }, .class = CLASS_LOCKED, .eagain = SEQS },
	{ "locked, shmem", &shmem, { LOCKED }, .class = CLASS_LOCKED, .eagain = SEQS },
	{ "tolerated", &anon, { LOCKED, SET(end.end, 0x711000) },
	  .class = CLASS_TOLERATED, .tolerated = T(RANGE), .eagain = SEQS },
	{ "replaced", &anon, { REMAPPED }, .class = CLASS_REPLACED, .eagain = SEQS },
	{ "hidden", &anon, { LOCKED, SET(end.ctx, 0x8800) },
	  .class = CLASS_HIDDEN, .meaning = M(CTX), .eagain = SEQS },
	{ "false_alarm", &shmem, { DIFFERS, FRONT_SPLIT },
	  .class = CLASS_FALSE_ALARM, .snapshot = S(PGOFF), .eagain = SNAP | SEQS },
	{ "real", &anon, { DIFFERS, SET(end.flags, F_RW | F_WP) },
	  .class = CLASS_REAL, .snapshot = S(UFFD_FLAGS), .meaning = M(UFFD_FLAGS), .eagain = SNAP | SEQS },
};

/* No relock: nothing was checked, whatever the (stale) end says. */
static const struct row not_relocked_rows[] = {
	{ "gone", &anon, { SET(relock_result, RELOCK_GONE) }, .class = CLASS_GONE },
	{ "blocked", &anon, { SET(relock_result, RELOCK_BLOCKED) }, .class = CLASS_BLOCKED },
	{ "aborted", &anon, { SET(relock_result, RELOCK_NEVER) }, .class = CLASS_ABORTED },
	{ "undetermined", &anon, { SET(relock_result, RELOCK_LOST) }, .class = CLASS_UNDETERMINED },
	{ "no such result", &anon, { SET(relock_result, 77) }, .class = CLASS_UNDETERMINED },
	{ "gone, all differs", &shmem, { SET(relock_result, RELOCK_GONE), REMAPPED, SET(end.ctx, 1), SET(end.file, 1) },
	  .class = CLASS_GONE },
	{ "blocked, all differs", &shmem,
	  { SET(relock_result, RELOCK_BLOCKED), REMAPPED, SET(end.ctx, 1), SET(end.file, 1) },
	  .class = CLASS_BLOCKED },
	{ "aborted, all differs", &shmem, { SET(relock_result, RELOCK_NEVER), REMAPPED, SET(end.ctx, 1), SET(end.file, 1) },
	  .class = CLASS_ABORTED },
	{ "gone, odd start", &anon, { SET(relock_result, RELOCK_GONE), SET(begin.mm_lock_seq, 1001) },
	  .class = CLASS_GONE, .odd_start = 1 },
};

static const struct row snapshot_rows[] = {
	{ "uffd_flags", &shmem, { DIFFERS, SET(end.flags, F_RW | F_SHARED | F_MISSING | F_WP) },
	  .class = CLASS_REAL, .snapshot = S(UFFD_FLAGS), .meaning = M(UFFD_FLAGS), .eagain = SNAP | SEQS },
	{ "uffd_flags, minor", &shmem, { DIFFERS, SET(end.flags, F_RW | F_SHARED | F_MISSING | F_MINOR) },
	  .class = CLASS_REAL, .snapshot = S(UFFD_FLAGS), .meaning = M(UFFD_FLAGS), .eagain = SNAP | SEQS },
	{ "uffd_flags, rwp", &shmem, { DIFFERS, SET(end.flags, F_RW | F_SHARED | F_MISSING | F_RWP) },
	  .class = CLASS_REAL, .snapshot = S(UFFD_FLAGS), .meaning = M(UFFD_FLAGS), .eagain = SNAP | SEQS },
	{ "shared", &shmem, { DIFFERS, SET(end.flags, F_RW | F_MISSING) },
	  .class = CLASS_REAL, .snapshot = S(SHARED), .meaning = M(SHARED), .eagain = SNAP | SEQS },
	{ "ops", &shmem, { DIFFERS, SET(end.uffd_ops, 0x5800) },
	  .class = CLASS_REAL, .snapshot = S(OPS), .meaning = M(OPS), .eagain = OPS | SNAP | SEQS },
	{ "file", &shmem, { DIFFERS, SET(end.file, 0x6800) },
	  .class = CLASS_FALSE_ALARM, .snapshot = S(FILE), .eagain = SNAP | SEQS },
	{ "inode", &shmem, { DIFFERS, SET(end.inode, 0x7800) },
	  .class = CLASS_REAL, .snapshot = S(INODE), .meaning = M(INODE), .eagain = SNAP | SEQS },
	{ "another file at the old one's address", &shmem, { DIFFERS, SET(end.ino, 78) },
	  .class = CLASS_REAL, .snapshot = S(FILE) | S(INODE), .meaning = M(INODE), .eagain = SNAP | SEQS },
	{ "pgoff", &shmem, { DIFFERS, SET(end.pgoff, 0x11) },
	  .class = CLASS_REAL, .snapshot = S(PGOFF), .meaning = M(OFFSET), .eagain = SNAP | SEQS },
	{ "file and pgoff", &shmem, { DIFFERS, SET(end.file, 0x6800), SET(end.pgoff, 0x11) },
	  .class = CLASS_REAL, .snapshot = S(FILE) | S(PGOFF), .meaning = M(OFFSET), .eagain = SNAP | SEQS },
	{ "all of a file", &shmem,
	  { DIFFERS, SET(end.flags, F_RW | F_WP), SET(end.uffd_ops, 0x5800), SET(end.file, 0x6800),
	    SET(end.inode, 0x7800), SET(end.pgoff, 0x11) },
	  .class = CLASS_REAL, .snapshot = S(UFFD_FLAGS) | S(SHARED) | S(OPS) | S(FILE) | S(INODE) | S(PGOFF),
	  .meaning = M(UFFD_FLAGS) | M(SHARED) | M(OPS) | M(INODE), .eagain = OPS | SNAP | SEQS },
	{ "anon becomes shmem", &anon,
	  { DIFFERS, SET(end.uffd_ops, SHMEM_OPS), SET(end.file, 0x6000), SET(end.inode, 0x7000) },
	  .class = CLASS_REAL, .snapshot = S(OPS) | S(FILE), .meaning = M(OPS) | M(INODE),
	  .eagain = OPS | SNAP | SEQS },
	{ "shmem becomes anon", &shmem,
	  { DIFFERS, SET(end.uffd_ops, UFFD_OPS_ANON), SET(end.file, 0), SET(end.inode, 0), SET(end.pgoff, 0x700) },
	  .class = CLASS_REAL, .snapshot = S(OPS) | S(FILE), .meaning = M(OPS) | M(INODE),
	  .eagain = OPS | SNAP | SEQS },
	/* An anonymous destination has no file and no offset to differ. */
	{ "anon, pgoff", &anon, { LOCKED, SET(end.pgoff, 0x701) }, .class = CLASS_LOCKED, .eagain = SEQS },
	{ "anon, /dev/zero", &anon, { REMAPPED, SET(end.file, 0x6000), SET(end.inode, 0x7000) },
	  .class = CLASS_REPLACED, .eagain = SEQS },
};

static const struct row meaning_rows[] = {
	{ "ctx", &shmem, { LOCKED, SET(end.ctx, 0x8800) }, .class = CLASS_HIDDEN, .meaning = M(CTX), .eagain = SEQS },
	{ "offset, same pgoff", &shmem, { REMAPPED, SET(end.start, 0x702000) },
	  .class = CLASS_HIDDEN, .meaning = M(OFFSET), .eagain = SEQS },
	{ "ctx and offset", &shmem, { REMAPPED, SET(end.start, 0x702000), SET(end.ctx, 0x8800) },
	  .class = CLASS_HIDDEN, .meaning = M(CTX) | M(OFFSET), .eagain = SEQS },
	{ "ctx and pgoff", &shmem, { DIFFERS, SET(end.ctx, 0x8800), SET(end.pgoff, 0x11) },
	  .class = CLASS_REAL, .snapshot = S(PGOFF), .meaning = M(CTX) | M(OFFSET), .eagain = SNAP | SEQS },
	{ "split at the front", &shmem, { DIFFERS, FRONT_SPLIT },
	  .class = CLASS_FALSE_ALARM, .snapshot = S(PGOFF), .eagain = SNAP | SEQS },
	{ "other inode at the offset", &shmem, { DIFFERS, SET(end.file, 0x6800), SET(end.inode, 0x7800) },
	  .class = CLASS_REAL, .snapshot = S(FILE) | S(INODE), .meaning = M(INODE), .eagain = SNAP | SEQS },
	{ "anon split at the front", &anon, { LOCKED, FRONT_SPLIT },
	  .class = CLASS_TOLERATED, .tolerated = T(RANGE), .eagain = SEQS },
	/*
	 * Four pages up in memory and in the file: 64 KiB pages make that another page, 4 KiB pages
	 * make it the same.
	 */
	{ "moved start, 64 KiB pages", &shmem, { DIFFERS, SET(end.start, 0x6fc000), SET(end.pgoff, 0xc) },
	  .class = CLASS_REAL, .snapshot = S(PGOFF), .meaning = M(OFFSET), .eagain = SNAP | SEQS, .page_shift = 16 },
	{ "moved start, 4 KiB pages", &shmem, { DIFFERS, SET(end.start, 0x6fc000), SET(end.pgoff, 0xc) },
	  .class = CLASS_FALSE_ALARM, .snapshot = S(PGOFF), .eagain = SNAP | SEQS },
	{ "split at the front, 64 KiB pages", &shmem,
	  { DIFFERS, SET(dst, 0x730000), SET(end.start, 0x720000), SET(end.pgoff, 0x12) },
	  .class = CLASS_FALSE_ALARM, .snapshot = S(PGOFF), .eagain = SNAP | SEQS, .page_shift = 16 },
	/* The same 16 KiB are one page there. */
	{ "moved start, 16 KiB pages", &shmem, { DIFFERS, SET(end.start, 0x6fc000), SET(end.pgoff, 0xf) },
	  .class = CLASS_FALSE_ALARM, .snapshot = S(PGOFF), .eagain = SNAP | SEQS, .page_shift = 14 },
	{ "moved start and four pages, 16 KiB pages", &shmem,
	  { DIFFERS, SET(end.start, 0x6fc000), SET(end.pgoff, 0xc) },
	  .class = CLASS_REAL, .snapshot = S(PGOFF), .meaning = M(OFFSET), .eagain = SNAP | SEQS, .page_shift = 14 },
	{ "dst in the first page", &shmem,
	  { DIFFERS, SET(dst, 0x700000), SET(end.start, 0x6ff000), SET(end.pgoff, 0xf) },
	  .class = CLASS_FALSE_ALARM, .snapshot = S(PGOFF), .eagain = SNAP | SEQS },
};

static const struct row tolerated_rows[] = {
	{ "range, start", &anon, { LOCKED, SET(end.start, 0x6ff000) },
	  .class = CLASS_TOLERATED, .tolerated = T(RANGE), .eagain = SEQS },
	{ "range, end", &shmem, { LOCKED, SET(end.end, 0x708000) },
	  .class = CLASS_TOLERATED, .tolerated = T(RANGE), .eagain = SEQS },
	{ "flags", &anon, { LOCKED, SET(end.flags, F_RW | F_MISSING | F_LOCKED) },
	  .class = CLASS_TOLERATED, .tolerated = T(FLAGS), .eagain = SEQS },
	{ "prot", &anon, { LOCKED, SET(end.flags, 1 | F_MISSING) },
	  .class = CLASS_TOLERATED, .tolerated = T(PROT), .eagain = SEQS },
	{ "prot, exec", &anon, { LOCKED, SET(end.flags, F_RW | F_EXEC | F_MISSING) },
	  .class = CLASS_TOLERATED, .tolerated = T(PROT), .eagain = SEQS },
	{ "prot, pkey", &anon, { LOCKED, SET(end.page_prot, 0x26) },
	  .class = CLASS_TOLERATED, .tolerated = T(PROT), .eagain = SEQS },
	{ "policy", &shmem, { LOCKED, SET(end.policy, 0x98) },
	  .class = CLASS_TOLERATED, .tolerated = T(POLICY), .eagain = SEQS },
	{ "name", &anon, { LOCKED, SET(end.anon_name, 0x77) },
	  .class = CLASS_TOLERATED, .tolerated = T(NAME), .eagain = SEQS },
	{ "all five", &anon,
	  { LOCKED, SET(end.end, 0x711000), SET(end.flags, 1 | F_MISSING | F_LOCKED), SET(end.policy, 0x98),
	    SET(end.anon_name, 0x77) },
	  .class = CLASS_TOLERATED, .tolerated = T(RANGE) | T(FLAGS) | T(PROT) | T(POLICY) | T(NAME), .eagain = SEQS },
	/* A mode that this kernel's snapshot does not know is one more flag. */
	{ "rwp before 7.3", &anon,
	  { LOCKED, SET(uffd_mask, F_MISSING | F_WP | F_MINOR), SET(end.flags, F_RW | F_MISSING | F_RWP) },
	  .class = CLASS_TOLERATED, .tolerated = T(FLAGS), .eagain = SEQS },
};

/* Where two classes could be meant, the earlier of docs/reference/classes.md wins. */
static const struct row precedence_rows[] = {
	{ "replaced before tolerated", &anon, { REMAPPED, SET(end.end, 0x711000) },
	  .class = CLASS_REPLACED, .eagain = SEQS },
	{ "hidden before replaced", &anon, { REMAPPED, SET(end.ctx, 0x8800) },
	  .class = CLASS_HIDDEN, .meaning = M(CTX), .eagain = SEQS },
	{ "hidden before tolerated", &anon, { LOCKED, SET(end.ctx, 0x8800), SET(end.end, 0x711000) },
	  .class = CLASS_HIDDEN, .meaning = M(CTX), .eagain = SEQS },
	{ "false_alarm before replaced", &shmem, { DIFFERS, SET(unmapped, SEEN_YES), SET(end.file, 0x6800) },
	  .class = CLASS_FALSE_ALARM, .snapshot = S(FILE), .eagain = SNAP | SEQS },
	{ "real before replaced", &shmem, { DIFFERS, SET(unmapped, SEEN_YES), SET(end.pgoff, 0x11) },
	  .class = CLASS_REAL, .snapshot = S(PGOFF), .meaning = M(OFFSET), .eagain = SNAP | SEQS },
	/* A lost fact matters only where it could change the class. */
	{ "log lost", &anon, { LOCKED, SET(unmapped, SEEN_UNKNOWN) }, .class = CLASS_UNDETERMINED },
	{ "log lost, tolerated or replaced", &anon, { LOCKED, SET(unmapped, SEEN_UNKNOWN), SET(end.end, 0x711000) },
	  .class = CLASS_UNDETERMINED },
	{ "log lost, quiet", &anon, { SET(unmapped, SEEN_UNKNOWN), SET(write_locked, SEEN_UNKNOWN) },
	  .class = CLASS_QUIET },
	{ "log lost, unrelated", &anon, { MOVED, SET(unmapped, SEEN_UNKNOWN) },
	  .class = CLASS_UNRELATED, .eagain = MM },
	{ "log lost, hidden", &anon, { LOCKED, SET(unmapped, SEEN_UNKNOWN), SET(end.ctx, 0x8800) },
	  .class = CLASS_HIDDEN, .meaning = M(CTX), .eagain = SEQS },
	{ "log lost, false_alarm", &shmem, { DIFFERS, SET(unmapped, SEEN_UNKNOWN), SET(end.file, 0x6800) },
	  .class = CLASS_FALSE_ALARM, .snapshot = S(FILE), .eagain = SNAP | SEQS },
	{ "log lost, real", &shmem, { DIFFERS, SET(unmapped, SEEN_UNKNOWN), SET(end.pgoff, 0x11) },
	  .class = CLASS_REAL, .snapshot = S(PGOFF), .meaning = M(OFFSET), .eagain = SNAP | SEQS },
	{ "log lost, lock known", &anon, { LOCKED, SET(write_locked, SEEN_UNKNOWN) },
	  .class = CLASS_LOCKED, .eagain = SEQS },
};

/* @lock: the VMA's vm_lock_seq before and after; @mm: the mm's mm_lock_seq. */
#define SEQ(lock0, lock1, mm0, mm1)                                                                                    \
	SET(begin.vm_lock_seq, lock0), SET(end.vm_lock_seq, lock1), SET(begin.mm_lock_seq, mm0),                       \
		SET(end.mm_lock_seq, mm1), SET(write_locked, (lock0) == (lock1) ? SEEN_NO : SEEN_YES)

static const struct row sequence_rows[] = {
	{ "first lock of the mm", &anon, { SEQ(NEVER_LOCKED, 1, 0, 2) }, .class = CLASS_LOCKED, .eagain = SEQS },
	{ "first lock of the VMA", &anon, { SEQ(NEVER_LOCKED, 1001, 1000, 1002) },
	  .class = CLASS_LOCKED, .eagain = SEQS },
	{ "never locked, new mm", &anon, { SEQ(NEVER_LOCKED, NEVER_LOCKED, 0, 0) }, .class = CLASS_QUIET },
	{ "never locked", &anon, { SEQ(NEVER_LOCKED, NEVER_LOCKED, 1000, 1002) },
	  .class = CLASS_UNRELATED, .eagain = MM },
	{ "never locked, old mm", &anon, { SEQ(NEVER_LOCKED, NEVER_LOCKED, 0x80000000, 0x80000002) },
	  .class = CLASS_UNRELATED, .eagain = MM },
	{ "never locked, mm about to wrap", &anon, { SEQ(NEVER_LOCKED, NEVER_LOCKED, 0xfffffff0, 0xfffffff0) },
	  .class = CLASS_QUIET },
	{ "never locked, locked at wrap", &anon, { SEQ(NEVER_LOCKED, 1, 0xfffffffe, 2) },
	  .class = CLASS_LOCKED, .eagain = SEQS },
	{ "locked just before wrap", &anon, { SEQ(0xfffffff1, 0xffffffff, 0xfffffffe, 0) },
	  .class = CLASS_LOCKED, .eagain = SEQS },
	{ "locked just after wrap", &anon, { SEQ(0xfffffff1, 1, 0xfffffffe, 2) },
	  .class = CLASS_LOCKED, .eagain = SEQS },
	{ "wrapped elsewhere", &anon, { SEQ(0xfffffff1, 0xfffffff1, 0xfffffffe, 2) },
	  .class = CLASS_UNRELATED, .eagain = MM },
	{ "locked long ago", &anon, { SEQ(1, 1, 0x7fffffff, 0x80000000) },
	  .class = CLASS_UNRELATED, .eagain = MM, .odd_start = 1 },
	{ "locked 2^31 ago", &anon, { SEQ(1, 1, 0x80000002, 0x80000002) }, .class = CLASS_QUIET },
	{ "locked nearly 2^32 ago", &anon, { SEQ(5, 5, 2, 4) }, .class = CLASS_UNRELATED, .eagain = MM },
	{ "locked 2^31 ago, locked again", &anon, { SEQ(1, 0x80000003, 0x80000002, 0x80000004) },
	  .class = CLASS_LOCKED, .eagain = SEQS },
	{ "writer asleep on the VMA", &anon, { SEQ(901, 1001, 1001, 1002) },
	  .class = CLASS_LOCKED, .eagain = SEQS, .odd_start = 1 },
	{ "writer elsewhere leaves", &anon, { SEQ(901, 901, 1001, 1002) },
	  .class = CLASS_UNRELATED, .eagain = MM, .odd_start = 1 },
	{ "writer elsewhere stays", &anon, { SEQ(901, 901, 1001, 1001) }, .class = CLASS_QUIET, .odd_start = 1 },
	{ "writer elsewhere comes", &anon, { SEQ(901, 901, 1000, 1001) }, .class = CLASS_UNRELATED, .eagain = MM },
	{ "locked, then one elsewhere comes", &anon, { SEQ(901, 1001, 1000, 1003) },
	  .class = CLASS_LOCKED, .eagain = SEQS },
};

/* Facts that contradict each other. The rows above have none. */
static const struct row anomaly_rows[] = {
	{ "hidden, mm_lock_seq unmoved", &anon, { SET(end.ctx, 0x8800) },
	  .class = CLASS_HIDDEN, .meaning = M(CTX), .anomaly = 1 },
	{ "real, mm_lock_seq unmoved", &shmem, { SET(end.pgoff, 0x11), SET(kernel_eagain, 1) },
	  .class = CLASS_REAL, .snapshot = S(PGOFF), .meaning = M(OFFSET), .eagain = SNAP, .anomaly = 1 },
	{ "real, VMA not locked", &shmem, { MOVED, SET(end.pgoff, 0x11), SET(kernel_eagain, 1) },
	  .class = CLASS_REAL, .snapshot = S(PGOFF), .meaning = M(OFFSET), .eagain = SNAP | MM, .anomaly = 1 },
	{ "locked, mm_lock_seq unmoved", &anon, { SET(end.vm_lock_seq, 1001), SET(write_locked, SEEN_YES) },
	  .class = CLASS_LOCKED, .eagain = VMA, .anomaly = 1 },
	{ "vm_lock_seq went back", &anon, { MOVED, SET(end.vm_lock_seq, 899) },
	  .class = CLASS_UNRELATED, .eagain = SEQS, .anomaly = 1 },
	{ "other VMA, never locked", &anon, { SET(end.vma, 0x2000) },
	  .class = CLASS_QUIET, .eagain = VMA, .anomaly = 1 },
	{ "locked, and the hook saw nothing", &anon, { LOCKED, SET(write_locked, SEEN_NO) },
	  .class = CLASS_LOCKED, .eagain = SEQS, .unwitnessed = 1 },
	{ "a writer was recorded, mm_lock_seq unmoved", &anon, { SET(written, SEEN_YES) },
	  .class = CLASS_QUIET, .anomaly = 1 },
	{ "a writer was recorded, and moved it", &anon, { MOVED, SET(written, SEEN_YES) },
	  .class = CLASS_UNRELATED, .eagain = MM },
	{ "kernel fails what is equal", &anon, { SET(kernel_eagain, 1) },
	  .class = CLASS_QUIET, .eagain = BIT32(CHECK_KERNEL), .anomaly = 1 },
	{ "kernel's check unknown", &anon, { SET(kernel_eagain, 1), SET(kernel_is, NR_CHECKS) },
	  .class = CLASS_QUIET, .eagain = BIT32(CHECK_KERNEL) },
	{ "per-MM kernel fails unrelated", &anon, { MOVED, SET(kernel_eagain, 1), SET(kernel_is, CHECK_PER_MM_SEQ) },
	  .class = CLASS_UNRELATED, .eagain = MM | BIT32(CHECK_KERNEL) },
	{ "per-MM kernel passes unrelated", &anon, { MOVED, SET(kernel_is, CHECK_PER_MM_SEQ) },
	  .class = CLASS_UNRELATED, .eagain = MM, .anomaly = 1 },
	{ "per-VMA kernel fails unrelated", &anon, { MOVED, SET(kernel_eagain, 1), SET(kernel_is, CHECK_PER_VMA_SEQ) },
	  .class = CLASS_UNRELATED, .eagain = MM | BIT32(CHECK_KERNEL), .anomaly = 1 },
	{ "kernel passes what differs", &shmem, { LOCKED, SET(end.file, 0x6800) },
	  .class = CLASS_FALSE_ALARM, .snapshot = S(FILE), .eagain = BIT32(CHECK_SNAPSHOT) | SEQS, .anomaly = 1 },
};

/*
 * The snapshot with the destination's own page in place of vm_pgoff. A private mapping of /dev/zero
 * is anonymous by its ops and has a file, so it is compared though its meaning is not.
 */
#define KERNEL_HAS_ADDRESS SET(kernel_is, CHECK_ADDRESS)
#define DEV_ZERO SET(begin.file, 0x6000), SET(end.file, 0x6000)
static const struct row address_rows[] = {
	{ "split in front", &shmem, { LOCKED, FRONT_SPLIT, KERNEL_HAS_ADDRESS },
	  .class = CLASS_FALSE_ALARM, .snapshot = S(PGOFF), .eagain = BIT32(CHECK_SNAPSHOT) | SEQS },
	{ "mapped further on", &shmem, { DIFFERS, SET(end.start, 0x702000), KERNEL_HAS_ADDRESS },
	  .class = CLASS_HIDDEN, .meaning = M(OFFSET), .eagain = BIT32(CHECK_KERNEL) | SEQS },
	{ "mapped further on, destination unknown", &shmem, { DIFFERS, SET(dst, 0), SET(end.start, 0x702000), KERNEL_HAS_ADDRESS },
	  .class = CLASS_HIDDEN, .meaning = M(OFFSET), .eagain = BIT32(CHECK_KERNEL) | SEQS },
	{ "split in front, destination unknown", &shmem, { LOCKED, FRONT_SPLIT, SET(dst, 0), KERNEL_HAS_ADDRESS },
	  .class = CLASS_FALSE_ALARM, .snapshot = S(PGOFF), .eagain = BIT32(CHECK_SNAPSHOT) | SEQS },
	{ "the kernel passes it", &shmem, { LOCKED, SET(end.start, 0x702000), KERNEL_HAS_ADDRESS },
	  .class = CLASS_HIDDEN, .meaning = M(OFFSET), .eagain = SEQS, .anomaly = 1 },
	{ "another context is another question", &shmem, { LOCKED, FRONT_SPLIT, SET(end.ctx, 0x8800), KERNEL_HAS_ADDRESS },
	  .class = CLASS_REAL, .snapshot = S(PGOFF), .meaning = M(CTX), .eagain = BIT32(CHECK_SNAPSHOT) | SEQS },
	{ "anonymous memory has no page index", &anon, { LOCKED, SET(end.pgoff, 0x999), KERNEL_HAS_ADDRESS },
	  .class = CLASS_LOCKED, .eagain = SEQS },
	{ "/dev/zero split in front", &anon, { LOCKED, DEV_ZERO, SET(begin.pgoff, 0x10), FRONT_SPLIT, KERNEL_HAS_ADDRESS },
	  .class = CLASS_FALSE_ALARM, .snapshot = S(PGOFF), .eagain = BIT32(CHECK_SNAPSHOT) | SEQS },
};

/* The one window whose verdict by the address does not follow from its reasons. */
static void dev_zero_further_on(void **state)
{
	struct window_facts w = anon;
	struct verdict v;

	w.begin.file = w.end.file = 0x6000;
	w.end.start += 1 << PAGE_SHIFT;
	w.end.mm_lock_seq = 1002;
	w.end.vm_lock_seq = 1001;
	w.kernel_is = CHECK_ADDRESS;
	w.kernel_eagain = 1;
	classify(&w, PAGE_SHIFT, &v);
	assert_int_equal(v.class, CLASS_TOLERATED);
	assert_int_equal(v.eagain, ADDRESS | SEQS | BIT32(CHECK_KERNEL));
	assert_int_equal(v.anomaly, 0);
}

/* The kernel's answer was missed, or it compares nothing and passes: nothing contradicts. */
static const struct row old_kernel_rows[] = {
	{ "quiet", &anon, { SET(kernel_answer, 0) }, .class = CLASS_QUIET },
	{ "real", &shmem, { SET(kernel_answer, 0), LOCKED, SET(end.pgoff, 0x11) },
	  .class = CLASS_REAL, .snapshot = S(PGOFF), .meaning = M(OFFSET), .eagain = BIT32(CHECK_SNAPSHOT) | SEQS },
	{ "stray answer", &anon, { SET(kernel_answer, 0), SET(kernel_eagain, 1) }, .class = CLASS_QUIET },
	{ "no check: quiet", &anon, { SET(kernel_answer, KERNEL_ANSWER_NONE) }, .class = CLASS_QUIET },
	{ "no check: real", &shmem, { SET(kernel_answer, KERNEL_ANSWER_NONE), LOCKED, SET(end.pgoff, 0x11) },
	  .class = CLASS_REAL, .snapshot = S(PGOFF), .meaning = M(OFFSET), .eagain = BIT32(CHECK_SNAPSHOT) | SEQS },
};

/*
 * A file that nobody kept open while it was not mapped: another one may have its address. With
 * another class, or while it was mapped, that makes no difference.
 */
#define UNPINNED SET(kernel_answer, KERNEL_ANSWER_NONE)
static const struct row file_rows[] = {
	{ "replaced, and held by the kernel", &shmem, { REMAPPED }, .class = CLASS_REPLACED, .eagain = SEQS },
	{ "replaced", &shmem, { UNPINNED, REMAPPED }, .class = CLASS_REPLACED, .eagain = SEQS, .file_unsure = 1 },
	{ "replaced, anon", &anon, { UNPINNED, REMAPPED }, .class = CLASS_REPLACED, .eagain = SEQS },
	{ "hidden", &shmem, { UNPINNED, REMAPPED, SET(end.ctx, 0x8800) },
	  .class = CLASS_HIDDEN, .meaning = M(CTX), .eagain = SEQS, .file_unsure = 1 },
	{ "hidden, the log wrapped", &shmem, { UNPINNED, REMAPPED, SET(end.ctx, 0x8800), SET(unmapped, SEEN_UNKNOWN) },
	  .class = CLASS_HIDDEN, .meaning = M(CTX), .eagain = SEQS, .file_unsure = 1 },
	{ "hidden, never unmapped", &shmem, { UNPINNED, LOCKED, SET(end.ctx, 0x8800) },
	  .class = CLASS_HIDDEN, .meaning = M(CTX), .eagain = SEQS },
	{ "another file", &shmem, { UNPINNED, REMAPPED, SET(end.file, 0x6800) },
	  .class = CLASS_FALSE_ALARM, .snapshot = S(FILE), .eagain = BIT32(CHECK_SNAPSHOT) | SEQS },
	{ "another offset", &shmem, { UNPINNED, REMAPPED, SET(end.pgoff, 0x11) },
	  .class = CLASS_REAL, .snapshot = S(PGOFF), .meaning = M(OFFSET), .eagain = BIT32(CHECK_SNAPSHOT) | SEQS },
	{ "without per-VMA locks", &shmem,
	  { UNPINNED, SET(seq, SEQ_NONE), SET(write_locked, SEEN_YES), SET(unmapped, SEEN_YES) },
	  .class = CLASS_REPLACED, .file_unsure = 1 },
};

#define NO_SEQ SET(seq, SEQ_NONE), SET(kernel_answer, KERNEL_ANSWER_NONE)
#define WROTE NO_SEQ, SET(write_locked, SEEN_YES)
#define IN_PLACE WROTE, SET(unmapped, SEEN_NO)

/*
 * Kernels without per-VMA locks: only the log of mmap_lock shows writers, and nothing tells
 * `locked`.
 */
static const struct row no_vma_locks_rows[] = {
	{ "quiet", &anon, { NO_SEQ, SET(write_locked, SEEN_NO) }, .class = CLASS_QUIET },
	{ "a writer", &anon, { IN_PLACE }, .class = CLASS_UNRELATED },
	{ "odd, but no seqcount", &anon, { IN_PLACE, SET(begin.mm_lock_seq, 1001) }, .class = CLASS_UNRELATED },
	{ "the log of writers wrapped", &anon, { NO_SEQ, SET(write_locked, SEEN_UNKNOWN) }, .class = CLASS_UNDETERMINED },
	{ "the log of unmaps wrapped", &anon, { WROTE, SET(unmapped, SEEN_UNKNOWN) }, .class = CLASS_UNDETERMINED },
	{ "replaced", &anon, { WROTE, SET(unmapped, SEEN_YES) }, .class = CLASS_REPLACED },
	{ "tolerated", &anon, { IN_PLACE, SET(end.page_prot, 0x21) }, .class = CLASS_TOLERATED, .tolerated = T(PROT) },
	{ "hidden", &anon, { IN_PLACE, SET(end.ctx, 0x8800) }, .class = CLASS_HIDDEN, .meaning = M(CTX) },
	{ "real", &shmem, { IN_PLACE, SET(end.pgoff, 0x11) },
	  .class = CLASS_REAL, .snapshot = S(PGOFF), .meaning = M(OFFSET), .eagain = BIT32(CHECK_SNAPSHOT) },
	{ "changed without a writer", &anon, { NO_SEQ, SET(write_locked, SEEN_NO), SET(end.ctx, 0x8800) },
	  .class = CLASS_HIDDEN, .meaning = M(CTX), .anomaly = 1 },
};
/* clang-format on */

static struct window_facts edited(const struct window_facts *base, const struct edit *edits)
{
	struct window_facts w = *base;

	for (const struct edit *e = edits; e->size; e++)
		memcpy((char *)&w + e->offset, &e->value, e->size); /* little endian */
	return w;
}

static __u32 expected_reached(const struct window_facts *w)
{
	return OPS | BIT32(CHECK_SNAPSHOT) | ADDRESS | (w->seq == SEQ_NONE ? 0 : SEQS) |
	       (w->kernel_answer == KERNEL_ANSWER_UNSEEN ? 0 : BIT32(CHECK_KERNEL));
}

/* The rows leave it out, because it follows from their reasons; address_rows has what does not. */
static __u32 expected_address(const struct row *r)
{
	return r->snapshot & ~S(PGOFF) || r->meaning & M(OFFSET) ? ADDRESS : 0;
}

/* The short way of is_untouched() gives the same verdict as the general one. */
static void expect_same_touched(const char *row, const struct window_facts *w, __u32 page_shift,
				const struct verdict *v)
{
	struct verdict touched = { .odd_start = v->odd_start };

	classify_touched(w, page_shift, &touched);
	expect_u64(row, memcmp(&touched, v, sizeof(touched)), 0);
}

static void check_rows(const struct row *rows, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		const struct row *r = &rows[i];
		const struct window_facts w = edited(r->base, r->edits);
		struct verdict v;
		bool decided = w.relock_result == RELOCK_OK && r->class != CLASS_UNDETERMINED;

		__u32 page_shift = r->page_shift ?: PAGE_SHIFT;

		memset(&v, 0xff, sizeof(v)); /* all of it is set */
		classify(&w, page_shift, &v);
		expect_u64(r->name, v.class, r->class);
		expect_u64(r->name, v.snapshot_reasons, r->snapshot);
		expect_u64(r->name, v.meaning_reasons, r->meaning);
		expect_u64(r->name, v.tolerated_reasons, r->tolerated);
		expect_u64(r->name, v.reached, decided ? expected_reached(&w) : 0);
		expect_u64(r->name, v.eagain, r->eagain | (decided ? expected_address(r) : 0));
		expect_u64(r->name, !!(CLASS_SET(v.class) & CLASSES_REACHED), !!v.reached);
		expect_u64(r->name, !!(CLASS_SET(v.class) & CLASSES_CHANGED), !!v.meaning_reasons);
		expect_u64(r->name, v.anomaly, r->anomaly);
		expect_u64(r->name, v.unwitnessed, r->unwitnessed);
		expect_u64(r->name, v.odd_start, r->odd_start);
		expect_u64(r->name, v.file_unsure, r->file_unsure);
		if (w.relock_result == RELOCK_OK && is_untouched(&w))
			expect_same_touched(r->name, &w, page_shift, &v);
	}
}

#define TABLE_TEST(table)                                      \
	static void table(void **state)                        \
	{                                                      \
		(void)state;                                   \
		check_rows(table##_rows, COUNT(table##_rows)); \
	}

TABLE_TEST(class)
TABLE_TEST(not_relocked)
TABLE_TEST(snapshot)
TABLE_TEST(meaning)
TABLE_TEST(tolerated)
TABLE_TEST(precedence)
TABLE_TEST(sequence)
TABLE_TEST(anomaly)
TABLE_TEST(address)
TABLE_TEST(old_kernel)
TABLE_TEST(file)
TABLE_TEST(no_vma_locks)

/*
 * A kernel whose answer is not its check's: an anomaly, unless the check can have read another
 * mm_lock_seq.
 */
static void other_kernel(void **state)
{
	static const struct {
		const char *name;
		__u32 is, between;
		bool moved, eagain; /* mm_lock_seq; the kernel's answer */
		bool anomaly, raced;
	} rows[] = {
		{ "per MM, quiet", CHECK_PER_MM_SEQ, SEEN_NO, false, false, false, false },
		{ "per MM, unrelated", CHECK_PER_MM_SEQ, SEEN_NO, true, true, false, false },
		{ "per MM passes unrelated", CHECK_PER_MM_SEQ, SEEN_NO, true, false, true, false },
		{ "per MM fails quiet", CHECK_PER_MM_SEQ, SEEN_NO, false, true, true, false },
		{ "a writer between, passes", CHECK_PER_MM_SEQ, SEEN_YES, true, false, false,
		  true },
		{ "a writer between, fails", CHECK_PER_MM_SEQ, SEEN_YES, false, true, false, true },
		{ "a writer between, agrees", CHECK_PER_MM_SEQ, SEEN_YES, true, true, false,
		  false },
		{ "not watched", CHECK_PER_MM_SEQ, SEEN_UNKNOWN, true, false, false, false },
		{ "per VMA passes unrelated", CHECK_PER_VMA_SEQ, SEEN_YES, true, false, false,
		  false },
		{ "per VMA fails unrelated", CHECK_PER_VMA_SEQ, SEEN_YES, true, true, true, false },
		{ "snapshot fails unrelated", CHECK_SNAPSHOT, SEEN_YES, true, true, true, false },
		{ "unknown check", NR_CHECKS, SEEN_NO, true, true, false, false },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct window_facts w = anon;
		struct verdict v;

		w.seq = SEQ_COUNT;
		w.kernel_is = rows[i].is;
		w.seq_between = rows[i].between;
		w.kernel_eagain = rows[i].eagain;
		w.end.mm_lock_seq += rows[i].moved ? 2 : 0;
		memset(&v, 0xff, sizeof(v));
		classify(&w, PAGE_SHIFT, &v);
		expect_u64(rows[i].name, v.class, rows[i].moved ? CLASS_UNRELATED : CLASS_QUIET);
		expect_u64(rows[i].name, v.anomaly, rows[i].anomaly);
		expect_u64(rows[i].name, v.raced, rows[i].raced);
	}
}

/* --- How a window ended whose end was not seen ------------------------------------------------ */

/* A copy of four pages; its end is behind that of the VMA where facts.end says so. */
#define LEN 0x4000ULL
#define PAGE_AT .at = OPEN_AT_PAGE
#define LOOP .at = OPEN_AT_LOOP, .len = LEN, .end = 0x708000
#define CUT LOOP, .ret = 0x1000 /* after the first page */
#define NO_CHECK SET(kernel_answer, KERNEL_ANSWER_NONE)
#define UNSEEN_CHECK SET(kernel_answer, KERNEL_ANSWER_UNSEEN)
#define HUGETLB SET(begin.flags, F_RW | F_SHARED | F_MISSING | VM_HUGETLB)

/* clang-format off */
static const struct end_row {
	const char *name;
	struct unseen_end unseen;
	__u32 result;
	__u32 says_eagain; /* only the kernel's check explains the end */
	struct edit edits[4];
} end_rows[] = {
	{ "next window", { .at = OPEN_AT_NEXT }, .result = RELOCK_LOST },
	{ "next window, relocked", { .at = OPEN_AT_NEXT, .relocked = 1 }, .result = RELOCK_LOST },
	{ "next window, tests passed", { .at = OPEN_AT_NEXT, .relocked = 1, .page_hook = 1 }, .result = RELOCK_OK },
	{ "next window, page hook only", { .at = OPEN_AT_NEXT, .page_hook = 1 }, .result = RELOCK_LOST },

	{ "page, relocked", { PAGE_AT, .relocked = 1 }, .result = RELOCK_OK },
	{ "page, relocked and failed", { PAGE_AT, .relocked = 1, .ret = -EAGAIN }, .result = RELOCK_OK },
	{ "page, passed without relock", { PAGE_AT }, .result = RELOCK_LOST },
	{ "page, there already", { PAGE_AT, .ret = -EEXIST }, .result = RELOCK_LOST },
	{ "page, source unreadable", { PAGE_AT, .ret = -EFAULT }, .result = RELOCK_NEVER },
	{ "page, mmap_changing", { PAGE_AT, .ret = -EAGAIN }, .result = RELOCK_BLOCKED },
	{ "page, no VMA", { PAGE_AT, .ret = -ENOENT }, .result = RELOCK_GONE },
	{ "page, other VMA", { PAGE_AT, .ret = -EINVAL }, .result = RELOCK_GONE },
	{ "page, no memory", { PAGE_AT, .ret = -ENOMEM }, .result = RELOCK_GONE },

	{ "loop, page's end missed", { LOOP, .ret = LEN, .relocked = 1, .page_hook = 1 }, .result = RELOCK_OK },
	{ "loop, page's end missed, failed", { LOOP, .ret = -EAGAIN, .relocked = 1, .page_hook = 1 }, .result = RELOCK_OK },
	{ "loop, page's end missed, no relock", { LOOP, .ret = -EFAULT, .page_hook = 1 }, .result = RELOCK_LOST },
	{ "loop, source unreadable", { LOOP, .ret = -EFAULT }, .result = RELOCK_NEVER },
	{ "loop, source unreadable or relock missed", { CUT }, .result = RELOCK_LOST },
	{ "loop, all copied without relock", { LOOP, .ret = LEN }, .result = RELOCK_LOST },
	{ "loop, relock missed", { LOOP, .ret = -EAGAIN }, .result = RELOCK_LOST },
	{ "loop, no relock, hugetlb, mmap_changing", { LOOP, .ret = -EAGAIN }, .result = RELOCK_BLOCKED, .edits = { NO_CHECK, HUGETLB } },
	{ "loop, no relock, hugetlb, or its check", { LOOP, .ret = -EAGAIN }, .result = RELOCK_LOST, .edits = { UNSEEN_CHECK, HUGETLB } },
	{ "loop, no relock, hugetlb, no VMA", { LOOP, .ret = -ENOENT }, .result = RELOCK_GONE, .edits = { NO_CHECK, HUGETLB } },
	{ "loop, no relock, hugetlb, other VMA", { LOOP, .ret = -EINVAL }, .result = RELOCK_GONE, .edits = { NO_CHECK, HUGETLB } },
	{ "loop, no relock, hugetlb, no memory", { LOOP, .ret = -ENOMEM }, .result = RELOCK_LOST, .edits = { NO_CHECK, HUGETLB } },
	{ "loop, no relock, hugetlb, mmap_lock", { LOOP, .ret = -ENOENT, .by_fault = 1 }, .result = RELOCK_LOST, .edits = { NO_CHECK, HUGETLB } },
	{ "loop, no relock, no VMA", { LOOP, .ret = -ENOENT }, .result = RELOCK_LOST, .edits = { NO_CHECK } },
	{ "short, no relock, hugetlb", { CUT }, .result = RELOCK_LOST, .edits = { NO_CHECK, HUGETLB } },
	{ "loop, all copied", { LOOP, .ret = LEN, .relocked = 1 }, .result = RELOCK_OK },
	{ "loop, no VMA", { LOOP, .ret = -ENOENT, .relocked = 1 }, .result = RELOCK_GONE },
	{ "loop, other VMA", { LOOP, .ret = -EINVAL, .relocked = 1 }, .result = RELOCK_GONE },
	{ "loop, a page is bad", { LOOP, .ret = -EFAULT, .relocked = 1 }, .result = RELOCK_OK },
	{ "loop, source unreadable, or a page is bad", { LOOP, .ret = -EFAULT, .relocked = 1, .by_fault = 1 }, .result = RELOCK_LOST },
	{ "loop, no memory", { LOOP, .ret = -ENOMEM, .relocked = 1 }, .result = RELOCK_OK },
	{ "loop, mmap_changing", { LOOP, .ret = -EAGAIN, .relocked = 1, .changing = 1 }, .result = RELOCK_BLOCKED },
	{ "loop, check", { LOOP, .ret = -EAGAIN, .relocked = 1 }, .result = RELOCK_OK, .says_eagain = 1, .edits = { UNSEEN_CHECK } },
	{ "loop, no check", { LOOP, .ret = -EAGAIN, .relocked = 1 }, .result = RELOCK_BLOCKED, .edits = { NO_CHECK } },
	{ "loop, no check, hugetlb", { LOOP, .ret = -EAGAIN, .relocked = 1 }, .result = RELOCK_BLOCKED, .edits = { NO_CHECK, HUGETLB } },

	{ "short, not registered", { CUT, .relocked = 1, .changing = 1 }, .result = RELOCK_GONE, .edits = { SET(end.ctx, 0) } },
	{ "short, range not covered", { CUT, .relocked = 1 }, .result = RELOCK_GONE, .edits = { SET(end.end, 0x707000) } },
	{ "short, mmap_changing", { CUT, .relocked = 1, .changing = 1 }, .result = RELOCK_BLOCKED },
	{ "short, check", { CUT, .relocked = 1 }, .result = RELOCK_OK, .says_eagain = 1, .edits = { UNSEEN_CHECK } },
	{ "short, other kind", { CUT, .relocked = 1 }, .result = RELOCK_GONE, .edits = { NO_CHECK, SET(end.uffd_ops, 0x5800) } },
	{ "short, event read since", { CUT, .relocked = 1 }, .result = RELOCK_BLOCKED, .edits = { NO_CHECK } },
	{ "loop, hugetlb check", { LOOP, .ret = -EAGAIN, .relocked = 1 }, .result = RELOCK_OK, .says_eagain = 1, .edits = { UNSEEN_CHECK, HUGETLB } },
	{ "loop, hugetlb check would pass", { LOOP, .ret = -EAGAIN, .relocked = 1, .would_pass = 1 }, .result = RELOCK_BLOCKED, .edits = { UNSEEN_CHECK, HUGETLB } },
	{ "short, hugetlb check", { CUT, .relocked = 1 }, .result = RELOCK_OK, .says_eagain = 1, .edits = { UNSEEN_CHECK, HUGETLB } },
	{ "short, hugetlb check would pass", { CUT, .relocked = 1, .would_pass = 1 }, .result = RELOCK_OK, .edits = { UNSEEN_CHECK, HUGETLB } },
	{ "short, no hugetlb any more", { CUT, .relocked = 1 }, .result = RELOCK_GONE, .edits = { UNSEEN_CHECK, HUGETLB, SET(end.uffd_ops, 0x5800) } },
	{ "short, hugetlb page there already", { CUT, .relocked = 1 }, .result = RELOCK_OK, .edits = { NO_CHECK, HUGETLB } },
};
/* clang-format on */

static void unseen_ends(void **state)
{
	for (size_t i = 0; i < COUNT(end_rows); i++) {
		const struct end_row *r = &end_rows[i];
		struct window_facts w = edited(&shmem, r->edits), before = w;

		expect_u64(r->name, unseen_end(&w, &r->unseen), r->result);
		if (r->says_eagain) {
			before.kernel_answer = KERNEL_ANSWER_SEEN;
			before.kernel_eagain = 1;
		}
		expect_u64(r->name, memcmp(&w, &before, sizeof(w)), 0);
	}
}

/*
 * The page's errno tells the answer of a check that no hook saw: except an -EAGAIN that the check
 * which this kernel has would not have given.
 */
static void answers_of_pages(void **state)
{
	static const struct {
		const char *name;
		__u32 kernel_is;
		__s64 err;
		__u32 answer, eagain;
		struct edit edits[4];
	} rows[] = {
		{ "passed", CHECK_SNAPSHOT, 0, KERNEL_ANSWER_SEEN, 0, {} },
		{ "failed later", CHECK_SNAPSHOT, -EEXIST, KERNEL_ANSWER_SEEN, 0, {} },
		{ "the check",
		  CHECK_SNAPSHOT,
		  -EAGAIN,
		  KERNEL_ANSWER_SEEN,
		  1,
		  { SET(end.pgoff, 0x999) } },
		{ "page table gone", CHECK_SNAPSHOT, -EAGAIN, KERNEL_ANSWER_UNSEEN, 0, {} },
		{ "another check",
		  CHECK_PER_MM_SEQ,
		  -EAGAIN,
		  KERNEL_ANSWER_SEEN,
		  1,
		  { SET(end.mm_lock_seq, 0x999) } },
		{ "not known yet", NR_CHECKS, -EAGAIN, KERNEL_ANSWER_SEEN, 1, {} },
		{ "should have failed",
		  CHECK_SNAPSHOT,
		  0,
		  KERNEL_ANSWER_SEEN,
		  0,
		  { SET(end.pgoff, 0x999) } },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct window_facts w = edited(&shmem, rows[i].edits);

		w.kernel_is = rows[i].kernel_is;
		w.kernel_answer = KERNEL_ANSWER_UNSEEN;
		w.kernel_eagain = 0;
		kernel_answered(&w, PAGE_SHIFT, rows[i].err);
		expect_u64(rows[i].name, w.kernel_answer, rows[i].answer);
		expect_u64(rows[i].name, w.kernel_eagain, rows[i].eagain);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_of_pages), cmocka_unit_test(class),
		cmocka_unit_test(not_relocked),	    cmocka_unit_test(snapshot),
		cmocka_unit_test(meaning),	    cmocka_unit_test(tolerated),
		cmocka_unit_test(precedence),	    cmocka_unit_test(sequence),
		cmocka_unit_test(anomaly),	    cmocka_unit_test(file),
		cmocka_unit_test(old_kernel),	    cmocka_unit_test(no_vma_locks),
		cmocka_unit_test(other_kernel),	    cmocka_unit_test(unseen_ends),
		cmocka_unit_test(address),	    cmocka_unit_test(dev_zero_further_on),
	};

	return cmocka_run_group_tests_name("classify", tests, NULL, NULL);
}
