/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Who takes an mm's mmap_lock for writing, and who did so in a window.
 *
 * Every write section has its own odd mm_lock_seq: mmap_write_lock() makes it odd before its tracepoint fires, and it
 * is made even just before the unlock or downgrade. So a writer notes itself at the place that its mm and its sequence
 * number give, and a window looks up each odd number between its begin and its end. How many sections there were is
 * known from the numbers alone; what is not found is counted as unseen, never guessed.
 *
 * Only writers of an mm with a traced window lately are noted (WATCH_JIFFIES), others pay one load and compare. It must
 * not need an open window: a writer may already be in when one opens.
 *
 * A kernel without the seqcount gets numbers of our own, one sequence a ring.
 */
#ifndef WRITERS_BPF_H
#define WRITERS_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "uffdretry.h"
#include "bpf/compat.bpf.h"
#include "bpf/vma_log.bpf.h"
#include "bpf/count.bpf.h"

/* A minute at 1,000 a second, ten at 100. Not in ns: a look at the clock is a tenth of what a writer pays. */
#define WATCH_JIFFIES 60000
#define RING_SHIFT 5
#define NR_RINGS (1 << RING_SHIFT)
#define RING_NOTES 512

/* No write section has an even number. */
#define NOTE_BUSY 2

struct writer_note {
	__u64 mm;
	__u64 when; /* in jiffies */
	__u64 args[6];
	__u64 at[2]; /* what the argument writer_shape.at points to, as far as it could be read */
	__u32 seq;   /* of the write section; NOTE_BUSY: being written */
	__u32 origin;
	__u32 nr;
	__u32 tgid;
	char comm[16];
};

struct writer_ring {
	__u32 head; /* without a seqcount: the next number */
	__u32 pad;
	struct writer_note notes[RING_NOTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NR_RINGS);
	__type(key, __u32);
	__type(value, struct writer_ring);
} writer_rings SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_WRITERS);
	__type(key, struct writer_key);
	__type(value, struct writer_row);
} writer_rows SEC(".maps");

/* The next row's number; a row's number never changes. */
__u32 next_writer;

/*
 * By a hash of the mm, in jiffies: when a window opened last, 0 for unwatched, and since when its writers are noted
 * without a gap.
 */
__u64 watch_last[NR_OPEN];
__u64 watch_since[NR_OPEN];

/* Which arguments tell what a system call acts on: the table in writers.c. */
const volatile struct writer_shape writer_shapes[NR_WRITER_SHAPES] = {};
/* A hook calls writer_note(). */
const volatile bool has_writers = false;

static __always_inline volatile __u64 *watch_of(__u64 mm)
{
	return &watch_last[mm_hash(mm, OPEN_SHIFT) & (NR_OPEN - 1)];
}

static __always_inline volatile __u64 *watch_since_of(__u64 mm)
{
	return &watch_since[mm_hash(mm, OPEN_SHIFT) & (NR_OPEN - 1)];
}

static __always_inline struct writer_ring *writer_ring_of(__u64 mm)
{
	__u32 i = mm_hash(mm, RING_SHIFT);

	return bpf_map_lookup_elem(&writer_rings, &i);
}

/* A window of @mm opens: from here on its writers are noted. */
static __always_inline void writers_watch(__u64 mm)
{
	volatile __u64 *watch = watch_of(mm);
	__u64 last = *watch, now = bpf_jiffies64();

	if (last == now)
		return;
	if (!last)
		*watch_since_of(mm) = now;
	__sync_lock_test_and_set(watch, now);
}

static __always_inline bool is_watched(__u64 mm, __u64 now)
{
	volatile __u64 *watch = watch_of(mm);
	__u64 last = *watch;

	if (!last)
		return false;
	if ((__s64)(now - last) < WATCH_JIFFIES)
		return true;
	__sync_val_compare_and_swap(watch, last, 0);
	return false;
}

#define PF_IO_WORKER 0x10
#define PF_USER_WORKER 0x4000
#define PF_KTHREAD 0x200000
#define TS_COMPAT 2

