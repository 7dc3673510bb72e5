/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Who holds mmap_changing, which fails every fill ioctl of its userfaultfd until the monitor has
 * read the event.
 *
 * A task raises it for one of four operations (enum changing_op), and lowers it itself in
 * userfaultfd_event_wait_completion(), mremap_userfaultfd_fail() or dup_userfaultfd_fail(). A raise
 * is known by task and userfaultfd; the last one to raise it answers for the calls that fail.
 * Raises of madvise() and unmaps are seen only when they wait for their event: a call refused in
 * the moment before counts as unseen. Raises of untraced tasks are remembered too, because the
 * handler alone may be traced; they need a userfaultfd that asked for events.
 */
#ifndef MMAP_CHANGING_BPF_H
#define MMAP_CHANGING_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "uffdretry.h"
#include "bpf/arch.bpf.h"
#include "bpf/target.bpf.h"
#include "bpf/count.bpf.h"
#include "bpf/event.bpf.h"

#define UFFD_FEATURE_EVENT_FORK (1 << 1)
#define UFFD_FEATURE_EVENT_REMAP (1 << 2)
#define UFFD_EVENT_REMOVE 0x15
#define UFFD_EVENT_UNMAP 0x16

/*
 * At most this lies between the lowering of mmap_changing and the return of a call that it failed.
 */
#define CHANGING_JUST_NS 1000000000ULL
/* Raised for longer than this without a holder or a pending event: it stays raised. */
#define CHANGING_STUCK_NS 1000000000ULL
/* Refused calls at most this far apart have seen the time between them. */
#define CHANGING_SEEN_NS 100000000ULL

/* What a task holds at present. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_RAISES);
	__type(key, struct raise_key);
	__type(value, struct raise);
} raises SEC(".maps");

struct changing {
	struct holder who; /* the last one */
	__u64 lowered;	   /* when it was lowered last, 0: never */
	__u64 orphan;	   /* since when refused calls see no holder and no event; 0: they do */
	__u64 orphan_seen; /* the last refused call that saw it so */
	__s64 held;	   /* raises that were seen and are not lowered yet */
	__u64 tid;	   /* of the last holder */
};

/* The state of a userfaultfd. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, __u64);
	__type(value, struct changing);
} changings SEC(".maps");

/* Sums by holder. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_HOLDERS);
	__type(key, struct holder);
	__type(value, struct holder_totals);
} holders SEC(".maps");

/* The sums of @who, made if need be; NULL when the map is full. */
static __always_inline struct holder_totals *holder_totals_of(struct holder *who)
{
	struct holder_totals none = {};
	struct holder_totals *t = bpf_map_lookup_elem(&holders, who);

	if (t)
		return t;
	bpf_map_update_elem(&holders, who, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&holders, who);
}

/* The state of @uffd, made if need be; NULL when the map is full. */
static __always_inline struct changing *changing_of(__u64 uffd)
{
	struct changing none = {};
	struct changing *c = bpf_map_lookup_elem(&changings, &uffd);

	if (c)
		return c;
	bpf_map_update_elem(&changings, &uffd, &none, BPF_NOEXIST);
	return bpf_map_lookup_elem(&changings, &uffd);
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
	struct task_struct *task = bpf_get_current_task_btf();
	const struct pt_regs *regs = user_regs(task);
	/* The numbers of 32-bit code are others. */
	bool known = !is_compat_syscall(task);

	who->op = op;
	who->tgid = bpf_get_current_pid_tgid() >> 32;
	who->syscall = known ? regs_syscall(regs) : -1;
	who->advice = known ? regs_advice(regs) : -1;
	own_comm(who->comm);
}

/* Remember @new on top of @old, the task's raises that are not lowered yet, or NULL. */
static __always_inline void raise_remember(struct raise_key *key, struct raise *new,
					   const struct raise *old)
{
	if (old) {
		new->nr += old->nr;
		new->refused += old->refused;
	}
	if (bpf_map_update_elem(&raises, key, new, BPF_ANY))
		holder_lost();
}

/*
 * changed_event() - the current task has raised or lowered mmap_changing as @r says, @what being an
 * enum event_kind; lowered, after @held ns. The event has the times of the raise and not its own: we
 * may have been preempted since. A global function: the verifier checks it once. Returns 0.
 */
__noinline int changed_event(const struct raise *r, __u32 what, __u64 held)
{
	struct event *e;

	if (!r || phase != PHASE_RUN)
		return 0;
	e = event_begin(SLOT_RUN, what, LOST_CHANGING_EVENTS);
	if (!e)
		return 0;
	e->begin_ns = r->since + held;
	e->dst = r->start;
	e->changed.who = r->who;
	e->changed.end = r->end;
	e->changed.held_ns = held;
	e->changed.refused = r->refused;
	event_end(e);
	return 0;
}

