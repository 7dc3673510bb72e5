// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The single things that a program can do to its address space while a window is open.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "steps/step.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

#define STACK_PAGE (STACK_ROOM + 8) /* in the stack's part of the arena; the room ends right below it */
#define THREAD_STACK_PAGES 16

/* --- the ground --------------------------------------------------------------------------------------------- */

int ground_create(struct ground *ground, size_t pages, size_t file_pages)
{
	const struct mapping ordinary = { .backing = BACKED_ANON };
	size_t all = GROUND_FRONT + pages + GROUND_TAIL;
	int err;

	*ground = (struct ground) { .handler = { .socket = -1 } };
	err = arena_create(&ground->arena, all, file_pages);
	if (err)
		return err;
	ground->hole = ground->arena.start + (all - GROUND_TAIL) * PAGE;
	ground->scratch = ground->hole + (HOLE_PAGES + 2) * PAGE;
	err = arena_map(&ground->arena, ground->scratch, SCRATCH_PAGES, &ordinary);
	if (err)
		return err;
	memset((void *)ground->scratch, 1, SCRATCH_PAGES * PAGE);
	return hand_create(&ground->hand);
}

void ground_destroy(struct ground *ground)
{
	handler_stop(&ground->handler);
	hand_destroy(ground->hand);
	arena_destroy(&ground->arena);
}

/* A stack that may grow needs unmapped room, and no PROT_NONE, below it. */
int ground_make_stack(struct ground *ground)
{
	uint64_t part = ground->scratch + (SCRATCH_PAGES + 2) * PAGE;
	uint64_t bottom = part + STACK_ROOM * PAGE;
	int flags = MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN;

	if (munmap((void *)part, STACK_ROOM * PAGE))
		return -errno;
	if (mmap((void *)bottom, PAGE, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED)
		return -errno;
	*(volatile char *)bottom = 1;
	ground->stack = bottom;
	return 0;
}

/* --- the place ---------------------------------------------------------------------------------------------- */

enum window_kind place_window_kind(enum place_kind kind)
{
	if (place_is_huge(kind))
		return KIND_HUGETLB;
	return kind == PLACE_ANON ? KIND_ANON : KIND_SHMEM;
}

bool place_is_huge(enum place_kind kind)
{
	return kind == PLACE_HUGE || kind == PLACE_HUGE_ANON;
}

size_t place_page_size(enum place_kind kind)
{
	return place_is_huge(kind) ? HUGE : PAGE;
}

uint64_t place_page(const struct place *place, int page)
{
	return place->start + (uint64_t)((int64_t)page * (int64_t)place_page_size(place->kind));
}

static enum map_as first_mapping(enum place_kind kind)
{
	static const enum map_as as[NR_PLACES] = {
		[PLACE_ANON] = AS_ANON,
		[PLACE_SHMEM] = AS_FILE_SHARED,
		[PLACE_PRIVATE] = AS_FILE_PRIVATE,
		[PLACE_SHARED_ANON] = AS_SHARED_ANON,
		[PLACE_HUGE] = AS_FILE_SHARED,
		[PLACE_HUGE_ANON] = AS_ANON,
	};

	return as[kind];
}

struct mapping place_mapping(const struct place *place, enum map_as as, int from, int shift)
{
	static const struct mapping mappings[] = {
		[AS_ANON] = { .backing = BACKED_ANON },
		[AS_SHARED_ANON] = { .backing = BACKED_SHARED_ANON, .shared = true },
		[AS_FILE_SHARED] = { .backing = BACKED_FILE, .shared = true },
		[AS_FILE_PRIVATE] = { .backing = BACKED_FILE },
		[AS_AGAIN] = { .backing = BACKED_AGAIN, .shared = true },
		[AS_OTHER] = { .backing = BACKED_OTHER, .shared = true },
	};
	struct mapping mapping = mappings[as == AS_BEFORE ? first_mapping(place->kind) : as];

	/* The other opens of the file follow the place in being shared or not. */
	if (as == AS_AGAIN || as == AS_OTHER)
		mapping.shared = place->kind != PLACE_PRIVATE;
	mapping.huge = place_is_huge(place->kind);
	mapping.offset = (size_t)((long)place->offset + from + shift);
	return mapping;
}

int place_set_up(const struct ground *ground, const struct place *place)
{
	struct mapping mapping = place_mapping(place, AS_BEFORE, 0, 0);
	int err = arena_map(&ground->arena, place->start, place->pages, &mapping);

	return err ? err
		   : rig_register(place->uffd, place->start, place->pages * place_page_size(place->kind), place->mode);
}

/* --- elsewhere ---------------------------------------------------------------------------------------------- */

static int elsewhere_touch(struct ground *ground)
{
	size_t i;

	if (madvise((void *)ground->scratch, 4 * PAGE, MADV_DONTNEED))
		return -errno;
	for (i = 0; i < 4; i++)
		*(volatile char *)(ground->scratch + i * PAGE) = 1;
	return 0;
}

static int elsewhere_maps(void)
{
	static char text[1024];
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text));
	close(fd);
	return n > 0 ? 0 : -EIO;
}

