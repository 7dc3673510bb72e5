/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * What the BPF programs and the user side share: the facts of a window, its verdict, the words of
 * failures, the counters.
 *
 * Structs have fixed-width members and no implicit padding, so that both compilers lay them out
 * alike.
 */
#ifndef UFFDRETRY_H
#define UFFDRETRY_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif
#include "lib/hist.h"

#define COMM_LEN 16 /* TASK_COMM_LEN */

/* --- Windows: classes, checks, reasons -------------------------------------------------------- */

/* Each window has exactly one class. The order is that of the report. */
enum window_class {
	CLASS_QUIET,	   /* mm_lock_seq did not move */
	CLASS_UNRELATED,   /* mm_lock_seq moved, this VMA was not write-locked */
	CLASS_LOCKED,	   /* this VMA was write-locked, nothing about it changed */
	CLASS_TOLERATED,   /* same mapping, changed in what neither snapshot nor meaning looks at */
	CLASS_REPLACED,	   /* unmapped and mapped again, equal in snapshot and meaning */
	CLASS_HIDDEN,	   /* snapshot equal, meaning not */
	CLASS_FALSE_ALARM, /* snapshot differs, meaning does not */
	CLASS_REAL,	   /* snapshot and meaning differ */
	CLASS_GONE,	   /* the relock failed: ENOENT, EINVAL, ENOMEM */
	CLASS_BLOCKED,	   /* the relock failed: EAGAIN */
	CLASS_ABORTED,	   /* the source could not be copied; there was no relock */
	CLASS_UNDETERMINED, /* a fact was lost */
	NR_CLASSES,
};

/*
 * Sets of classes, bit masks. A new class joins those that it belongs to: the table in
 * docs/reference/classes.md.
 */
#define CLASS_SET(class) (1U << (class))
/* This check would fail the copy. */
#define CLASSES_FAIL_SNAPSHOT (CLASS_SET(CLASS_FALSE_ALARM) | CLASS_SET(CLASS_REAL))
/* The same classes are those whose VMA was write-locked. */
#define CLASSES_FAIL_PER_VMA                                                                \
	(CLASS_SET(CLASS_LOCKED) | CLASS_SET(CLASS_TOLERATED) | CLASS_SET(CLASS_REPLACED) | \
	 CLASS_SET(CLASS_HIDDEN) | CLASSES_FAIL_SNAPSHOT)
#define CLASSES_FAIL_PER_MM (CLASS_SET(CLASS_UNRELATED) | CLASSES_FAIL_PER_VMA)
/* The window came to a check. */
#define CLASSES_REACHED (CLASS_SET(CLASS_QUIET) | CLASSES_FAIL_PER_MM)
/* The destination means another page: to fail the copy is right. */
#define CLASSES_CHANGED (CLASS_SET(CLASS_HIDDEN) | CLASS_SET(CLASS_REAL))

/* To fail them is needless, and they may turn out to be undetermined: see count_doubtful(). */
#define CLASSES_DOUBTFUL \
	(CLASS_SET(CLASS_LOCKED) | CLASS_SET(CLASS_TOLERATED) | CLASS_SET(CLASS_REPLACED))

/* What backs the destination when the window begins. */
enum dst_kind {
	KIND_ANON,
	KIND_SHMEM, /* any file mapping that userfaultfd takes and that is not hugetlb */
	KIND_HUGETLB,
	NR_KINDS,
};

/* The checks under comparison. Sets of them are bit masks. */
enum check {
	CHECK_OPS_POINTER, /* 7.1-rc: vma_uffd_ops() differs */
	CHECK_SNAPSHOT,	   /* 7.1: mfill_retry_state_changed() */
	CHECK_ADDRESS,	   /* contrib/kernel: the snapshot, of the destination's own page */
	CHECK_PER_VMA_SEQ, /* another VMA, or vm_lock_seq moved */
	CHECK_PER_MM_SEQ,  /* mm_lock_seq moved */
	CHECK_KERNEL,	   /* the running kernel's answer */
	NR_CHECKS,
};

