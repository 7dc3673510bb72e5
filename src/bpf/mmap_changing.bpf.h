/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Who holds mmap_changing, which fails every fill ioctl of its userfaultfd until the monitor has read the event.
 *
 * A task raises it in one of four functions, and lowers it itself when it comes back from
 * userfaultfd_event_wait_completion(), or from mremap_userfaultfd_fail() or dup_userfaultfd_fail(). So what is raised is
 * known by task and userfaultfd, and whoever raised it last is who answers for the calls that it fails. madvise() and
 * unmaps are only seen where they wait for their event, so that others do not pay for it: calls that are refused in the
 * moment before count as nobody's. Raises are remembered whoever makes them, for the handler alone may be traced; they only
 * happen with userfaultfds that asked for events.
 */
#ifndef CHANGING_BPF_H
#define CHANGING_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "bpf/compat.bpf.h"
#include "bpf/target.bpf.h"
#include "bpf/count.bpf.h"

#define UFFD_FEATURE_EVENT_FORK (1 << 1)
#define UFFD_FEATURE_EVENT_REMAP (1 << 2)
#define UFFD_EVENT_REMOVE 0x15
#define UFFD_EVENT_UNMAP 0x16

/* A monitor that lowers mmap_changing and a call that it failed are not further apart than this. */
#define CHANGING_JUST_NS 1000000000ULL
/* Between the reading of an event and the lowering there is nothing to be read either, but not for so long. */
#define CHANGING_STUCK_NS 1000000000ULL
#define CHANGING_SEEN_NS 100000000ULL

struct raise_key {
	__u64 uffd;
	__u64 tid;
};

struct raise {
	struct holder who;
	__u64 since;
	__u64 start; /* of the range, to know a raise that the kernel does not repeat */
	__u64 end;
	__u64 nr; /* raises that are not lowered yet */
	__u64 traced;
};

/* What a task holds at present. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, struct raise_key);
	__type(value, struct raise);
} raises SEC(".maps");

struct changing {
	struct holder who; /* the last one */
	__u64 lowered;	   /* when it was lowered last, 0: never */
	__u64 orphan;	   /* since when it is raised with no holder and no event, as far as refused calls saw; 0: it is not */
	__u64 orphan_seen; /* the last refused call that saw it so */
	__s64 held;	   /* raises that we saw and that are not lowered yet */
};

/* What is known of a userfaultfd. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, __u64);
	__type(value, struct changing);
} changings SEC(".maps");

/* Sums, by who it was. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_HOLDERS);
	__type(key, struct holder);
	__type(value, struct holder_totals);
} holders SEC(".maps");

static __always_inline struct holder_totals *holder_totals_of(struct holder *who)
{
	struct holder_totals none = {};
	struct holder_totals *t = bpf_map_lookup_elem(&holders, who);

	if (t)
		return t;
	bpf_map_update_elem(&holders, who, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&holders, who);
}

static __always_inline void holder_lost(void)
{
	struct failures *f = failures_of(SLOT_RUN);

	if (f)
		add(&f->holders_lost, 1);
}

/* The current task, about to do @op. */
static __always_inline void read_holder(struct holder *who, __u32 op)
{
	who->op = op;
	who->tgid = bpf_get_current_pid_tgid() >> 32;
	who->syscall = current_syscall();
	who->advice = current_advice(who->syscall);
	bpf_get_current_comm(who->comm, sizeof(who->comm));
}

/*
 * changing_raise() - the current task raises mmap_changing of @uffd for [@start, @end). For a second one with the same
 * range the kernel does not raise it again (has_unmap_ctx(), and the list of dup_userfaultfd()).
 */