/* Larger than any gap that another step leaves: the kernel must not put it beside a destination. */
static int elsewhere_mmap(void)
{
	size_t len = 1024 * PAGE;
	void *area = mmap(NULL, len, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return area == MAP_FAILED || munmap(area, len) ? -errno : 0;
}

static int elsewhere_protect(struct ground *ground)
{
	void *page = (void *)(ground->scratch + 8 * PAGE);

	return mprotect(page, PAGE, PROT_READ) || mprotect(page, PAGE, PROT_READ | PROT_WRITE) ? -errno : 0;
}

/* Below vm.mmap_min_addr nothing is ever mapped; the write lock is taken all the same. */
static int elsewhere_protect_fails(void)
{
	return mprotect((void *)PAGE, PAGE, PROT_READ) && errno == ENOMEM ? 0 : -EIO;
}

static int elsewhere_unmap_nothing(void)
{
	return munmap((void *)PAGE, PAGE) ? -errno : 0;
}

static int elsewhere_mremap(struct ground *ground)
{
	const struct mapping ordinary = { .backing = BACKED_ANON };
	void *from = (void *)(ground->hole + PAGE), *to = (void *)(ground->hole + 3 * PAGE);
	int err = arena_map(&ground->arena, (uint64_t)from, 1, &ordinary);

	if (err)
		return err;
	if (mremap(from, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, to) == MAP_FAILED)
		return -errno;
	return arena_clear(&ground->arena, (uint64_t)from, 3);
}

/* Not through the C library: the address sanitizer makes its mlock() and munlock() do nothing. */
static int elsewhere_lock(struct ground *ground)
{
	void *page = (void *)(ground->scratch + 12 * PAGE);

	return syscall(SYS_mlock, page, PAGE) || syscall(SYS_munlock, page, PAGE) ? -errno : 0;
}

/* malloc finds the break where it left it. */
static int elsewhere_brk(void)
{
	long now = syscall(SYS_brk, 0);
	long grown = syscall(SYS_brk, now + (long)PAGE);

	syscall(SYS_brk, now);
	return grown == now + (long)PAGE ? 0 : -ENOMEM;
}

/* Runs on its own stack with the caller's thread pointer: it must touch neither. */
static int exit_at_once(void *unused)
{
	(void)unused;
	return 0;
}

/* glibc keeps the stacks of ended threads, so a pthread would not map one. */
static int elsewhere_thread(struct ground *ground)
{
	static pid_t running;
	const struct mapping ordinary = { .backing = BACKED_ANON };
	int flags =
		CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;
	uint64_t stack = ground->hole + 8 * PAGE;
	int err = arena_map(&ground->arena, stack, THREAD_STACK_PAGES, &ordinary);

	if (err)
		return err;
	running = 1;
	if (clone(exit_at_once, (void *)(stack + THREAD_STACK_PAGES * PAGE), flags, NULL, NULL, NULL, &running) < 0)
		return -errno;
	while (__atomic_load_n(&running, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, &running, FUTEX_WAIT, 1, NULL, NULL, 0);
	return arena_clear(&ground->arena, stack, THREAD_STACK_PAGES);
}

/* Each time a page lower; there is room for STACK_ROOM of them. */
static int elsewhere_stack_grows(struct ground *ground)
{
	ground->stack -= PAGE;
	*(volatile char *)ground->stack = 1;
	return 0;
}

static int elsewhere_close_uffd(void)
{
	int fd = rig_uffd_open(0);

	return fd < 0 ? fd : close(fd);
}

static int step_elsewhere(struct ground *ground, enum elsewhere what)
{
	switch (what) {
	case ELSEWHERE_DONTNEED:
		return madvise((void *)ground->scratch, 4 * PAGE, MADV_DONTNEED) ? -errno : 0;
	case ELSEWHERE_TOUCH:
		return elsewhere_touch(ground);
	case ELSEWHERE_MAPS:
		return elsewhere_maps();
	case ELSEWHERE_MMAP:
		return elsewhere_mmap();
	case ELSEWHERE_PROTECT:
		return elsewhere_protect(ground);
	case ELSEWHERE_PROTECT_FAILS:
		return elsewhere_protect_fails();
	case ELSEWHERE_UNMAP_NOTHING:
		return elsewhere_unmap_nothing();
	case ELSEWHERE_MREMAP:
		return elsewhere_mremap(ground);
	case ELSEWHERE_LOCK:
		return elsewhere_lock(ground);
	case ELSEWHERE_BRK:
		return elsewhere_brk();
	case ELSEWHERE_THREAD:
		return elsewhere_thread(ground);
	case ELSEWHERE_STACK_GROWS:
		return elsewhere_stack_grows(ground);
	case ELSEWHERE_CLOSE_UFFD:
		return elsewhere_close_uffd();
	default:
		return -EINVAL;
	}
}

/* --- on the place or the process ---------------------------------------------------------------------------- */

/* fork() itself would run handlers that the C library has registered. */
static int step_fork(void)
{
	long pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

	if (!pid)
		syscall(SYS_exit_group, 0);
	return pid < 0 || waitpid((pid_t)pid, NULL, 0) != pid ? -errno : 0;
}

static int bind_pages(void *start, size_t len, unsigned int mode)
{
	unsigned long node0 = 1;
	unsigned long *nodes = mode == MPOL_DEFAULT ? NULL : &node0;

	return syscall(SYS_mbind, start, len, mode, nodes, nodes ? 8 * sizeof(node0) : 0, 0) ? -errno : 0;
}

static int step_map(const struct ground *ground, const struct place *place, const struct step *step)
{
	struct mapping mapping = place_mapping(place, step->arg, step->from, step->shift);

	return arena_map(&ground->arena, place_page(place, step->from), (size_t)step->pages, &mapping);
}

static int move(uint64_t from, size_t len, uint64_t to)
{
	void *at = mremap((void *)from, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, (void *)to);

	return at == MAP_FAILED ? -errno : 0;
}

static int resize(void *start, size_t from, size_t to)
{
	void *at = mremap(start, from, to, 0);

	return at == start ? 0 : -errno;
}

static int step_now(struct ground *ground, const struct place *place, const struct step *step)
{
	uint64_t address = place_page(place, step->from);
	size_t len = (size_t)step->pages * place_page_size(place->kind);
	void *start = (void *)address;
	uint64_t mode = step->arg ? step->arg : place->mode;

	switch (step->kind) {
	case STEP_NONE:
		return 0;
	case STEP_PROTECT:
		return mprotect(start, len, (int)step->arg) ? -errno : 0;
	case STEP_ADVISE:
		return madvise(start, len, (int)step->arg) ? -errno : 0;
	case STEP_LOCK:
		return syscall(SYS_mlock2, start, len, MLOCK_ONFAULT) ? -errno : 0;
	case STEP_UNLOCK:
		return syscall(SYS_munlock, start, len) ? -errno : 0;
	case STEP_BIND:
		return bind_pages(start, len, step->arg);
	case STEP_NAME:
		return prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, address, len, "uffdload") ? -errno : 0;
	case STEP_UNMAP:
		return munmap(start, len) ? -errno : 0;
	case STEP_MAP:
		return step_map(ground, place, step);
	case STEP_REGISTER:
		return rig_register(place->uffd, address, len, mode);
	case STEP_REGISTER_OTHER:
		return rig_register(place->other_uffd, address, len, mode);
	case STEP_UNREGISTER:
		return rig_unregister(place->uffd, address, len);
	case STEP_ZEROPAGE:
		return rig_zeropage(place->uffd, address, len);
	case STEP_MOVE_AWAY:
		return move(address, len, place->away);
	case STEP_MOVE_BACK:
		return move(place->away, len, address);
	case STEP_RESIZE:
		return resize(start, len, step->arg * PAGE);
	case STEP_TRUNCATE:
		return ftruncate(ground->arena.file, (off_t)(place->offset + (size_t)step->from) * (off_t)PAGE) ? -errno
														: 0;
	case STEP_FORK:
		return step_fork();
	case STEP_ELSEWHERE:
		return step_elsewhere(ground, step->arg);
	case STEP_HANDLER_WRITE:
		return handler_write_own_mm(&ground->handler);
	}
	return -EINVAL;
}

/* --- stuck steps -------------------------------------------------------------------------------------------- */

#define EVENT_TIMEOUT_MS 10000

static int stuck_job(void *arg)
{
	struct stuck *stuck = arg;

	return step_now(stuck->ground, stuck->place, stuck->step);
}

/* mmap_changing is raised before the event can be read, and stays raised until it is. */
static int get_stuck(struct ground *ground, const struct place *place, const struct step *step)
{
	struct pollfd fd = { .fd = place->uffd, .events = POLLIN };

	ground->stuck = (struct stuck) { ground, place, step };
	hand_do(ground->hand, stuck_job, &ground->stuck);
	return poll(&fd, 1, EVENT_TIMEOUT_MS) == 1 ? 0 : -ETIMEDOUT;
}

int step_unstick(struct ground *ground, const struct place *place)
{
	struct uffd_msg msg;

	if (read(place->uffd, &msg, sizeof(msg)) != sizeof(msg))
		return -EIO;
	if (msg.event == UFFD_EVENT_FORK)
		close((int)msg.arg.fork.ufd);
	return hand_wait(ground->hand);
}

int step_run(struct ground *ground, const struct place *place, const struct step *step)
{
	return step->stuck ? get_stuck(ground, place, step) : step_now(ground, place, step);
}

/* --- names --------------------------------------------------------------------------------------------------- */

const char *step_name(enum step_kind kind)
{
	static const char *const names[] = {
		[STEP_NONE] = "none",
		[STEP_PROTECT] = "protect",
		[STEP_ADVISE] = "advise",
		[STEP_LOCK] = "lock",
		[STEP_UNLOCK] = "unlock",
		[STEP_BIND] = "bind",
		[STEP_NAME] = "name",
		[STEP_UNMAP] = "unmap",
		[STEP_MAP] = "map",
		[STEP_REGISTER] = "register",
		[STEP_REGISTER_OTHER] = "register_other",
		[STEP_UNREGISTER] = "unregister",
		[STEP_ZEROPAGE] = "zeropage",
		[STEP_MOVE_AWAY] = "move_away",
		[STEP_MOVE_BACK] = "move_back",
		[STEP_RESIZE] = "resize",
		[STEP_TRUNCATE] = "truncate",
		[STEP_FORK] = "fork",
		[STEP_ELSEWHERE] = "elsewhere",
		[STEP_HANDLER_WRITE] = "handler_write",
	};

	return kind < ARRAY_SIZE(names) ? names[kind] : "?";
}

/* --- what this kernel lacks --------------------------------------------------------------------------------- */

/* Tried on one page of its own: the answer is the kernel's, not a guess from its version. */
static int try_step(struct ground *ground, enum place_kind kind, uint64_t features, const struct step *step)
{
	bool huge = place_is_huge(kind);
	struct place place = {
		.kind = kind, .start = huge ? ground->arena.huge.start : ground->hole, .pages = 1, .other_uffd = -1
	};
	struct step there = *step;
	struct mapping mapping = place_mapping(&place, AS_BEFORE, 0, 0);
	int err;

	there.from = 0;
	there.pages = 1;
	place.uffd = rig_uffd_open(features);
	if (place.uffd < 0)
		return place.uffd;
	err = arena_map(&ground->arena, place.start, 1, &mapping);
	if (!err)
		err = step_now(ground, &place, &there);
	close(place.uffd);
	if (huge)
		arena_clear_huge(&ground->arena);
	else
		arena_clear(&ground->arena, place.start, 1);
	return err;
}

const char *step_lacks(struct ground *ground, enum place_kind kind, uint64_t features, const struct step *step)
{
	struct step plain = { .kind = STEP_REGISTER, .arg = step->arg };

	switch (step->kind) {
	case STEP_BIND:
		return try_step(ground, kind, features, step) ? "no NUMA policy" : NULL;
	case STEP_NAME:
		return try_step(ground, kind, features, step) ? "no names of anonymous memory (CONFIG_ANON_VMA_NAME)"
							      : NULL;
	case STEP_ADVISE:
		return try_step(ground, kind, features, step) ? "no such madvise" : NULL;
	case STEP_LOCK:
		return try_step(ground, kind, features, step) ? "may not lock memory" : NULL;
	case STEP_REGISTER:
	case STEP_REGISTER_OTHER:
		return step->arg && try_step(ground, kind, features, &plain) ? "no such registration mode" : NULL;
	default:
		return NULL;
	}
}