/* What the current task is in: an enum writer_origin. @nr: orig_ax, which is -1 in a fault or an interrupt. */
static __always_inline __u32 writer_origin(struct task_struct *task, __s64 nr)
{
	if (task->flags & PF_KTHREAD)
		return WRITER_KTHREAD;
	if (task->flags & PF_IO_WORKER)
		return WRITER_IO_WORKER;
	if (task->flags & PF_USER_WORKER)
		return WRITER_USER_WORKER;
	if (nr == -1)
		return WRITER_FAULT;
	return task->thread_info.status & TS_COMPAT ? WRITER_COMPAT : WRITER_SYSCALL;
}

/* Argument @index of a noted system call, counted from 1; 0 for none. */
static __always_inline __u64 argument(const struct writer_note *n, __u32 index)
{
	index--;
	/* The compiler must test what it then uses: the verifier does not see through a copy. */
	asm volatile("" : "+r"(index));
	return index < 6 ? n->args[index] : 0;
}

/* What the argument that points to a range, or to flags, points to. The kernel has just read it, so it is mapped. */
static __always_inline void note_pointee(struct writer_note *n)
{
	__u32 nr = n->nr;
	__u64 at;

	n->at[0] = n->at[1] = 0;
	if (n->origin != WRITER_SYSCALL || nr >= NR_WRITER_SHAPES)
		return;
	at = argument(n, writer_shapes[nr].at);
	if (at && bpf_probe_read_user(n->at, sizeof(n->at), (void *)at))
		n->at[0] = n->at[1] = 0;
}

/* Fill @n with what the current task is, and is about to do. */
static __always_inline void note_current(struct writer_note *n)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	n->origin = writer_origin(task, regs->orig_ax);
	n->nr = n->origin == WRITER_SYSCALL || n->origin == WRITER_COMPAT ? regs->orig_ax : 0;
	n->args[0] = regs->di;
	n->args[1] = regs->si;
	n->args[2] = regs->dx;
	n->args[3] = regs->r10;
	n->args[4] = regs->r8;
	n->args[5] = regs->r9;
	n->tgid = bpf_get_current_pid_tgid() >> 32;
	bpf_get_current_comm(n->comm, sizeof(n->comm));
	note_pointee(n);
}

/* Another writer may be at the same place, for another mm of the ring: the later one is then not noted. */
static __always_inline bool note_claim(struct writer_note *n)
{
	__u32 seq = *(volatile __u32 *)&n->seq;

	return seq != NOTE_BUSY && __sync_val_compare_and_swap(&n->seq, seq, NOTE_BUSY) == seq;
}

/* writer_note() - the current task has @mm's mmap_lock for writing, since a moment. */
static __always_inline void writer_note(struct mm_struct *mm)
{
	struct writer_ring *ring;
	struct writer_note *n;
	__u64 now;
	__u32 seq;

	if (!*watch_of((__u64)mm))
		return;
	now = bpf_jiffies64();
	if (!is_watched((__u64)mm, now))
		return;
	ring = writer_ring_of((__u64)mm);
	if (!ring)
		return;
	if (mm_seq_kind() == SEQ_COUNT)
		seq = mm_lock_seq(mm);
	else
		seq = __sync_fetch_and_add(&ring->head, 2) + 1;
	n = &ring->notes[(seq >> 1) & (RING_NOTES - 1)];
	if (!note_claim(n))
		return;
	n->mm = (__u64)mm;
	n->when = now;
	note_current(n);
	/* A full barrier: who sees the number sees what belongs to it. */
	__sync_lock_test_and_set(&n->seq, seq);
}

/*
 * writer_grows_stack() - the current write section of @vma's mm is to make room for a stack, down to @address: so it
 * was a page fault, or an access by the kernel in any system call. Without a seqcount the section is the ring's last,
 * unless another mm's got a number since: then it stays what it was.
 */
