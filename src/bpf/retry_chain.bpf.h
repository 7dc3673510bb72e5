/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Chains: copies of one destination page that fail one after the other, until one succeeds.
 *
 * A chain begins with a failure, so a call without failures pays one test. It ends with a copy that
 * succeeds, or that finds the page there (-EEXIST: another copy filled it). A chain that never ends
 * keeps its place in the map; when the map is full, new chains are counted and not followed.
 * A new mm can get the address of one that is gone, so the key has its image, too.
 * Two more kinds of failures are counted, and no chain follows them: while fork() is not done with a
 * process its mm has no image, and of some failures it is unknown whether the page is present.
 */
#ifndef RETRY_CHAIN_BPF_H
#define RETRY_CHAIN_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_helpers.h>
#include "bpf/arch.bpf.h"
#include "bpf/compat.bpf.h"
#include "bpf/count.bpf.h"

#define MAX_CHAINS 8192

struct chain_key {
	__u64 mm;
	__u64 image; /* mm_image() */
	__u64 dst;
};

struct chain {
	__u64 since; /* the first failure's return */
	__u64 length;
	__u64 opened; /* the copy under way has opened a window */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_CHAINS);
	__type(key, struct chain_key);
	__type(value, struct chain);
} chains SEC(".maps");

/* Lengths of the chains that ended, in the buckets of lib/hist.h: exact up to 7. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct hist);
} chain_hist SEC(".maps");

/* Chains that did not end yet: the only test of every call. */
struct own_line open_chains;
/* CHAIN_WORD() of the longest. */
struct own_line longest_chain;

static __always_inline bool chains_open(void)
{
	return *(volatile __u64 *)&open_chains.value;
}

/* Make @word the longest chain if it is. A few attempts: other CPUs do the same. */
static __always_inline void chain_longest(__u64 word)
{
#pragma unroll
	for (int i = 0; i < 4; i++) {
		__u64 seen = *(volatile __u64 *)&longest_chain.value;

		if (CHAIN_LENGTH(word) <= CHAIN_LENGTH(seen) ||
		    __sync_val_compare_and_swap(&longest_chain.value, seen, word) == seen)
			return;
	}
}

/*
 * chain_failed() - a copy to the page at @dst in @mm failed at @site with @fail, an enum
 * fail_errno.
 */
static __always_inline void chain_failed(struct failures *f, __u64 mm, __u64 dst, __u32 fail,
					 __u32 site)
{
	struct chain_key key = { .mm = mm, .image = mm_image(mm), .dst = dst };
	struct chain *c;

	if (key.image == IMAGE_UNBORN) {
		add(&f->chains_lost, 1);
		return;
	}
	c = bpf_map_lookup_elem(&chains, &key);
	if (c) {
		add(&f->reissued, 1);
		if (fail != FAIL_EAGAIN || (site != SITE_ENTRY && site != SITE_LOCK))
			add(&f->retried, 1);
		c->opened = 0;
		chain_longest(CHAIN_WORD(__sync_fetch_and_add(&c->length, 1) + 1, fail, site));
		return;
	}
	struct chain first = { .since = bpf_ktime_get_ns(), .length = 1 };

	if (bpf_map_update_elem(&chains, &key, &first, BPF_NOEXIST)) {
		add(&f->chains_lost, 1);
		return;
	}
	__sync_fetch_and_add(&open_chains.value, 1);
	add(&f->chains, 1);
	chain_longest(CHAIN_WORD(1, fail, site));
}

/* chain_ended() - the page of @key is installed. */
static __always_inline void chain_ended(struct failures *f, const struct chain_key *key)
{
	struct chain *c = bpf_map_lookup_elem(&chains, key);
	__u64 since, length, opened;

	if (!c)
		return;
	since = c->since;
	length = c->length;
	opened = c->opened;
	if (bpf_map_delete_elem(&chains, key))
		return;
	__sync_fetch_and_add(&open_chains.value, -1);
	add(&f->chains_ended, 1);
	add(&f->reissued, 1);
	add(&f->retried, 1);
	if (!opened)
		add(&f->succeeded, 1);
	add(&f->chain_lost_ns, bpf_ktime_get_ns() - since);
	count_ns(&chain_hist, 1, 0, length);
}

/* chain_present() - the page at @dst in @mm is there. */
static __always_inline void chain_present(struct failures *f, __u64 mm, __u64 dst)
{
	struct chain_key key = { .mm = mm, .image = mm_image(mm), .dst = dst };

	chain_ended(f, &key);
}

struct chain_walk {
	struct chain_key next;
	__u64 len;
};

static long chain_step(__u32 unused, struct chain_walk *walk)
{
	struct failures *f = failures_of(SLOT_RUN);

	if (!f || !chains_open())
		return 1;
	chain_ended(f, &walk->next);
	walk->next.dst += 1ULL << page_shift;
	return 0;
}

static long chain_visit(void *map, const struct chain_key *key, const void *unused,
			struct chain_walk *walk)
{
	struct failures *f = failures_of(SLOT_RUN);

	if (f && key->mm == walk->next.mm && key->image == walk->next.image &&
	    key->dst - walk->next.dst < walk->len)
		chain_ended(f, key);
	return 0;
}

/*
 * chain_copied() - [@dst, @dst + @len) in @mm was copied. User space may have changed @len meanwhile,
 * to any number: of more pages than chains, look at the chains.
 */
static __always_inline void chain_copied(__u64 mm, __u64 dst, __u64 len)
{
	struct chain_walk walk = { { mm, mm_image(mm), dst }, len };

	if (len >> page_shift > MAX_CHAINS)
		bpf_for_each_map_elem(&chains, chain_visit, &walk, 0);
	else
		bpf_loop(len >> page_shift, chain_step, &walk, 0);
}

/*
 * chain_window() - a window of the page at @dst in @mm was counted. A global function: the verifier
 * checks it once. Returns 0.
 */
__noinline int chain_window(__u64 mm, __u64 dst)
{
	struct chain_key key = { .mm = mm, .image = mm_image(mm), .dst = dst };
	struct chain *c = bpf_map_lookup_elem(&chains, &key);
	struct failures *f;

	if (!c)
		return 0;
	c->opened = 1;
	f = failures_of(SLOT_RUN);
	if (f)
		add(&f->reopened, 1);
	return 0;
}

#endif /* RETRY_CHAIN_BPF_H */