/* In what the kernel's snapshot differs. */
enum snapshot_reason {
	SNAPSHOT_DIFF_UFFD_FLAGS,
	SNAPSHOT_DIFF_SHARED,
	SNAPSHOT_DIFF_OPS,
	SNAPSHOT_DIFF_FILE,
	SNAPSHOT_DIFF_INODE,
	SNAPSHOT_DIFF_PGOFF,
	NR_SNAPSHOT_REASONS,
};

/* In what the meaning of the destination address differs. */
enum meaning_reason {
	MEANING_DIFF_CTX,
	MEANING_DIFF_UFFD_FLAGS,
	MEANING_DIFF_SHARED,
	MEANING_DIFF_OPS,
	MEANING_DIFF_INODE,
	MEANING_DIFF_OFFSET,
	NR_MEANING_REASONS,
};

/* In what else the mapping differs. */
enum tolerated_reason {
	TOLERATED_DIFF_RANGE,
	TOLERATED_DIFF_FLAGS,
	TOLERATED_DIFF_PROT,
	TOLERATED_DIFF_POLICY,
	TOLERATED_DIFF_NAME,
	NR_TOLERATED_REASONS,
};

/* --- The facts of a window -------------------------------------------------------------------- */

/* How the attempt to lock the destination VMA again ended. */
enum relock_result {
	RELOCK_OK,
	RELOCK_BLOCKED, /* -EAGAIN */
	RELOCK_GONE,	/* any other error */
	RELOCK_NEVER,	/* the copy failed first */
	RELOCK_LOST,	/* not seen */
};

/* What the change log says about the destination in the window. */
enum seen {
	SEEN_NO,
	SEEN_YES,
	SEEN_UNKNOWN, /* the log overflowed, or was not searched */
};

/* What was seen of the running kernel's own check. */
enum kernel_answer {
	KERNEL_ANSWER_UNSEEN, /* the kernel has a check, its answer was missed */
	KERNEL_ANSWER_SEEN,   /* the answer is in kernel_eagain */
	KERNEL_ANSWER_NONE,   /* the kernel has no check: everything passes */
};

/* How the kernel counts the write sections of an mm (mm_struct.mm_lock_seq). */
enum seq_kind {
	SEQ_NONE,  /* not at all: no per-VMA locks, 6.3 and before */
	SEQ_INT,   /* an int, bumped at unlock: 6.4 to 6.13 without backport */
	SEQ_COUNT, /* a seqcount_t, odd during a write section */
};

/*
 * Offsets in struct unmap_desc, the argument of unmap_vmas(), in bytes. @size 0: the kernel has no
 * such type.
 */
struct unmap_desc_layout {
	__u32 size;
	__u32 first;
	__u32 vma_start;
	__u32 vma_end;
};

/*
 * The destination VMA as seen under its read lock. Pointers serve as identities and are never
 * followed later.
 */
struct vma_facts {
	__u64 vma;
	__u64 start;
	__u64 end;
	__u64 flags;
	__u64 page_prot;
	__u64 uffd_ops; /* vm_ops->uffd_ops, UFFD_OPS_ANON without vm_ops */
	__u64 file;
	__u64 inode;
	__u64 ino;   /* before 7.1 another inode may get the old one's address in the window */
	__u64 pgoff; /* of the VMA's start, in pages */
	__u64 ctx;
	__u64 policy;	 /* fingerprint of the mempolicy's content, 0 without one */
	__u64 anon_name; /* fingerprint of the name, 0 without one */
	__u32 vm_lock_seq;
	__u32 mm_lock_seq;
};
_Static_assert(sizeof(struct vma_facts) == 112, "struct vma_facts has padding");

/* &anon_uffd_ops has no BTF; an anonymous VMA has no vm_ops (vma_is_anonymous()). */
#define UFFD_OPS_ANON 1ULL

