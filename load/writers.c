// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// `uffdload writers`: each way to write to an mm, once in a window that is held open, and who it must be said to be.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "load.h"
#include "other.h"
#include "rig.h"
#include "step.h"

#ifndef SYS_set_mempolicy_home_node
#define SYS_set_mempolicy_home_node 450
#endif
#ifndef SYS_mseal
#define SYS_mseal 462
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define PLACE_PAGES 8
#define AREA_PAGES 16
#define FILE_PAGES 64
#define NR_ROWS 128
#define COLLAPSE_TIMEOUT_MS 60000

/* --- what the operations work on ---------------------------------------------------------------------------- */

struct load {
	const struct writers_options *options;
	struct ground ground;
	struct rig *rig;
	struct place place;
	struct other other;
	uint64_t dst;	   /* the window's destination */
	uint64_t area;	   /* AREA_PAGES of ordinary memory */
	uint64_t huge;	   /* HUGE bytes, aligned, in small pages before each operation that wants them */
	bool may_collapse; /* the system's settings could be made what that needs */
	char *enabled;	   /* what they were */
	char *scan_sleep;
	/* Of one run. */
	uint64_t mapped; /* what after() must unmap */
	size_t mapped_len;
	long brk;
	int fd;
	int pipe[2];
	int shm;
	aio_context_t aio;
	struct ring {
		int fd;
		void *rings;
		struct io_uring_sqe *sqes;
		struct io_uring_params params;
	} ring;
};

/* The area, seen from its fourth page on: no neighbour is part of it. */
static void *inner(struct load *load)
{
	return (void *)(load->area + 4 * PAGE);
}

#define OR_ERRNO(call) ((call) ? -errno : 0)

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

/* --- the operations ----------------------------------------------------------------------------------------- */