/* Count @r in its holder's sums. */
static __always_inline void holder_raised(struct holder_totals *t, const struct raise *r, __u32 tid)
{
	add(&t->raised, 1);
	t->tid = tid;
	if (r->traced)
		t->traced = 1;
}

/* Count @r in the sums of the run. */
static __always_inline void count_raised(const struct raise *r)
{
	struct failures *f = failures_of(SLOT_RUN);

	if (!r->traced || !f)
		return;
	add(&f->raised, 1);
	add_at(f->op_raised, NR_CHANGING_OPS, r->who.op, 1);
	if (cfg_events)
		changed_event(r, EVENT_RAISED, 0);
}

/* Count that @r, whose holder has the sums @t or NULL, was up for @held ns. */
static __always_inline void count_held(const struct raise *r, struct holder_totals *t, __u64 held)
{
	struct failures *f = failures_of(SLOT_RUN);

	if (t) {
		add(&t->held_ns, held);
		if (held > t->longest_ns)
			t->longest_ns = held;
	}
	if (f && (r->traced || (t && t->refused)))
		add_at(f->op_held_ns, NR_CHANGING_OPS, r->who.op, held);
}

/*
 * raise_begin() - the current task raises mmap_changing of @of as @as says. The kernel does not raise
 * twice for the same range (has_unmap_ctx(), and the list of dup_userfaultfd()). A global function:
 * the verifier checks it once. Returns 0.
 */
__noinline int raise_begin(const struct raise_key *of, const struct raise *as)
{
	struct holder_totals *t;
	struct raise_key key;
	struct changing *c;
	struct raise *old, new;

	if (!of || !as)
		return 0;
	/* On the stack: 6.1 takes no argument's memory as a map's key or value. */
	key = *of;
	new = *as;
	old = bpf_map_lookup_elem(&raises, &key);
	if (old && old->who.op == new.who.op && old->start == new.start && old->end == new.end)
		return 0;
	read_holder(&new.who, new.who.op);
	new.since = bpf_ktime_get_ns();
	raise_remember(&key, &new, old);
	count_raised(&new);
	c = changing_of(key.uffd);
	t = holder_totals_of(&new.who);
	if (c) {
		c->who = new.who;
		c->tid = key.tid;
		c->orphan = 0;
		__sync_fetch_and_add(&c->held, 1);
	}
	if (t)
		holder_raised(t, &new, key.tid);
	if (!c || !t)
		holder_lost();
	return 0;
}

/* changing_raise() - the current task raises mmap_changing of @uffd for @op on [@start, @end). */
static __noinline void changing_raise(struct userfaultfd_ctx *uffd, __u32 op, __u64 start,
				      __u64 end)
{
	struct raise_key key = { .uffd = (__u64)uffd, .tid = own_tid() };
	struct raise new = { .start = start, .end = end, .nr = 1, .who.op = op };

	if (phase != PHASE_RUN)
		return;
	new.traced = slot_of(uffd->mm) == SLOT_RUN;
	raise_begin(&key, &new);
}

/* changing_fork() - dup_userfaultfd() of the child's VMA @vma, which has the parent's context. */
static __always_inline void changing_fork(struct vm_area_struct *vma)
{
	struct userfaultfd_ctx *uffd = vma->vm_userfaultfd_ctx.ctx;

	if (uffd && uffd->features & UFFD_FEATURE_EVENT_FORK)
		changing_raise(uffd, CHANGING_FORK, 0, 0);
}

/* changing_remap() - mremap_userfaultfd_prep() of @vma. */
static __always_inline void changing_remap(struct vm_area_struct *vma)
{
	struct userfaultfd_ctx *uffd = vma->vm_userfaultfd_ctx.ctx;

	if (uffd && uffd->features & UFFD_FEATURE_EVENT_REMAP)
		changing_raise(uffd, CHANGING_REMAP, vma->vm_start, vma->vm_end);
}

/*
 * changing_waits() - the current task is about to wait until the event @ewq is read: madvise() or
 * an unmap raised it.
 */
static __always_inline void changing_waits(struct userfaultfd_ctx *uffd,
					   const struct userfaultfd_wait_queue *ewq)
{
	__u8 event = ewq->msg.event;

	if (event == UFFD_EVENT_REMOVE || event == UFFD_EVENT_UNMAP)
		changing_raise(uffd, event == UFFD_EVENT_REMOVE ? CHANGING_REMOVE : CHANGING_UNMAP,
			       ewq->msg.arg.remove.start, ewq->msg.arg.remove.end);
}

