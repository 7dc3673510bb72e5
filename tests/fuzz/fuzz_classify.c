// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * Compare classify() with a slow model of docs/reference/classes.md. The build reads the order of
 * the classes, and each check's verdict on them, from the page's table. The tests of the classes
 * follow the page's text and answer yes, no or unknown.
 *
 * All windows are possible ones: a VMA differs only if it was write-locked, and a lock leaves its
 * sequence number.
 */
#include "classify.h"
#include "fuzz.h"
#include "counters/counters.h"

enum says { SAYS_NOTHING, SAYS_PASS, SAYS_EAGAIN };
enum answer { NO, YES, UNKNOWN };

static const struct row {
	const char *class;
	enum says snapshot, address, per_vma_seq, per_mm_seq;
} table[] = {
#include "fuzz/classes.inc"
};
#define NR_ROWS (sizeof(table) / sizeof(table[0]))

/* --- A possible window ------------------------------------------------------------------------ */

struct world {
	struct window_facts w;
	bool locked; /* the truth: somebody write-locked the VMA */
};

#define PAGE_SHIFT 12
#define MODES 0x7000ULL
#define OTHER_FLAGS 0x130000ULL

static uint64_t one_of(struct bytes *b, uint64_t base, unsigned int n)
{
	return base + take_byte(b) % n;
}

static void make_file(struct bytes *b, struct vma_facts *v)
{
	v->uffd_ops = one_of(b, UFFD_OPS_ANON, 3);
	v->file = v->inode = v->ino = 0;
	if (v->uffd_ops == UFFD_OPS_ANON)
		return;
	/* Another file can have the address of an old one, with another inode. */
	v->file = one_of(b, 0x1000, 2);
	v->inode = one_of(b, 0x2000, 2);
	v->ino = one_of(b, 0x30, 2) + 2 * v->inode;
}

static void make_flags(struct bytes *b, struct vma_facts *v)
{
	uint64_t bits;

	take(b, &bits, sizeof(bits));
	v->flags = bits & (MODES | OTHER_FLAGS | VM_SHARED | VM_RWX);
}

/* Change some things about the VMA at the destination, or nothing. */
static void change(struct bytes *b, struct vma_facts *v)
{
	uint8_t what = take_byte(b), more = take_byte(b);

	if (what & 1)
		make_flags(b, v);
	if (what & 2)
		make_file(b, v);
	if (what & 4)
		v->ctx = one_of(b, 1, 3);
	if (what & 8)
		v->start = one_of(b, 8, 3) << 12;
	if (what & 16)
		v->pgoff = one_of(b, 0, 4);
	if (what & 32)
		v->end = one_of(b, 20, 2) << 12;
	if (what & 64)
		v->vma = one_of(b, 0x100, 2);
	if (more & 1)
		v->policy = one_of(b, 0, 2);
	if (more & 2)
		v->anon_name = one_of(b, 0, 2);
	if (more & 4)
		v->page_prot = one_of(b, 0, 2);
}

static void make_sequence(struct bytes *b, struct world *world)
{
	struct window_facts *w = &world->w;
	uint32_t moved = take_byte(b) % 9;

	if (w->seq == SEQ_NONE)
		return;
	take(b, &w->begin.mm_lock_seq, sizeof(w->begin.mm_lock_seq));
	/* Before the window no VMA can have the number of a write section that is still open. */
	w->begin.vm_lock_seq = w->begin.mm_lock_seq - 1 - take_byte(b);
	w->end.mm_lock_seq = w->begin.mm_lock_seq + moved;
	w->end.vm_lock_seq = w->begin.vm_lock_seq;
	if (!world->locked)
		return;
	/* The lock's write section ended before the relock. */
	if (!moved)
		w->end.mm_lock_seq++;
	w->end.vm_lock_seq =
		w->begin.mm_lock_seq + take_byte(b) % (w->end.mm_lock_seq - w->begin.mm_lock_seq);
}

static void make_world(struct bytes *b, struct world *world)
{
	struct window_facts *w = &world->w;

	memset(world, 0, sizeof(*world));
	w->seq = take_byte(b) % 3;
	w->relock_result = take_byte(b) % 16 < 12 ? RELOCK_OK : take_byte(b) % 5;
	w->uffd_mask = MODES;
	w->dst = one_of(b, 10, 10) << 12;
	w->begin = (struct vma_facts) {
		.vma = 0x100, .start = 8 << 12, .end = 20 << 12, .ctx = 1, .pgoff = 1
	};
	make_flags(b, &w->begin);
	make_file(b, &w->begin);
	world->locked = take_byte(b) % 2;
	w->end = w->begin;
	if (world->locked) {
		change(b, &w->end);
		w->unmapped = take_byte(b) % 3;
	}
	make_sequence(b, world);
	/*
	 * The hook can miss a lock, but sees none that did not happen. Without sequence numbers it
	 * is the only source.
	 */
	w->write_locked = take_byte(b) % 4 == 0 ? SEEN_UNKNOWN : world->locked ? SEEN_YES : SEEN_NO;
	if (w->seq != SEQ_NONE && take_byte(b) % 4 == 0)
		w->write_locked = SEEN_NO;
	w->kernel_answer = take_byte(b) % 3;
	w->kernel_eagain = w->kernel_answer == KERNEL_ANSWER_SEEN && take_byte(b) % 2;
	w->kernel_is = take_byte(b) % (NR_CHECKS + 1);
	w->seq_between = take_byte(b) % 3;
}

