// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// One run of a load: what its threads and processes share, their tallies, and the clock.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "steps/pace.h"
#include "steps/process.h"
#include "program/result.h"
#include "program/run.h"

#define TALLIES_MAX 1024
#define STACK_SIZE (128 * 1024)
/* Longer without a copy, a fault or a write is a hang: far more than a guest under emulation ever needs. */
#define STALLED_S 60
/* What threads get to end by themselves after a failure. */
#define GRACE_S 5

struct shared {
	_Atomic int64_t began; /* the first pass; 0: not yet */
	atomic_bool go;
	atomic_bool stop;
	atomic_bool pass_over;
	atomic_bool failed;
	struct tally tallies[TALLIES_MAX];
};

const char *const what_words[] = { "unrelated", "benign", "replace", NULL };
const char *const source_words[] = { "map", "buffer", NULL };
const char *const cache_words[] = { "warm", "cold", NULL };

/* --- the state of the run ----------------------------------------------------------------------------------- */

bool run_stopped(const struct run *run)
{
	return atomic_load_explicit(&run->shared->stop, memory_order_relaxed);
}

bool run_pass_over(const struct run *run)
{
	return atomic_load_explicit(&run->shared->pass_over, memory_order_relaxed) || run_stopped(run);
}

bool run_failed(const struct run *run)
{
	return atomic_load(&run->shared->failed);
}

void run_fail(struct run *run, const char *format, ...)
{
	char text[256];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	warnx("%s: %s", run->prod->name, text);
	atomic_store(&run->shared->failed, true);
	atomic_store(&run->shared->stop, true);
}

struct tally *run_tally(struct run *run)
{
	if (run->nr_tallies == TALLIES_MAX)
		errx(EXIT_FAILURE, "%s: more than %d threads", run->prod->name, TALLIES_MAX);
	return &run->shared->tallies[run->nr_tallies++];
}

/* The same thread of each pass gets the same tally, for tallies are given out in the same order. */
void run_begin_pass(struct run *run)
{
	int64_t never = 0;

	run->since = now_ns();
	atomic_compare_exchange_strong(&run->shared->began, &never, run->since);
	atomic_store(&run->shared->go, true);
}

void run_wait_begin(const struct run *run)
{
	const struct timespec ts = { .tv_nsec = 1000 * 1000 };

	while (!atomic_load(&run->shared->go) && !run_stopped(run))
		nanosleep(&ts, NULL);
}

void run_end_pass(struct run *run)
{
	run->active_ns += now_ns() - run->since;
	atomic_store(&run->shared->pass_over, true);
}

void run_end_service(struct run *run)
{
	const uint64_t one = 1;

	if (write(run->over_fd, &one, sizeof(one)) != sizeof(one))
		run_fail(run, "eventfd: %s", strerror(errno));
}

/* --- tallies ------------------------------------------------------------------------------------------------ */

void tally_copy(struct tally *tally, int err, int64_t copied)
{
	copies_add(&tally->copies, err, copied > 0 ? (uint64_t)copied : 0);
}

void tally_latency(struct tally *tally, int64_t ns)
{
	uint64_t n = ns > 0 ? (uint64_t)ns : 0;

	tally->latency[hist_bucket(n)]++;
	if (n > tally->latency_max)
		tally->latency_max = n;
}

void tally_chain(struct tally *tally, uint64_t failures)
{
	tally->chains += failures > 0;
	if (failures > tally->longest)
		tally->longest = failures;
}

static void sum_tally(struct tally *to, const struct tally *from)
{
	int i;

	copies_sum(&to->copies, &from->copies);
	for (i = 0; i < HIST_BUCKETS; i++)
		to->latency[i] += from->latency[i];
	for (i = 0; i < NR_COUNTS; i++)
		to->counts[i] += from->counts[i];
	to->chains += from->chains;
	if (from->latency_max > to->latency_max)
		to->latency_max = from->latency_max;
	if (from->longest > to->longest)
		to->longest = from->longest;
}

