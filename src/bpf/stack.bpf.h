/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Stacks of writers: only with --stacks. A writer that takes mmap_lock while a window is open on
 * its mm looks for the row of its stack. The window that meets the write section counts it there.
 *
 * Frames get their names here, where the tool needs no right to see them and the process cannot have
 * ended: a kernel frame its symbol, a user frame the file that is mapped there. The writer holds its
 * mm's mmap_lock, so the mappings stand still; bpf_find_vma() and build ids would want to lock it
 * again, and give up.
 */
#ifndef STACK_BPF_H
#define STACK_BPF_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include "checks.h"
#include "uffdretry.h"
#include "bpf/arch.bpf.h"
#include "bpf/count.bpf.h"
#include "bpf/maple_tree.bpf.h"
#include "bpf/task.bpf.h"

const volatile bool cfg_stacks = false;

/* Without --stacks the loader creates none of these. It maps the rows, as it does totals. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MAX_STACKS);
	__type(key, __u32);
	__type(value, struct stack_row);
} stack_rows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_STACKS);
	__type(key, struct stack_key);
	__type(value, __u32);
} stack_ids SEC(".maps");

/* The stack in hand. One program writes there, which the kernel never nests on a CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct stack_row);
} stack_in_hand SEC(".maps");

/*
 * What a name is of: a kernel address with NAME_KERNEL, or a file by where its inode is, and by
 * number and generation, as the kernel may put another inode there. The number and the device would
 * not tell files of two subvolumes of btrfs apart.
 */
struct stack_name_key {
	__u64 at;
	__u64 which;
};

#define NAME_KERNEL (~0ULL)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, MAX_STACK_NAMES);
	__type(key, __u32);
	__type(value, struct stack_name);
} stack_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MAX_STACK_NAMES);
	__type(key, struct stack_name_key);
	__type(value, __u32);
} stack_name_ids SEC(".maps");

/* How many rows are taken, without those that nobody gets. */
struct own_line next_stack, next_stack_name;

static __always_inline struct stack_row *stack_scratch(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&stack_in_hand, &zero);
}

/* --- Names ------------------------------------------------------------------------------------ */

/* A walk from a file up to the root of its file system, which may be mounted anywhere. */
struct path_walk {
	struct dentry *dentry;
	__u32 id; /* of the name */
	__u32 levels;
};

static long walk_up(__u32 level, struct path_walk *walk)
{
	struct stack_name *name = bpf_map_lookup_elem(&stack_names, &walk->id);
	struct dentry *dentry = walk->dentry, *parent = BPF_CORE_READ(dentry, d_parent);

	/* The dentry of a memfd is its own parent, and has a name: so the first one is read always. */
	if (!name || level >= NAME_LEVELS || (level && parent == dentry))
		return 1;
	name->cut |= bpf_probe_read_kernel_str(name->parts[level], NAME_PART,
					       BPF_CORE_READ(dentry, d_name.name)) == NAME_PART;
	walk->dentry = parent;
	walk->levels = level + 1;
	return 0;
}

static __always_inline void read_path(struct stack_name *name, __u32 id, struct file *file)
{
	struct path_walk walk = { BPF_CORE_READ(file, f_path.dentry), id, 0 };
	struct dentry *top;

	bpf_loop(NAME_LEVELS, walk_up, &walk, 0);
	top = walk.dentry;
	name->levels = walk.levels;
	name->cut |= BPF_CORE_READ(top, d_parent) != top;
	name->deleted = !BPF_CORE_READ(file, f_inode, i_nlink);
}

static __always_inline void read_symbol(struct stack_name *name, __u64 address)
{
	BPF_SNPRINTF(name->parts[0], NAME_LEVELS * NAME_PART, "%ps", address);
	name->levels = 1;
}