/* Everything classify() looks at. */
struct window_facts {
	struct vma_facts begin;
	struct vma_facts end; /* only with RELOCK_OK */
	__u64 dst;	      /* destination address, page aligned */
	__u64 uffd_mask;      /* vm_flags bits that are userfaultfd modes on this kernel */
	__u32 relock_result;  /* enum relock_result */
	__u32 unmapped;	      /* enum seen: the address was unmapped */
	__u32 write_locked;   /* enum seen: a VMA that covers it; SEQ_NONE: mmap_lock */
	__u32 seq;	      /* enum seq_kind */
	__u32 kernel_answer;  /* enum kernel_answer */
	__u32 kernel_eagain;  /* the running kernel's check said "changed" */
	__u32 kernel_is;      /* the enum check that the running kernel has, NR_CHECKS: not known */
	__u32 seq_between; /* enum seen: mm_lock_seq moved between our reading and the kernel's */
	__u32 written;	   /* with --witness, enum seen: a later write section was recorded */
	__u32 pad;
};
_Static_assert(sizeof(struct window_facts) == 280, "struct window_facts has padding");

/* The result of classify(). Sets are bit masks of the enums above. */
struct verdict {
	__u32 class;
	__u32 snapshot_reasons;
	__u32 meaning_reasons;
	__u32 tolerated_reasons;
	__u32 reached;	   /* checks that had something to decide */
	__u32 eagain;	   /* checks that would have failed the copy */
	__u32 anomaly;	   /* the facts contradict each other */
	__u32 unwitnessed; /* write-locked, not in the log: an anomaly if the hook missed no call */
	__u32 odd_start;   /* a write section was under way at the begin */
	__u32 kernel_answer; /* enum kernel_answer of a window that reached the checks */
	__u32 raced;	     /* the kernel read another mm_lock_seq: a writer came between */
	__u32 file_unsure;   /* by its address the file is the same, and nobody kept it open */
};
_Static_assert(sizeof(struct verdict) == 48, "struct verdict has padding");

/* How the destination was locked again, or its absence found. */
enum relock_how {
	RELOCK_VMA_LOCK,  /* by the VMA's own lock */
	RELOCK_MMAP_LOCK, /* mmap_lock was needed */
	NR_RELOCK_HOW,
};

/* --- Failure words: why a fill ioctl failed --------------------------------------------------- */

/*
 * Where in userfaultfd_copy() a call ended. With -EAGAIN each but SOURCE and RESULT is a cause of
 * its own.
 */
enum fail_site {
	SITE_ENTRY,   /* before the copy loop: mmap_changing, an argument, the mm is gone */
	SITE_LOCK,    /* the first lock of the VMA, and the tests under it */
	SITE_REFUSED, /* the VMA's read lock was refused, at first or at the relock */
	SITE_SOURCE,  /* the source could not be read in the retry window */
	SITE_RELOCK,  /* the relock, and the tests under it */
	SITE_CHECK,   /* the kernel's check after the retry */
	SITE_PAGE,    /* getting or installing the page */
	SITE_RESULT,  /* the result could not be written to user space */
	SITE_SHORT,   /* some bytes were copied */
	SITE_UNKNOWN, /* a fact was lost */
	NR_SITES,
};

/* The errno values that matter, as indexes of counters. */
enum fail_errno {
	FAIL_EAGAIN,
	FAIL_EEXIST,
	FAIL_ENOENT,
	FAIL_EFAULT,
	FAIL_ENOMEM,
	FAIL_EINVAL,
	FAIL_ESRCH,
	FAIL_ENOSPC,
	FAIL_EINTR,  /* a fatal signal between two pages: never an ioctl's errno */
	FAIL_UNTOLD, /* of a short copy: no function tells, see docs/development/internals.md */
	FAIL_OTHER,
	NR_FAIL_ERRNOS,
};

/* The other ioctls that fill memory. */
enum fill_ioctl {
	FILL_ZEROPAGE,
	FILL_CONTINUE,
	FILL_POISON,
	FILL_MOVE,
	FILL_WRITEPROTECT,
	FILL_RWPROTECT, /* 7.3 and later */
	NR_FILLS,
};

/* What raises mmap_changing. */
enum changing_op {
	CHANGING_FORK,	 /* dup_userfaultfd() */
	CHANGING_REMAP,	 /* mremap_userfaultfd_prep() */
	CHANGING_REMOVE, /* userfaultfd_remove() */
	CHANGING_UNMAP,	 /* userfaultfd_unmap_prep() */
	NR_CHANGING_OPS,
};

#define MAX_HOLDERS 512

