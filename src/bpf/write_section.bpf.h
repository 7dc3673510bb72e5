/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Recording write sections: who takes an mm's mmap_lock for write.
 *
 * Each write section has its own odd mm_lock_seq: mmap_write_lock() makes it odd before its
 * tracepoint fires, the unlock or downgrade makes it even. (Up to 6.13 compat.bpf.h reads it so.) A
 * writer records itself at the place that its mm and this number give. Without an mm_lock_seq the
 * numbers are our own, one sequence a ring.
 *
 * Writers are recorded while an mm has a traced window, and for a while after: mm_state.h. All
 * other writers pay one load and a compare.
 */
#ifndef WRITE_SECTION_BPF_H
#define WRITE_SECTION_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "uffdretry.h"
#include "bpf/arch.bpf.h"
#include "bpf/compat.bpf.h"
#include "bpf/relock.bpf.h"
#include "bpf/stack.bpf.h"
#include "bpf/target.bpf.h"
#include "bpf/vma_log.bpf.h"

#define RING_SHIFT 5
#define NR_RINGS (1 << RING_SHIFT)
#define RING_SECTIONS 512

/* A section's number while it is being recorded. No write section has an even number. */
#define SECTION_BUSY 2

struct write_section {
	__u64 mm;
	__u64 when; /* in jiffies */
	__u64 args[SYSCALL_ARGS];
	__u64 at[2]; /* two words behind the argument writer_shape.at, 0 if unreadable */
	__u32 seq;   /* the section's number, or SECTION_BUSY */
	__u16 origin;
	__u16 stack; /* its row, with --stacks */
	__u32 nr;
	__u32 tgid;
	char comm[COMM_LEN];
};

struct section_ring {
	__u32 head; /* without an mm_lock_seq: the next number */
	__u32 pad;
	struct write_section sections[RING_SECTIONS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NR_RINGS);
	__type(key, __u32);
	__type(value, struct section_ring);
} section_rings SEC(".maps");

/* Which arguments say what a system call acts on: the table in counters/writers.c. */
const volatile struct writer_shape writer_shapes[NR_WRITER_SHAPES] = {};
/* A hook records write sections for the report. */
const volatile bool has_writers = false;

/* Count the write sections of @mm since its last window, as its mm_lock_seq tells them. */
static __noinline void sections_passed(__u64 mm, __u32 slot, __u64 now)
{
	struct totals *t = totals_of(slot);
	__u64 image = image_of(mm);
	struct mm_passed passed;

	if (!t || image == IMAGE_UNBORN)
		return;
	passed = mm_passed(mm_state_of(mm), mm_tag(mm, slot), image, mm_lock_seq_of(mm), now);
	add(&t->passed_ns, passed.ns);
	add(&t->passed_steps, passed.steps);
}

/* sections_watch() - a window of @mm has opened at @now, in ns. Returns the same in jiffies. */
static __always_inline __u64 sections_watch(__u64 mm, __u32 slot, __u64 now)
{
	__u64 jiffies = bpf_jiffies64();

	if (mm_watch(mm_state_of(mm), jiffies) && mm_seq_kind() != SEQ_NONE)
		sections_passed(mm, slot, now);
	return jiffies;
}

static __always_inline struct section_ring *section_ring_of(__u64 mm)
{
	__u32 i = mm_hash(mm, RING_SHIFT);

	return bpf_map_lookup_elem(&section_rings, &i);
}

/* The place of section @seq; another section of another mm may use it too. */
static __always_inline struct write_section *section_at(struct section_ring *ring, __u32 seq)
{
	return &ring->sections[(seq >> 1) & (RING_SECTIONS - 1)];
}

/* The barriers: ask before and after reading the fields, which section_record() filled in between. */
static __always_inline __u32 section_seq(const struct write_section *s)
{
	__u32 seq;

	read_barrier();
	seq = *(volatile __u32 *)&s->seq;
	read_barrier();
	return seq;
}

/* section_head() - without an mm_lock_seq: the number of the next section in @mm's ring. */
static __always_inline __u32 section_head(__u64 mm)
{
	struct section_ring *ring;

	if (!has_writers || mm_numbers_sections())
		return 0;
	ring = section_ring_of(mm);
	return ring ? *(volatile __u32 *)&ring->head : 0;
}

/*
 * section_follows() - was a write section of @mm recorded after its mm_lock_seq was @seq, which it was
 * after @since, in jiffies? The one that follows, if it was not overwritten. An earlier one is of an mm
 * that is gone and had this address. Without a seqcount the number of a section that has not ended is
 * no later one: no.
 */
static __always_inline bool section_follows(__u64 mm, __u32 seq, __u64 since)
{
	__u32 next = (seq + 1) | 1;
	struct write_section *s;
	struct section_ring *ring;

	if (!has_writers || mm_seq_kind() != SEQ_COUNT)
		return false;
	ring = section_ring_of(mm);
	if (!ring)
		return false;
	s = section_at(ring, next);
	return section_seq(s) == next && s->mm == mm && s->when >= since;
}

#define PF_IO_WORKER 0x10
#define PF_USER_WORKER 0x4000
#define PF_KTHREAD 0x200000

/* The enum writer_origin of @task. @nr: of its system call, -1 in a fault or an interrupt. */
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
	return is_compat_syscall(task) ? WRITER_COMPAT : WRITER_SYSCALL;
}

/*
 * The shape of system call @nr, or NULL. The mask is for the verifier, which loses the bound
 * of @nr.
 */
static __always_inline const volatile struct writer_shape *shape_of(__u32 nr)
{
	if (nr >= NR_WRITER_SHAPES)
		return NULL;
	barrier_var(nr);
	return &writer_shapes[nr & (NR_WRITER_SHAPES - 1)];
}