/* --- The model: docs/reference/classes.md in words -------------------------------------------- */

static bool has_file(const struct vma_facts *v)
{
	return v->file != 0;
}

/*
 * "The userfaultfd modes, VM_SHARED, the uffd ops, and for a file-backed VMA file, inode and
 * vm_pgoff."
 */
static bool snapshot_differs(const struct window_facts *w)
{
	const struct vma_facts *b = &w->begin, *e = &w->end;

	if ((b->flags & MODES) != (e->flags & MODES) ||
	    (b->flags & VM_SHARED) != (e->flags & VM_SHARED))
		return true;
	if (b->uffd_ops != e->uffd_ops)
		return true;
	if (!has_file(b))
		return false;
	return b->file != e->file || b->inode != e->inode || b->ino != e->ino ||
	       b->pgoff != e->pgoff;
}

/* Where the file page 0 would be: the same for each address of a VMA. */
static int64_t origin(const struct vma_facts *v)
{
	return (int64_t)v->pgoff * 4096 - (int64_t)v->start;
}

/* "As the snapshot, with the file page of the destination in place of vm_pgoff." */
static bool page_differs(const struct window_facts *w)
{
	struct window_facts same_pgoff = *w;

	same_pgoff.end.pgoff = w->begin.pgoff;
	if (snapshot_differs(&same_pgoff))
		return true;
	return has_file(&w->begin) && origin(&w->begin) != origin(&w->end);
}

/*
 * "The same context and modes, VM_SHARED and ops, and for a file the same inode and the same offset
 * of the address."
 */
static bool meaning_differs(const struct window_facts *w)
{
	const struct vma_facts *b = &w->begin, *e = &w->end;

	if (b->ctx != e->ctx || (b->flags & MODES) != (e->flags & MODES))
		return true;
	if ((b->flags & VM_SHARED) != (e->flags & VM_SHARED) || b->uffd_ops != e->uffd_ops)
		return true;
	if (!has_file(b) && !has_file(e))
		return false;
	return b->inode != e->inode || b->ino != e->ino || origin(b) != origin(e);
}

/* "The same mapping changed in what neither looks at." */
static bool otherwise_differs(const struct window_facts *w)
{
	const struct vma_facts *b = &w->begin, *e = &w->end;

	return b->start != e->start || b->end != e->end || b->flags != e->flags ||
	       b->page_prot != e->page_prot || b->policy != e->policy ||
	       b->anon_name != e->anon_name;
}

/* Was the VMA write-locked? Without mm_lock_seq: was mmap_lock held for write? */
static enum answer was_locked(const struct world *world)
{
	if (world->w.seq != SEQ_NONE)
		return world->locked ? YES : NO;
	return world->w.write_locked == SEEN_UNKNOWN ? UNKNOWN
	       : world->w.write_locked == SEEN_YES   ? YES
						     : NO;
}

static enum answer both(enum answer a, enum answer b)
{
	if (a == NO || b == NO)
		return NO;
	return a == UNKNOWN || b == UNKNOWN ? UNKNOWN : YES;
}

static enum answer is(bool it)
{
	return it ? YES : NO;
}

static enum answer unmapped(const struct window_facts *w)
{
	return w->unmapped == SEEN_UNKNOWN ? UNKNOWN : is(w->unmapped == SEEN_YES);
}

/* Is the window of this class, if it is of none of the classes before it? */
static enum answer is_class(const char *class, const struct world *world)
{
	const struct window_facts *w = &world->w;
	bool mm_moved = w->begin.mm_lock_seq != w->end.mm_lock_seq;

	if (!strcmp(class, "aborted"))
		return is(w->relock_result == RELOCK_NEVER);
	if (!strcmp(class, "blocked"))
		return is(w->relock_result == RELOCK_BLOCKED);
	if (!strcmp(class, "gone"))
		return is(w->relock_result == RELOCK_GONE);
	if (w->relock_result == RELOCK_LOST)
		return UNKNOWN;
	if (!strcmp(class, "real"))
		return is(snapshot_differs(w) && meaning_differs(w));
	if (!strcmp(class, "false_alarm"))
		return is(snapshot_differs(w) && !meaning_differs(w));
	if (!strcmp(class, "hidden"))
		return is(!snapshot_differs(w) && meaning_differs(w));
	if (!strcmp(class, "replaced"))
		return both(was_locked(world), unmapped(w));
	if (!strcmp(class, "tolerated"))
		return both(was_locked(world), is(otherwise_differs(w)));
	if (!strcmp(class, "locked")) /* not on kernels without mm_lock_seq */
		return w->seq == SEQ_NONE ? NO : was_locked(world);
	if (!strcmp(class, "unrelated"))
		return w->seq == SEQ_NONE ? was_locked(world) : is(mm_moved);
	if (!strcmp(class, "quiet"))
		return YES;
	fprintf(stderr, "docs/reference/classes.md has a class that is not known here: %s\n",
		class);
	abort();
}

