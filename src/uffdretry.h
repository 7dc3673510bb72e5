/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * What the BPF programs and the user side share: the facts of a window, the classes, the counters.
 *
 * Only fixed-width types, big to small, no implicit padding: both compilers must lay the structs out
 * alike.
 */
#ifndef UFFDRETRY_H
#define UFFDRETRY_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

/* A window ends in exactly one of these. The order is that of the report. */
enum window_class {
	CLASS_QUIET,	    /* mm_lock_seq did not move */
	CLASS_UNRELATED,    /* mm_lock_seq moved, this VMA was not write-locked */
	CLASS_LOCKED,	    /* this VMA was write-locked, nothing about it changed */
	CLASS_TOLERATED,    /* same mapping, changed in what neither snapshot nor meaning looks at */
	CLASS_REPLACED,	    /* unmapped and mapped again, equal in snapshot and meaning */
	CLASS_HIDDEN,	    /* snapshot equal, meaning not */
	CLASS_FALSE_ALARM,  /* snapshot differs, meaning does not */
	CLASS_REAL,	    /* snapshot and meaning differ */
	CLASS_GONE,	    /* re-taking the VMA failed: ENOENT, EINVAL, ENOMEM */
	CLASS_BLOCKED,	    /* re-taking the VMA failed: EAGAIN */
	CLASS_ABORTED,	    /* the source could not be copied; the VMA was never re-taken */
	CLASS_UNDETERMINED, /* a fact was lost */
	NR_CLASSES,
};

/* What backs the destination when the window begins. */
enum dst_kind {
	KIND_ANON,
	KIND_SHMEM, /* any file mapping that userfaultfd takes and that is not hugetlb */
	KIND_HUGETLB,
	NR_KINDS,
};

/* The checks under comparison, one bit each in struct verdict. */
enum check {
	CHECK_OPS_POINTER, /* 7.1-rc: vma_uffd_ops() differs */
	CHECK_SNAPSHOT,	   /* 7.1: mfill_retry_state_changed() */
	CHECK_PER_VMA_SEQ, /* another VMA, or vm_lock_seq moved */
	CHECK_PER_MM_SEQ,  /* mm_lock_seq moved */
	CHECK_KERNEL,	   /* what the running kernel answered */
	NR_CHECKS,
};

enum snapshot_reason {
	SNAPSHOT_UFFD_FLAGS,
	SNAPSHOT_SHARED,
	SNAPSHOT_OPS,
	SNAPSHOT_FILE,
	SNAPSHOT_INODE,
	SNAPSHOT_PGOFF,
	NR_SNAPSHOT_REASONS,
};

enum meaning_reason {
	MEANING_CTX,
	MEANING_UFFD_FLAGS,
	MEANING_SHARED,
	MEANING_OPS,
	MEANING_INODE,
	MEANING_OFFSET,
	NR_MEANING_REASONS,
};

enum tolerated_reason {
	TOLERATED_RANGE,
	TOLERATED_FLAGS,
	TOLERATED_PROT,
	TOLERATED_POLICY,
	TOLERATED_NAME,
	NR_TOLERATED_REASONS,
};

/* Why something could not be counted, or not be decided. */
enum lost_cause {
	LOST_WINDOWS,	/* what a window ended in was not seen */
	LOST_MAP_FULL,	/* no memory for a window, a target or the change log */
	LOST_EVENTS,	/* with --events: the ring was full, or the window had no place */
	NR_LOST_CAUSES, /* recursion misses come from the kernel's program statistics */
};

/* How the attempt to take the VMA again ended. */
enum retake {
	RETAKE_OK,
	RETAKE_BLOCKED, /* -EAGAIN */
	RETAKE_GONE,	/* any other error */
	RETAKE_NEVER,	/* the copy failed first */
	RETAKE_LOST,	/* not seen */
};

/* How the destination was locked again, or its absence found. */
enum relock_how {
	RELOCK_VMA_LOCK,  /* by the VMA's own lock */
	RELOCK_MMAP_LOCK, /* mmap_lock was needed */
	NR_RELOCK_HOW,
};

/* What the change log knows of the destination in the window. */
enum seen {
	SEEN_NO,
	SEEN_YES,
	SEEN_UNKNOWN, /* the log overflowed, or nobody asked */
};

/* What is known of the running kernel's own check. */
enum kernel_check {
	KERNEL_CHECK_UNSEEN, /* it has one, but what it said was missed */
	KERNEL_CHECK_SEEN,   /* it has one, and kernel_eagain is what it said */
	KERNEL_CHECK_NONE,   /* it has none, and lets everything pass */
};

