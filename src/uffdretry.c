// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* main: parse, find the target, open a session, watch, report. */
#include "sys/access.h"
#include "sys/err.h"
#include "sys/options.h"
#include "sys/output.h"
#include "trace/probe.h"
#include "report/openmetrics.h"
#include "report/report.h"
#include "sys/rights.h"
#include "trace/session.h"
#include "sys/target.h"
#include "counters/counters.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How often a file of metrics is written when there is no INTERVAL: Prometheus' usual scrape interval. */
#define METRICS_PERIOD_NS 15000000000ULL

/* The run as it goes. Large, hence static. */
static struct run {
	struct options options;
	struct target target;
	struct session session;
	struct report report;
	struct counters then, now, diff; /* at the last interval, at present, between the two */
	struct holder_row holders[MAX_HOLDERS];
	__u64 start_ns, interval_ns;	 /* begin of the run and of the interval */
	bool more_events; /* that were not read yet */
	bool out_broken;
	int out_errno;
	int metrics_errno; /* why the metrics could not be written the last time, or 0 */
} run;

static volatile sig_atomic_t stop_signal;

static void on_signal(int sig)
{
	stop_signal = sig;
}

/*
 * SIGINT, SIGTERM and SIGHUP end the run and print the summary; handlers reset themselves, so that a second signal
 * kills. They are blocked except while the run waits.
 */
static void set_signals(sigset_t *wait_mask)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
	sigset_t blocked;

	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		sigaction(signals[i], &sa, NULL);
		sigaddset(&blocked, signals[i]);
	}
	signal(SIGPIPE, SIG_IGN);
	sigprocmask(SIG_BLOCK, &blocked, wait_mask);
}

static __u64 now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (__u64)ts.tv_sec * 1000000000ULL + (__u64)ts.tv_nsec;
}

static double seconds_since(__u64 then)
{
	return (double)(now_ns() - then) / 1e9;
}

static void out_failed(void)
{
	run.out_broken = true;
	run.out_errno = errno;
	err_json(NULL);
	output_cut();
}

/* The same before anything is traced, when it is an error. Returns the exit status. */
static int cannot_report(void)
{
	out_failed();
	return fail(EXIT_ERROR, NULL, "cannot write the report: %s", strerror(run.out_errno));
}

/* Write a span. A reader that went away ends the run without an error; any other failure is one. */
static void report(const struct span *s)
{
	if (run.out_broken)
		return;
	if (report_span(&run.report, s))
		out_failed();
	else
		output_is_whole();
}

static void report_one_event(void *data, const struct event *e)
{
	(void)data;
	if (!run.out_broken && report_event(&run.report, e))
		out_failed();
}

/*
 * Write the events that wait, a batch of them or with @all every one; run.more_events says whether any were left. They come
 * as they are read, so one may come after the interval that counts its window; none comes after the summary.
 */
static void report_events(bool all)
{
	do {
		run.more_events = tracer_read_events(run.session.tracer, report_one_event, NULL);
	} while (run.more_events && all);
	if (run.out_broken)
		return;
	if (report_flush(&run.report))
		out_failed();
	else
		output_is_whole();
}

static int read_counters(void)
{
	int err = tracer_read(run.session.tracer, &run.now);

	run.report.nr_hooks = tracer_hooks(run.session.tracer, run.report.hooks);
	return err ? fail(EXIT_ERROR, NULL, "cannot read the counters: %s", strerror(-err)) : 0;
}

/* Write the file of metrics, if one is wanted. Returns 0 or the errno; what is there then stays. */
static int write_metrics(bool final)
{
	const struct span s = { .counters = &run.now, .elapsed_s = seconds_since(run.start_ns), .final = final };

	if (!run.options.openmetrics || !report_openmetrics(&run.report, &s, run.options.openmetrics))
		return 0;
	return errno;
}

static int metrics_failed(int err, const char *hint)
{
	return fail(EXIT_ERROR, hint, "cannot write %s: %s", run.options.openmetrics, strerror(err));
}

/* On the way a failure is told once: the next time it may work, and only the last one is the run's. */
static void keep_metrics(void)
{
	int err = write_metrics(false);

	if (err && err != run.metrics_errno)
		warning("cannot write %s: %s", run.options.openmetrics, strerror(err));
	run.metrics_errno = err;
}

/* Before anything is traced: a file that cannot be written is found at once. */
static int start_metrics(void)
{
	int err = run.options.openmetrics ? read_counters() : 0;

	if (err)
		return err;
	err = write_metrics(false);
	return err ? metrics_failed(err, "--openmetrics takes a regular file in a directory that its user (--user, sudo) may write") : 0;
}

static void report_interval(void)
{
	struct span span = { .counters = &run.diff };

	counters_sub(&run.diff, &run.now, &run.then);
	span.elapsed_s = seconds_since(run.interval_ns);
	run.then = run.now;
	run.interval_ns = now_ns();
	report(&span);
}

/* INTERVAL has passed, or without one the period of the metrics. */
static int tick(void)
{
	int err = read_counters();

	if (err)
		return err;
	if (run.options.interval_ns)
		report_interval();
	keep_metrics();
	return 0;
}