/* NULL: undetermined. */
static const struct row *model(const struct world *world)
{
	for (size_t i = 0; i < NR_ROWS; i++) {
		enum answer answer = is_class(table[i].class, world);

		if (answer != NO)
			return answer == YES ? &table[i] : NULL;
	}
	abort(); /* every window has a class */
}

/* --- Both, side by side ----------------------------------------------------------------------- */

static bool says(const struct verdict *v, enum check check)
{
	return v->eagain & BIT32(check);
}

static void demand_check(const struct verdict *v, enum check check, enum says expected)
{
	if (expected == SAYS_NOTHING || !(v->reached & BIT32(check)))
		return;
	demand(says(v, check) == (expected == SAYS_EAGAIN));
}

static void demand_checks(const struct window_facts *w, const struct verdict *v,
			  const struct row *row)
{
	const struct vma_facts *b = &w->begin, *e = &w->end;
	bool seqs = w->seq != SEQ_NONE, contradicts;

	demand(!!(v->reached & BIT32(CHECK_SNAPSHOT)) &&
	       !!(v->reached & BIT32(CHECK_OPS_POINTER)) && !!(v->reached & BIT32(CHECK_ADDRESS)));
	demand(!!(v->reached & BIT32(CHECK_PER_VMA_SEQ)) == seqs &&
	       !!(v->reached & BIT32(CHECK_PER_MM_SEQ)) == seqs);
	demand(!!(v->reached & BIT32(CHECK_KERNEL)) == (w->kernel_answer != KERNEL_ANSWER_UNSEEN));
	demand_check(v, CHECK_SNAPSHOT, row->snapshot);
	/* The class does not always tell: see the reasons. */
	demand_check(v, CHECK_ADDRESS, row->address);
	demand(says(v, CHECK_ADDRESS) == page_differs(w));
	demand_check(v, CHECK_PER_VMA_SEQ, row->per_vma_seq);
	demand_check(v, CHECK_PER_MM_SEQ, row->per_mm_seq);
	demand(says(v, CHECK_OPS_POINTER) == (b->uffd_ops != e->uffd_ops));
	demand(says(v, CHECK_KERNEL) ==
	       (w->kernel_answer != KERNEL_ANSWER_UNSEEN && w->kernel_eagain));
	demand(!(v->eagain & ~v->reached));
	/* The windows are possible ones, so only the kernel's answer can contradict. */
	contradicts = w->kernel_answer == KERNEL_ANSWER_SEEN && w->kernel_is < NR_CHECKS &&
		      !!w->kernel_eagain != says(v, (enum check)w->kernel_is);
	if (w->kernel_is == CHECK_PER_MM_SEQ && w->seq_between != SEEN_NO) {
		demand(!v->anomaly);
		demand(v->raced == (contradicts && w->seq_between == SEEN_YES));
	} else {
		demand(v->anomaly == contradicts);
		demand(!v->raced);
	}
}

/*
 * "The address was unmapped, and by its address the file is the same." Nobody kept it open: the
 * kernel compares nothing.
 */
static bool file_is_unsure(const struct world *world)
{
	const struct window_facts *w = &world->w;

	return was_locked(world) != NO && unmapped(w) != NO && has_file(&w->begin) &&
	       w->kernel_answer == KERNEL_ANSWER_NONE && !snapshot_differs(w);
}

static void demand_reasons(const struct window_facts *w, const struct verdict *v)
{
	demand(!!v->snapshot_reasons == snapshot_differs(w));
	demand(!!v->meaning_reasons == meaning_differs(w));
	demand(!!v->tolerated_reasons == (v->class == CLASS_TOLERATED));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes b = { data, size };
	struct world world;
	struct verdict v;
	const struct row *row;

	make_world(&b, &world);
	memset(&v, 0xff, sizeof(v));
	classify(&world.w, PAGE_SHIFT, &v);
	row = model(&world);
	demand(v.class < NR_CLASSES);
	demand(!strcmp(class_names[v.class], row ? row->class : "undetermined"));
	demand(v.odd_start == (world.w.seq == SEQ_COUNT && world.w.begin.mm_lock_seq % 2));
	if (v.class == CLASS_ABORTED || v.class == CLASS_BLOCKED || v.class == CLASS_GONE ||
	    v.class == CLASS_UNDETERMINED) {
		demand(!v.reached && !v.eagain && !v.anomaly && !v.unwitnessed && !v.raced &&
		       !v.file_unsure);
		return 0;
	}
	demand_checks(&world.w, &v, row);
	demand_reasons(&world.w, &v);
	demand(!!v.file_unsure == file_is_unsure(&world));
	demand(v.unwitnessed ==
	       (world.w.seq != SEQ_NONE && world.locked && world.w.write_locked == SEEN_NO));
	return 0;
}