/* How the kernel counts the write sections of an mm (mm_struct.mm_lock_seq). */
enum seq_kind {
	SEQ_NONE,  /* not at all: no per-VMA locks, 6.3 and before */
	SEQ_INT,   /* an int, bumped at unlock: 6.4 to 6.13 without backport */
	SEQ_COUNT, /* a seqcount_t, odd while a writer is in */
};

/* Where struct unmap_desc has what unmap_vmas() unmaps: bytes. @size 0: the kernel has no such type. */
struct unmap_desc_layout {
	__u32 size;
	__u32 first;
	__u32 vma_start;
	__u32 vma_end;
};

/* The destination VMA as seen under its read lock. Pointers are identities, never followed later. */
struct vma_facts {
	__u64 vma;
	__u64 start;
	__u64 end;
	__u64 flags;
	__u64 page_prot;
	__u64 uffd_ops; /* vm_ops->uffd_ops, UFFD_OPS_ANON without vm_ops */
	__u64 file;
	__u64 inode;
	__u64 ino;   /* before 7.1 nothing keeps the file during the retry, and another may be at its address */
	__u64 pgoff; /* of the VMA's start, in pages */
	__u64 ctx;
	__u64 policy; /* fingerprint of the mempolicy's content, 0 without one */
	__u64 anon_name;
	__u32 vm_lock_seq;
	__u32 mm_lock_seq;
};
_Static_assert(sizeof(struct vma_facts) == 112, "struct vma_facts has padding");

/* &anon_uffd_ops has no BTF; an anonymous VMA is told by its missing vm_ops (vma_is_anonymous()). */
#define UFFD_OPS_ANON 1ULL

/* Everything classify() looks at. */
struct window_facts {
	struct vma_facts begin;
	struct vma_facts end; /* only with RETAKE_OK */
	__u64 dst;	      /* destination address, page aligned */
	__u64 uffd_mask;      /* vm_flags bits that stand for a userfaultfd mode on this kernel */
	__u32 retake;	      /* enum retake */
	__u32 unmapped;	      /* enum seen: the address was unmapped */
	__u32 write_locked;   /* enum seen: __vma_start_write() ran on a VMA that covers it; with SEQ_NONE: mmap_lock
				 was taken for writing */
	__u32 seq;	      /* enum seq_kind */
	__u32 kernel_check;   /* enum kernel_check */
	__u32 kernel_eagain;  /* the running kernel's check said "changed" */
	__u32 kernel_is;      /* the enum check that the running kernel has, NR_CHECKS: not known */
	__u32 seq_between;    /* enum seen: mm_lock_seq moved between our reading and the kernel's, at either end */
};
_Static_assert(sizeof(struct window_facts) == 272, "struct window_facts has padding");

/* What classify() says. Sets are bit masks of the enums above. */
struct verdict {
	__u32 class;
	__u32 snapshot_reasons;
	__u32 meaning_reasons;
	__u32 tolerated_reasons;
	__u32 reached;	   /* checks that had something to decide */
	__u32 eagain;	   /* checks that would have failed the copy */
	__u32 anomaly;	   /* the facts contradict each other */
	__u32 unwitnessed; /* write-locked, and __vma_start_write() was not seen: an anomaly unless its hook missed
			      calls */
	__u32 odd_start;
	__u32 kernel_check; /* enum kernel_check of a window that reached the checks */
	__u32 raced;	    /* the kernel answered otherwise than its check, and a writer came between the readings */
};
_Static_assert(sizeof(struct verdict) == 44, "struct verdict has padding");

/* What a writer of an mm, one that took mmap_lock for writing, was in at that moment. */
enum writer_origin {
	WRITER_SYSCALL,
	WRITER_COMPAT,	    /* a system call of 32-bit code */
	WRITER_FAULT,	    /* a page fault or an interrupt of user space, and no stack to grow was seen */
	WRITER_STACK,	    /* a stack that grows, by a page fault or an access in any system call */
	WRITER_KTHREAD,	    /* khugepaged, a kworker, ... */
	WRITER_IO_WORKER,   /* io_uring's */
	WRITER_USER_WORKER, /* vhost's */
};

/* One writer in the list: what differs in none of these is counted together. */
struct writer_key {
	__u32 origin; /* enum writer_origin */
	__u32 nr;     /* of the system call */
	__u32 sub;    /* advice, protection, flags, request: what writer_shape.sub says */
	__u32 tgid;
	__u32 covers; /* it locked the destination's VMA, or acted on the destination's address */
	char comm[16];
};
_Static_assert(sizeof(struct writer_key) == 36, "struct writer_key has padding");

struct writer_row {
	__u64 windows;
	__u64 sections;
	__u64 start; /* the range of the last section whose range is known; equal: none */
	__u64 end;
	__u32 id;
	__u32 pad;
};

#define MAX_WRITERS 1024