/* The programs are off and done before the last reading, so that its numbers fit together. */
static int report_summary(void)
{
	struct span span = { .counters = &run.now, .final = true };
	int err;

	span.elapsed_s = seconds_since(run.start_ns);
	tracer_phase(run.session.tracer, PHASE_OFF);
	report_events(true);
	err = read_counters();
	if (err)
		return err;
	span.holders = run.holders;
	span.nr_holders = tracer_read_holders(run.session.tracer, run.holders, MAX_HOLDERS);
	report(&span);
	run.metrics_errno = write_metrics(true);
	if (!run.out_broken)
		return 0;
	/* What was measured is not lost with the file. */
	run.report.out = stderr;
	report_span(&run.report, &span);
	if (run.out_errno == EPIPE)
		return 0;
	return fail(EXIT_ERROR, "the summary is above", "cannot write the report: %s", strerror(run.out_errno));
}

/* Milliseconds until the next interval, the end of the run or a look at the events; -1 for none of them. */
static int next_timeout(__u64 next_interval, __u64 end)
{
	__u64 next = next_interval && (!end || next_interval < end) ? next_interval : end, now = now_ns();
	__u64 longest = run.options.events ? EVENTS_PERIOD_MS : 3600000;

	if (run.more_events)
		return 0;
	if (!next)
		return run.options.events ? EVENTS_PERIOD_MS : -1;
	if (next <= now)
		return 0;
	/* Rounded up: waking early would print an interval that is too short. */
	next = (next - now + 999999) / 1000000;
	return (int)(next < longest ? next : longest);
}

