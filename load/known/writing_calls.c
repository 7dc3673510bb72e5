// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Each way to write to an mm, and those that must not: what is done in a window, and who it must be said to be.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include "known/writing.h"

#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node 450
#endif
#ifndef SYS_mseal
#define SYS_mseal 462
#endif

/* --- by system calls of our own ------------------------------------------------------------------------------- */

static int map_now(struct load *load, size_t pages)
{
	void *at = mmap(NULL, pages * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return -errno;
	load->mapped = (uint64_t)at;
	load->mapped_len = pages * PAGE;
	return 0;
}

static int unmap_now(struct load *load)
{
	return OR_ERRNO(munmap((void *)load->mapped, load->mapped_len));
}

static int run_mmap(struct load *load)
{
	return map_now(load, 1024);
}

static int map_1024(struct load *load)
{
	return map_now(load, 1024);
}

static int run_map_fixed(struct load *load)
{
	int flags = MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS;

	return OR_ERRNO(mmap((void *)load->dst, PAGE, PROT_READ, flags, -1, 0) == MAP_FAILED);
}

static int run_munmap_dst(struct load *load)
{
	return OR_ERRNO(munmap((void *)load->dst, PAGE));
}

static int run_munmap_nothing(struct load *load)
{
	(void)load;
	return OR_ERRNO(munmap((void *)PAGE, PAGE));
}

static int run_mprotect(struct load *load)
{
	return OR_ERRNO(mprotect((void *)load->dst, PAGE, PROT_READ));
}

static int run_mprotect_same(struct load *load)
{
	return OR_ERRNO(mprotect((void *)load->dst, PAGE, PROT_READ | PROT_WRITE));
}

static int run_mprotect_elsewhere(struct load *load)
{
	return OR_ERRNO(mprotect(inner(load), PAGE, PROT_NONE));
}

static int run_mprotect_thrice(struct load *load)
{
	int err = 0;

	for (int i = 0; i < 3 && !err; i++)
		err = OR_ERRNO(mprotect(inner(load), PAGE, i % 2 ? PROT_READ | PROT_WRITE | PROT_EXEC : PROT_EXEC));
	return err;
}

static int run_mprotect_fails(struct load *load)
{
	(void)load;
	return mprotect((void *)PAGE, PAGE, PROT_WRITE) && errno == ENOMEM ? 0 : -EIO;
}

static int run_pkey_mprotect(struct load *load)
{
	return OR_ERRNO(syscall(SYS_pkey_mprotect, load->dst, PAGE, PROT_WRITE, -1));
}

#define ADVISE(name, where, advice)                                                                                    \
	static int run_##name(struct load *load)                                                                       \
	{                                                                                                              \
		return OR_ERRNO(madvise(where, PAGE, advice));                                                         \
	}

ADVISE(dontfork, (void *)load->dst, MADV_DONTFORK)
ADVISE(nohugepage, (void *)load->dst, MADV_NOHUGEPAGE)
ADVISE(hugepage, (void *)load->dst, MADV_HUGEPAGE)
ADVISE(random, (void *)load->dst, MADV_RANDOM)
ADVISE(dontdump, inner(load), MADV_DONTDUMP)
ADVISE(wipeonfork, (void *)load->dst, MADV_WIPEONFORK)
ADVISE(mergeable, (void *)load->dst, MADV_MERGEABLE)
ADVISE(dontneed, inner(load), MADV_DONTNEED)
ADVISE(free, inner(load), MADV_FREE)
ADVISE(cold, inner(load), MADV_COLD)
ADVISE(pageout, inner(load), MADV_PAGEOUT)
ADVISE(populate, inner(load), MADV_POPULATE_WRITE)

/* In place: what follows is no mapping's. */
static int before_mremap(struct load *load)
{
	return OR_ERRNO(munmap((void *)(load->area + 8 * PAGE), 8 * PAGE));
}

static int run_mremap_grow(struct load *load)
{
	return OR_ERRNO(mremap((void *)load->area, 8 * PAGE, 9 * PAGE, 0) == MAP_FAILED);
}

static int run_mremap_shrink(struct load *load)
{
	return OR_ERRNO(mremap((void *)load->area, 8 * PAGE, 7 * PAGE, 0) == MAP_FAILED);
}

static int run_mremap_move(struct load *load)
{
	void *to = (void *)(load->area + 10 * PAGE);
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED;

	return OR_ERRNO(mremap((void *)load->area, PAGE, PAGE, flags, to) == MAP_FAILED);
}

static int run_mremap_dst(struct load *load)
{
	void *to = (void *)(load->area + 10 * PAGE);

	return OR_ERRNO(mremap((void *)load->dst, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED);
}

/* Onto the destination: only the new range covers it. */
static int run_mremap_onto(struct load *load)
{
	int flags = MREMAP_MAYMOVE | MREMAP_FIXED;

	return OR_ERRNO(mremap((void *)load->area, PAGE, PAGE, flags, (void *)load->dst) == MAP_FAILED);
}

/* Asking where the break is takes the lock too. */
static int before_brk(struct load *load)
{
	load->brk = syscall(SYS_brk, 0);
	return 0;
}

static int run_brk(struct load *load)
{
	return syscall(SYS_brk, load->brk + (long)PAGE) == load->brk + (long)PAGE ? 0 : -ENOMEM;
}

static int after_brk(struct load *load)
{
	syscall(SYS_brk, load->brk);
	return 0;
}

static int run_mlock(struct load *load)
{
	return OR_ERRNO(syscall(SYS_mlock, inner(load), PAGE));
}

static int run_mlock2(struct load *load)
{
	return OR_ERRNO(syscall(SYS_mlock2, load->dst, PAGE, MLOCK_ONFAULT));
}

static int run_munlock(struct load *load)
{
	return OR_ERRNO(syscall(SYS_munlock, inner(load), PAGE));
}

static int run_mlockall(struct load *load)
{
	(void)load;
	return OR_ERRNO(syscall(SYS_mlockall, MCL_CURRENT | MCL_ONFAULT));
}

static int run_munlockall(struct load *load)
{
	(void)load;
	return OR_ERRNO(syscall(SYS_munlockall));
}

static int run_fork(struct load *load)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	(void)load;
	if (!pid)
		syscall(SYS_exit_group, 0);
	return OR_ERRNO(pid < 0 || waitpid((pid_t)pid, NULL, 0) != pid);
}

static int run_clone3(struct load *load)
{
	uint64_t args[11] = { [4] = SIGCHLD };
	long pid = syscall(SYS_clone3, args, sizeof(args));

	(void)load;
	if (!pid)
		syscall(SYS_exit_group, 0);
	return OR_ERRNO(pid < 0 || waitpid((pid_t)pid, NULL, 0) != pid);
}

/* The child runs on our stack, and we wait until it has done with it. */
static int __attribute__((noinline)) run_spawn(struct load *load)
{
	char *argv[] = { (char *)"uffdload", (char *)"--handler=-1", (char *)"-1", NULL };
	char *envp[] = { NULL };
	pid_t pid = vfork();

	(void)load;
	if (!pid) {
		execve("/proc/self/exe", argv, envp);
		_exit(127);
	}
	return OR_ERRNO(pid < 0 || waitpid(pid, NULL, 0) != pid);
}

static int exit_at_once(void *unused)
{
	(void)unused;
	return 0;
}

static int run_thread(struct load *load)
{
	static pid_t running;
	int flags =
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;

	running = 1;
	if (clone(exit_at_once, (void *)(load->area + AREA_PAGES * PAGE), flags, NULL, NULL, NULL, &running) < 0)
		return -errno;
	while (__atomic_load_n(&running, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &running, 0, 1, NULL, NULL, 0);
	return 0;
}

static int run_stack(struct load *load)
{
	*(volatile char *)(load->ground.stack - PAGE) = 1;
	return 0;
}

static int before_stack_read(struct load *load)
{
	return OR_ERRNO(pipe2(load->pipe, O_CLOEXEC) || write(load->pipe[1], "x", 1) != 1);
}

static int run_stack_read(struct load *load)
{
	return OR_ERRNO(read(load->pipe[0], (void *)(load->ground.stack - PAGE), 1) != 1);
}

static int after_stack_read(struct load *load)
{
	return OR_ERRNO(close(load->pipe[0]) || close(load->pipe[1]));
}

static int run_register(struct load *load)
{
	return rig_register(load->place.other_uffd, (uint64_t)inner(load), PAGE, UFFDIO_REGISTER_MODE_MISSING);
}

static int run_register_dst(struct load *load)
{
	return rig_register(load->place.uffd, load->place.start, PLACE_PAGES * PAGE, UFFDIO_REGISTER_MODE_MISSING);
}

static int run_unregister(struct load *load)
{
	return rig_unregister(load->place.other_uffd, (uint64_t)inner(load), PAGE);
}

static int run_unregister_dst(struct load *load)
{
	return rig_unregister(load->place.uffd, load->place.start, PLACE_PAGES * PAGE);
}

static int run_zeropage(struct load *load)
{
	return rig_zeropage(load->place.uffd, load->dst + PAGE, PAGE);
}

static int before_close(struct load *load)
{
	load->fd = rig_uffd_open(0);
	if (load->fd < 0)
		return load->fd;
	return rig_register(load->fd, (uint64_t)inner(load), PAGE, UFFDIO_REGISTER_MODE_MISSING);
}

static int run_close(struct load *load)
{
	return OR_ERRNO(close(load->fd));
}

static int bind_to_node(uint64_t start, unsigned int mode)
{
	unsigned long node0 = 1;

	return OR_ERRNO(syscall(SYS_mbind, start, PAGE, mode, &node0, 8 * sizeof(node0), 0));
}

static int run_mbind(struct load *load)
{
	return bind_to_node(load->dst, MPOL_BIND);
}

static int before_home_node(struct load *load)
{
	return bind_to_node((uint64_t)inner(load), MPOL_BIND);
}

static int run_home_node(struct load *load)
{
	return OR_ERRNO(syscall(SYS_set_mempolicy_home_node, inner(load), PAGE, 0, 0));
}

static int before_shm(struct load *load)
{
	load->shm = shmget(IPC_PRIVATE, 1024 * PAGE, 0600);
	return OR_ERRNO(load->shm < 0);
}

static int run_shmat(struct load *load)
{
	void *at = shmat(load->shm, NULL, 0);

	load->mapped = (uint64_t)at;
	return OR_ERRNO(at == (void *)-1);
}

static int after_shmat(struct load *load)
{
	return OR_ERRNO(shmdt((void *)load->mapped) || shmctl(load->shm, IPC_RMID, NULL));
}

static int before_shmdt(struct load *load)
{
	int err = before_shm(load);

	return err ? err : run_shmat(load);
}

static int run_shmdt(struct load *load)
{
	return OR_ERRNO(shmdt((void *)load->mapped));
}

static int after_shmdt(struct load *load)
{
	return OR_ERRNO(shmctl(load->shm, IPC_RMID, NULL));
}

static int before_remap(struct load *load)
{
	const struct mapping shared = { .backing = BACKED_FILE, .shared = true };

	return arena_map(&load->ground.arena, load->area, 4, &shared);
}

static int run_remap(struct load *load)
{
	return OR_ERRNO(syscall(SYS_remap_file_pages, load->area, PAGE, 0, 2, 0));
}

static int run_prctl(struct load *load)
{
	(void)load;
	return OR_ERRNO(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
}

static int run_io_setup(struct load *load)
{
	load->aio = 0;
	return OR_ERRNO(syscall(SYS_io_setup, 4096, &load->aio));
}

static int run_io_destroy(struct load *load)
{
	return OR_ERRNO(syscall(SYS_io_destroy, load->aio));
}

/* What is sealed stays: a mapping of its own each time. */
static int run_mseal(struct load *load)
{
	return OR_ERRNO(syscall(SYS_mseal, load->mapped, PAGE, 0));
}

static int map_few(struct load *load)
{
	return map_now(load, 2);
}

/* --- several in one window ---------------------------------------------------------------------------------- */

static int run_two(struct load *load)
{
	int err = run_munmap_nothing(load);

	return err ? err : run_dontdump(load);
}

/* --- by another process ------------------------------------------------------------------------------------- */

static int run_clear_refs(struct load *load)
{
	return other_do(&load->other, OTHER_CLEAR_REFS, 0);
}

static int run_poke(struct load *load)
{
	return other_do(&load->other, OTHER_POKE, (uint64_t)inner(load));
}

static int run_write_mem(struct load *load)
{
	return other_do(&load->other, OTHER_WRITE_MEM, (uint64_t)inner(load));
}

static int run_other_cold(struct load *load)
{
	return other_do(&load->other, OTHER_COLD, (uint64_t)inner(load));
}

static int other_collapses(struct load *load)
{
	return other_do(&load->other, OTHER_COLLAPSE, load->huge);
}

static int run_other_collapse(struct load *load)
{
	return until_collapsed(other_collapses, load);
}

/* --- the table ---------------------------------------------------------------------------------------------- */

#define ANON_FIXED "MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS"
#define MOVE "MREMAP_MAYMOVE|MREMAP_FIXED"
#define ADVICE(text, c)                                                                                                \
	{                                                                                                              \
		.op = "madvise", .advice = text, .covers = c                                                           \
	}

const struct operation operations[] = {
	{ .name = "mmap",
	  .run = run_mmap,
	  .after = unmap_now,
	  .writers = { { .op = "mmap", .flags = "MAP_PRIVATE|MAP_ANONYMOUS" } } },
	{ .name = "map-fixed",
	  .run = run_map_fixed,
	  .writers = { { .op = "mmap", .flags = ANON_FIXED, .covers = true } },
	  .gone = true },
	{ .name = "munmap", .before = map_1024, .run = unmap_now, .writers = { { .op = "munmap" } } },
	{ .name = "munmap-dst",
	  .run = run_munmap_dst,
	  .writers = { { .op = "munmap", .covers = true } },
	  .gone = true },
	{ .name = "munmap-nothing", .run = run_munmap_nothing, .writers = { { .op = "munmap" } } },
	{ .name = "mprotect",
	  .run = run_mprotect,
	  .writers = { { .op = "mprotect", .flags = "PROT_READ", .covers = true } } },
	{ .name = "mprotect-same",
	  .run = run_mprotect_same,
	  .writers = { { .op = "mprotect", .flags = "PROT_READ|PROT_WRITE", .covers = true } } },
	{ .name = "mprotect-elsewhere", .run = run_mprotect_elsewhere, .writers = { { .op = "mprotect" } } },
	{ .name = "mprotect-fails",
	  .run = run_mprotect_fails,
	  .writers = { { .op = "mprotect", .flags = "PROT_WRITE" } } },
	{ .name = "mprotect-thrice",
	  .run = run_mprotect_thrice,
	  .writers = { { .op = "mprotect", .flags = "PROT_EXEC", .sections = 2 },
		       { .op = "mprotect", .flags = "PROT_READ|PROT_WRITE|PROT_EXEC" } } },
	{ .name = "pkey_mprotect",
	  .run = run_pkey_mprotect,
	  .writers = { { .op = "pkey_mprotect", .flags = "PROT_WRITE", .covers = true } } },
	{ .name = "madvise-dontfork", .run = run_dontfork, .writers = { ADVICE("MADV_DONTFORK", true) } },
	{ .name = "madvise-nohugepage", .run = run_nohugepage, .writers = { ADVICE("MADV_NOHUGEPAGE", true) } },
	{ .name = "madvise-hugepage", .run = run_hugepage, .writers = { ADVICE("MADV_HUGEPAGE", true) } },
	{ .name = "madvise-random", .run = run_random, .writers = { ADVICE("MADV_RANDOM", true) } },
	{ .name = "madvise-dontdump", .run = run_dontdump, .writers = { ADVICE("MADV_DONTDUMP", false) } },
	{ .name = "madvise-wipeonfork", .run = run_wipeonfork, .writers = { ADVICE("MADV_WIPEONFORK", true) } },
	{ .name = "madvise-mergeable", .run = run_mergeable, .writers = { ADVICE("MADV_MERGEABLE", true) } },
	{ .name = "madvise-dontneed", .run = run_dontneed },
	{ .name = "madvise-free", .run = run_free },
	{ .name = "madvise-cold", .run = run_cold },
	{ .name = "madvise-pageout", .run = run_pageout },
	{ .name = "madvise-populate", .run = run_populate },
	{ .name = "madvise-collapse",
	  .before = before_collapse,
	  .run = run_collapse,
	  .after = after_collapse,
	  .writers = { { .op = "madvise", .advice = "MADV_COLLAPSE", .many = true } } },
	{ .name = "mremap-grow", .before = before_mremap, .run = run_mremap_grow, .writers = { { .op = "mremap" } } },
	{ .name = "mremap-shrink",
	  .before = before_mremap,
	  .run = run_mremap_shrink,
	  .writers = { { .op = "mremap" } } },
	{ .name = "mremap-move",
	  .before = before_mremap,
	  .run = run_mremap_move,
	  .writers = { { .op = "mremap", .flags = MOVE } } },
	{ .name = "mremap-dst",
	  .before = before_mremap,
	  .run = run_mremap_dst,
	  .writers = { { .op = "mremap", .flags = MOVE, .covers = true } },
	  .gone = true },
	{ .name = "mremap-onto-dst",
	  .run = run_mremap_onto,
	  .writers = { { .op = "mremap", .flags = MOVE, .covers = true } },
	  .gone = true },
	{ .name = "brk", .before = before_brk, .run = run_brk, .after = after_brk, .writers = { { .op = "brk" } } },
	{ .name = "mlock", .run = run_mlock, .writers = { { .op = "mlock" } } },
	{ .name = "mlock2",
	  .run = run_mlock2,
	  .writers = { { .op = "mlock2", .flags = "MLOCK_ONFAULT", .covers = true } } },
	{ .name = "munlock", .before = run_mlock, .run = run_munlock, .writers = { { .op = "munlock" } } },
	{ .name = "mlockall",
	  .run = run_mlockall,
	  .after = run_munlockall,
	  .writers = { { .op = "mlockall", .flags = "MCL_CURRENT|MCL_ONFAULT", .covers = true } } },
	{ .name = "munlockall", .run = run_munlockall, .writers = { { .op = "munlockall", .covers = true } } },
	{ .name = "fork", .run = run_fork, .writers = { { .op = "fork", .syscall = "clone", .covers = true } } },
	{ .name = "clone3", .run = run_clone3, .writers = { { .op = "fork", .syscall = "clone3", .covers = true } } },
	{ .name = "vfork-exec", .run = run_spawn },
	{ .name = "thread", .run = run_thread },
	{ .name = "stack-grows",
	  .run = run_stack,
	  .writers = { { .op = "stack growth", .syscall = "-" } },
	  .needs = "expand_stack_locked" },
	{ .name = "stack-grows-by-read",
	  .before = before_stack_read,
	  .run = run_stack_read,
	  .after = after_stack_read,
	  .writers = { { .op = "stack growth", .syscall = "-" } },
	  .needs = "expand_stack_locked" },
	{ .name = "uffd-register",
	  .run = run_register,
	  .writers = { { .op = "UFFDIO_REGISTER", .syscall = "ioctl" } } },
	{ .name = "uffd-register-dst",
	  .run = run_register_dst,
	  .writers = { { .op = "UFFDIO_REGISTER", .syscall = "ioctl", .covers = true } } },
	{ .name = "uffd-unregister",
	  .before = run_register,
	  .run = run_unregister,
	  .writers = { { .op = "UFFDIO_UNREGISTER", .syscall = "ioctl" } } },
	{ .name = "uffd-unregister-dst",
	  .run = run_unregister_dst,
	  .writers = { { .op = "UFFDIO_UNREGISTER", .syscall = "ioctl", .covers = true } },
	  .gone = true },
	{ .name = "uffd-zeropage", .run = run_zeropage },
	{ .name = "uffd-close", .before = before_close, .run = run_close, .writers = { { .op = "close" } } },
	{ .name = "mbind", .run = run_mbind, .writers = { { .op = "mbind", .flags = "MPOL_BIND", .covers = true } } },
	{ .name = "set_mempolicy_home_node",
	  .before = before_home_node,
	  .run = run_home_node,
	  .writers = { { .op = "set_mempolicy_home_node" } } },
	{ .name = "shmat",
	  .before = before_shm,
	  .run = run_shmat,
	  .after = after_shmat,
	  .writers = { { .op = "shmat" } } },
	{ .name = "shmdt",
	  .before = before_shmdt,
	  .run = run_shmdt,
	  .after = after_shmdt,
	  .writers = { { .op = "shmdt" } } },
	{ .name = "remap_file_pages",
	  .before = before_remap,
	  .run = run_remap,
	  .writers = { { .op = "remap_file_pages" } } },
	{ .name = "prctl-thp-disable",
	  .run = run_prctl,
	  .writers = { { .op = "prctl", .flags = "PR_SET_THP_DISABLE" } } },
	{ .name = "io_setup", .run = run_io_setup, .after = run_io_destroy, .writers = { { .op = "io_setup" } } },
	{ .name = "io_destroy", .before = run_io_setup, .run = run_io_destroy, .writers = { { .op = "io_destroy" } } },
	{ .name = "mseal", .before = map_few, .run = run_mseal, .writers = { { .op = "mseal" } } },
	{ .name = "two-writers", .run = run_two, .writers = { { .op = "munmap" }, ADVICE("MADV_DONTDUMP", false) } },
	{ .name = "io_uring-madvise",
	  .before = before_ring,
	  .run = run_ring,
	  .after = after_ring,
	  .writers = { { .op = "io_uring worker", .syscall = "-", .who = BY_IO_WORKER } } },
	{ .name = "clear_refs",
	  .run = run_clear_refs,
	  .writers = { { .op = "write", .who = BY_OTHER, .covers = true, .by_vma_lock = true } } },
	{ .name = "ptrace-poke", .run = run_poke },
	{ .name = "proc-mem-write", .run = run_write_mem },
	{ .name = "process_madvise-cold", .run = run_other_cold },
	{ .name = "process_madvise-collapse",
	  .before = before_collapse,
	  .run = run_other_collapse,
	  .after = after_collapse,
	  .writers = { { .op = "process_madvise", .advice = "MADV_COLLAPSE", .who = BY_OTHER, .many = true } } },
	{ .name = "khugepaged",
	  .before = before_collapse,
	  .run = run_khugepaged,
	  .after = after_collapse,
	  .writers = { ADVICE("MADV_HUGEPAGE", false),
		       { .op = "khugepaged", .syscall = "-", .who = BY_KHUGEPAGED, .many = true } } },
};

const size_t nr_operations = ARRAY_SIZE(operations);
_Static_assert(ARRAY_SIZE(operations) <= MAX_OPERATIONS, "more operations than struct writers_truth has room for");
