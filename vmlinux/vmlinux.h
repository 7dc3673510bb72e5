/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * The kernel types that the BPF programs read, and of each only the members they read.
 *
 * Kept by hand. CO-RE relocates every access, so order and offsets here mean nothing. Names, sizes
 * and kinds matter: tests/btf compares them with the BTF of each kernel under test. A member or
 * type that some kernel lacks has an "optional:" comment, and only compat.bpf.h may use it.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

typedef unsigned char __u8;
typedef unsigned short __u16;
typedef unsigned int __u32;
typedef unsigned long long __u64;
typedef signed char __s8;
typedef short __s16;
typedef int __s32;
typedef long long __s64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u64 __be64;
typedef __u32 __wsum;
typedef _Bool bool;

enum {
	false = 0,
	true = 1,
};

/* The BPF UAPI constants this project uses (include/uapi/linux/bpf.h). */
enum bpf_map_type {
	BPF_MAP_TYPE_HASH = 1,
	BPF_MAP_TYPE_ARRAY = 2,
	BPF_MAP_TYPE_PERCPU_ARRAY = 6,
	BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
	BPF_MAP_TYPE_RINGBUF = 27,
};

enum {
	BPF_ANY = 0,
	BPF_NOEXIST = 1,
};

enum {
	BPF_F_USER_STACK = 256,
	BPF_F_MMAPABLE = 1024,
};

enum {
	BPF_RB_NO_WAKEUP = 1,
	BPF_RB_FORCE_WAKEUP = 2,
};

enum {
	BPF_RB_AVAIL_DATA = 0,
};

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)
#endif

/* x86-64. */
/* The members of both processors; only arch.bpf.h uses them. */
struct pt_regs {
	unsigned long r10;     /* optional: x86 */
	unsigned long r9;      /* optional: x86 */
	unsigned long r8;      /* optional: x86 */
	unsigned long cx;      /* optional: x86 */
	unsigned long dx;      /* optional: x86 */
	unsigned long si;      /* optional: x86 */
	unsigned long di;      /* optional: x86 */
	unsigned long orig_ax; /* optional: x86 */
	__u64 regs[31];	       /* optional-everywhere: arm64 */
	__u64 orig_x0;	       /* optional-everywhere: arm64 */
	__s32 syscallno;       /* optional-everywhere: arm64 */
};

struct user_pt_regs { /* optional-everywhere: arm64, for bpf_tracing.h */
	__u64 regs[31];
};

struct thread_info {
	unsigned long flags;
	unsigned int status; /* optional: x86 */
};

struct vm_uffd_ops; /* optional: 7.1 and later */

typedef struct {
	int counter;
} atomic_t;

struct seqcount {
	unsigned int sequence;
};

typedef struct seqcount seqcount_t;

struct inode {
	unsigned long i_ino; /* __u64 since 7.1 */
	const unsigned int i_nlink;
	__u32 i_generation;
};

struct qstr {
	const unsigned char *name;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
};

struct path {
	struct dentry *dentry;
};

struct file {
	void *private_data;
	struct inode *f_inode;
	struct path f_path;
};

struct list_head {
	struct list_head *next;
};

struct wait_queue_head {
	struct list_head head;
};

typedef struct wait_queue_head wait_queue_head_t;

struct pid_namespace;

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[]; /* level + 1 of them */
};

struct signal_struct {
	atomic_t live;
	unsigned int flags;
	struct pid *pids[4];
};

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[]; /* level + 1 of them */
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct mm_struct;

struct task_struct {
	struct thread_info thread_info;
	unsigned int flags;
	struct pid *thread_pid;
	struct css_set *cgroups;
	int pagefault_disabled;
	int pid;
	int tgid;
	struct mm_struct *mm;
	struct signal_struct *signal;
	struct task_struct *group_leader;
	__u64 start_time;
	__u64 self_exec_id;
	char comm[16];
};

struct maple_tree { /* optional: 6.1 and later */
	void *ma_root;
};

struct maple_range_64 { /* optional: 6.1 and later */
	unsigned long pivot[15];
	void *slot[16];
};

struct maple_arange_64 { /* optional: 6.1 and later */
	unsigned long pivot[9];
	void *slot[10];
};

struct mm_struct {
	struct maple_tree mm_mt;
	unsigned long task_size;
	seqcount_t mm_lock_seq; /* optional: 6.13 and later, and backports; 6.4 and later have an int */
	struct task_struct *owner; /* optional: CONFIG_MEMCG */
};

typedef struct {
	unsigned long bits[1]; /* MAX_NUMNODES bits in the kernel: the first word is what is read */
} nodemask_t;

struct mempolicy {
	unsigned short mode;
	unsigned short flags;
	nodemask_t nodes;
	int home_node;
};

typedef struct {
	unsigned long pgprot;
} pgprot_t;

struct userfaultfd_ctx {
	wait_queue_head_t event_wqh;
	unsigned int features;
	atomic_t mmap_changing;
	struct mm_struct *mm;
};

struct vm_userfaultfd_ctx {
	struct userfaultfd_ctx *ctx;
};

struct vm_operations_struct {
	const struct vm_uffd_ops *uffd_ops; /* optional: 7.1 and later */
};

struct anon_vma_name;

struct vm_area_struct {
	unsigned long vm_start;
	unsigned long vm_end;
	struct mm_struct *vm_mm;
	pgprot_t vm_page_prot;
	const unsigned long vm_flags;
	unsigned int vm_lock_seq; /* optional: 6.4 and later, CONFIG_PER_VMA_LOCK */
	struct anon_vma_name *anon_name; /* optional-everywhere: CONFIG_ANON_VMA_NAME, off in Debian */
	const struct vm_operations_struct *vm_ops;
	unsigned long vm_pgoff;
	struct file *vm_file;
	struct mempolicy *vm_policy; /* optional: CONFIG_NUMA */
	struct vm_userfaultfd_ctx vm_userfaultfd_ctx;
};

struct mfill_state { /* optional: 7.1 and later */
	struct userfaultfd_ctx *ctx;
	unsigned long dst_start;
	struct vm_area_struct *vma;
	unsigned long dst_addr;
	unsigned int flags; /* enum mfill_atomic_mode in the low two bits */
};

struct uffd_msg {
	__u8 event;
	union {
		struct {
			__u64 start;
			__u64 end;
		} remove;
	} arg;
};

struct userfaultfd_wait_queue {
	struct uffd_msg msg;
};

struct mfill_retry_state; /* optional: 7.1 and later */

#ifndef BPF_NO_PRESERVE_ACCESS_INDEX
#pragma clang attribute pop
#endif

#endif /* __VMLINUX_H__ */
