// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The table of named windows of `uffdload exact`, each with its truth.
#define _GNU_SOURCE
#include <errno.h>
#include <linux/mempolicy.h>
#include <linux/userfaultfd.h>
#include <sys/mman.h>

#include "known/scenario.h"

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* A table is read by its columns. */
/* clang-format off */

/* Ranges of the eight pages [0, 8); the destination is page 4. */
#define WHOLE .from = 0, .pages = SCENARIO_PAGES
#define DST .from = SCENARIO_PAGE, .pages = 1
#define FRONT .from = 0, .pages = 2
#define TAIL .from = 6, .pages = 2
#define NEXT .from = 5, .pages = 1		/* the page right behind the destination */
#define FROM_DST .from = SCENARIO_PAGE, .pages = 4
#define BEFORE_ALL .from = -2, .pages = 2	/* neighbours of the VMA */
#define AFTER_ALL .from = 8, .pages = 2
#define SHIFTED .from = 2, .pages = SCENARIO_PAGES
#define COPY_64 .from = 0, .pages = 80

#define PROTECT(range, prot) { .kind = STEP_PROTECT, range, .arg = (prot) }
#define ADVISE(range, advice) { .kind = STEP_ADVISE, range, .arg = (advice) }
#define LOCK(range) { .kind = STEP_LOCK, range }
#define UNLOCK(range) { .kind = STEP_UNLOCK, range }
#define BIND(range, mode) { .kind = STEP_BIND, range, .arg = (mode) }
#define NAME(range) { .kind = STEP_NAME, range }
#define UNMAP(range) { .kind = STEP_UNMAP, range }
#define MAP(range, as) { .kind = STEP_MAP, range, .arg = (as) }
#define MAP_AT(range, as, by) { .kind = STEP_MAP, range, .arg = (as), .shift = (by) }
#define REGISTER(range) { .kind = STEP_REGISTER, range }
#define REGISTER_AS(range, mode) { .kind = STEP_REGISTER, range, .arg = (mode) }
#define REGISTER_OTHER(range) { .kind = STEP_REGISTER_OTHER, range }
#define UNREGISTER(range) { .kind = STEP_UNREGISTER, range }
#define ZEROPAGE(range) { .kind = STEP_ZEROPAGE, range }
#define MOVE_AWAY(range) { .kind = STEP_MOVE_AWAY, range }
#define MOVE_BACK(range) { .kind = STEP_MOVE_BACK, range }
#define RESIZE(range, to) { .kind = STEP_RESIZE, range, .arg = (to) }
#define TRUNCATE(range) { .kind = STEP_TRUNCATE, range }
#define FORK() { .kind = STEP_FORK }
#define ELSEWHERE(what) { .kind = STEP_ELSEWHERE, .arg = (what) }
#define HANDLER_WRITE() { .kind = STEP_HANDLER_WRITE }
#define STUCK_ADVISE(range, advice) { .kind = STEP_ADVISE, range, .arg = (advice), .stuck = true }
#define STUCK_UNMAP(range) { .kind = STEP_UNMAP, range, .stuck = true }
#define STUCK_MOVE(range) { .kind = STEP_MOVE_AWAY, range, .stuck = true }
#define STUCK_FORK() { .kind = STEP_FORK, .stuck = true }

#define MISSING UFFDIO_REGISTER_MODE_MISSING
#define WP UFFDIO_REGISTER_MODE_WP
#define MINOR UFFDIO_REGISTER_MODE_MINOR
/* Read-write protection: linux/userfaultfd.h of 7.3. */
#define RWP (1 << 3)
#define FEATURE_RWP (1 << 17)

/* Eight pages, and 64 pages with natural windows, mapped pages and one held window. */
#define EIGHT_M "mmmmmmmm"
#define LAYOUT_64 "n" EIGHT_M "nn" EIGHT_M EIGHT_M "mmmm" "b" "n" EIGHT_M EIGHT_M EIGHT_M "nmnmmnm"