static __always_inline void writer_grows_stack(struct vm_area_struct *vma, __u64 address)
{
	struct mm_struct *mm = vma->vm_mm;
	struct writer_ring *ring;
	struct writer_note *n;
	__u32 seq;

	if (!mm || !*watch_of((__u64)mm))
		return;
	ring = writer_ring_of((__u64)mm);
	if (!ring)
		return;
	seq = mm_seq_kind() == SEQ_COUNT ? mm_lock_seq(mm) : *(volatile __u32 *)&ring->head - 1;
	n = &ring->notes[(seq >> 1) & (RING_NOTES - 1)];
	if (n->mm != (__u64)mm || __sync_val_compare_and_swap(&n->seq, seq, NOTE_BUSY) != seq)
		return;
	n->origin = WRITER_STACK;
	n->nr = 0;
	n->at[0] = address & ~4095ULL;
	n->at[1] = vma->vm_start - n->at[0];
	__sync_lock_test_and_set(&n->seq, seq);
}

/* Without a seqcount: the number of the next section in @mm's ring. */
static __always_inline __u32 writer_head(__u64 mm)
{
	struct writer_ring *ring;

	if (!has_writers || mm_seq_kind() == SEQ_COUNT)
		return 0;
	ring = writer_ring_of(mm);
	return ring ? *(volatile __u32 *)&ring->head : 0;
}

/* A window's question, and what is known of the answer. */
struct writer_query {
	__u64 mm;
	__u64 dst;
	__u64 since;
	__u64 start; /* of the section in hand: the range it acts on, 0 and 0 when not known */
	__u64 end;
	__u32 first;	/* section of the window */
	__u32 lock_seq; /* the last one that locked the destination's VMA, 0: not known */
	__u32 slot;
	__u32 sections;
	__u32 unseen;
	__u32 other;
	struct writer_set set;
	__u64 counted[MAX_WRITERS / 64]; /* a bit a row */
};

static __always_inline bool fits(const volatile struct writer_when *when, __u32 sub)
{
	return (sub & when->mask) == when->value;
}

/* What tells one use of a system call from another: advice, flags, a request. */
static __always_inline __u32 note_sub(const struct writer_note *n, const volatile struct writer_shape *shape)
{
	__u32 sub = shape->sub;

	return sub == WRITER_SUB_AT ? n->at[0] : argument(n, sub);
}

/* Note a range in @q, and whether it holds the destination. Lengths are rounded up to pages. */
static __always_inline bool range_covers(struct writer_query *q, __u64 start, __u64 len)
{
	q->start = start & ~4095ULL;
	q->end = (start + len + 4095) & ~4095ULL;
	return q->dst - q->start < q->end - q->start;
}

/* Do the arguments of @n say that it acts on the destination? Sets the range, and the key's sub. */
static __always_inline bool syscall_covers(struct writer_query *q, const struct writer_note *n, __u32 *key_sub)
{
	const volatile struct writer_shape *shape;
	__u32 nr = n->nr, sub;
	bool covers = false;

	if (nr >= NR_WRITER_SHAPES)
		return false;
	shape = &writer_shapes[nr];
	sub = note_sub(n, shape);
	*key_sub = sub;
	if (shape->start[1] && fits(&shape->ranged[1], sub))
		covers = range_covers(q, argument(n, shape->start[1]), argument(n, shape->len[1]));
	if (!covers && shape->start[0] && fits(&shape->ranged[0], sub))
		covers = range_covers(q, argument(n, shape->start[0]), argument(n, shape->len[0]));
	if (shape->at_is_range && n->at[1] && fits(&shape->ranged[0], sub))
		covers = range_covers(q, n->at[0], n->at[1]);
	return covers || (shape->whole && fits(&shape->everything, sub));
}

/* The row of @key, or NULL when there is no more room. */
static __always_inline struct writer_row *writer_row(const struct writer_key *key)
{
	struct writer_row *row = bpf_map_lookup_elem(&writer_rows, key), new = {};

	if (row || *(volatile __u32 *)&next_writer >= MAX_WRITERS)
		return row;
	new.id = __sync_fetch_and_add(&next_writer, 1);
	if (new.id >= MAX_WRITERS)
		return NULL;
	bpf_map_update_elem(&writer_rows, key, &new, BPF_NOEXIST);
	return bpf_map_lookup_elem(&writer_rows, key);
}

