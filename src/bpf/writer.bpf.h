/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Who wrote in a window: its write sections are looked up and counted by writer.
 *
 * The sequence numbers give the total; a section that was not recorded, or was overwritten, is
 * counted as unseen.
 */
#ifndef WRITER_BPF_H
#define WRITER_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "uffdretry.h"
#include "bpf/count.bpf.h"
#include "bpf/write_section.bpf.h"

/* The rows, by their id, which never changes. The loader maps them, as it does totals. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MAX_WRITERS);
	__type(key, __u32);
	__type(value, struct writer_row);
} writer_rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_WRITERS);
	__type(key, struct writer_key);
	__type(value, __u32);
} writer_ids SEC(".maps");

/* The next row's id. */
struct own_line next_writer;

/* A window's question, and what is known of the answer. */
struct writer_query {
	__u64 mm;
	__u64 dst;
	__u64 since;
	__u64 start; /* the range of the section in hand, 0 and 0 when not known */
	__u64 end;
	__u32 first;	/* section of the window */
	__u32 lock_seq; /* the last section that locked the destination's VMA, 0: not known */
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
static __always_inline __u32 section_sub(const struct write_section *s,
					 const volatile struct writer_shape *shape)
{
	__u32 sub = shape->sub;

	return sub == WRITER_SUB_AT ? s->at[0] : section_arg(s, sub);
}

/* Set @q's range to the pages of [@start, @start + @len). Does it hold the destination? */
static __always_inline bool range_covers(struct writer_query *q, __u64 start, __u64 len)
{
	const __u64 page = PAGE_SIZE;

	q->start = start & -page;
	q->end = (start + len + page - 1) & -page;
	return q->dst - q->start < q->end - q->start;
}

/* Do the arguments of @s say that it acts on the destination? Sets the range, and the key's sub. */
static __always_inline bool syscall_covers(struct writer_query *q, const struct write_section *s,
					   __u32 *key_sub)
{
	const volatile struct writer_shape *shape = shape_of(s->nr);
	bool covers = false;
	__u32 sub;

	if (!shape)
		return false;
	sub = section_sub(s, shape);
	*key_sub = sub;
	if (shape->start[1] && fits(&shape->ranged[1], sub))
		covers = range_covers(q, section_arg(s, shape->start[1]),
				      section_arg(s, shape->len[1]));
	if (!covers && shape->start[0] && fits(&shape->ranged[0], sub))
		covers = range_covers(q, section_arg(s, shape->start[0]),
				      section_arg(s, shape->len[0]));
	if (shape->at_is_range && s->at[1] && fits(&shape->ranged[0], sub))
		covers = range_covers(q, s->at[0], s->at[1]);
	return covers || (shape->whole && fits(&shape->everything, sub));
}

/* A new row of @key; that of another CPU if that was faster; or NULL when the table is full. */
static __always_inline struct writer_row *new_writer_row(const struct writer_key *key)
{
	__u32 id, *winner;
	struct writer_row *row;

	if (*(volatile __u64 *)&next_writer.value >= MAX_WRITERS)
		return NULL;
	id = __sync_fetch_and_add(&next_writer.value, 1);
	row = bpf_map_lookup_elem(&writer_rows, &id);
	if (!row)
		return NULL;
	row->id = id;
	row->key = *key;
	if (bpf_map_update_elem(&writer_ids, key, &id, BPF_NOEXIST)) {
		winner = bpf_map_lookup_elem(&writer_ids, key);
		return winner ? bpf_map_lookup_elem(&writer_rows, winner) : NULL;
	}
	/* A full barrier: read_writers() sees the row only with its key. */
	__sync_lock_test_and_set(&row->used, 1);
	return row;
}

static __always_inline struct writer_row *writer_row(const struct writer_key *key)
{
	__u32 *id = bpf_map_lookup_elem(&writer_ids, key);

	return id ? bpf_map_lookup_elem(&writer_rows, id) : new_writer_row(key);
}

/* Is this the window's first section of row @id? Keeps the first few ids for the window's event. */
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

/*
 * Count a section of the writer @key. A window counts once for a writer, however many sections it
 * had.
 */
static __always_inline void count_writer(struct writer_query *q, const struct writer_key *key)
{
	struct writer_row *row;

	/* The self-test's writers are in no report; another process' section spoils its window. */
	if (q->slot != SLOT_RUN) {
		q->other += key->tgid != (__u32)(bpf_get_current_pid_tgid() >> 32);
		return;
	}
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
 * writer_section() - name and count the writer of section @seq. Returns 0. A global function: the
 * verifier checks it once, not for each turn of the loop.
 */
__noinline int writer_section(struct writer_query *q, __u32 seq)
{
	struct writer_key key = {};
	struct section_ring *ring;
	struct write_section *s;
	__u32 stack;

	if (!q)
		return 0;
	ring = section_ring_of(q->mm);
	if (!ring)
		return 0;
	s = section_at(ring, seq);
	if (section_seq(s) != seq || s->when < q->since ||
	    (mm_numbers_sections() && s->mm != q->mm)) {
		q->unseen++;
		return 0;
	}
	if (s->mm != q->mm)
		return 0;
	q->start = q->end = 0;
	key.origin = s->origin;
	key.nr = s->nr;
	key.tgid = s->tgid;
	__builtin_memcpy(key.comm, s->comm, sizeof(key.comm));
	if (key.origin == WRITER_SYSCALL)
		key.covers = syscall_covers(q, s, &key.sub);
	else if (key.origin == WRITER_STACK)
		key.covers = range_covers(q, s->at[0], s->at[1]);
	key.covers |= mm_numbers_sections() && seq == q->lock_seq;
	q->sections++;
	stack = s->stack;
	/* Overwritten meanwhile: the fields may be of two sections. */
	if (section_seq(s) != seq) {
		q->unseen++;
		return 0;
	}
	count_writer(q, &key);
	if (cfg_stacks && q->slot == SLOT_RUN)
		stack_met(stack);
	return 0;
}

static long writer_visit(__u32 i, struct writer_query *q)
{
	writer_section(q, q->first + 2 * i);
	return 0;
}

/*
 * writers_count() - count the writers of sections @first, @first + 2 ... @last of @q's mm. @last -
 * @first is even, and -2 for none. The caller sets @q's mm, dst, lock_seq and slot.
 */
static __always_inline void writers_count(struct writer_query *q, __u32 first, __u32 last)
{
	struct totals *t = totals_of(q->slot);
	__u32 all = ((__s32)(last - first) >> 1) + 1, nr = all;

	if (!t || !all)
		return;
	q->since = *(volatile __u64 *)&mm_state_of(q->mm)->watched_since;
	if (nr > RING_SECTIONS) {
		q->unseen = nr - RING_SECTIONS;
		first += 2 * q->unseen;
		nr = RING_SECTIONS;
	}
	q->first = first;
	bpf_loop(nr, writer_visit, q, 0);
	/* A ring's own numbers include other mms' sections. */
	q->sections = mm_numbers_sections() ? all : q->sections + q->unseen;
	if (!q->sections)
		return;
	add(&t->writers.windows, 1);
	add(&t->writers.sections, q->sections);
	add(&t->writers.unseen, q->unseen);
	add(&t->writers.unseen_windows, q->unseen != 0);
	add(&t->writers.other, q->other);
}

#endif /* WRITER_BPF_H */