/* ppoll() delivers no signal while anything is ready, as the events are of which more come than are read. */
static void take_signals(const sigset_t *wait_mask)
{
	sigset_t blocked;

	sigprocmask(SIG_SETMASK, wait_mask, &blocked);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

/* Wait for a signal, a target's end, a closed pipe, events or @timeout. Returns true when the run is over. */
static bool wait_for_event(struct pollfd *fds, int timeout, const sigset_t *wait_mask)
{
	struct timespec ts = { timeout / 1000, timeout % 1000 * 1000000L };
	int nr = run.target.nr, ready;

	for (int i = 0; i < nr; i++)
		fds[i] = (struct pollfd) { .fd = run.target.pidfds[i], .events = POLLIN };
	/* No events asked for: only POLLERR, the reader's end closed. */
	fds[nr] = (struct pollfd) { .fd = fileno(run.report.out) };
	/* -1, which poll passes over, without --events. */
	fds[nr + 1] = (struct pollfd) { .fd = tracer_events_fd(run.session.tracer), .events = POLLIN };
	ready = ppoll(fds, (nfds_t)nr + 2, timeout < 0 ? NULL : &ts, wait_mask);
	/* Before anything is written, which may block: only a signal that was seen lets the next one kill. */
	if (ready > 0)
		take_signals(wait_mask);
	if (stop_signal)
		return true;
	if (run.options.events)
		report_events(false);
	if (ready <= 0)
		return false;
	for (int i = 0; i < nr; i++) {
		if (!fds[i].revents)
			continue;
		target_gone(&run.target, i);
		if (!run.target.is_command)
			tracer_remove_target(run.session.tracer, run.target.pids[i]);
	}
	if (fds[nr].revents & POLLERR) {
		run.out_broken = true;
		run.out_errno = EPIPE;
	}
	return run.out_broken || (nr && !run.target.alive);
}

static int watch(const sigset_t *wait_mask)
{
	static struct pollfd fds[MAX_PIDS + 2];
	const struct options *o = &run.options;
	__u64 intervals = 0, end = o->duration_ns ? run.start_ns + o->duration_ns : 0, next = 0;
	__u64 period = o->interval_ns ?: o->openmetrics ? METRICS_PERIOD_NS : 0;
	int err = 0;

	while (!err && !run.out_broken && !stop_signal) {
		if (period)
			next = run.start_ns + (intervals + 1) * period;
		if (wait_for_event(fds, next_timeout(next, end), wait_mask))
			break;
		if (next && now_ns() >= next) {
			err = tick();
			if (++intervals == o->count)
				break;
		}
		if (end && now_ns() >= end)
			break;
	}
	return err;
}

static int add_targets(void)
{
	if (run.target.cgroup)
		tracer_add_cgroup(run.session.tracer, run.target.cgroup_id);
	for (int i = 0; i < run.target.nr; i++) {
		int err = tracer_add_target(run.session.tracer, run.target.pids[i]);

		if (err)
			return fail(EXIT_ERROR, NULL, "cannot watch process %d: %s", run.target.pids[i],
				    strerror(-err));
	}
	return 0;
}

static void fill_report(void)
{
	struct report *r = &run.report;

	r->claims = run.options.claims;
	r->overhead = run.options.overhead;
	r->plan = run.session.plan->name;
	r->exactness = run.session.plan->exactness;
	r->exact = run.session.plan->exact;
	r->sees_hugetlb = tracer_sees_hugetlb(run.session.tracer);
	r->bounds_begin = tracer_bounds_begin(run.session.tracer);
	r->self_test = run.session.self_test_name;
	r->kernel_check = run.session.kernel_check_name;
	r->nr_hooks = tracer_hooks(run.session.tracer, r->hooks);
	r->writers = tracer_writers(run.session.tracer);
	r->relock = tracer_sees_relock(run.session.tracer);
	r->unmeasured = run.session.kernel.unmeasured;
	r->seq = run.session.kernel.seq;
	r->target = run.target.nr || run.target.cgroup ? &run.target : NULL;
	r->in_pid_ns = tracer_in_pid_ns(run.session.tracer);
	r->command = run.options.command;
}

static int exit_status(void)
{
	const struct totals *t = &run.now.totals;
	int status = target_exit_status(&run.target);
	__u64 reached = windows_reached(t);

	if (status)
		return status;
	if (run.options.fail_above < 0 || !reached)
		return EXIT_DONE;
	return (double)t->checks[CHECK_PER_MM_SEQ].spurious / (double)reached > run.options.fail_above ? EXIT_THRESHOLD
												       : EXIT_DONE;
}

/* Can --fail-above be judged here? Returns 0, or says why not and returns an exit status. */
static int check_threshold(void)
{
	if (run.session.self_test.result == SELF_TEST_FAILED)
		return fail(EXIT_ERROR, "uffdretry --probe shows more",
			    "the self-test failed: no threshold can be judged");
	if (run.session.kernel.seq == SEQ_NONE)
		return fail(EXIT_ERROR, "it takes 6.4 or later, with CONFIG_PER_VMA_LOCK",
			    "this kernel has no mm_lock_seq: --fail-above cannot be judged");
	return 0;
}

static int count_runs(void)
{
	int err = tracer_count_runs(run.session.tracer);

	return err ? fail(EXIT_ERROR, "it takes CAP_SYS_ADMIN", "the kernel does not count runs: %s", strerror(-err)) : 0;
}

static int trace(const sigset_t *wait_mask)
{
	int err = session_open(&run.session, &run.options);

	if (!err)
		err = add_targets();
	if (err)
		return err;
	if (run.options.fail_above >= 0)
		err = check_threshold();
	if (!err && run.options.overhead)
		err = count_runs();
	if (!err)
		err = rights_drop();
	if (err)
		return err;
	fill_report();
	tracer_phase(run.session.tracer, PHASE_RUN);
	run.start_ns = run.interval_ns = now_ns();
	err = start_metrics();
	if (err)
		return err;
	/* Who reads this knows that tracing runs. */
	if (report_start(&run.report))
		return cannot_report();
	output_is_whole();
	if (run.options.command)
		err = target_start(&run.target, run.options.command);
	if (!err)
		err = watch(wait_mask);
	/* From here on a second signal kills. */
	sigprocmask(SIG_SETMASK, wait_mask, NULL);
	if (!err)
		err = report_summary();
	/* A signal was meant for COMMAND too. We are its user, unless it became somebody else. */
	if (stop_signal && run.target.is_command && run.target.alive && kill(run.target.pids[0], stop_signal))
		warning("COMMAND goes on: no signal can be sent to it: %s", strerror(errno));
	if (!err && run.metrics_errno)
		err = metrics_failed(run.metrics_errno, "the file that is there holds older numbers");
	return err ? err : exit_status();
}

static int self_test_only(void)
{
	int err = session_open(&run.session, &run.options) ?: rights_drop();

	if (err)
		return err;
	fill_report();
	if (report_self_test(&run.report, &run.session.self_test))
		return cannot_report();
	return run.session.self_test.result == SELF_TEST_PASSED ? EXIT_DONE : EXIT_ERROR;
}

static int open_output(void)
{
	const struct options *o = &run.options;

	run.report.json = o->json;
	run.report.timestamp = o->timestamp;
	run.report.out = o->output ? output_open(o->output) : stdout;
	if (!run.report.out)
		return fail(EXIT_ERROR, "-o takes a file that may be written by whom --user or sudo names",
			    "cannot write %s: %s", o->output, strerror(errno));
	/* Events are flushed by the batch, everything else by the record. */
	setvbuf(run.report.out, NULL, o->events ? _IOFBF : _IOLBF, 0);
	err_json(o->json ? run.report.out : NULL);
	return 0;
}

static int find_target(void)
{
	if (run.options.command)
		return target_fork(&run.target, run.options.command);
	return target_find(&run.target, &run.options);
}

int main(int argc, char **argv)
{
	sigset_t wait_mask;
	int err = options_parse(&run.options, argc, argv);

	if (err)
		return err;
	tracer_libbpf_output(run.options.verbose);
	set_signals(&wait_mask);
	err = rights_find_user(run.options.user);
	if (!err)
		err = open_output();
	if (err)
		return err;
	if (run.options.probe)
		err = probe(&run.options, run.report.out);
	else
		err = find_target() ?: (run.options.self_test == SELF_TEST_ONLY ? self_test_only() : trace(&wait_mask));
	session_close(&run.session);
	target_close(&run.target);
	if (err)
		output_discard();
	return err;
}
