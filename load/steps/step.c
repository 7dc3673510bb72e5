// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The steps: single operations of a program on its address space while a window is open.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/rig.h"
#include "steps/step.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif

/* --- on the place or the process -------------------------------------------------------------- */

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

	return syscall(SYS_mbind, start, len, mode, nodes, nodes ? 8 * sizeof(node0) : 0, 0)
		       ? -errno
		       : 0;
}

static int step_map(const struct ground *ground, const struct place *place, const struct step *step)
{
	struct mapping mapping = place_mapping(place, step->arg, step->from, step->shift);

	return arena_map(&ground->arena, place_page(place, step->from), (size_t)step->pages,
			 &mapping);
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
		return prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, address, len, "uffdload") ? -errno
											 : 0;
	case STEP_UNMAP:
		return munmap(start, len) ? -errno : 0;
	case STEP_UNMAP_FAILS:
		return munmap((char *)start + 1, len) && errno == EINVAL ? 0 : -EPROTO;
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
		return ftruncate(ground->arena.file,
				 (off_t)(place->offset + (size_t)step->from) * (off_t)PAGE)
			       ? -errno
			       : 0;
	case STEP_FORK:
		return step_fork();
	case STEP_ELSEWHERE:
		return elsewhere_do(ground, step->arg);
	case STEP_HANDLER_WRITE:
		return handler_write_own_mm(&ground->handler);
	}
	return -EINVAL;
}

/* --- stuck steps ------------------------------------------------------------------------------ */

#define EVENT_TIMEOUT_MS 10000

/* What the hand is stuck in: one hand, one step at a time. */
static struct stuck {
	struct ground *ground;
	const struct place *place;
	const struct step *step;
} stuck;

static int stuck_job(void *unused)
{
	(void)unused;
	return step_now(stuck.ground, stuck.place, stuck.step);
}

/* mmap_changing is raised before the event can be read, and stays raised until it is. */
static int get_stuck(struct ground *ground, const struct place *place, const struct step *step)
{
	struct pollfd fd = { .fd = place->uffd, .events = POLLIN };

	stuck = (struct stuck) { ground, place, step };
	hand_do(ground->hand, stuck_job, NULL);
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

/* --- names ------------------------------------------------------------------------------------ */

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
		[STEP_UNMAP_FAILS] = "unmap_fails",
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

/* --- what this kernel lacks ------------------------------------------------------------------- */

/* Try it on one page: ask the kernel, not its version. */
static int try_step(struct ground *ground, enum place_kind kind, uint64_t features,
		    const struct step *step)
{
	bool huge = place_is_huge(kind);
	struct place place = { .kind = kind,
			       .start = huge ? ground->arena.huge.start : ground->hole,
			       .pages = 1,
			       .other_uffd = -1 };
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

const char *step_lacks(struct ground *ground, enum place_kind kind, uint64_t features,
		       const struct step *step)
{
	struct step plain = { .kind = STEP_REGISTER, .arg = step->arg };

	switch (step->kind) {
	case STEP_BIND:
		return try_step(ground, kind, features, step) ? "no NUMA policy" : NULL;
	case STEP_NAME:
		return try_step(ground, kind, features, step)
			       ? "no names of anonymous memory (CONFIG_ANON_VMA_NAME)"
			       : NULL;
	case STEP_ADVISE:
		return try_step(ground, kind, features, step) ? "no such madvise" : NULL;
	case STEP_LOCK:
		return try_step(ground, kind, features, step) ? "may not lock memory" : NULL;
	case STEP_REGISTER:
	case STEP_REGISTER_OTHER:
		return step->arg && try_step(ground, kind, features, &plain)
			       ? "no such registration mode"
			       : NULL;
	default:
		return NULL;
	}
}
