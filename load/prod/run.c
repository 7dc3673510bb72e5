// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// One run of a load: what its threads and processes share, their tallies, the clock, and the result.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <json-c/json.h>
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

#include "process.h"
#include "run.h"

#define TALLIES_MAX 1024
#define STACK_SIZE (128 * 1024)
#define NS_PER_S INT64_C(1000000000)
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

static const char *const count_names[NR_COUNTS] = {
	[COUNT_FAULTS] = "faults",	   [COUNT_WRITES] = "writes",		[COUNT_ZEROPAGES] = "zeropages",
	[COUNT_DEVICE] = "device",	   [COUNT_BALLOON] = "balloon",		[COUNT_REMAPS] = "remaps",
	[COUNT_PREFETCHES] = "prefetches", [COUNT_ALLOCATIONS] = "allocations", [COUNT_FORKS] = "forks",
	[COUNT_SWAPPED] = "swapped",	   [COUNT_ZERO_SEEN] = "zero_seen",	[COUNT_FATAL] = "fatal",
};

static const char *const what_words[] = { "unrelated", "benign", "replace", NULL };
const char *const source_words[] = { "map", "buffer", NULL };
const char *const cache_words[] = { "warm", "cold", NULL };

int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

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

	return began && duration && now_ns() - began >= duration;
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

/* --- the result --------------------------------------------------------------------------------------------- */

static void put(struct json_object *to, const char *name, uint64_t n)
{
	json_object_object_add(to, name, json_object_new_uint64(n));
}

/* The middle of the bucket that holds the nth smallest value. */
static uint64_t quantile(const struct tally *sum, uint64_t total, double q)
{
	uint64_t rank = (uint64_t)(q * (double)total), seen = 0, middle;
	uint32_t i;

	for (i = 0; i < HIST_BUCKETS; i++) {
		seen += sum->latency[i];
		if (seen > rank || seen == total)
			break;
	}
	if (i + 1 >= HIST_BUCKETS)
		return sum->latency_max;
	middle = hist_min(i) + (hist_max(i) - hist_min(i)) / 2;
	return middle < sum->latency_max ? middle : sum->latency_max;
}

static struct json_object *latency_json(const struct tally *sum)
{
	static const struct {
		const char *name;
		double q;
	} quantiles[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p999", 0.999 } };
	struct json_object *object;
	uint64_t total = 0;
	size_t i;

	for (i = 0; i < HIST_BUCKETS; i++)
		total += sum->latency[i];
	if (!total)
		return NULL;
	object = json_object_new_object();
	put(object, "count", total);
	for (i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++)
		put(object, quantiles[i].name, quantile(sum, total, quantiles[i].q));
	put(object, "max", sum->latency_max);
	return object;
}

static struct json_object *writer_json(const struct run *run, const struct tally *sum, double seconds)
{
	const struct params *params = &run->params;
	struct json_object *object = json_object_new_object();
	const char *what = params->writer_rate ? what_words[params->writer_what] : "none";

	json_object_object_add(object, "what", json_object_new_string(what));
	if (params->writer_rate == RATE_MAX)
		json_object_object_add(object, "asked_per_s", NULL);
	else
		put(object, "asked_per_s", params->writer_rate);
	put(object, "done", sum->counts[COUNT_WRITES]);
	json_object_object_add(object, "per_s", json_object_new_double((double)sum->counts[COUNT_WRITES] / seconds));
	return object;
}

static struct json_object *counts_json(const struct tally *sum)
{
	struct json_object *object = json_object_new_object();
	int i;

	for (i = 0; i < NR_COUNTS; i++)
		put(object, count_names[i], sum->counts[i]);
	return object;
}

static int report(const struct run *run, const struct settings *settings)
{
	struct json_object *object = json_object_new_object();
	struct json_object *chains = json_object_new_object();
	double seconds = run->active_ns > 0 ? (double)run->active_ns / 1e9 : 1e-9;
	static struct tally sum;
	int err;
	size_t i;

	for (i = 0; i < TALLIES_MAX; i++)
		sum_tally(&sum, &run->shared->tallies[i]);
	json_object_object_add(object, "type", json_object_new_string("load"));
	put(object, "schema", 1);
	json_object_object_add(object, "load", json_object_new_string(run->prod->name));
	put(object, "seed", run->params.seed);
	json_object_object_add(object, "params", settings_json(settings, &run->params));
	put(object, "passes", run->passes);
	put(object, "elapsed_ns", (uint64_t)run->active_ns);
	copies_put(object, &sum.copies);
	put(object, "faults", sum.counts[COUNT_FAULTS]);
	json_object_object_add(object, "latency_ns", latency_json(&sum));
	json_object_object_add(
		object, "pages_per_s",
		json_object_new_double((double)(sum.copies.bytes / (uint64_t)sysconf(_SC_PAGESIZE)) / seconds));
	put(chains, "count", sum.chains);
	put(chains, "longest", sum.longest);
	json_object_object_add(object, "chains", chains);
	json_object_object_add(object, "writer", writer_json(run, &sum, seconds));
	json_object_object_add(object, "counts", counts_json(&sum));
	put(object, "pid", (uint64_t)getpid());
	err = print_json(object);
	json_object_put(object);
	return err;
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
	&restore_prod, &restore_inproc_prod, &postcopy_prod, &gc_prod,
	&lazy_prod,    &swap_prod,	     &hugetlb_prod,  &torture_prod,
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
	const struct setting *const tables[] = { common, prod->settings, NULL };
	const struct settings settings = { .tables = tables, .doc = prod->doc };
	static struct run run;
	pthread_t clock;
	int err = 0;

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