static __noinline void changing_raise(struct userfaultfd_ctx *uffd, __u32 op, __u64 start, __u64 end)
{
	struct raise_key key = { .uffd = (__u64)uffd, .tid = (__u32)bpf_get_current_pid_tgid() };
	struct raise new = { .start = start, .end = end, .nr = 1 };
	struct raise *r = bpf_map_lookup_elem(&raises, &key);
	struct changing first = {};
	struct failures *f = failures_of(SLOT_RUN);
	struct holder_totals *t;
	struct changing *c;

	if (phase != PHASE_RUN || (r && r->who.op == op && r->start == start && r->end == end))
		return;
	read_holder(&new.who, op);
	new.since = bpf_ktime_get_ns();
	new.traced = slot_of(uffd->mm) == SLOT_RUN;
	if (r)
		new.nr += r->nr;
	if (bpf_map_update_elem(&raises, &key, &new, BPF_ANY))
		holder_lost();
	c = bpf_map_lookup_elem(&changings, &key.uffd);
	if (!c) {
		bpf_map_update_elem(&changings, &key.uffd, &first, BPF_NOEXIST);
		c = bpf_map_lookup_elem(&changings, &key.uffd);
	}
	t = holder_totals_of(&new.who);
	if (!c || !t) {
		holder_lost();
		return;
	}
	c->who = new.who;
	c->orphan = 0;
	__sync_fetch_and_add(&c->held, 1);
	add(&t->raised, 1);
	t->tid = key.tid;
	if (!new.traced)
		return;
	t->traced = 1;
	if (f)
		add(&f->raised, 1);
}

/* changing_lower() - the current task has lowered mmap_changing of @uffd, which may be gone already. */
static __always_inline void changing_lower(__u64 uffd)
{
	struct raise_key key = { .uffd = uffd, .tid = (__u32)bpf_get_current_pid_tgid() };
	struct raise *r = bpf_map_lookup_elem(&raises, &key);
	struct changing *c = bpf_map_lookup_elem(&changings, &uffd);
	__u64 now = bpf_ktime_get_ns(), held;
	struct holder_totals *t;

	if (!r)
		return;
	if (c) {
		c->lowered = now;
		c->orphan = 0;
		__sync_fetch_and_add(&c->held, -1);
	}
	held = now - r->since;
	t = bpf_map_lookup_elem(&holders, &r->who);
	if (t) {
		add(&t->held_ns, held);
		if (held > t->longest_ns)
			t->longest_ns = held;
	}
	if (r->nr > 1)
		r->nr--;
	else
		bpf_map_delete_elem(&raises, &key);
}

/* changing_is_up() - is mmap_changing of @uffd raised, or was it until just now? */
static __always_inline bool changing_is_up(struct userfaultfd_ctx *uffd)
{
	__u64 key = (__u64)uffd;
	struct changing *c;

	if (BPF_CORE_READ(uffd, mmap_changing.counter))
		return true;
	c = bpf_map_lookup_elem(&changings, &key);
	return c && (c->held > 0 || (c->lowered && bpf_ktime_get_ns() - c->lowered < CHANGING_JUST_NS));
}

/* changing_is_stuck() - @uffd, known as @c if at all, is raised, and nobody is known to hold it: will nobody lower it? */
static __always_inline bool changing_is_stuck(struct userfaultfd_ctx *uffd, struct changing *c)
{
	__u64 key = (__u64)uffd, now = bpf_ktime_get_ns();
	struct changing first = { .orphan = now, .orphan_seen = now };

	if (!c) {
		bpf_map_update_elem(&changings, &key, &first, BPF_NOEXIST);
		return false;
	}
	if (event_pending(uffd)) {
		c->orphan = 0;
		return false;
	}
	/* Calls that are refused now and then say nothing of the time between. */
	if (!c->orphan || now - c->orphan_seen > CHANGING_SEEN_NS)
		c->orphan = now;
	c->orphan_seen = now;
	/* Only an mremap() that fails can leave it raised; a long unmap, say, is no such thing. */
	return c->who.op == CHANGING_REMAP && c->lowered && now - c->orphan > CHANGING_STUCK_NS;
}

/*
 * changing_refused() - a call on @uffd was failed by mmap_changing. Nobody known: it was raised before we looked, or the
 * kernel skipped our program; or it was not lowered by who raised it, and then nobody waits for the event to be read either.
 */
static __always_inline void changing_refused(struct userfaultfd_ctx *uffd, struct failures *f)
{
	__u64 key = (__u64)uffd;
	struct changing *c = bpf_map_lookup_elem(&changings, &key);
	bool raised = BPF_CORE_READ(uffd, mmap_changing.counter) != 0;
	struct holder_totals *t = NULL;

	add(&f->refused, 1);
	if (c && !raised)
		c->orphan = 0;
	if (c && (c->held > 0 || !raised))
		t = bpf_map_lookup_elem(&holders, &c->who);
	if (t)
		add(&t->refused, 1);
	else if (raised && changing_is_stuck(uffd, c))
		add(&f->refused_stuck, 1);
	else
		add(&f->refused_unseen, 1);
}

#endif /* CHANGING_BPF_H */