/* The writers of one window: how many, and the numbers of the first rows. */
#define WRITERS_A_WINDOW 4

struct writer_set {
	__u16 nr;
	__u16 ids[WRITERS_A_WINDOW];
	__u16 pad;
};

/* (sub & mask) == value */
struct writer_when {
	__u32 mask;
	__u32 value;
};

/*
 * Where a system call's arguments say what it acts on. Arguments are counted from 1, 0 is none. Filled by the loader
 * (writers.c), read by the programs.
 */
struct writer_shape {
	__u8 sub;	  /* advice, flags or the like; WRITER_SUB_AT: where argument at points to */
	__u8 at;	  /* a pointer */
	__u8 at_is_range; /* ... to an address and a length */
	__u8 whole;	  /* it acts on the whole mm, when everything fits */
	__u8 start[2];
	__u8 len[2];
	struct writer_when ranged[2]; /* when the ranges are ones; the first also for at */
	struct writer_when everything;
};
_Static_assert(sizeof(struct writer_shape) == 32, "struct writer_shape has padding");

#define WRITER_SUB_AT 255
#define NR_WRITER_SHAPES 512

struct writer_totals {
	__u64 windows;	      /* in which somebody wrote */
	__u64 sections;	      /* write sections in them */
	__u64 unseen;	      /* of these: nobody knows whose */
	__u64 unseen_windows; /* windows with such */
	__u64 other;	      /* sections of writers beyond MAX_WRITERS */
};

/* Change logs of each kind, by a hash of the mm. */
#define LOG_SHIFT 6
#define NR_LOGS (1 << LOG_SHIFT)

/* The ring of events, 1 MiB: more than 8,000 of them. */
#define EVENTS_BYTES (1 << 20)
/* How often the reader looks, in milliseconds, if it is not woken before. To wake it for each would preempt the copier. */
#define EVENTS_PERIOD_MS 100

#define COMM_LEN 16 /* TASK_COMM_LEN */

/* A window that ended, as the ring buffer carries it. */
struct event {
	__u64 begin_ns;	 /* CLOCK_MONOTONIC */
	__u64 window_ns; /* from the begin to the end, the verdict included */
	__u64 retake_ns; /* from the begin until the VMA was locked again; 0: it never was */
	__u64 dst;	 /* destination address, page aligned; 0: not seen */
	struct verdict verdict;
	__u32 pid; /* of the copier, in the loader's pid namespace; 0: not visible there */
	__u32 tid;
	__u32 kind;
	__u32 external;
	struct writer_set writers;
	char comm[COMM_LEN]; /* any bytes; with a NUL only if there is room */
};
_Static_assert(sizeof(struct event) == 120, "struct event has padding");

struct check_totals {
	__u64 eagain;
	__u64 real;	/* of these: class real or hidden */
	__u64 spurious; /* of these: the others */
	__u64 missed;	/* class real or hidden, and the check passed */
	__u64 differs;	/* the kernel was seen to say otherwise */
};

/* The kernel's errno values end at MAX_ERRNO; what user space can get from the ioctl is far below this. */
#define NR_RETURNED 136
#define RETURNED_OTHER (NR_RETURNED - 1)

/* One per CPU and per enum totals_slot, only ever added to. */
struct totals {
	__u64 calls;
	__u64 bytes;
	__u64 windows[NR_KINDS][NR_CLASSES];
	__u64 snapshot_reasons[NR_SNAPSHOT_REASONS];
	__u64 meaning_reasons[NR_MEANING_REASONS];
	__u64 tolerated_reasons[NR_TOLERATED_REASONS];
	struct check_totals checks[NR_CHECKS];
	__u64 odd_start;
	__u64 external;
	__u64 anomalies;
	__u64 unwitnessed;
	__u64 kernel_seen;  /* windows of which the kernel's verdict was seen */
	__u64 kernel_raced;  /* windows of verdict.raced: each is in its check's differs */
	__u64 kernel_absent; /* windows of which the kernel compares nothing */
	__u64 begin_bounded; /* windows of which both bounds of the begin were seen */
	__u64 begin_moved;   /* of these: mm_lock_seq moved between the bounds */
	struct writer_totals writers;
	__u64 lost[NR_LOST_CAUSES];
	__u64 returned[NR_RETURNED]; /* [0] success, [e] -e */
};

/* The self-test's windows must be in no total of the run. */
enum totals_slot {
	SLOT_RUN,
	SLOT_SELF_TEST,
	NR_SLOTS,
};

/* What the programs do at present; set by the loader, in .bss. */
enum phase {
	PHASE_OFF,
	PHASE_SELF_TEST, /* only windows of our own process, into SLOT_SELF_TEST */
	PHASE_RUN,
};

#endif /* UFFDRETRY_H */