/* Who raised mmap_changing. */
struct holder {
	__u32 op; /* enum changing_op */
	__u32 tgid;
	__s32 syscall; /* the number, -1: unknown */
	__s32 advice;  /* of madvise() and process_madvise(), else -1 */
	char comm[COMM_LEN];
};
_Static_assert(sizeof(struct holder) == 32, "struct holder has padding");

struct holder_totals {
	__u64 raised;
	__u64 held_ns;	  /* of the raises that are over */
	__u64 longest_ns; /* the longest; tracer_read_holders() adds those that are up */
	__u64 refused;	  /* calls that failed meanwhile */
	__u32 tid;	  /* of the last raise */
	__u32 traced;	  /* it or its mm is a target */
};

#define MAX_RAISES 2048

struct raise_key {
	__u64 uffd;
	__u64 tid;
};

/* A raise that is up. */
struct raise {
	struct holder who;
	__u64 since; /* by the clock of the host */
	__u64 start; /* of the range: identifies a raise that the kernel does not repeat */
	__u64 end;
	__u64 nr; /* raises that are not lowered yet */
	__u64 traced;
	__u64 refused; /* with --events: calls that failed meanwhile */
};

/*
 * The longest chain in one word, which can be exchanged atomically: its length, and its last
 * failure.
 */
#define CHAIN_WORD(length, fail, site) ((__u64)(length) << 16 | (__u64)(fail) << 8 | (site))
#define CHAIN_LENGTH(word) ((word) >> 16)
#define CHAIN_FAIL(word) ((word) >> 8 & 0xff)
#define CHAIN_SITE(word) (0xff & (word))

/* --- Writers: who held mmap_lock for write in a window ---------------------------------------- */

/* What the writer was in when it took the lock. */
enum writer_origin {
	WRITER_SYSCALL,
	WRITER_COMPAT,	  /* a system call of 32-bit code */
	WRITER_FAULT,	  /* a page fault or an interrupt of user space, without a growing stack */
	WRITER_STACK,	  /* a growing stack: a page fault, or an access in any system call */
	WRITER_KTHREAD,	  /* khugepaged, a kworker, ... */
	WRITER_IO_WORKER, /* io_uring's */
	WRITER_USER_WORKER, /* vhost's */
};

/* One row in the list of writers: sections that agree in all of this are counted together. */
struct writer_key {
	__u32 origin; /* enum writer_origin */
	__u32 nr;     /* of the system call */
	__u32 sub;    /* advice, protection, flags, request: see writer_shape.sub */
	__u32 tgid;
	__u32 covers; /* it locked the destination's VMA, or acted on the destination's address */
	char comm[COMM_LEN];
};
_Static_assert(sizeof(struct writer_key) == 36, "struct writer_key has padding");

struct writer_row {
	__u64 used; /* 0: the row is nobody's, or its key is being written */
	__u64 windows;
	__u64 sections;
	__u64 start; /* the range of the last section whose range is known; equal: none */
	__u64 end;
	struct writer_key key;
	__u32 id;
};

#define MAX_WRITERS 1024

/* The writers of one window: how many, and the ids of the first rows. */
#define WRITERS_A_WINDOW 4

struct writer_set {
	__u16 nr;
	__u16 ids[WRITERS_A_WINDOW];
	__u16 pad;
};

/* --- Stacks of the writers, with --stacks ------------------------------------------------------ */

/* The innermost frames that are kept of a stack, of each side. */
#define STACK_DEPTH 64
#define MAX_STACKS 1024

/* Rows of write sections without a stack. */
enum stack_id {
	STACK_BEFORE, /* no window was open when the writer came */
	STACK_LOST,   /* there was no place, or nothing was readable */
	FIRST_STACK,
};

/* A side of a stack, the innermost frame first: where it is, or where its call is. */
struct stack_frames {
	__u64 at[STACK_DEPTH]; /* an address; of a user frame with a name, the offset in that file */
	__u16 names[STACK_DEPTH]; /* ids; 0: none */
};

/* Write sections that agree in all of this are counted together. */
struct stack_key {
	__u64 hash; /* of the frames' addresses */
	__u64 mm;   /* of the writer: the same address is another place elsewhere */
	__u32 pid;  /* in the loader's pid namespace; 0: not visible there */
	__u32 pad;
	char comm[COMM_LEN];
};
_Static_assert(sizeof(struct stack_key) == 40, "struct stack_key has padding");