/* The id of @key's name; 0 when the table is full. @file: NULL for one of the kernel. */
static __always_inline __u32 name_of(const struct stack_name_key *key, struct file *file)
{
	__u32 *known = bpf_map_lookup_elem(&stack_name_ids, key), id;
	struct stack_name *name;

	if (known)
		return *known;
	if (*(volatile __u64 *)&next_stack_name.value >= MAX_STACK_NAMES - 1)
		return 0;
	id = __sync_fetch_and_add(&next_stack_name.value, 1) + 1;
	name = bpf_map_lookup_elem(&stack_names, &id);
	if (!name)
		return 0;
	if (file)
		read_path(name, id, file);
	else
		read_symbol(name, key->at);
	/* A full barrier: the loader sees the row only as a whole. */
	__sync_lock_test_and_set(&name->used, 1);
	/* Another CPU may have been faster: then it has two, which read alike. */
	bpf_map_update_elem(&stack_name_ids, key, &id, BPF_NOEXIST);
	return id;
}

/* All frames but the innermost return to their address: the call is before it. */
static __always_inline __u64 call_of(__u64 address, __u32 frame)
{
	return frame ? address - 1 : address;
}

static long name_kernel_frame(__u32 i, void *unused)
{
	struct stack_row *row = stack_scratch();
	struct stack_name_key key = { .which = NAME_KERNEL };

	if (!row || i >= STACK_DEPTH)
		return 1;
	key.at = call_of(row->kernel.at[i], i);
	row->kernel.at[i] = key.at;
	row->kernel.names[i] = name_of(&key, NULL);
	return 0;
}

/* As vma_at(), for the verifier in turns of a loop that it checks once. */
struct vma_search {
	__u64 entry;
	__u64 address;
};

static long search_down(__u32 depth, struct vma_search *s)
{
	const bool leaf = MAPLE_TYPE(s->entry) <= MAPLE_LEAF_64;

	s->entry = maple_descend(s->entry, s->address);
	return leaf || !s->entry;
}

/* The VMA of @mm that holds @address, or NULL. */
static __always_inline struct vm_area_struct *search_vma(__u64 mm, __u64 address)
{
	struct vma_search s = { maple_root(mm), address };
	struct vm_area_struct *vma;

	if (s.entry)
		bpf_loop(MAPLE_DEPTH_MAX, search_down, &s, 0);
	vma = (void *)s.entry;
	if (!vma || address < BPF_CORE_READ(vma, vm_start) || address >= BPF_CORE_READ(vma, vm_end))
		return NULL;
	return vma;
}

/* The caller holds the mmap_lock of @mm, or @mm is 0: then frames stay addresses. */
static long name_user_frame(__u32 i, __u64 *mm)
{
	struct stack_row *row = stack_scratch();
	struct stack_name_key key;
	struct vm_area_struct *vma;
	struct inode *inode;
	struct file *file;
	__u64 at;

	if (!row || i >= STACK_DEPTH)
		return 1;
	at = call_of(row->user.at[i], i);
	row->user.at[i] = at;
	row->user.names[i] = 0;
	vma = *mm ? search_vma(*mm, at) : NULL;
	/* Where the frame pointer holds other data, frames are data too. */
	if (!vma || !(BPF_CORE_READ(vma, vm_flags) & VM_EXEC))
		return 0;
	file = BPF_CORE_READ(vma, vm_file);
	if (!file)
		return 0;
	inode = BPF_CORE_READ(file, f_inode);
	key.at = (__u64)inode;
	key.which = BPF_CORE_READ(inode, i_ino) ^ (__u64)BPF_CORE_READ(inode, i_generation) << 32;
	row->user.names[i] = name_of(&key, file);
	if (row->user.names[i])
		row->user.at[i] = at - BPF_CORE_READ(vma, vm_start) +
				  (BPF_CORE_READ(vma, vm_pgoff) << page_shift);
	return 0;
}

/* --- Stacks ----------------------------------------------------------------------------------- */

static __always_inline long hash_frame(__u64 *hash, const struct stack_frames *frames, __u32 i)
{
	if (i >= STACK_DEPTH)
		return 1;
	*hash = (*hash ^ frames->at[i]) * 0x9e3779b97f4a7c15ULL;
	*hash ^= *hash >> 32;
	return 0;
}