static int nothing(struct load *load)
{
	(void)load;
	return 0;
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

/* --- by io_uring's worker: it never does a madvise in the submitter's context ------------------------------- */

static int before_ring(struct load *load)
{
	struct ring *ring = &load->ring;
	size_t rings;

	*ring = (struct ring) { .rings = NULL };
	ring->fd = (int)syscall(SYS_io_uring_setup, 4, &ring->params);
	if (ring->fd < 0)
		return -errno;
	rings = ring->params.sq_off.array + 4 * sizeof(unsigned int);
	ring->rings = mmap(NULL, rings + 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	if (ring->rings == MAP_FAILED)
		ring->rings = mmap(NULL, rings, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQ_RING);
	ring->sqes = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQES);
	return OR_ERRNO(ring->rings == MAP_FAILED || (void *)ring->sqes == MAP_FAILED);
}

static int run_ring(struct load *load)
{
	struct ring *ring = &load->ring;
	unsigned int *tail = (unsigned int *)((char *)ring->rings + ring->params.sq_off.tail);
	unsigned int *array = (unsigned int *)((char *)ring->rings + ring->params.sq_off.array);

	ring->sqes[0] = (struct io_uring_sqe) {
		.opcode = IORING_OP_MADVISE,
		.addr = (uint64_t)inner(load),
		.len = PAGE,
		.fadvise_advice = MADV_DONTDUMP,
	};
	array[0] = 0;
	__atomic_store_n(tail, 1, __ATOMIC_RELEASE);
	return OR_ERRNO(syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1);
}

static int after_ring(struct load *load)
{
	size_t rings = load->ring.params.sq_off.array + 4 * sizeof(unsigned int);

	return OR_ERRNO(munmap(load->ring.sqes, PAGE) || munmap(load->ring.rings, rings) || close(load->ring.fd));
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

static int run_other_collapse(struct load *load)
{
	return other_do(&load->other, OTHER_COLLAPSE, load->huge);
}

/* --- collapse ----------------------------------------------------------------------------------------------- */

#define THP "/sys/kernel/mm/transparent_hugepage/"

static char *read_setting(const char *path)
{
	char text[64], *from = text;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return NULL;
	text[n] = '\0';
	/* always [madvise] never */
	if (strchr(text, '[')) {
		from = strchr(text, '[') + 1;
		*strchrnul(from, ']') = '\0';
	}
	from[strcspn(from, "\n")] = '\0';
	return strdup(from);
}

static bool write_setting(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool written = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return written;
}

/* Only what is advised is collapsed. */
static void set_up_collapse(struct load *load)
{
	uint8_t *at = mmap(NULL, 2 * HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		return;
	load->huge = ((uint64_t)at + HUGE - 1) & ~(HUGE - 1);
	load->enabled = read_setting(THP "enabled");
	load->scan_sleep = read_setting(THP "khugepaged/scan_sleep_millisecs");
	load->may_collapse = load->enabled && load->scan_sleep && write_setting(THP "enabled", "madvise");
}

static void restore_settings(struct load *load)
{
	if (load->enabled)
		write_setting(THP "enabled", load->enabled);
	if (load->scan_sleep)
		write_setting(THP "khugepaged/scan_sleep_millisecs", load->scan_sleep);
	free(load->enabled);
	free(load->scan_sleep);
}

/* In small pages, for huge ones are not allowed yet; a new mapping, so that no advice is left. */
static int before_collapse(struct load *load)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;

	if (!load->may_collapse)
		return -EPERM;
	if (mmap((void *)load->huge, HUGE, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED)
		return -errno;
	memset((void *)load->huge, 1, HUGE);
	return OR_ERRNO(prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0));
}

static int after_collapse(struct load *load)
{
	(void)load;
	return OR_ERRNO(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0));
}

static int run_collapse(struct load *load)
{
	return OR_ERRNO(madvise((void *)load->huge, HUGE, MADV_COLLAPSE));
}

static long collapsed(void)
{
	char *text = read_setting(THP "khugepaged/pages_collapsed");
	long n = text ? atol(text) : -1;

	free(text);
	return n;
}

/* Until khugepaged has come by. Nothing in here allocates from the kernel but what a small malloc() does not. */
static int run_khugepaged(struct load *load)
{
	long before = collapsed();

	if (madvise((void *)load->huge, HUGE, MADV_HUGEPAGE))
		return -errno;
	/* At once, and again and again: only for now, for it never lets a CPU go. */
	if (!write_setting(THP "khugepaged/scan_sleep_millisecs", "0"))
		return -EPERM;
	for (int ms = 0; ms < COLLAPSE_TIMEOUT_MS; ms += 10) {
		if (collapsed() > before)
			break;
		usleep(10000);
	}
	write_setting(THP "khugepaged/scan_sleep_millisecs", load->scan_sleep);
	return collapsed() > before ? 0 : -ETIMEDOUT;
}

/* --- the table ---------------------------------------------------------------------------------------------- */

enum who { BY_SELF, BY_OTHER, BY_KHUGEPAGED, BY_IO_WORKER };

/* One writer that the tool must name, or no more: op is NULL. */
struct expected {
	const char *op;
	const char *syscall; /* NULL: op is one; "-": none */
	const char *advice;
	const char *flags;
	enum who who;
	bool covers;
	bool by_vma_lock; /* the arguments do not say so: a kernel without per-VMA locks does not know */
	bool many;	  /* write sections: at least one, instead of one */
	int sections;
};

struct operation {
	const char *name;
	int (*before)(struct load *load);
	int (*run)(struct load *load);
	int (*after)(struct load *load);
	struct expected writers[2];
	bool gone;	   /* the destination is, and the copy ends with ENOENT */
	const char *needs; /* a kernel function without which nobody writes */
};

#define ANON_FIXED "MAP_PRIVATE|MAP_FIXED|MAP_ANONYMOUS"
#define MOVE "MREMAP_MAYMOVE|MREMAP_FIXED"
#define ADVICE(text, c)                                                                                                \
	{                                                                                                              \
		.op = "madvise", .advice = text, .covers = c                                                           \
	}

static const struct operation operations[] = {
	{ "mmap",
	  nothing,
	  run_mmap,
	  unmap_now,
	  { { .op = "mmap", .flags = "MAP_PRIVATE|MAP_ANONYMOUS" } },
	  false,
	  NULL },
	{ "map-fixed",
	  nothing,
	  run_map_fixed,
	  nothing,
	  { { .op = "mmap", .flags = ANON_FIXED, .covers = true } },
	  true,
	  NULL },
	{ "munmap", map_1024, unmap_now, nothing, { { .op = "munmap" } }, false, NULL },
	{ "munmap-dst", nothing, run_munmap_dst, nothing, { { .op = "munmap", .covers = true } }, true, NULL },
	{ "munmap-nothing", nothing, run_munmap_nothing, nothing, { { .op = "munmap" } }, false, NULL },
	{ "mprotect",
	  nothing,
	  run_mprotect,
	  nothing,
	  { { .op = "mprotect", .flags = "PROT_READ", .covers = true } },
	  false,
	  NULL },
	{ "mprotect-same",
	  nothing,
	  run_mprotect_same,
	  nothing,
	  { { .op = "mprotect", .flags = "PROT_READ|PROT_WRITE", .covers = true } },
	  false,
	  NULL },
	{ "mprotect-elsewhere", nothing, run_mprotect_elsewhere, nothing, { { .op = "mprotect" } }, false, NULL },
	{ "mprotect-fails",
	  nothing,
	  run_mprotect_fails,
	  nothing,
	  { { .op = "mprotect", .flags = "PROT_WRITE" } },
	  false,
	  NULL },
	{ "mprotect-thrice",
	  nothing,
	  run_mprotect_thrice,
	  nothing,
	  { { .op = "mprotect", .flags = "PROT_EXEC", .sections = 2 },
	    { .op = "mprotect", .flags = "PROT_READ|PROT_WRITE|PROT_EXEC" } },
	  false,
	  NULL },
	{ "pkey_mprotect",
	  nothing,
	  run_pkey_mprotect,
	  nothing,
	  { { .op = "pkey_mprotect", .flags = "PROT_WRITE", .covers = true } },
	  false,
	  NULL },
	{ "madvise-dontfork", nothing, run_dontfork, nothing, { ADVICE("MADV_DONTFORK", true) }, false, NULL },
	{ "madvise-nohugepage", nothing, run_nohugepage, nothing, { ADVICE("MADV_NOHUGEPAGE", true) }, false, NULL },
	{ "madvise-hugepage", nothing, run_hugepage, nothing, { ADVICE("MADV_HUGEPAGE", true) }, false, NULL },
	{ "madvise-random", nothing, run_random, nothing, { ADVICE("MADV_RANDOM", true) }, false, NULL },
	{ "madvise-dontdump", nothing, run_dontdump, nothing, { ADVICE("MADV_DONTDUMP", false) }, false, NULL },
	{ "madvise-wipeonfork", nothing, run_wipeonfork, nothing, { ADVICE("MADV_WIPEONFORK", true) }, false, NULL },
	{ "madvise-mergeable", nothing, run_mergeable, nothing, { ADVICE("MADV_MERGEABLE", true) }, false, NULL },
	{ "madvise-dontneed", nothing, run_dontneed, nothing, { { 0 } }, false, NULL },
	{ "madvise-free", nothing, run_free, nothing, { { 0 } }, false, NULL },
	{ "madvise-cold", nothing, run_cold, nothing, { { 0 } }, false, NULL },
	{ "madvise-pageout", nothing, run_pageout, nothing, { { 0 } }, false, NULL },
	{ "madvise-populate", nothing, run_populate, nothing, { { 0 } }, false, NULL },
	{ "madvise-collapse",
	  before_collapse,
	  run_collapse,
	  after_collapse,
	  { { .op = "madvise", .advice = "MADV_COLLAPSE", .many = true } },
	  false,
	  NULL },
	{ "mremap-grow", before_mremap, run_mremap_grow, nothing, { { .op = "mremap" } }, false, NULL },
	{ "mremap-shrink", before_mremap, run_mremap_shrink, nothing, { { .op = "mremap" } }, false, NULL },
	{ "mremap-move", before_mremap, run_mremap_move, nothing, { { .op = "mremap", .flags = MOVE } }, false, NULL },
	{ "mremap-dst",
	  before_mremap,
	  run_mremap_dst,
	  nothing,
	  { { .op = "mremap", .flags = MOVE, .covers = true } },
	  true,
	  NULL },
	{ "mremap-onto-dst",
	  nothing,
	  run_mremap_onto,
	  nothing,
	  { { .op = "mremap", .flags = MOVE, .covers = true } },
	  true,
	  NULL },
	{ "brk", before_brk, run_brk, after_brk, { { .op = "brk" } }, false, NULL },
	{ "mlock", nothing, run_mlock, nothing, { { .op = "mlock" } }, false, NULL },
	{ "mlock2",
	  nothing,
	  run_mlock2,
	  nothing,
	  { { .op = "mlock2", .flags = "MLOCK_ONFAULT", .covers = true } },
	  false,
	  NULL },
	{ "munlock", run_mlock, run_munlock, nothing, { { .op = "munlock" } }, false, NULL },
	{ "mlockall",
	  nothing,
	  run_mlockall,
	  run_munlockall,
	  { { .op = "mlockall", .flags = "MCL_CURRENT|MCL_ONFAULT", .covers = true } },
	  false,
	  NULL },
	{ "munlockall", nothing, run_munlockall, nothing, { { .op = "munlockall", .covers = true } }, false, NULL },
	{ "fork", nothing, run_fork, nothing, { { .op = "fork", .syscall = "clone", .covers = true } }, false, NULL },
	{ "clone3",
	  nothing,
	  run_clone3,
	  nothing,
	  { { .op = "fork", .syscall = "clone3", .covers = true } },
	  false,
	  NULL },
	{ "vfork-exec", nothing, run_spawn, nothing, { { 0 } }, false, NULL },
	{ "thread", nothing, run_thread, nothing, { { 0 } }, false, NULL },
	{ "stack-grows",
	  nothing,
	  run_stack,
	  nothing,
	  { { .op = "stack growth", .syscall = "-" } },
	  false,
	  "expand_stack_locked" },
	{ "stack-grows-by-read",
	  before_stack_read,
	  run_stack_read,
	  after_stack_read,
	  { { .op = "stack growth", .syscall = "-" } },
	  false,
	  "expand_stack_locked" },
	{ "uffd-register",
	  nothing,
	  run_register,
	  nothing,
	  { { .op = "UFFDIO_REGISTER", .syscall = "ioctl" } },
	  false,
	  NULL },
	{ "uffd-register-dst",
	  nothing,
	  run_register_dst,
	  nothing,
	  { { .op = "UFFDIO_REGISTER", .syscall = "ioctl", .covers = true } },
	  false,
	  NULL },
	{ "uffd-unregister",
	  run_register,
	  run_unregister,
	  nothing,
	  { { .op = "UFFDIO_UNREGISTER", .syscall = "ioctl" } },
	  false,
	  NULL },
	{ "uffd-unregister-dst",
	  nothing,
	  run_unregister_dst,
	  nothing,
	  { { .op = "UFFDIO_UNREGISTER", .syscall = "ioctl", .covers = true } },
	  true,
	  NULL },
	{ "uffd-zeropage", nothing, run_zeropage, nothing, { { 0 } }, false, NULL },
	{ "uffd-close", before_close, run_close, nothing, { { .op = "close" } }, false, NULL },
	{ "mbind",
	  nothing,
	  run_mbind,
	  nothing,
	  { { .op = "mbind", .flags = "MPOL_BIND", .covers = true } },
	  false,
	  NULL },
	{ "set_mempolicy_home_node",
	  before_home_node,
	  run_home_node,
	  nothing,
	  { { .op = "set_mempolicy_home_node" } },
	  false,
	  NULL },
	{ "shmat", before_shm, run_shmat, after_shmat, { { .op = "shmat" } }, false, NULL },
	{ "shmdt", before_shmdt, run_shmdt, after_shmdt, { { .op = "shmdt" } }, false, NULL },
	{ "remap_file_pages", before_remap, run_remap, nothing, { { .op = "remap_file_pages" } }, false, NULL },
	{ "prctl-thp-disable",
	  nothing,
	  run_prctl,
	  nothing,
	  { { .op = "prctl", .flags = "PR_SET_THP_DISABLE" } },
	  false,
	  NULL },
	{ "io_setup", nothing, run_io_setup, run_io_destroy, { { .op = "io_setup" } }, false, NULL },
	{ "io_destroy", run_io_setup, run_io_destroy, nothing, { { .op = "io_destroy" } }, false, NULL },
	{ "mseal", map_few, run_mseal, nothing, { { .op = "mseal" } }, false, NULL },
	{ "two-writers",
	  nothing,
	  run_two,
	  nothing,
	  { { .op = "munmap" }, ADVICE("MADV_DONTDUMP", false) },
	  false,
	  NULL },
	{ "io_uring-madvise",
	  before_ring,
	  run_ring,
	  after_ring,
	  { { .op = "io_uring worker", .syscall = "-", .who = BY_IO_WORKER } },
	  false,
	  NULL },
	{ "clear_refs",
	  nothing,
	  run_clear_refs,
	  nothing,
	  { { .op = "write", .who = BY_OTHER, .covers = true, .by_vma_lock = true } },
	  false,
	  NULL },
	{ "ptrace-poke", nothing, run_poke, nothing, { { 0 } }, false, NULL },
	{ "proc-mem-write", nothing, run_write_mem, nothing, { { 0 } }, false, NULL },
	{ "process_madvise-cold", nothing, run_other_cold, nothing, { { 0 } }, false, NULL },
	{ "process_madvise-collapse",
	  before_collapse,
	  run_other_collapse,
	  after_collapse,
	  { { .op = "process_madvise", .advice = "MADV_COLLAPSE", .who = BY_OTHER, .many = true } },
	  false,
	  NULL },
	{ "khugepaged",
	  before_collapse,
	  run_khugepaged,
	  after_collapse,
	  { ADVICE("MADV_HUGEPAGE", false),
	    { .op = "khugepaged", .syscall = "-", .who = BY_KHUGEPAGED, .many = true } },
	  false,
	  NULL },
};

#define NR_OPERATIONS ARRAY_SIZE(operations)

/* --- one run ------------------------------------------------------------------------------------------------ */

static int begin_run(struct load *load)
{
	const struct mapping ordinary = { .backing = BACKED_ANON };
	int err;

	load->place.uffd = rig_uffd_open(0);
	load->place.other_uffd = rig_uffd_open(0);
	if (load->place.uffd < 0 || load->place.other_uffd < 0)
		return -EMFILE;
	err = arena_map(&load->ground.arena, load->area, AREA_PAGES, &ordinary);
	if (err)
		return err;
	memset((void *)load->area, 1, AREA_PAGES * PAGE);
	err = place_set_up(&load->ground, &load->place);
	return err ? err : ground_make_stack(&load->ground);
}

static int end_run(struct load *load)
{
	int err;

	close(load->place.uffd);
	close(load->place.other_uffd);
	err = arena_clear(&load->ground.arena, load->place.start - PAGE, PLACE_PAGES + 2);
	return err ? err : arena_clear(&load->ground.arena, load->ground.hole, HOLE_PAGES);
}

/* In a window, or, to see whether it can be done here at all, without one. */
static int run_operation(struct load *load, const struct operation *op, bool window, int *copy_err)
{
	struct rig_copy copy = { .dst = load->dst, .len = PAGE };
	int err = begin_run(load);

	copy.uffd = load->place.uffd;
	if (!err)
		err = op->before(load);
	if (!err && window) {
		err = rig_start(load->rig, &copy);
		err = err == 1 ? 0 : err ? err : -EPROTO;
	}
	if (!err)
		err = op->run(load);
	if (!err && window)
		err = rig_go_on(load->rig, RIG_FILL);
	if (!err && window)
		*copy_err = rig_result(load->rig).err;
	if (!err)
		err = op->after(load);
	return err ? err : end_run(load);
}

/* --- what this kernel is ------------------------------------------------------------------------------------ */

static bool has_function(const char *name)
{
	char line[256], symbol[128];
	FILE *f = fopen("/proc/kallsyms", "re");
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = sscanf(line, "%*s %*s %127s", symbol) == 1 && !strcmp(symbol, name);
	if (f)
		fclose(f);
	return found;
}

/* --- the truth ---------------------------------------------------------------------------------------------- */

struct row {
	struct expected expected;
	uint64_t windows;
	uint64_t sections;
};

struct writers_truth {
	struct truth truth;
	struct row rows[NR_ROWS];
	size_t nr_rows;
	uint64_t moved; /* windows with a writer */
	uint64_t failures;
	int lacks[NR_OPERATIONS];   /* errno */
	bool silent[NR_OPERATIONS]; /* nobody writes on this kernel */
	bool has_vma_locks;
};

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static struct row *find_row(struct writers_truth *t, const struct expected *e)
{
	size_t i;

	for (i = 0; i < t->nr_rows; i++) {
		const struct expected *r = &t->rows[i].expected;

		if (same_text(r->op, e->op) && same_text(r->syscall, e->syscall) && same_text(r->advice, e->advice) &&
		    same_text(r->flags, e->flags) && r->who == e->who && r->covers == e->covers)
			return &t->rows[i];
	}
	if (t->nr_rows == NR_ROWS)
		errx(EXIT_FAILURE, "more rows than NR_ROWS");
	t->rows[t->nr_rows].expected = *e;
	return &t->rows[t->nr_rows++];
}

static void add_writer(struct writers_truth *t, struct expected e)
{
	struct row *row;

	e.covers &= !e.by_vma_lock || t->has_vma_locks;
	row = find_row(t, &e);
	row->windows++;
	row->sections += e.sections ? (uint64_t)e.sections : 1;
}

static void add_truth(struct writers_truth *t, const struct operation *op)
{
	size_t i;

	if (t->silent[op - operations])
		return;
	t->moved += op->writers[0].op != NULL;
	for (i = 0; i < ARRAY_SIZE(op->writers) && op->writers[i].op; i++)
		add_writer(t, op->writers[i]);
}

static void judge(struct writers_truth *t, const struct operation *op, int copy_err)
{
	int want = op->gone ? ENOENT : 0;

	truth_add_copy(&t->truth, copy_err, copy_err ? 0 : PAGE);
	t->truth.windows++;
	add_truth(t, op);
	if (copy_err == want)
		return;
	warnx("%s: the copy returned %s, expected %s", op->name, errno_name(copy_err), errno_name(want));
	t->failures++;
}

static struct json_object *text_or_null(const char *text)
{
	return text ? json_object_new_string(text) : NULL;
}

static struct json_object *row_json(const struct load *load, const struct row *row)
{
	const struct expected *e = &row->expected;
	struct json_object *o = json_object_new_object();
	char comm[16] = "";

	if (e->who == BY_IO_WORKER)
		snprintf(comm, sizeof(comm), "iou-wrk-%d", (int)getpid());
	json_object_object_add(o, "op", json_object_new_string(e->op));
	json_object_object_add(o, "syscall",
			       text_or_null(!e->syscall		      ? e->op
					    : strcmp(e->syscall, "-") ? e->syscall
								      : NULL));
	json_object_object_add(o, "advice", text_or_null(e->advice));
	json_object_object_add(o, "flags", text_or_null(e->flags));
	json_object_object_add(o, "comm",
			       json_object_new_string(e->who == BY_OTHER	? OTHER_COMM
						      : e->who == BY_KHUGEPAGED ? "khugepaged"
						      : e->who == BY_IO_WORKER	? comm
										: "uffdload"));
	/* khugepaged's is its own. */
	json_object_object_add(
		o, "pid",
		e->who == BY_KHUGEPAGED ? NULL : json_object_new_int(e->who == BY_OTHER ? load->other.pid : getpid()));
	json_object_object_add(o, "covers_dst", json_object_new_boolean(e->covers));
	json_object_object_add(o, "windows", json_object_new_uint64(row->windows));
	json_object_object_add(o, "sections", e->many ? NULL : json_object_new_uint64(row->sections));
	return o;
}

static int report(const struct load *load, const struct writers_truth *t)
{
	struct json_object *o = truth_head("writers", 0), *windows = json_object_new_object();
	struct json_object *rows = json_object_new_array(), *skipped = json_object_new_array(), *one;
	size_t i, ran = 0;
	int err;

	json_object_object_add(o, "runs", json_object_new_uint64(load->options->runs));
	truth_put_copy(o, &t->truth);
	json_object_object_add(windows, "total", json_object_new_uint64(t->truth.windows));
	json_object_object_add(windows, "with_writers", json_object_new_uint64(t->moved));
	json_object_object_add(o, "windows", windows);
	for (i = 0; i < t->nr_rows; i++)
		json_object_array_add(rows, row_json(load, &t->rows[i]));
	json_object_object_add(o, "writers", rows);
	for (i = 0; i < NR_OPERATIONS; i++) {
		if (!t->lacks[i]) {
			ran++;
			continue;
		}
		one = json_object_new_object();
		json_object_object_add(one, "name", json_object_new_string(operations[i].name));
		json_object_object_add(one, "reason", json_object_new_string(errno_name(t->lacks[i])));
		json_object_array_add(skipped, one);
	}
	json_object_object_add(o, "operations", json_object_new_uint64(ran));
	json_object_object_add(o, "skipped", skipped);
	json_object_object_add(o, "failures", json_object_new_uint64(t->failures));
	err = print_json(o);
	json_object_put(o);
	return err;
}

/* --- the command -------------------------------------------------------------------------------------------- */

/* Each is tried once without a window: what this kernel does not have is not in the truth, and said. */
static void try_all(struct load *load, struct writers_truth *t)
{
	size_t i;
	int unused;

	t->has_vma_locks = has_function("lock_vma_under_rcu");
	for (i = 0; i < NR_OPERATIONS; i++)
		t->silent[i] = operations[i].needs && !has_function(operations[i].needs);
	for (i = 0; i < NR_OPERATIONS; i++) {
		int err = run_operation(load, &operations[i], false, &unused);

		if (!err)
			continue;
		t->lacks[i] = -err;
		warnx("skipped %s: %s", operations[i].name, strerror(-err));
		close(load->place.uffd);
		close(load->place.other_uffd);
		prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	}
}

static int run_all(struct load *load, struct writers_truth *t)
{
	uint64_t run;
	size_t i;
	int err, copy_err;

	for (run = 0; run < load->options->runs; run++) {
		for (i = 0; i < NR_OPERATIONS; i++) {
			if (t->lacks[i])
				continue;
			err = run_operation(load, &operations[i], true, &copy_err);
			if (err) {
				warnx("%s: %s", operations[i].name, strerror(-err));
				return err;
			}
			judge(t, &operations[i], copy_err);
		}
	}
	return 0;
}

static int set_up(struct load *load)
{
	int err = other_start(&load->other);

	if (!err)
		err = ground_create(&load->ground, 2 * PLACE_PAGES, FILE_PAGES);
	if (!err)
		err = rig_create(&load->rig, "b");
	if (err)
		return err;
	set_up_collapse(load);
	load->area = load->ground.hole + 8 * PAGE;
	load->dst = load->ground.arena.start + GROUND_FRONT * PAGE;
	load->place = (struct place) {
		.kind = PLACE_ANON,
		.start = load->dst,
		.pages = PLACE_PAGES,
		.mode = UFFDIO_REGISTER_MODE_MISSING,
		.uffd = -1,
		.other_uffd = -1,
	};
	return 0;
}

int writers_main(const struct writers_options *options)
{
	static struct load load;
	static struct writers_truth truth;
	int err;

	if (!may_use_uffd())
		return EXIT_FAILURE;
	load.options = options;
	err = set_up(&load);
	if (err) {
		warnx("set-up: %s", strerror(-err));
		return EXIT_FAILURE;
	}
	try_all(&load, &truth);
	if (options->wait)
		wait_for_go();
	err = run_all(&load, &truth);
	restore_settings(&load);
	if (!err && report(&load, &truth))
		err = -EIO;
	other_stop(&load.other);
	rig_destroy(load.rig);
	ground_destroy(&load.ground);
	return err || truth.failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