/* --- threads and processes ---------------------------------------------------------------------------------- */

/* Small stacks: glibc keeps them for the next thread, so that a thread's end unmaps nothing while others copy. */
int crew_start(struct crew *crew, void *(*work)(void *), void *data)
{
	pthread_attr_t attr;
	int err;

	if (crew->nr == CREW_MAX)
		return -EAGAIN;
	err = pthread_attr_init(&attr);
	if (err)
		return -err;
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	err = pthread_create(&crew->threads[crew->nr], &attr, work, data);
	pthread_attr_destroy(&attr);
	crew->nr += !err;
	return -err;
}

void crew_join(struct crew *crew)
{
	while (crew->nr)
		pthread_join(crew->threads[--crew->nr], NULL);
}

pid_t run_fork(void)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return -errno;
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	return 0;
}

void run_reap(struct run *run, pid_t pid, const char *who)
{
	int status;

	if (waitpid(pid, &status, 0) != pid)
		run_fail(run, "%s: waitpid: %s", who, strerror(errno));
	else if (WIFSIGNALED(status))
		run_fail(run, "%s died of signal %d", who, WTERMSIG(status));
	else if (WEXITSTATUS(status) && !run_failed(run))
		run_fail(run, "%s ended with status %d", who, WEXITSTATUS(status));
}

/* --- the clock ---------------------------------------------------------------------------------------------- */

/* Grows with all that happens. */
static uint64_t progress(const struct run *run)
{
	const volatile struct tally *tally = run->shared->tallies;
	uint64_t sum = 0;
	size_t i;
	int count;

	for (i = 0; i < TALLIES_MAX; i++, tally++) {
		sum += tally->copies.calls;
		for (count = 0; count < NR_COUNTS; count++)
			sum += tally->counts[count];
	}
	return sum;
}

/* Set-up does not count. */
static bool time_is_up(const struct run *run)
{
	int64_t began = atomic_load(&run->shared->began);
	int64_t duration = (int64_t)run->params.duration_ms * (NS_PER_S / 1000);

	return began && duration && (int64_t)now_ns() - began >= duration;
}

/* A child that ended badly while its pass goes on: whoever waits for it would wait for ever. */
static bool child_died(void)
{
	siginfo_t info = { 0 };

	if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) || !info.si_pid)
		return false;
	return info.si_code != CLD_EXITED || info.si_status;
}

static void __attribute__((noreturn)) give_up(const struct run *run, const char *why)
{
	fprintf(stderr, "uffdload: %s: %s; calls %llu, passes %llu\n", run->prod->name, why,
		(unsigned long long)progress(run), (unsigned long long)run->passes);
	_exit(EXIT_FAILURE);
}

/* Ends the run when its time is up or at a signal, and the program when nothing moves any more. */
static void *keep_time(void *data)
{
	struct run *run = data;
	int64_t moved = now_ns(), failed = 0;
	uint64_t before = 0, now;
	struct timespec tick = { .tv_nsec = 50 * 1000 * 1000 };
	sigset_t ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGUSR2); /* the run is over */
	for (;;) {
		int signal = sigtimedwait(&ends, NULL, &tick);

		if (signal == SIGUSR2)
			return NULL;
		if (signal > 0 || time_is_up(run))
			atomic_store(&run->shared->stop, true);
		now = progress(run);
		if (now != before)
			moved = now_ns();
		before = now;
		if (now_ns() - moved > STALLED_S * NS_PER_S)
			give_up(run, "nothing moved for a minute");
		if (!failed && (run_failed(run) || child_died()))
			failed = now_ns();
		if (failed && now_ns() - failed > GRACE_S * NS_PER_S)
			give_up(run, "it could not end after a failure");
	}
}

/* --- main --------------------------------------------------------------------------------------------------- */