static long hash_kernel_frame(__u32 i, __u64 *hash)
{
	struct stack_row *row = stack_scratch();

	return row ? hash_frame(hash, &row->kernel, i) : 1;
}

static long hash_user_frame(__u32 i, __u64 *hash)
{
	struct stack_row *row = stack_scratch();

	return row ? hash_frame(hash, &row->user, i) : 1;
}

/* A new row for the stack in hand; that of another CPU if that was faster; or STACK_LOST. */
static __always_inline __u32 new_stack(struct stack_row *hand, __u64 mm)
{
	__u32 id, *winner;
	struct stack_row *row;

	if (*(volatile __u64 *)&next_stack.value >= MAX_STACKS - FIRST_STACK)
		return STACK_LOST;
	id = FIRST_STACK + __sync_fetch_and_add(&next_stack.value, 1);
	row = bpf_map_lookup_elem(&stack_rows, &id);
	if (!row)
		return STACK_LOST;
	bpf_loop(hand->nr_kernel, name_kernel_frame, NULL, 0);
	bpf_loop(hand->nr_user, name_user_frame, &mm, 0);
	bpf_probe_read_kernel(&row->key, sizeof(*row) - __builtin_offsetof(struct stack_row, key),
			      &hand->key);
	if (bpf_map_update_elem(&stack_ids, &hand->key, &id, BPF_NOEXIST)) {
		winner = bpf_map_lookup_elem(&stack_ids, &hand->key);
		return winner ? *winner : STACK_LOST;
	}
	/* A full barrier: the loader sees the row only as a whole. */
	__sync_lock_test_and_set(&row->used, 1);
	return id;
}

/*
 * stack_find() - the row of the stack in hand, which is the current task's. It holds the mmap_lock of
 * the @mm at an address. A global function: the verifier checks it once, and lets it take no pointer
 * that has a type.
 */
__noinline int stack_find(__u64 mm)
{
	__u64 own = (__u64)bpf_get_current_task_btf()->mm, hash = 0;
	struct stack_row *hand;
	__u32 *id;

	/* 6.1 checks it also if nobody calls it. Without --stacks there are no such maps. */
	if (!cfg_stacks)
		return STACK_LOST;
	hand = stack_scratch();
	if (!hand || (!hand->nr_kernel && !hand->nr_user))
		return STACK_LOST;
	bpf_loop(hand->nr_kernel, hash_kernel_frame, &hash, 0);
	hash ^= hand->nr_kernel;
	bpf_loop(hand->nr_user, hash_user_frame, &hash, 0);
	hand->key.hash = hash;
	hand->key.mm = own;
	hand->key.pid = current_tgid();
	own_comm(hand->key.comm);
	id = bpf_map_lookup_elem(&stack_ids, &hand->key);
	return id ? *id : new_stack(hand, own == mm ? mm : 0);
}

/* How many frames bpf_get_stack() wrote: none where a task lacks that side. */
static __always_inline __u32 frames_of(long bytes)
{
	return bytes > 0 ? (__u32)bytes / sizeof(__u64) : 0;
}

/* stack_of_writer() - the row of the current task's stack. It holds @mm's mmap_lock. */
static __always_inline __u32 stack_of_writer(void *ctx, __u64 mm)
{
	struct stack_row *hand = stack_scratch();

	if (!hand)
		return STACK_LOST;
	hand->nr_kernel =
		frames_of(bpf_get_stack(ctx, hand->kernel.at, sizeof(hand->kernel.at), 0));
	hand->nr_user = frames_of(
		bpf_get_stack(ctx, hand->user.at, sizeof(hand->user.at), BPF_F_USER_STACK));
	return stack_find(mm);
}

/* stack_met() - a window met a write section whose stack is @id. */
static __always_inline void stack_met(__u32 id)
{
	struct stack_row *row = bpf_map_lookup_elem(&stack_rows, &id);

	if (row)
		add(&row->sections, 1);
}

#endif /* STACK_BPF_H */