/* Is this the first section in the window of row @id? Also notes the first few for the window's event. */
static __always_inline bool first_of_row(struct writer_query *q, __u32 id)
{
	__u64 bit = 1ULL << (id & 63);
	__u64 *word = &q->counted[(id / 64) & (MAX_WRITERS / 64 - 1)];
	__u32 nr = q->set.nr;

	if (*word & bit)
		return false;
	*word |= bit;
	if (nr < WRITERS_A_WINDOW)
		q->set.ids[nr & (WRITERS_A_WINDOW - 1)] = id;
	q->set.nr = nr + 1;
	return true;
}

/* Count a section of the writer @key. A window counts once for a writer, however many sections it had. */
static __always_inline void count_writer(struct writer_query *q, const struct writer_key *key)
{
	struct writer_row *row;

	/* The self-test's writers are in no report. */
	if (q->slot != SLOT_RUN)
		return;
	row = writer_row(key);
	if (!row) {
		q->other++;
		return;
	}
	if (first_of_row(q, row->id))
		add(&row->windows, 1);
	add(&row->sections, 1);
	if (q->end > q->start) {
		row->start = q->start;
		row->end = q->end;
	}
}

/*
 * writer_section() - name and count who had the write section @seq. A global function: the verifier looks at it once,
 * and not anew for each turn of the loop. Returns 0.
 */
__noinline int writer_section(struct writer_query *q, __u32 seq)
{
	bool by_seq = mm_seq_kind() == SEQ_COUNT;
	struct writer_key key = {};
	struct writer_ring *ring;
	struct writer_note *n;

	if (!q)
		return 0;
	ring = writer_ring_of(q->mm);
	if (!ring)
		return 0;
	n = &ring->notes[(seq >> 1) & (RING_NOTES - 1)];
	if (*(volatile __u32 *)&n->seq != seq || n->when < q->since || (by_seq && n->mm != q->mm)) {
		q->unseen++;
		return 0;
	}
	if (n->mm != q->mm)
		return 0;
	q->start = q->end = 0;
	key.origin = n->origin;
	key.nr = n->nr;
	key.tgid = n->tgid;
	__builtin_memcpy(key.comm, n->comm, sizeof(key.comm));
	if (key.origin == WRITER_SYSCALL)
		key.covers = syscall_covers(q, n, &key.sub);
	else if (key.origin == WRITER_STACK)
		key.covers = range_covers(q, n->at[0], n->at[1]);
	key.covers |= by_seq && seq == q->lock_seq;
	q->sections++;
	/* Overwritten meanwhile? Then what was read is not one note. */
	if (*(volatile __u32 *)&n->seq != seq)
		q->unseen++;
	else
		count_writer(q, &key);
	return 0;
}

static long writer_visit(__u32 i, struct writer_query *q)
{
	writer_section(q, q->first + 2 * i);
	return 0;
}

/*
 * writers_count() - count who had the write sections @first, @first + 2 ... @last of @q's mm. @last - @first is even,
 * and -2 for none. @q has mm, dst, lock_seq and slot.
 */
static __always_inline void writers_count(struct writer_query *q, __u32 first, __u32 last)
{
	struct totals *t = totals_of(q->slot);
	__u32 all = ((__s32)(last - first) >> 1) + 1, nr = all;

	if (!t || !all)
		return;
	q->since = *watch_since_of(q->mm);
	if (nr > RING_NOTES) {
		q->unseen = nr - RING_NOTES;
		first += 2 * q->unseen;
		nr = RING_NOTES;
	}
	q->first = first;
	bpf_loop(nr, writer_visit, q, 0);
	/* A ring's own numbers are also those of other mms. */
	q->sections = mm_seq_kind() == SEQ_COUNT ? all : q->sections + q->unseen;
	if (!q->sections)
		return;
	add(&t->writers.windows, 1);
	add(&t->writers.sections, q->sections);
	add(&t->writers.unseen, q->unseen);
	add(&t->writers.unseen_windows, q->unseen != 0);
	add(&t->writers.other, q->other);
}

#endif /* WRITERS_BPF_H */