struct stack_row {
	__u64 used;	/* 0: the row is nobody's, or is being written */
	__u64 sections; /* that windows met */
	struct stack_key key;
	__u32 nr_user;
	__u32 nr_kernel;
	struct stack_frames user;
	struct stack_frames kernel;
};

/* Names of frames: functions of the kernel, and files. The first one is nobody's. */
#define MAX_STACK_NAMES 1024
#define NAME_LEVELS 8
#define NAME_PART 48

struct stack_name {
	__u64 used;   /* 0: the row is nobody's, or is being written */
	__u32 levels; /* of a file's path; a function has one */
	__u8 cut;     /* the path, or a part of it, may have more */
	__u8 deleted; /* the file has no path any more */
	__u16 pad;
	char parts[NAME_LEVELS][NAME_PART]; /* the file's own name first */
};

/* (sub & mask) == value */
struct writer_when {
	__u32 mask;
	__u32 value;
};

/*
 * Which arguments of a system call say what it acts on. Arguments count from 1, 0 is none. The
 * loader fills the table (counters/writers.c), the programs read it.
 */
struct writer_shape {
	__u8 sub; /* advice, flags or the like; WRITER_SUB_AT: where argument @at points to */
	__u8 at;  /* a pointer */
	__u8 at_is_range; /* ... to an address and a length */
	__u8 whole;	  /* the call acts on the whole mm when @everything holds */
	__u8 start[2];
	__u8 len[2];
	struct writer_when ranged[2]; /* when start and len are a range; the first also for @at */
	struct writer_when everything;
};
_Static_assert(sizeof(struct writer_shape) == 32, "struct writer_shape has padding");

#define WRITER_SUB_AT 255
#define NR_WRITER_SHAPES 512

/* --- --by: the counts of each target ---------------------------------------------------------- */

enum by {
	BY_NOTHING,
	BY_PROCESS,
	BY_CGROUP,
};

/* Targets that have a row of their own. What finds no row is counted in row 0. */
#define BY_ROWS 4096

/* Lengths of windows: two buckets of lib/hist.h are one, which is at most 50 % wide. */
#define BY_BUCKETS (HIST_BUCKETS / 2)
#define by_bucket(ns) (hist_bucket(ns) / 2)

struct by_key {
	__u64 id;   /* the process's start_time, or the cgroup's id; 0: the owner was gone */
	__u32 tgid; /* in the initial pid namespace; 0 with cgroups */
	__u32 pad;
};
_Static_assert(sizeof(struct by_key) == 16, "struct by_key has padding");

struct by_counts {
	__u64 calls;
	__u64 eagain; /* of these: returned -EAGAIN */
	__u64 windows;
	__u64 needless; /* a per-MM check would fail these, and their meaning is the same */
	__u64 doubtful; /* of these: the class relies on a silence */
	__u64 lengths[BY_BUCKETS];
};

struct by_row {
	__u64 used; /* 0: the row is nobody's, or its key is being written */
	struct by_key key;
	__u32 pid; /* in the loader's pid namespace; 0: not visible there */
	__u32 pad;
	char comm[COMM_LEN]; /* when the row was made */
	struct by_counts counts;
};
_Static_assert(sizeof(struct by_row) == 664, "struct by_row has padding");

/* --- Events, with --events -------------------------------------------------------------------- */

/* The ring of events, 1 MiB: more than 7,700 of them. */
#define EVENTS_BYTES (1 << 20)
/* The reader's polling period. A wake-up for each event would preempt the copier. */
#define EVENTS_PERIOD_MS 100

enum event_kind {
	EVENT_WINDOW,	   /* a window ended */
	EVENT_FAILED_COPY, /* UFFDIO_COPY returned an error */
	EVENT_RAISED,	   /* a task raised mmap_changing */
	EVENT_LOWERED,	   /* the same task lowered it: its event was read */
	NR_EVENT_KINDS,
};

