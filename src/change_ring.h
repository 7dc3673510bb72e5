/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * A ring of changes with many writers and readers, without locks. It may forget, and then says so.
 *
 * A writer reserves a position, claims its entry, fills it in and publishes it. It may be stopped
 * anywhere in between while others go round the ring. So it claims its entry only from an older one
 * that is complete. If a newer one is there, it drops its own: whoever needs it sees that the ring
 * wrapped. If an older one is still being written there, it drops its own and moves the head on by
 * a whole ring: so the ring wrapped for all who need it.
 *
 * A reader takes an entry only if its seq is the same before and after. read_barrier() keeps its loads
 * in that order. Writers' atomics are full barriers by the kernel's memory model, so they need none.
 * Compiled into the BPF object, after bpf/arch.bpf.h, and into the host's unit tests alike.
 */
#ifndef CHANGE_RING_H
#define CHANGE_RING_H

#include "uffdretry.h"

#ifdef __bpf__
#include <bpf/bpf_helpers.h>
#else
#include <stdbool.h>
#include <stddef.h>
#undef __always_inline
#define __always_inline inline __attribute__((always_inline))
#define read_barrier() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#endif

#ifndef RING_ENTRIES /* a test has a shorter ring */
#define RING_ENTRIES 1024
#endif

/* ring_entry.seq at position @pos. It only grows; 0: never written. */
#define RING_BUSY(pos) (2 * (pos) + 1)
#define RING_DONE(pos) (2 * (pos) + 2)

/* Something happened to [@start, @end) in @mm. */
struct change {
	__u64 mm;
	__u64 start;
	__u64 end;
};

struct ring_entry {
	__u64 seq;
	struct change change;
};

struct change_ring {
	__u64 head; /* the next position */
	struct ring_entry entries[RING_ENTRIES];
};

static __always_inline struct ring_entry *ring_entry_at(struct change_ring *ring, __u64 pos)
{
	return &ring->entries[pos & (RING_ENTRIES - 1)];
}

static __always_inline __u64 ring_seq(const struct ring_entry *entry)
{
	return *(const volatile __u64 *)&entry->seq;
}

/* ring_head() - how many changes there were so far. */
static __always_inline __u64 ring_head(const struct change_ring *ring)
{
	return *(const volatile __u64 *)&ring->head;
}

/* ring_reserve() - a position for one change. */
static __always_inline __u64 ring_reserve(struct change_ring *ring)
{
	return __sync_fetch_and_add(&ring->head, 1);
}

/* ring_claim() - the entry at @pos, to fill in; NULL: the change is dropped. */
static __always_inline struct ring_entry *ring_claim(struct change_ring *ring, __u64 pos)
{
	struct ring_entry *entry = ring_entry_at(ring, pos);
	__u64 seen = ring_seq(entry);

	if (seen > RING_BUSY(pos))
		return NULL;
	if (!(seen & 1) && __sync_val_compare_and_swap(&entry->seq, seen, RING_BUSY(pos)) == seen)
		return entry;
	__sync_fetch_and_add(&ring->head, RING_ENTRIES);
	return NULL;
}

/* ring_publish() - @entry is filled in. A full barrier: its seq is seen only with its change. */
static __always_inline void ring_publish(struct ring_entry *entry, __u64 pos)
{
	__sync_lock_test_and_set(&entry->seq, RING_DONE(pos));
}

static __always_inline void ring_append(struct change_ring *ring, const struct change *change)
{
	__u64 pos = ring_reserve(ring);
	struct ring_entry *entry = ring_claim(ring, pos);

	if (!entry)
		return;
	entry->change = *change;
	ring_publish(entry, pos);
}

/*
 * ring_entry_is() - is @entry the complete one of @pos? Ask before and after reading it. The barriers
 * pair with ring_publish() and ring_claim(): what was read is no older than the first seq, and no
 * younger than the second.
 */
static __always_inline bool ring_entry_is(const struct ring_entry *entry, __u64 pos)
{
	bool is;

	read_barrier();
	is = ring_seq(entry) == RING_DONE(pos);
	read_barrier();
	return is;
}

/* ring_covers() - does the change at @pos cover @dst in @mm? No if it is incomplete, or gone. */
static __always_inline bool ring_covers(struct change_ring *ring, __u64 pos, __u64 mm, __u64 dst)
{
	const struct ring_entry *entry = ring_entry_at(ring, pos);

	if (!ring_entry_is(entry, pos) || entry->change.mm != mm || dst < entry->change.start ||
	    dst >= entry->change.end)
		return false;
	return ring_entry_is(entry, pos);
}

/* ring_first() - the first position in [@since, @until) that can still be there. */
static __always_inline __u64 ring_first(__u64 since, __u64 until)
{
	return until - since > RING_ENTRIES ? until - RING_ENTRIES : since;
}

/*
 * ring_answer() - an enum seen, after the search from @since on. In a ring that wrapped a match
 * still counts, none means unknown. Reads the head after the search, which others may have
 * overtaken.
 */
static __always_inline __u32 ring_answer(const struct change_ring *ring, __u64 since, bool found)
{
	read_barrier();
	if (found)
		return SEEN_YES;
	return ring_head(ring) - since > RING_ENTRIES ? SEEN_UNKNOWN : SEEN_NO;
}

#endif /* CHANGE_RING_H */