/* Argument @index of the section's system call, counted from 1; 0 for none. */
static __always_inline __u64 section_arg(const struct write_section *s, __u32 index)
{
	index--;
	/*
	 * The tested register must be the one that is used: the verifier does not see through a
	 * copy.
	 */
	barrier_var(index);
	return index < SYSCALL_ARGS ? s->args[index] : 0;
}

/*
 * Read what the argument writer_shape.at points to. The kernel has just read it, so it is mapped.
 */
static __always_inline void section_read_pointee(struct write_section *s)
{
	const volatile struct writer_shape *shape = shape_of(s->nr);
	__u64 at;

	s->at[0] = s->at[1] = 0;
	if (s->origin != WRITER_SYSCALL || !shape)
		return;
	at = section_arg(s, shape->at);
	if (at && bpf_probe_read_user(s->at, sizeof(s->at), (void *)at))
		s->at[0] = s->at[1] = 0;
}

/* Fill @s with what the current task is, and is about to do. */
static __always_inline void section_read_current(struct write_section *s)
{
	struct task_struct *task = bpf_get_current_task_btf();
	const struct pt_regs *regs = user_regs(task);
	__s64 nr = regs_syscall(regs);

	s->origin = writer_origin(task, nr);
	s->nr = s->origin == WRITER_SYSCALL || s->origin == WRITER_COMPAT ? nr : 0;
	regs_args(regs, s->args);
	s->tgid = bpf_get_current_pid_tgid() >> 32;
	own_comm(s->comm);
	section_read_pointee(s);
}

/* Reserve @s. When another mm's writer is recording there, the later one is not recorded. */
static __always_inline bool section_claim(struct write_section *s)
{
	__u32 seq = section_seq(s);

	return seq != SECTION_BUSY &&
	       __sync_val_compare_and_swap(&s->seq, seq, SECTION_BUSY) == seq;
}

/*
 * hold_begin() - write section @seq of @mm has been recorded: its time runs from here on, so that the
 * recording is not in it. Not inline: without --relock nobody pays for its registers.
 */
static __noinline void hold_begin(struct mm_struct *mm, __u32 seq)
{
	struct mm_state *state = mm_state_of((__u64)mm);

	if (state->seen >> 32 != mm_tag((__u64)mm, SLOT_RUN))
		return;
	state->hold_ns = bpf_ktime_get_ns();
	*(volatile __u32 *)&state->hold_seq = seq;
}

/*
 * hold_end() - the current task is about to end a write section of @mm, if it is in one: after that no
 * section has the number of the last. One test where none is timed.
 */
static __always_inline void hold_end(struct mm_struct *mm)
{
	struct mm_state *state = mm_state_of((__u64)mm);
	__u32 seq = *(volatile __u32 *)&state->hold_seq;
	struct totals *t;

	if (!seq || seq != mm_section(mm) || state->seen >> 32 != mm_tag((__u64)mm, SLOT_RUN))
		return;
	state->hold_seq = 0;
	t = totals_of(SLOT_RUN);
	if (!t || phase == PHASE_OFF)
		return;
	add(&t->held_ns, bpf_ktime_get_ns() - state->hold_ns);
	add(&t->held, 1);
}

/* section_record() - the current task has just taken @mm's mmap_lock for write. */
static __always_inline void section_record(void *ctx, struct mm_struct *mm)
{
	struct mm_state *state = mm_state_of((__u64)mm);
	struct section_ring *ring;
	struct write_section *s;
	__u64 now;
	__u32 seq;

	if (!mm_may_be_watched(state))
		return;
	now = bpf_jiffies64();
	if (!mm_is_watched(state, now))
		return;
	ring = section_ring_of((__u64)mm);
	if (!ring)
		return;
	if (mm_numbers_sections())
		seq = mm_section(mm);
	else
		seq = __sync_fetch_and_add(&ring->head, 2) + 1;
	s = section_at(ring, seq);
	if (!section_claim(s))
		return;
	s->mm = (__u64)mm;
	s->when = now;
	/* Here, where the verifier has one state to follow. Read back: see stack_find(). */
	if (cfg_stacks)
		s->stack = mm_has_window(state) ? stack_of_writer(ctx, *(volatile __u64 *)&s->mm)
						: STACK_BEFORE;
	section_read_current(s);
	/* A full barrier: a reader sees the number only with its fields. */
	__sync_lock_test_and_set(&s->seq, seq);
	if (cfg_relock && mm_numbers_sections())
		hold_begin(mm, seq);
}

/*
 * section_grows_stack() - the current write section of @vma's mm grows a stack down to @address,
 * which neither a system call nor its arguments tell. Without an mm_lock_seq the section is the ring's
 * last, unless another mm took a number since: then it stays as it was.
 */
static __always_inline void section_grows_stack(struct vm_area_struct *vma, __u64 address)
{
	struct mm_struct *mm = vma->vm_mm;
	struct section_ring *ring;
	struct write_section *s;
	__u32 seq;

	if (!mm || !mm_may_be_watched(mm_state_of((__u64)mm)))
		return;
	ring = section_ring_of((__u64)mm);
	if (!ring)
		return;
	seq = mm_numbers_sections() ? mm_section(mm) : *(volatile __u32 *)&ring->head - 1;
	s = section_at(ring, seq);
	if (s->mm != (__u64)mm || __sync_val_compare_and_swap(&s->seq, seq, SECTION_BUSY) != seq)
		return;
	s->origin = WRITER_STACK;
	s->nr = 0;
	s->at[0] = PAGE_ALIGN_DOWN(address);
	s->at[1] = vma->vm_start - s->at[0];
	__sync_lock_test_and_set(&s->seq, seq);
}

#endif /* WRITE_SECTION_BPF_H */