/* A call that failed. */
struct failed_copy {
	__u64 len;
	__u64 copied;	 /* bytes, with SITE_SHORT */
	__u32 err;	 /* the errno */
	__u32 site;	 /* enum fail_site */
	__u32 stop_fail; /* with SITE_SHORT: enum fail_errno and fail_site of the page it stopped at */
	__u32 stop_site;
	__u32 readable; /* the ioctl's argument was: dst and len are known */
	__u32 raised;	/* mmap_changing refused it, and @who had raised that */
	struct holder who;
};

/* mmap_changing was raised or lowered, for [dst, @end), which is empty for a fork. */
struct changed {
	struct holder who;
	__u64 end;
	__u64 held_ns; /* only when lowered, these two */
	__u64 refused; /* calls that failed meanwhile */
};

struct event {
	__u64 begin_ns; /* CLOCK_MONOTONIC; only a window has an end too */
	__u64 dst;	/* destination address, a window's page aligned; 0: not seen */
	__u32 what;	/* enum event_kind: says which part of the union is set */
	__u32 pid;	/* of the task, in the loader's pid namespace; 0: not visible there */
	__u32 tid;
	__u32 kind;	     /* of a window: enum dst_kind */
	char comm[COMM_LEN]; /* any bytes; with a NUL only if there is room */
	union {
		struct {		 /* EVENT_WINDOW */
			__u64 window_ns; /* from the begin to the end, the verdict included */
			__u64 relock_ns; /* until the VMA was locked again; 0: it never was */
			struct verdict verdict;
			__u32 external;
			struct writer_set writers;
		};
		struct failed_copy failed;
		struct changed changed;
	};
};
_Static_assert(sizeof(struct event) == 128, "struct event has padding");

/* --- Counters --------------------------------------------------------------------------------- */

/* Why something could not be counted, or not be decided. */
enum lost_cause {
	LOST_WINDOWS,  /* the end of a window was not seen */
	LOST_MAP_FULL, /* no memory for a window, a target or the change log */
	/* With --events or --trace, by rising number of events that may find no place: see event_begin(). */
	LOST_EVENTS,	      /* of windows; also the window had no place */
	LOST_CHANGING_EVENTS, /* of mmap_changing */
	LOST_COPY_EVENTS,     /* of failed copies */
	NR_LOST_CAUSES,	      /* recursion misses come from the kernel's program statistics */
};

/* What may be missing in the counts where the kernel skipped a run of a program. */
enum skip_cost {
	COSTS_NOTHING, /* the fact follows from another hook, is undetermined, or counted as unseen */
	COSTS_WINDOW, /* nobody sees a window begin */
	COSTS_CALL,   /* a call, and its result */
	COSTS_PAGES,  /* the pages of a call */
	COSTS_UNMAP,  /* windows that are replaced look tolerated or locked */
	COSTS_CHILD,  /* a child of COMMAND and its children are not traced */
	NR_SKIP_COSTS,
};

/*
 * A fact of a window that follows from a silence: a hook that would have contradicted did not run.
 */
enum silence {
	SILENT_TESTS, /* the kernel's tests after the relock did not pass */
	SILENT_PAGE,  /* no page ended between the window and the page that ends now */
	NR_SILENCES,
};

struct check_totals {
	__u64 eagain;
	__u64 real;	/* of these: class real or hidden */
	__u64 spurious; /* of these: the others */
	__u64 missed;	/* class real or hidden, and the check passed */
	__u64 differs;	/* the running kernel answered otherwise */
};

struct writer_totals {
	__u64 windows;	      /* with at least one write section */
	__u64 sections;	      /* write sections in them */
	__u64 unseen;	      /* of these: the writer was not seen */
	__u64 unseen_windows; /* windows with such a section */
	__u64 other;	      /* sections of writers beyond MAX_WRITERS */
};

/* The kernel's errno values end at MAX_ERRNO; those that the ioctl returns are far below this. */
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
	__u64 kernel_seen;   /* windows with the kernel's answer */
	__u64 kernel_raced;  /* windows of verdict.raced: each is in its check's differs */
	__u64 kernel_absent; /* windows on which the kernel compares nothing */
	__u64 file_unsure;   /* windows of verdict.file_unsure */
	__u64 silent[NR_SILENCES][NR_KINDS][NR_CLASSES]; /* windows whose class relies on it */
	__u64 begin_unseen[NR_KINDS]; /* windows whose begin was missed, or came before the run */
	__u64 begin_bounded;	      /* windows with both bounds of the begin seen */
	__u64 begin_moved;	      /* of these: mm_lock_seq moved between the bounds */
	__u64 passed_ns;	      /* from the first window of each mm to its last */
	__u64 passed_steps;	      /* of mm_lock_seq in that time, two a section */
	__u64 held;		      /* with --relock: write sections whose end was seen */
	__u64 held_ns;		      /* and how long they held mmap_lock */
	struct writer_totals writers;
	__u64 lost[NR_LOST_CAUSES];
	__u64 returned[NR_RETURNED]; /* [0] success, [e] -e */
};