/*
 * changing_lower() - the current task has lowered mmap_changing of @uffd, which may be freed
 * already.
 */
static __always_inline void changing_lower(__u64 uffd)
{
	struct raise_key key = { .uffd = uffd, .tid = own_tid() };
	struct raise *r = bpf_map_lookup_elem(&raises, &key);
	struct changing *c = bpf_map_lookup_elem(&changings, &uffd);
	__u64 now = bpf_ktime_get_ns(), held;

	if (!r)
		return;
	if (c) {
		c->lowered = now;
		c->orphan = 0;
		__sync_fetch_and_add(&c->held, -1);
	}
	held = now - r->since;
	count_held(r, bpf_map_lookup_elem(&holders, &r->who), held);
	/* A task that is not traced matters only where it failed a call of one that is. */
	if (cfg_events && (r->traced || r->refused))
		changed_event(r, EVENT_LOWERED, held);
	r->refused = 0;
	if (r->nr > 1)
		r->nr--;
	else
		bpf_map_delete_elem(&raises, &key);
}

static long changing_visit(void *map, const struct raise_key *key, const struct raise *r,
			   const __u32 *tid)
{
	if (key->tid == *tid && r->who.op == CHANGING_FORK)
		changing_lower(key->uffd);
	return 0;
}

/* changing_fork_failed() - the current task's fork fails: it has lowered what it had raised for it. */
static __always_inline void changing_fork_failed(void)
{
	__u32 tid = own_tid();

	bpf_for_each_map_elem(&raises, changing_visit, &tid, 0);
}

/* changing_is_up() - is mmap_changing of @uffd raised, or was it until just now? */
static __always_inline bool changing_is_up(struct userfaultfd_ctx *uffd)
{
	__u64 key = (__u64)uffd;
	struct changing *c;

	if (BPF_CORE_READ(uffd, mmap_changing.counter))
		return true;
	c = bpf_map_lookup_elem(&changings, &key);
	return c &&
	       (c->held > 0 || (c->lowered && bpf_ktime_get_ns() - c->lowered < CHANGING_JUST_NS));
}

/*
 * Does a task wait for an event of @uffd to be read? One whose event is being read at this moment
 * is not seen.
 */
static __always_inline bool event_pending(struct userfaultfd_ctx *uffd)
{
	struct list_head *head = &uffd->event_wqh.head;

	return BPF_CORE_READ(uffd, event_wqh.head.next) != head;
}

/* @uffd is raised and no holder is known. Will it stay raised? @c: its state, or NULL. */
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
	if (!c->orphan || now - c->orphan_seen > CHANGING_SEEN_NS)
		c->orphan = now;
	c->orphan_seen = now;
	/* Only a failed mremap() leaves it raised; a long unmap does not. */
	return c->who.op == CHANGING_REMAP && c->lowered && now - c->orphan > CHANGING_STUCK_NS;
}

/* What @c's last holder has raised of @uffd failed a call: its event tells so when it is lowered. */
static __always_inline void raise_refused(__u64 uffd, const struct changing *c)
{
	struct raise_key key = { .uffd = uffd, .tid = c->tid };
	struct raise *r = bpf_map_lookup_elem(&raises, &key);

	if (r)
		add(&r->refused, 1);
}

/*
 * changing_refused() - mmap_changing failed a call on @uffd. Returns who had raised it. Without a
 * known holder (NULL) it was raised before we looked, our program was skipped, or the task that
 * raised it never lowers it.
 */
static __always_inline const struct holder *changing_refused(struct userfaultfd_ctx *uffd,
							     struct failures *f)
{
	__u64 key = (__u64)uffd;
	struct changing *c = bpf_map_lookup_elem(&changings, &key);
	bool raised = BPF_CORE_READ(uffd, mmap_changing.counter) != 0;
	struct holder_totals *t;

	add(&f->refused, 1);
	if (c && !raised)
		c->orphan = 0;
	/* No task has the tgid 0: nobody was seen yet. */
	if (c && c->who.tgid && (c->held > 0 || !raised)) {
		t = bpf_map_lookup_elem(&holders, &c->who);
		if (t)
			add(&t->refused, 1);
		add_at(f->op_refused, NR_CHANGING_OPS, c->who.op, 1);
		if (cfg_events)
			raise_refused(key, c);
		return &c->who;
	}
	if (raised && changing_is_stuck(uffd, c))
		add(&f->refused_stuck, 1);
	else
		add(&f->refused_unseen, 1);
	return NULL;
}

#endif /* MMAP_CHANGING_BPF_H */