const struct scenario scenarios[] = {
	/* --- quiet: nobody wrote mmap_lock ------------------------------------------------------------------- */
	{ .name = "nothing", .class = TRUTH_QUIET },
	{ .name = "nothing-shmem", .class = TRUTH_QUIET, .place = PLACE_SHMEM },
	{ .name = "nothing-private-file", .class = TRUTH_QUIET, .place = PLACE_PRIVATE },
	{ .name = "nothing-shared-anon", .class = TRUTH_QUIET, .place = PLACE_SHARED_ANON },
	{ .name = "nothing-external", .class = TRUTH_QUIET, .external = true },
	{ .name = "dontneed-elsewhere", .class = TRUTH_QUIET, .steps = { ELSEWHERE(ELSEWHERE_DONTNEED) } },
	{ .name = "touch-elsewhere", .class = TRUTH_QUIET, .steps = { ELSEWHERE(ELSEWHERE_TOUCH) } },
	{ .name = "read-maps", .class = TRUTH_QUIET, .steps = { ELSEWHERE(ELSEWHERE_MAPS) } },
	{ .name = "dontneed-destination", .class = TRUTH_QUIET, .steps = { ADVISE(WHOLE, MADV_DONTNEED) } },
	{ .name = "guard-install-front", .class = TRUTH_QUIET, .steps = { ADVISE(FRONT, MADV_GUARD_INSTALL) } },
	/* Another thread fills the page first. */
	{ .name = "filled-meanwhile", .class = TRUTH_QUIET, .err = EEXIST, .steps = { ZEROPAGE(DST) } },
	{ .name = "filled-meanwhile-shmem", .class = TRUTH_QUIET, .err = EEXIST, .place = PLACE_SHMEM,
	  .steps = { ZEROPAGE(DST) } },
	/* The relock succeeds before the EFAULT, so the class is not aborted. */
	{ .name = "truncated-meanwhile-shmem", .class = TRUTH_QUIET, .err = EFAULT, .place = PLACE_SHMEM,
	  .steps = { TRUNCATE(DST) } },
	{ .name = "handler-writes-own-mm", .class = TRUTH_QUIET, .external = true, .steps = { HANDLER_WRITE() } },
	{ .name = "natural-windows", .class = TRUTH_QUIET, .layout = "nmbn" },
	{ .name = "two-pages", .class = TRUTH_QUIET, .layout = "mb", .place = PLACE_SHMEM },
	{ .name = "two-held-windows", .class = TRUTH_QUIET, .layout = "bb" },
	{ .name = "at-once-2", .class = TRUTH_QUIET, .at_once = 2, .others = TRUTH_QUIET },

	/* --- unrelated: mmap_lock was written, the destination's VMA was not locked --------------------------- */
	{ .name = "mmap-elsewhere", .class = TRUTH_UNRELATED, .steps = { ELSEWHERE(ELSEWHERE_MMAP) } },
	{ .name = "mmap-elsewhere-shmem", .class = TRUTH_UNRELATED, .place = PLACE_SHMEM,
	  .steps = { ELSEWHERE(ELSEWHERE_MMAP) } },
	{ .name = "mmap-elsewhere-private-file", .class = TRUTH_UNRELATED, .place = PLACE_PRIVATE,
	  .steps = { ELSEWHERE(ELSEWHERE_MMAP) } },
	{ .name = "mmap-elsewhere-external", .class = TRUTH_UNRELATED, .external = true,
	  .steps = { ELSEWHERE(ELSEWHERE_MMAP) } },
	{ .name = "mprotect-elsewhere", .class = TRUTH_UNRELATED, .steps = { ELSEWHERE(ELSEWHERE_PROTECT) } },
	{ .name = "mprotect-fails", .class = TRUTH_UNRELATED, .steps = { ELSEWHERE(ELSEWHERE_PROTECT_FAILS) } },
	{ .name = "munmap-nothing", .class = TRUTH_UNRELATED, .steps = { ELSEWHERE(ELSEWHERE_UNMAP_NOTHING) } },
	{ .name = "mremap-elsewhere", .class = TRUTH_UNRELATED, .steps = { ELSEWHERE(ELSEWHERE_MREMAP) } },
	{ .name = "mlock-elsewhere", .class = TRUTH_UNRELATED, .steps = { ELSEWHERE(ELSEWHERE_LOCK) } },
	{ .name = "brk", .class = TRUTH_UNRELATED, .steps = { ELSEWHERE(ELSEWHERE_BRK) } },
	{ .name = "thread-fresh-stack", .class = TRUTH_UNRELATED, .steps = { ELSEWHERE(ELSEWHERE_THREAD) } },
	{ .name = "stack-grows", .class = TRUTH_UNRELATED, .steps = { ELSEWHERE(ELSEWHERE_STACK_GROWS) } },
	{ .name = "source-grows-stack", .class = TRUTH_UNRELATED, .source = SOURCE_STACK },
	{ .name = "close-other-uffd", .class = TRUTH_UNRELATED, .steps = { ELSEWHERE(ELSEWHERE_CLOSE_UFFD) } },
	{ .name = "mprotect-same", .class = TRUTH_UNRELATED, .steps = { PROTECT(WHOLE, PROT_READ | PROT_WRITE) } },
	{ .name = "madvise-same", .class = TRUTH_UNRELATED, .steps = { ADVISE(WHOLE, MADV_DOFORK) } },
	{ .name = "register-same", .class = TRUTH_UNRELATED, .steps = { REGISTER(WHOLE) } },
	{ .name = "mremap-same-size", .class = TRUTH_UNRELATED, .steps = { RESIZE(WHOLE, SCENARIO_PAGES) } },
	{ .name = "unrelated-64-pages", .class = TRUTH_UNRELATED, .layout = LAYOUT_64, .pages = 80, .page = 40,
	  .steps = { ELSEWHERE(ELSEWHERE_MMAP) } },
	{ .name = "at-once-256-unrelated", .class = TRUTH_UNRELATED, .at_once = 256, .others = TRUTH_UNRELATED,
	  .steps = { ELSEWHERE(ELSEWHERE_MMAP) } },

	/* --- locked: this VMA was write-locked, and is what it was -------------------------------------------- */
	{ .name = "fork", .class = TRUTH_LOCKED, .steps = { FORK() } },
	{ .name = "fork-shmem", .class = TRUTH_LOCKED, .place = PLACE_SHMEM, .steps = { FORK() } },
	{ .name = "fork-external", .class = TRUTH_LOCKED, .external = true, .steps = { FORK() } },
	{ .name = "register-anew", .class = TRUTH_LOCKED, .steps = { UNREGISTER(WHOLE), REGISTER(WHOLE) } },
	{ .name = "register-anew-private-file", .class = TRUTH_LOCKED, .place = PLACE_PRIVATE,
	  .steps = { UNREGISTER(WHOLE), REGISTER(WHOLE) } },
	{ .name = "mprotect-and-back", .class = TRUTH_LOCKED,
	  .steps = { PROTECT(WHOLE, PROT_READ), PROTECT(WHOLE, PROT_READ | PROT_WRITE) } },
	{ .name = "dontfork-and-back", .class = TRUTH_LOCKED,
	  .steps = { ADVISE(WHOLE, MADV_DONTFORK), ADVISE(WHOLE, MADV_DOFORK) } },
	{ .name = "mlock-and-back", .class = TRUTH_LOCKED, .steps = { LOCK(WHOLE), UNLOCK(WHOLE) } },
	{ .name = "split-and-merge", .class = TRUTH_LOCKED,
	  .steps = { PROTECT(FRONT, PROT_READ), PROTECT(FRONT, PROT_READ | PROT_WRITE) } },
	{ .name = "split-and-merge-shmem", .class = TRUTH_LOCKED, .place = PLACE_SHMEM,
	  .steps = { PROTECT(FRONT, PROT_READ), PROTECT(FRONT, PROT_READ | PROT_WRITE) } },
	{ .name = "mbind-same", .class = TRUTH_LOCKED, .steps = { BIND(WHOLE, MPOL_DEFAULT) } },
	/* The next page is replaced, and its new VMA merges; the destination page stays mapped. */
	{ .name = "next-page-replaced", .class = TRUTH_LOCKED, .layout = "bm",
	  .steps = { UNMAP(NEXT), MAP(NEXT, AS_BEFORE), REGISTER(NEXT) } },
	/* Another struct mempolicy with the same content. */
	{ .name = "mbind-again", .class = TRUTH_LOCKED, .before = { BIND(WHOLE, MPOL_BIND) },
	  .steps = { BIND(WHOLE, MPOL_DEFAULT), BIND(WHOLE, MPOL_BIND) } },
	{ .name = "at-once-8-fork", .class = TRUTH_LOCKED, .at_once = 8, .others = TRUTH_LOCKED,
	  .steps = { FORK() } },
	{ .name = "two-held-windows-fork", .class = TRUTH_LOCKED, .layout = "bmb", .steps = { FORK() } },

	/* --- tolerated: the same mapping, changed in what no check looks at ----------------------------------- */
	{ .name = "mprotect", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_PROT,
	  .steps = { PROTECT(WHOLE, PROT_READ) } },
	{ .name = "mprotect-none", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_PROT,
	  .steps = { PROTECT(WHOLE, PROT_NONE) } },
	{ .name = "mprotect-shmem", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_PROT, .place = PLACE_SHMEM,
	  .steps = { PROTECT(WHOLE, PROT_READ) } },
	{ .name = "mprotect-private-file", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_PROT,
	  .place = PLACE_PRIVATE, .steps = { PROTECT(WHOLE, PROT_READ) } },
	{ .name = "mprotect-external", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_PROT, .external = true,
	  .steps = { PROTECT(WHOLE, PROT_READ) } },
	{ .name = "mprotect-page", .class = TRUTH_TOLERATED,
	  .tolerated = TRUTH_TOLERATED_RANGE | TRUTH_TOLERATED_PROT,
	  .steps = { PROTECT(DST, PROT_READ) } },
	{ .name = "mprotect-exec", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_PROT,
	  .steps = { PROTECT(WHOLE, PROT_READ | PROT_WRITE | PROT_EXEC) } },
	{ .name = "split-behind", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_RANGE,
	  .steps = { PROTECT(TAIL, PROT_READ) } },
	{ .name = "split-behind-shmem", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_RANGE,
	  .place = PLACE_SHMEM, .steps = { PROTECT(TAIL, PROT_READ) } },
	{ .name = "split-front", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_RANGE,
	  .steps = { PROTECT(FRONT, PROT_READ) } },
	{ .name = "dontfork-64-pages", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_FLAGS,
	  .layout = LAYOUT_64,
	  .pages = 80, .page = 40, .steps = { ADVISE(COPY_64, MADV_DONTFORK) } },
	{ .name = "mlock", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_FLAGS, .steps = { LOCK(WHOLE) } },
	{ .name = "dontfork", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_FLAGS,
	  .steps = { ADVISE(WHOLE, MADV_DONTFORK) } },
	{ .name = "dontfork-shmem", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_FLAGS,
	  .place = PLACE_SHMEM,
	  .steps = { ADVISE(WHOLE, MADV_DONTFORK) } },
	{ .name = "nohugepage", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_FLAGS,
	  .steps = { ADVISE(WHOLE, MADV_NOHUGEPAGE) } },
	{ .name = "wipeonfork", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_FLAGS,
	  .steps = { ADVISE(WHOLE, MADV_WIPEONFORK) } },
	{ .name = "random-and-mprotect", .class = TRUTH_TOLERATED,
	  .tolerated = TRUTH_TOLERATED_FLAGS | TRUTH_TOLERATED_PROT,
	  .steps = { ADVISE(WHOLE, MADV_RANDOM), PROTECT(WHOLE, PROT_READ) } },
	{ .name = "mbind", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_POLICY,
	  .steps = { BIND(WHOLE, MPOL_BIND) } },
	/* The split gives the upper VMA a struct mempolicy of its own. */
	{ .name = "split-front-bound", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_RANGE,
	  .before = { BIND(WHOLE, MPOL_BIND) }, .steps = { PROTECT(FRONT, PROT_READ) } },
	{ .name = "anon-name", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_NAME,
	  .steps = { NAME(WHOLE) } },
	{ .name = "unmap-tail", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_RANGE,
	  .steps = { UNMAP(TAIL) } },
	{ .name = "unmap-tail-shmem", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_RANGE,
	  .place = PLACE_SHMEM,
	  .steps = { UNMAP(TAIL) } },
	{ .name = "unmap-front", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_RANGE,
	  .steps = { UNMAP(FRONT) } },
	{ .name = "mremap-shrink", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_RANGE,
	  .steps = { RESIZE(WHOLE, 6) } },
	{ .name = "mremap-grow", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_RANGE,
	  .before = { UNMAP(AFTER_ALL) }, .steps = { RESIZE(WHOLE, 10) } },
	{ .name = "unregister-tail", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_RANGE,
	  .steps = { UNREGISTER(TAIL) } },
	{ .name = "merge-behind", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_RANGE,
	  .steps = { MAP(AFTER_ALL, AS_BEFORE), REGISTER(AFTER_ALL) } },
	{ .name = "merge-behind-shmem", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_RANGE,
	  .place = PLACE_SHMEM,
	  .steps = { MAP(AFTER_ALL, AS_BEFORE), REGISTER(AFTER_ALL) } },
	{ .name = "merge-front", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_RANGE,
	  .steps = { MAP(BEFORE_ALL, AS_BEFORE), REGISTER(BEFORE_ALL) } },
	{ .name = "at-once-8-one-mprotect", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_PROT, .at_once = 8,
	  .others = TRUTH_UNRELATED,
	  .steps = { { .kind = STEP_PROTECT, .from = 0, .pages = AT_ONCE_PAGES, .arg = PROT_READ } } },
	{ .name = "at-once-8-one-vma-mprotect", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_PROT,
	  .at_once = 8,
	  .one_vma = true, .others = TRUTH_TOLERATED, .steps = { PROTECT(WHOLE, PROT_READ) } },
	{ .name = "asleep", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_PROT, .place = PLACE_SHMEM,
	  .timing = TIMING_ASLEEP, .odd_start = true },

	/* --- replaced: unmapped and mapped again, and nothing that is compared tells ---------------------------- */
	{ .name = "map-fixed", .class = TRUTH_REPLACED, .steps = { MAP(WHOLE, AS_BEFORE), REGISTER(WHOLE) } },
	{ .name = "map-fixed-page", .class = TRUTH_REPLACED, .steps = { MAP(DST, AS_BEFORE), REGISTER(DST) } },
	{ .name = "map-fixed-external", .class = TRUTH_REPLACED, .external = true,
	  .steps = { MAP(WHOLE, AS_BEFORE), REGISTER(WHOLE) } },
	{ .name = "map-fixed-shmem", .class = TRUTH_REPLACED, .place = PLACE_SHMEM,
	  .steps = { MAP(WHOLE, AS_BEFORE), REGISTER(WHOLE) } },
	{ .name = "map-fixed-private-file", .class = TRUTH_REPLACED, .place = PLACE_PRIVATE,
	  .steps = { MAP(WHOLE, AS_BEFORE), REGISTER(WHOLE) } },
	{ .name = "unmap-and-map", .class = TRUTH_REPLACED,
	  .steps = { UNMAP(WHOLE), MAP(WHOLE, AS_BEFORE), REGISTER(WHOLE) } },
	{ .name = "unmap-and-map-shmem", .class = TRUTH_REPLACED, .place = PLACE_SHMEM,
	  .steps = { UNMAP(WHOLE), MAP(WHOLE, AS_BEFORE), REGISTER(WHOLE) } },
	/* The range differs too, but replaced is tested first. */
	{ .name = "unmap-and-map-larger", .class = TRUTH_REPLACED,
	  .steps = { UNMAP(WHOLE), { .kind = STEP_MAP, .from = -2, .pages = 12, .arg = AS_BEFORE },
		     { .kind = STEP_REGISTER, .from = -2, .pages = 12 } } },
	{ .name = "move-away-and-back", .class = TRUTH_REPLACED,
	  .steps = { MOVE_AWAY(WHOLE), MOVE_BACK(WHOLE), REGISTER(WHOLE) } },
	{ .name = "move-away-and-back-shmem", .class = TRUTH_REPLACED, .place = PLACE_SHMEM,
	  .steps = { MOVE_AWAY(WHOLE), MOVE_BACK(WHOLE), REGISTER(WHOLE) } },
	{ .name = "replaced-by-other-and-again", .class = TRUTH_REPLACED, .place = PLACE_SHMEM,
	  .steps = { MAP(WHOLE, AS_ANON), MAP(WHOLE, AS_BEFORE), REGISTER(WHOLE) } },

	/* --- hidden: what the address means changed, and the snapshot is equal -------------------------------- */
	{ .name = "other-uffd", .class = TRUTH_HIDDEN, .meaning = TRUTH_MEANING_CTX,
	  .steps = { UNREGISTER(WHOLE), REGISTER_OTHER(WHOLE) } },
	{ .name = "other-uffd-shmem", .class = TRUTH_HIDDEN, .meaning = TRUTH_MEANING_CTX, .place = PLACE_SHMEM,
	  .steps = { UNREGISTER(WHOLE), REGISTER_OTHER(WHOLE) } },
	{ .name = "other-uffd-external", .class = TRUTH_HIDDEN, .meaning = TRUTH_MEANING_CTX, .external = true,
	  .steps = { UNREGISTER(WHOLE), REGISTER_OTHER(WHOLE) } },
	{ .name = "other-uffd-fresh-mapping", .class = TRUTH_HIDDEN, .meaning = TRUTH_MEANING_CTX,
	  .steps = { MAP(WHOLE, AS_BEFORE), REGISTER_OTHER(WHOLE) } },
	/* vm_start and the destination's file offset move by two pages, vm_pgoff does not. */
	{ .name = "shifted-file", .class = TRUTH_HIDDEN, .meaning = TRUTH_MEANING_OFFSET, .place = PLACE_SHMEM,
	  .steps = { UNMAP(WHOLE), MAP_AT(SHIFTED, AS_BEFORE, -2), REGISTER(SHIFTED) } },
	{ .name = "shifted-private-file", .class = TRUTH_HIDDEN,
	  .meaning = TRUTH_MEANING_OFFSET, .place = PLACE_PRIVATE,
	  .steps = { MAP_AT(SHIFTED, AS_BEFORE, -2), REGISTER(SHIFTED) } },
	{ .name = "shifted-file-other-uffd", .class = TRUTH_HIDDEN,
	  .meaning = TRUTH_MEANING_OFFSET | TRUTH_MEANING_CTX,
	  .place = PLACE_SHMEM,
	  .steps = { UNMAP(WHOLE), MAP_AT(SHIFTED, AS_BEFORE, -2), REGISTER_OTHER(SHIFTED) } },

	/* --- false alarm: the snapshot differs, the address means what it meant -------------------------------- */
	{ .name = "split-front-shmem", .class = TRUTH_FALSE_ALARM, .snapshot = TRUTH_SNAPSHOT_PGOFF,
	  .place = PLACE_SHMEM,
	  .steps = { PROTECT(FRONT, PROT_READ) } },
	{ .name = "split-front-private-file", .class = TRUTH_FALSE_ALARM, .snapshot = TRUTH_SNAPSHOT_PGOFF,
	  .place = PLACE_PRIVATE, .steps = { PROTECT(FRONT, PROT_READ) } },
	{ .name = "split-front-external", .class = TRUTH_FALSE_ALARM, .snapshot = TRUTH_SNAPSHOT_PGOFF,
	  .place = PLACE_SHMEM, .external = true, .steps = { PROTECT(FRONT, PROT_READ) } },
	{ .name = "split-front-short-copy", .class = TRUTH_FALSE_ALARM, .snapshot = TRUTH_SNAPSHOT_PGOFF,
	  .place = PLACE_SHMEM, .layout = "nmbm",
	  .steps = { { .kind = STEP_ADVISE, .from = 0, .pages = 1, .arg = MADV_DONTFORK } } },
	{ .name = "split-front-shared-anon", .class = TRUTH_FALSE_ALARM, .snapshot = TRUTH_SNAPSHOT_PGOFF,
	  .place = PLACE_SHARED_ANON, .steps = { PROTECT(FRONT, PROT_READ) } },
	{ .name = "mprotect-page-shmem", .class = TRUTH_FALSE_ALARM, .snapshot = TRUTH_SNAPSHOT_PGOFF,
	  .place = PLACE_SHMEM, .steps = { PROTECT(DST, PROT_READ) } },
	{ .name = "unmap-front-shmem", .class = TRUTH_FALSE_ALARM, .snapshot = TRUTH_SNAPSHOT_PGOFF,
	  .place = PLACE_SHMEM,
	  .steps = { UNMAP(FRONT) } },
	{ .name = "merge-front-shmem", .class = TRUTH_FALSE_ALARM, .snapshot = TRUTH_SNAPSHOT_PGOFF,
	  .place = PLACE_SHMEM,
	  .steps = { MAP(BEFORE_ALL, AS_BEFORE), REGISTER(BEFORE_ALL) } },
	{ .name = "opened-again", .class = TRUTH_FALSE_ALARM, .snapshot = TRUTH_SNAPSHOT_FILE, .place = PLACE_SHMEM,
	  .steps = { MAP(WHOLE, AS_AGAIN), REGISTER(WHOLE) } },
	{ .name = "opened-again-private-file", .class = TRUTH_FALSE_ALARM, .snapshot = TRUTH_SNAPSHOT_FILE,
	  .place = PLACE_PRIVATE, .steps = { MAP(WHOLE, AS_AGAIN), REGISTER(WHOLE) } },
	{ .name = "opened-again-from-page", .class = TRUTH_FALSE_ALARM,
	  .snapshot = TRUTH_SNAPSHOT_FILE | TRUTH_SNAPSHOT_PGOFF,
	  .place = PLACE_SHMEM, .steps = { MAP(FROM_DST, AS_AGAIN), REGISTER(FROM_DST) } },
	{ .name = "at-once-8-one-vma-split-front", .class = TRUTH_FALSE_ALARM, .snapshot = TRUTH_SNAPSHOT_PGOFF,
	  .place = PLACE_SHMEM, .at_once = 8, .one_vma = true, .others = TRUTH_FALSE_ALARM,
	  .steps = { PROTECT(BEFORE_ALL, PROT_READ) }, .before = { MAP(BEFORE_ALL, AS_BEFORE),
	  REGISTER(BEFORE_ALL) } },

	/* --- real: the snapshot differs, and rightly ------------------------------------------------------------ */
	{ .name = "wp-added", .class = TRUTH_REAL, .snapshot = TRUTH_SNAPSHOT_UFFD_FLAGS,
	  .meaning = TRUTH_MEANING_UFFD_FLAGS,
	  .steps = { REGISTER_AS(WHOLE, MISSING | WP) } },
	{ .name = "wp-added-shmem", .class = TRUTH_REAL, .snapshot = TRUTH_SNAPSHOT_UFFD_FLAGS,
	  .meaning = TRUTH_MEANING_UFFD_FLAGS, .place = PLACE_SHMEM, .steps = { REGISTER_AS(WHOLE, MISSING | WP) } },
	{ .name = "wp-added-external", .class = TRUTH_REAL, .snapshot = TRUTH_SNAPSHOT_UFFD_FLAGS,
	  .meaning = TRUTH_MEANING_UFFD_FLAGS, .external = true, .steps = { REGISTER_AS(WHOLE, MISSING | WP) } },
	{ .name = "wp-instead", .class = TRUTH_REAL, .snapshot = TRUTH_SNAPSHOT_UFFD_FLAGS,
	  .meaning = TRUTH_MEANING_UFFD_FLAGS,
	  .steps = { UNREGISTER(WHOLE), REGISTER_AS(WHOLE, WP) } },
	{ .name = "minor-added", .class = TRUTH_REAL, .snapshot = TRUTH_SNAPSHOT_UFFD_FLAGS,
	  .meaning = TRUTH_MEANING_UFFD_FLAGS, .place = PLACE_SHMEM,
	  .steps = { REGISTER_AS(WHOLE, MISSING | MINOR) } },
	{ .name = "rwp-added", .class = TRUTH_REAL, .snapshot = TRUTH_SNAPSHOT_UFFD_FLAGS,
	  .meaning = TRUTH_MEANING_UFFD_FLAGS,
	  .features = FEATURE_RWP, .steps = { REGISTER_AS(WHOLE, MISSING | RWP) } },
	{ .name = "anon-to-shared-anon", .class = TRUTH_REAL,
	  .snapshot = TRUTH_SNAPSHOT_SHARED | TRUTH_SNAPSHOT_OPS | TRUTH_SNAPSHOT_FILE,
	  .meaning = TRUTH_MEANING_SHARED | TRUTH_MEANING_OPS | TRUTH_MEANING_INODE,
	  .steps = { MAP(WHOLE, AS_SHARED_ANON), REGISTER(WHOLE) } },
	{ .name = "anon-to-file", .class = TRUTH_REAL,
	  .snapshot = TRUTH_SNAPSHOT_SHARED | TRUTH_SNAPSHOT_OPS | TRUTH_SNAPSHOT_FILE,
	  .meaning = TRUTH_MEANING_SHARED | TRUTH_MEANING_OPS | TRUTH_MEANING_INODE,
	  .steps = { MAP(WHOLE, AS_FILE_SHARED), REGISTER(WHOLE) } },
	{ .name = "anon-to-private-file", .class = TRUTH_REAL, .snapshot = TRUTH_SNAPSHOT_OPS | TRUTH_SNAPSHOT_FILE,
	  .meaning = TRUTH_MEANING_OPS | TRUTH_MEANING_INODE, .steps = { MAP(WHOLE, AS_FILE_PRIVATE),
	  REGISTER(WHOLE) } },
	{ .name = "anon-to-file-short-copy", .class = TRUTH_REAL,
	  .snapshot = TRUTH_SNAPSHOT_SHARED | TRUTH_SNAPSHOT_OPS | TRUTH_SNAPSHOT_FILE,
	  .meaning = TRUTH_MEANING_SHARED | TRUTH_MEANING_OPS | TRUTH_MEANING_INODE, .layout = "mmbm",
	  .steps = { MAP(WHOLE, AS_FILE_SHARED), REGISTER(WHOLE) } },
	{ .name = "file-to-anon", .class = TRUTH_REAL,
	  .snapshot = TRUTH_SNAPSHOT_SHARED | TRUTH_SNAPSHOT_OPS | TRUTH_SNAPSHOT_FILE,
	  .meaning = TRUTH_MEANING_SHARED | TRUTH_MEANING_OPS | TRUTH_MEANING_INODE, .place = PLACE_SHMEM,
	  .steps = { MAP(WHOLE, AS_ANON), REGISTER(WHOLE) } },
	{ .name = "private-file-to-anon", .class = TRUTH_REAL, .snapshot = TRUTH_SNAPSHOT_OPS | TRUTH_SNAPSHOT_FILE,
	  .meaning = TRUTH_MEANING_OPS | TRUTH_MEANING_INODE, .place = PLACE_PRIVATE,
	  .steps = { MAP(WHOLE, AS_ANON), REGISTER(WHOLE) } },
	{ .name = "shared-to-private", .class = TRUTH_REAL, .snapshot = TRUTH_SNAPSHOT_SHARED,
	  .meaning = TRUTH_MEANING_SHARED,
	  .place = PLACE_SHMEM, .steps = { MAP(WHOLE, AS_FILE_PRIVATE), REGISTER(WHOLE) } },
	{ .name = "private-to-shared", .class = TRUTH_REAL, .snapshot = TRUTH_SNAPSHOT_SHARED,
	  .meaning = TRUTH_MEANING_SHARED,
	  .place = PLACE_PRIVATE, .steps = { MAP(WHOLE, AS_FILE_SHARED), REGISTER(WHOLE) } },
	{ .name = "other-offset", .class = TRUTH_REAL, .snapshot = TRUTH_SNAPSHOT_PGOFF,
	  .meaning = TRUTH_MEANING_OFFSET,
	  .place = PLACE_SHMEM, .steps = { MAP_AT(WHOLE, AS_BEFORE, 8), REGISTER(WHOLE) } },
	{ .name = "other-offset-other-uffd", .class = TRUTH_REAL, .snapshot = TRUTH_SNAPSHOT_PGOFF,
	  .meaning = TRUTH_MEANING_OFFSET | TRUTH_MEANING_CTX, .place = PLACE_SHMEM,
	  .steps = { MAP_AT(WHOLE, AS_BEFORE, 8), REGISTER_OTHER(WHOLE) } },
	{ .name = "other-file", .class = TRUTH_REAL, .snapshot = TRUTH_SNAPSHOT_FILE | TRUTH_SNAPSHOT_INODE,
	  .meaning = TRUTH_MEANING_INODE, .place = PLACE_SHMEM, .steps = { MAP(WHOLE, AS_OTHER), REGISTER(WHOLE) } },
	/* In another inode the offset means nothing: one reason, not two. */
	{ .name = "other-file-other-offset", .class = TRUTH_REAL,
	  .snapshot = TRUTH_SNAPSHOT_FILE | TRUTH_SNAPSHOT_INODE | TRUTH_SNAPSHOT_PGOFF,
	  .meaning = TRUTH_MEANING_INODE,
	  .place = PLACE_SHMEM, .steps = { MAP_AT(WHOLE, AS_OTHER, 8), REGISTER(WHOLE) } },
	{ .name = "shared-anon-replaced", .class = TRUTH_REAL, .snapshot = TRUTH_SNAPSHOT_FILE | TRUTH_SNAPSHOT_INODE,
	  .meaning = TRUTH_MEANING_INODE, .place = PLACE_SHARED_ANON, .steps = { MAP(WHOLE, AS_BEFORE),
	  REGISTER(WHOLE) } },

	/* --- gone: there is nothing to take again ---------------------------------------------------------------- */
	{ .name = "unmap", .class = TRUTH_GONE, .err = ENOENT, .steps = { UNMAP(WHOLE) } },
	{ .name = "unmap-page", .class = TRUTH_GONE, .err = ENOENT, .steps = { UNMAP(DST) } },
	{ .name = "unmap-shmem", .class = TRUTH_GONE, .err = ENOENT, .place = PLACE_SHMEM,
	  .steps = { UNMAP(WHOLE) } },
	{ .name = "unmap-external", .class = TRUTH_GONE, .err = ENOENT, .external = true, .steps = { UNMAP(WHOLE) } },
	{ .name = "unregister", .class = TRUTH_GONE, .err = ENOENT, .steps = { UNREGISTER(WHOLE) } },
	{ .name = "unregister-page-shmem", .class = TRUTH_GONE, .err = ENOENT, .place = PLACE_SHMEM,
	  .steps = { UNREGISTER(DST) } },
	{ .name = "map-fixed-unregistered", .class = TRUTH_GONE, .err = ENOENT, .steps = { MAP(WHOLE, AS_BEFORE) } },
	{ .name = "move-away", .class = TRUTH_GONE, .err = ENOENT, .steps = { MOVE_AWAY(WHOLE) } },
	{ .name = "split-inside-range", .class = TRUTH_GONE, .err = ENOENT, .layout = "bmmm",
	  .steps = { PROTECT(TAIL, PROT_READ) } },
	{ .name = "unmap-short-copy", .class = TRUTH_GONE, .err = ENOENT, .layout = "mmbm",
	  .steps = { UNMAP(WHOLE) } },
	{ .name = "wp-dropped", .class = TRUTH_GONE, .err = EINVAL, .mode = MISSING | WP,
	  .copy_mode = UFFDIO_COPY_MODE_WP, .steps = { UNREGISTER(WHOLE), REGISTER_AS(WHOLE, MISSING) } },

	/* --- blocked: an event that nobody has read yet ----------------------------------------------------------- */
	{ .name = "remove-event", .class = TRUTH_BLOCKED, .err = EAGAIN, .features = UFFD_FEATURE_EVENT_REMOVE,
	  .steps = { STUCK_ADVISE(TAIL, MADV_DONTNEED) } },
	{ .name = "remove-event-shmem", .class = TRUTH_BLOCKED, .err = EAGAIN, .features = UFFD_FEATURE_EVENT_REMOVE,
	  .place = PLACE_SHMEM, .steps = { STUCK_ADVISE(TAIL, MADV_DONTNEED) } },
	{ .name = "remove-event-external", .class = TRUTH_BLOCKED, .err = EAGAIN, .external = true,
	  .features = UFFD_FEATURE_EVENT_REMOVE, .steps = { STUCK_ADVISE(TAIL, MADV_DONTNEED) } },
	{ .name = "remove-event-short-copy", .class = TRUTH_BLOCKED, .err = EAGAIN, .layout = "mb",
	  .features = UFFD_FEATURE_EVENT_REMOVE, .steps = { STUCK_ADVISE(TAIL, MADV_DONTNEED) } },
	{ .name = "unmap-event", .class = TRUTH_BLOCKED, .err = EAGAIN, .features = UFFD_FEATURE_EVENT_UNMAP,
	  .steps = { STUCK_UNMAP(TAIL) } },
	{ .name = "remap-event", .class = TRUTH_BLOCKED, .err = EAGAIN, .features = UFFD_FEATURE_EVENT_REMAP,
	  .steps = { STUCK_MOVE(TAIL) } },
	{ .name = "fork-event", .class = TRUTH_BLOCKED, .err = EAGAIN, .features = UFFD_FEATURE_EVENT_FORK,
	  .steps = { STUCK_FORK() } },
	{ .name = "at-once-8-remove-event", .class = TRUTH_BLOCKED, .err = EAGAIN, .at_once = 8, .one_vma = true,
	  .others = TRUTH_BLOCKED, .features = UFFD_FEATURE_EVENT_REMOVE,
	  .steps = { STUCK_ADVISE(BEFORE_ALL, MADV_DONTNEED) },
	  .before = { MAP(BEFORE_ALL, AS_BEFORE), REGISTER(BEFORE_ALL) } },
	/* The ioctl tests mmap_changing at its entry: EAGAIN without a window. */
	{ .name = "event-before-copy", .class = TRUTH_BLOCKED, .err = EAGAIN, .no_window = true,
	  .features = UFFD_FEATURE_EVENT_REMOVE, .before = { STUCK_ADVISE(TAIL, MADV_DONTNEED) } },

	/* --- aborted: the source could not be copied, or the copier died ------------------------------------------ */
	{ .name = "source-unmapped", .class = TRUTH_ABORTED, .err = EFAULT, .end = RIG_UNMAP },
	{ .name = "source-unmapped-external", .class = TRUTH_ABORTED, .err = EFAULT, .end = RIG_UNMAP,
	  .external = true },
	{ .name = "source-protected-shmem", .class = TRUTH_ABORTED, .err = EFAULT, .end = RIG_PROTECT,
	  .place = PLACE_SHMEM },
	{ .name = "source-unmapped-short-copy", .class = TRUTH_ABORTED, .err = EFAULT, .end = RIG_UNMAP,
	  .layout = "mmmb" },
	/* Source and destination are gone: the kernel copies the source before the relock. */
	{ .name = "source-and-destination-unmapped", .class = TRUTH_ABORTED, .err = EFAULT, .end = RIG_UNMAP,
	  .steps = { UNMAP(WHOLE) } },
	{ .name = "source-never-there", .class = TRUTH_ABORTED, .err = EFAULT, .source = SOURCE_UNMAPPED },
	{ .name = "source-past-eof", .class = TRUTH_ABORTED, .err = EFAULT, .source = SOURCE_PAST_EOF },
	{ .name = "copier-killed", .class = TRUTH_ABORTED, .err = EFAULT, .external = true, .killed = true },
	{ .name = "copier-killed-short-copy", .class = TRUTH_ABORTED, .err = EFAULT, .external = true, .killed = true,
	  .layout = "mb" },

	/* --- hugetlb: no kernel has a check there ------------------------------------------------------------------ */
	{ .name = "nothing-hugetlb", .class = TRUTH_QUIET, .place = PLACE_HUGE },
	{ .name = "nothing-hugetlb-anon", .class = TRUTH_QUIET, .place = PLACE_HUGE_ANON },
	{ .name = "nothing-hugetlb-external", .class = TRUTH_QUIET, .place = PLACE_HUGE, .external = true },
	{ .name = "natural-windows-hugetlb", .class = TRUTH_QUIET, .place = PLACE_HUGE, .layout = "NMBN" },
	{ .name = "two-held-windows-hugetlb", .class = TRUTH_QUIET, .place = PLACE_HUGE_ANON, .layout = "BB" },
	{ .name = "mmap-elsewhere-hugetlb", .class = TRUTH_UNRELATED, .place = PLACE_HUGE,
	  .steps = { ELSEWHERE(ELSEWHERE_MMAP) } },
	{ .name = "fork-hugetlb", .class = TRUTH_LOCKED, .place = PLACE_HUGE, .steps = { FORK() } },
	{ .name = "mprotect-hugetlb", .class = TRUTH_TOLERATED, .tolerated = TRUTH_TOLERATED_PROT,
	  .place = PLACE_HUGE_ANON,
	  .steps = { PROTECT(WHOLE, PROT_READ) } },
	{ .name = "map-fixed-hugetlb", .class = TRUTH_REPLACED, .place = PLACE_HUGE,
	  .steps = { MAP(WHOLE, AS_BEFORE), REGISTER(WHOLE) } },
	{ .name = "other-uffd-hugetlb", .class = TRUTH_HIDDEN, .meaning = TRUTH_MEANING_CTX, .place = PLACE_HUGE,
	  .steps = { UNREGISTER(WHOLE), REGISTER_OTHER(WHOLE) } },
	{ .name = "split-front-hugetlb", .class = TRUTH_FALSE_ALARM, .snapshot = TRUTH_SNAPSHOT_PGOFF,
	  .place = PLACE_HUGE,
	  .steps = { PROTECT(FRONT, PROT_READ) } },
	{ .name = "opened-again-hugetlb", .class = TRUTH_FALSE_ALARM, .snapshot = TRUTH_SNAPSHOT_FILE,
	  .place = PLACE_HUGE,
	  .steps = { MAP(WHOLE, AS_AGAIN), REGISTER(WHOLE) } },
	{ .name = "wp-added-hugetlb", .class = TRUTH_REAL, .snapshot = TRUTH_SNAPSHOT_UFFD_FLAGS,
	  .meaning = TRUTH_MEANING_UFFD_FLAGS, .place = PLACE_HUGE, .steps = { REGISTER_AS(WHOLE, MISSING | WP) } },
	{ .name = "other-offset-hugetlb", .class = TRUTH_REAL, .snapshot = TRUTH_SNAPSHOT_PGOFF,
	  .meaning = TRUTH_MEANING_OFFSET,
	  .place = PLACE_HUGE, .steps = { MAP_AT(WHOLE, AS_BEFORE, 4), REGISTER(WHOLE) } },
	{ .name = "other-file-hugetlb", .class = TRUTH_REAL, .snapshot = TRUTH_SNAPSHOT_FILE | TRUTH_SNAPSHOT_INODE,
	  .meaning = TRUTH_MEANING_INODE, .place = PLACE_HUGE, .layout = "MBM",
	  .steps = { MAP(WHOLE, AS_OTHER), REGISTER(WHOLE) } },
	{ .name = "unregister-hugetlb", .class = TRUTH_GONE, .err = ENOENT, .place = PLACE_HUGE,
	  .steps = { UNREGISTER(WHOLE) } },
	{ .name = "unmap-short-copy-hugetlb", .class = TRUTH_GONE, .err = ENOENT, .place = PLACE_HUGE, .layout = "MB",
	  .steps = { UNMAP(WHOLE) } },
	{ .name = "remove-event-hugetlb", .class = TRUTH_BLOCKED, .err = EAGAIN, .place = PLACE_HUGE,
	  .features = UFFD_FEATURE_EVENT_REMOVE, .steps = { STUCK_ADVISE(TAIL, MADV_DONTNEED) } },
	{ .name = "remove-event-short-copy-hugetlb", .class = TRUTH_BLOCKED, .err = EAGAIN, .place = PLACE_HUGE,
	  .layout = "MB", .features = UFFD_FEATURE_EVENT_REMOVE, .steps = { STUCK_ADVISE(TAIL, MADV_DONTNEED) } },
	{ .name = "source-unmapped-hugetlb", .class = TRUTH_ABORTED, .err = EFAULT, .place = PLACE_HUGE,
	  .end = RIG_UNMAP },

	/* --- a writer that is in when the window opens, or when it ends ------------------------------------------- */
	{ .name = "still-in", .class = TRUTH_UNRELATED, .external = true, .timing = TIMING_STILL_IN },
	{ .name = "in-all-along", .class = TRUTH_QUIET, .external = true, .timing = TIMING_IN_ALL_ALONG,
	  .odd_start = true },
};

/* clang-format on */

const size_t nr_scenarios = sizeof(scenarios) / sizeof(scenarios[0]);