struct fill_totals {
	__u64 ok;
	__u64 mmap_changing; /* -EAGAIN with mmap_changing raised; not in failed[] */
	__u64 failed[NR_FAIL_ERRNOS];
};

/* One per CPU and per enum totals_slot, only ever added to. */
struct failures {
	__u64 failed[NR_FAIL_ERRNOS][NR_SITES]; /* UFFDIO_COPY, by the result that user space got */
	__u64 stopped[NR_FAIL_ERRNOS][NR_SITES]; /* short copies, by what stopped them */
	__u64 short_bytes[NR_FAIL_ERRNOS];	 /* and the bytes copied before */
	struct fill_totals fills[NR_FILLS];
	__u64 raised;	      /* mmap_changing, by traced processes */
	__u64 refused;	      /* calls that it failed, COPY and others */
	__u64 refused_unseen; /* of these: the raise was not seen */
	__u64 refused_stuck;  /* of these: no event is pending, no task holds it */
	__u64 holders_lost;   /* raises without a place in the map */
	/* The same by operation, whether or not the holders have a place in their map. */
	__u64 op_raised[NR_CHANGING_OPS];  /* by traced processes */
	__u64 op_held_ns[NR_CHANGING_OPS]; /* of those that are over, and of holders that refused */
	__u64 op_refused[NR_CHANGING_OPS];
	__u64 chains;	     /* begun */
	__u64 chains_ended;  /* by a success, or because the page was there already */
	__u64 chains_lost;   /* failures that none follows: see retry_chain.bpf.h */
	__u64 chain_lost_ns; /* of the ended ones, first failure to end */
	__u64 reissued;	     /* copies of a page that has a chain */
	__u64 reopened;	     /* retry windows of these */
	__u64 retried;	     /* of these copies: not refused by a pending event at entry */
	__u64 succeeded;     /* of those: the page is there, and no window was opened */
};

/* The self-test's windows must be in no total of the run. */
enum totals_slot {
	SLOT_RUN,
	SLOT_SELF_TEST,
	NR_SLOTS,
};

/* --- What the loader sets --------------------------------------------------------------------- */

/*
 * A variable that copies write on all CPUs has a cache line of its own: nobody else waits for it.
 */
#define CACHE_LINE 64
#define OWN_LINE __attribute__((aligned(CACHE_LINE)))

struct own_line {
	__u64 value;
} OWN_LINE;

/* What the programs keep of an mm, or of several with the same hash. Times are in jiffies. */
struct mm_state {
	__u32 open;	     /* windows */
	__u32 hold_seq;	     /* with --relock: the write section that is under way, 0: none */
	__u64 watched;	     /* when a window was open last, 0: unwatched */
	__u64 watched_since; /* the start of gapless recording */
	__u64 seen;	     /* mm_lock_seq as mm_passed() saw it last, below the mm's tag */
	__u64 seen_ns;	     /* and when, by the clock in ns */
	__u64 image;	     /* and for this mm_image() */
	__u64 hold_ns;	     /* since when that write section has mmap_lock */
} OWN_LINE;

/* What the programs do at present, in .bss. */
enum phase {
	PHASE_OFF,
	PHASE_SELF_TEST, /* only windows of our own process, into SLOT_SELF_TEST */
	PHASE_RUN,
};

/* Every pid is below this (PID_MAX_LIMIT). */
#define PID_MAX (4 << 20)

/* Change logs of each kind, by a hash of the mm: the loader sizes the map. */
#define LOG_SHIFT 6
#define NR_LOGS (1 << LOG_SHIFT)

#endif /* UFFDRETRY_H */