static const struct setting common[] = {
	NUMBER_SETTING(struct params, pages, "pages", "N", 1, 1 << 22, "Pages of the destination"),
	NUMBER_SETTING(struct params, writers, "writers", "N", 1, 64, "Writer threads, which share the rate"),
	RATE_SETTING(struct params, writer_rate, "writer-rate", 1000000,
		     "Writes to the destination's mm a second, 0 for none"),
	WORD_SETTING(struct params, writer_what, "writer-what", "WHAT", what_words,
		     "What they write: unrelated (other mappings), benign (the destination, but nothing that a check "
		     "needs to see), replace (the destination anew)"),
	NUMBER_SETTING(struct params, seed, "seed", "S", 0, UINT64_MAX,
		       "Seed of the pages' contents and of all choices"),
	TIME_SETTING(struct params, duration_ms, "duration",
		     "Begin anew until TIME (500ms, 10s, 1m) is over (default: end when all pages are done)"),
	NUMBER_SETTING(struct params, passes, "passes", "N", 1, 1000000000,
		       "Do all pages N times (default 1; with --duration as often as time allows)"),
	FLAG_SETTING(struct params, wait, "wait", "Before all else say \"ready PID\" on stderr and wait for SIGUSR1"),
	{ 0 },
};

static const struct prod *const prods[] = {
	&restore_prod, &restore_inproc_prod, &gc_prod, &swap_prod, &hugetlb_prod, &torture_prod,
};

const struct prod *prod_by_name(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(prods) / sizeof(prods[0]); i++)
		if (!strcmp(prods[i]->name, name))
			return prods[i];
	return NULL;
}

static bool once_more(const struct run *run)
{
	uint64_t limit = run->params.passes;

	if (!limit)
		limit = run->params.duration_ms ? UINT64_MAX : 1;
	return !run_stopped(run) && run->passes < limit;
}

/* All pages once. */
static int do_pass(struct run *run)
{
	int err;

	run->nr_tallies = 0;
	atomic_store(&run->shared->go, false);
	atomic_store(&run->shared->pass_over, false);
	run->over_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (run->over_fd < 0) {
		run_fail(run, "eventfd: %s", strerror(errno));
		return -EMFILE;
	}
	err = run->prod->pass(run);
	close(run->over_fd);
	run->passes++;
	return err;
}

static int report(const struct run *run, const struct settings *settings)
{
	static struct tally sum;
	size_t i;

	for (i = 0; i < TALLIES_MAX; i++)
		sum_tally(&sum, &run->shared->tallies[i]);
	return result_print(run, &sum, settings);
}

/* Blocked before any thread exists: all inherit it, and only the clock waits for them. */
static void block_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

int prod_main(const struct prod *prod, int argc, char **argv)
{
	const struct setting *tables[SETTINGS_MAX + 2] = { common };
	const struct settings settings = { .tables = tables, .doc = prod->doc };
	static struct run run;
	pthread_t clock;
	int err = 0;

	memcpy(tables + 1, prod->settings, sizeof(prod->settings));
	run = (struct run) { .prod = prod, .params = prod->defaults };
	settings_parse(&settings, &run.params, argc, argv);
	if (!may_use_uffd())
		return EXIT_FAILURE;
	run.shared = mmap(NULL, sizeof(*run.shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run.shared == MAP_FAILED)
		errx(EXIT_FAILURE, "%s: no memory", prod->name);
	block_signals();
	if (run.params.wait)
		wait_for_go();
	if (pthread_create(&clock, NULL, keep_time, &run))
		errx(EXIT_FAILURE, "%s: no thread", prod->name);
	while (!err && once_more(&run))
		err = do_pass(&run);
	pthread_kill(clock, SIGUSR2);
	pthread_join(clock, NULL);
	if (err == -ENOTSUP)
		return EXIT_LACKS;
	if (report(&run, &settings))
		err = -EIO;
	return err || run_failed(&run) ? EXIT_FAILURE : EXIT_SUCCESS;
}
