// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* main: parse, find the target, open a session, watch, report. */
#include "counters/counters.h"
#include "counters/stacks.h"
#include "lib/clock.h"
#include "report/diff.h"
#include "report/saved.h"
#include "report/sink.h"
#include "report/threshold.h"
#include "sys/err.h"
#include "sys/options.h"
#include "sys/rights.h"
#include "sys/signals.h"
#include "sys/standard_fds.h"
#include "sys/target.h"
#include "sys/uffd_list.h"
#include "sys/wakeup.h"
#include "trace/probe.h"
#include "trace/session.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* How often to look whether the cgroup is still there. */
#define CGROUP_PERIOD_MS 2000

/* How often the metrics are written without INTERVAL: Prometheus' usual scrape interval. */
#define METRICS_PERIOD_NS 15000000000ULL

/* How long to look who has a userfaultfd: everything is attached by then. */
#define LOOK_NS 1000000000ULL

/* The run as it goes. Large, hence static. */
static struct run {
	struct options options;
	struct target target;
	struct session session;
	struct sink sink;
	struct counters then, now, diff; /* at the last interval, at present, between the two */
	struct holder_row holders[MAX_HOLDERS];
	struct uffd_list owners; /* when the run began */
	bool owners_known;
	struct by_table *by, *by_then; /* at present, and at the last interval; NULL without --by */
	struct cgroup_names *cgroups;  /* NULL without --by */
	__u64 named_ns;		       /* when new cgroups were looked for */
	__u64 start_ns, interval_ns;   /* begin of the run and of the interval */
	bool more_events;	       /* events were left unread */
	int failed;		       /* it could not wait: an exit status */
} run;

/* In microseconds, as the JSON has them: what `report` prints of it is then the same. */
static double seconds_since(__u64 then)
{
	const __u64 us = (now_ns() - then) / 1000;

	return (double)us / 1e6;
}

/* Everything since the start. */
static struct span whole_run(bool final)
{
	return (struct span) { .counters = &run.now,
			       .by = run.by,
			       .elapsed_s = seconds_since(run.start_ns),
			       .final = final };
}

/* Would an event wait for the reader of the report? */
static bool events_wait(void)
{
	return run.options.events && sink_waits();
}

static void on_event(void *data, const struct event *e)
{
	(void)data;
	sink_event(&run.sink, e);
}

/*
 * Write a batch of the events that wait, or with @all every one. An event may come after the
 * interval that counts its window, but never after the summary.
 */
static void report_events(bool all)
{
	do {
		run.more_events = tracer_read_events(run.session.tracer, on_event, NULL);
	} while (run.more_events && all);
	sink_flush(&run.sink);
}

static int open_by(void)
{
	if (!run.options.by)
		return 0;
	run.by = calloc(1, sizeof(*run.by));
	run.by_then = calloc(1, sizeof(*run.by_then));
	run.cgroups = calloc(1, sizeof(*run.cgroups));
	run.sink.report.by_list = calloc(1, sizeof(*run.sink.report.by_list));
	return run.by && run.by_then && run.cgroups && run.sink.report.by_list
		       ? 0
		       : fail(EXIT_ERROR, NULL, "--by: %s", strerror(ENOMEM));
}

/* Find the names of new cgroups before they are removed. */
static void name_cgroups(void)
{
	bool more = false;

	for (__u32 id = 1; id < run.by->nr; id++)
		if (run.by->rows[id].key.id)
			more |= cgroup_names_add(run.cgroups, run.by->rows[id].key.id);
	if (more)
		cgroup_names_find(run.cgroups, cgroup_root());
	run.named_ns = now_ns();
}

static void read_by(void)
{
	if (!run.options.by)
		return;
	tracer_read_by(run.session.tracer, &run.now, run.by);
	if (run.options.by == BY_CGROUP)
		name_cgroups();
}

static int read_counters(void)
{
	int err = tracer_read(run.session.tracer, &run.now);

	read_by();
	run.sink.report.nr_hooks = tracer_hooks(run.session.tracer, run.sink.report.hooks);
	return err ? fail(EXIT_ERROR, NULL, "cannot read the counters: %s", strerror(-err)) : 0;
}

/* At once, so that a file that cannot be written is found before anything is traced. */
static int start_metrics(void)
{
	int err = run.options.openmetrics ? read_counters() : 0;
	const struct span span = whole_run(false);

	return err ?: sink_start_metrics(&run.sink, &span);
}

static void report_interval(void)
{
	const struct span span = { .counters = &run.diff,
				   .by = run.by,
				   .by_then = run.by_then,
				   .elapsed_s = seconds_since(run.interval_ns) };

	counters_sub(&run.diff, &run.now, &run.then);
	run.then = run.now;
	run.interval_ns = now_ns();
	sink_span(&run.sink, &span);
	if (run.by)
		memcpy(run.by_then, run.by, offsetof(struct by_table, rows[run.by->nr]));
}

/* INTERVAL has passed, or without one the period of the metrics. */
static int tick(void)
{
	int err = read_counters();
	struct span span;

	if (err)
		return err;
	/* A reader that does not read gets one long interval later. */
	if (run.options.interval_ns && !sink_waits())
		report_interval();
	span = whole_run(false);
	sink_metrics(&run.sink, &span);
	return 0;
}

/* The programs are off and done before the last reading, so that its numbers fit together. */
static int report_summary(void)
{
	struct span span = whole_run(true);
	struct stacks stacks;
	int err;

	target_check_cgroup(&run.target);
	err = tracer_stop(run.session.tracer);
	report_events(true);
	err = err ?: read_counters();
	if (err)
		return err;
	/* The last interval, also when it did not become whole: they sum to the summary. */
	if (run.options.interval_ns)
		report_interval();
	span.holders = run.holders;
	span.nr_holders = tracer_read_holders(run.session.tracer, run.holders, MAX_HOLDERS);
	if (run.options.stacks) {
		tracer_stacks(run.session.tracer, &stacks);
		span.stacks = &stacks;
	}
	/* Whatever the reader does, the kernel is as it was. */
	tracer_detach(run.session.tracer);
	return sink_summary(&run.sink, &span);
}

/* Milliseconds until an interval, @end or the next events, 0 being none; -1 without limit. */
static int next_timeout(__u64 next_interval, __u64 end)
{
	__u64 next = next_interval && (!end || next_interval < end) ? next_interval : end,
	      now = now_ns();
	const bool cgroups = run.target.cgroup || run.options.by == BY_CGROUP;
	const bool events = options_read_events(&run.options);
	__u64 longest = events ? EVENTS_PERIOD_MS : cgroups ? CGROUP_PERIOD_MS : 3600000;

	if (run.more_events && !events_wait())
		return 0;
	if (!next)
		return events || cgroups ? (int)longest : -1;
	if (next <= now)
		return 0;
	/* Rounded up: waking early would print an interval that is too short. */
	next = (next - now + 999999) / 1000000;
	return (int)(next < longest ? next : longest);
}

static void remove_ended(const struct wakeup *w)
{
	for (int i = 0; i < run.target.nr; i++) {
		if (!w->fds[i].revents)
			continue;
		target_gone(&run.target, i);
		if (!run.target.is_command)
			tracer_remove_target(run.session.tracer, run.target.pids[i]);
	}
}

/* Wait until something happens or @timeout milliseconds. Returns true when the run is over. */
static bool wait_and_see(int timeout)
{
	static struct wakeup w;
	bool waits = sink_waits();

	wakeup_wait(&w, &run.target,
		    (struct pollfd) { .fd = sink_fd(&run.sink), .events = waits ? POLLOUT : 0 },
		    events_wait() ? -1 : tracer_events_fd(run.session.tracer),
		    tracer_symbols_fd(run.session.tracer), timeout);
	if (signal_caught())
		return true;
	if (w.err)
		run.failed = fail(EXIT_ERROR,
				  w.err == EINVAL ? "RLIMIT_NOFILE is too low by now" : NULL,
				  "the run ends early: cannot wait: %s", strerror(w.err));
	tracer_drain(run.session.tracer);
	if (waits)
		sink_send(&run.sink);
	/* Else they stay in the kernel, which counts those that it has no room for. */
	if (options_read_events(&run.options) && !events_wait())
		report_events(false);
	if (!w.ready)
		return run.failed;
	remove_ended(&w);
	if (w.closed)
		sink_closed(&run.sink);
	return run.sink.broken || (run.target.nr && !run.target.alive);
}

static int watch(void)
{
	const struct options *o = &run.options;
	__u64 intervals = 0, passed = 0, end = o->duration_ns ? run.start_ns + o->duration_ns : 0,
	      next = 0;
	__u64 period = o->interval_ns ?: o->openmetrics ? METRICS_PERIOD_NS : 0;
	int err = 0;

	while (!err && !run.sink.broken && !signal_caught()) {
		if (period)
			next = run.start_ns + (passed + 1) * period;
		if (wait_and_see(next_timeout(next, end)))
			break;
		target_check_cgroup(&run.target);
		if (run.options.by == BY_CGROUP &&
		    now_ns() - run.named_ns >= CGROUP_PERIOD_MS * 1000000ULL)
			read_by();
		if (end && now_ns() >= end)
			break;
		if (next && now_ns() >= next) {
			/* Those that were missed are part of this one. */
			passed = (now_ns() - run.start_ns) / period;
			/* The summary reports the last one, after the programs are off. */
			if (++intervals == o->count)
				break;
			err = tick();
		}
	}
	return err;
}

/* Our programs see the end of a target that was added. The number of one that ended before may be another's. */
static void add_targets(void)
{
	struct tracer *t = run.session.tracer;

	if (run.target.cgroup)
		tracer_add_cgroup(t, run.target.cgroup_id);
	for (int i = 0; i < run.target.nr; i++) {
		tracer_add_target(t, run.target.pids[i]);
		if (target_ended(&run.target, i))
			tracer_remove_target(t, run.target.pids[i]);
	}
}

/* What the report tells of the run besides its counters. */
static void describe_run(void)
{
	const struct session *s = &run.session;
	struct report *r = &run.sink.report;

	r->claims = run.options.claims;
	r->verbose = run.options.verbose;
	r->overhead = run.options.overhead;
	r->interval_s = (double)run.options.interval_ns / 1e9;
	r->plan = s->plan->name;
	r->exactness = s->plan->exactness;
	r->exact = s->plan->exact;
	r->sees_hugetlb = tracer_sees_hugetlb(s->tracer);
	r->bounds_begin = tracer_bounds_begin(s->tracer);
	r->self_test = s->self_test_name;
	r->kernel_check = s->kernel_check_name;
	r->nr_hooks = tracer_hooks(s->tracer, r->hooks);
	r->writers = tracer_writers(s->tracer);
	r->relock = tracer_sees_relock(s->tracer);
	r->unmeasured = s->kernel.unmeasured;
	r->seq = s->kernel.seq;
	r->target = run.target.nr || run.target.cgroup ? &run.target : NULL;
	r->cgroups = run.cgroups;
	r->owners = run.owners_known ? &run.owners : NULL;
	r->in_pid_ns = tracer_in_pid_ns(s->tracer);
	r->command = run.options.command;
}

/* Can --fail-above be judged here? Returns 0, or prints why not and returns an exit status. */
static int check_threshold(void)
{
	if (run.session.self_test.result == SELF_TEST_FAILED)
		return fail(EXIT_ERROR, "uffdretry --probe shows more",
			    "the self-test failed: --fail-above cannot be judged");
	if (run.session.kernel.seq == SEQ_NONE)
		return fail(EXIT_ERROR, "it needs Linux 6.4 or later with CONFIG_PER_VMA_LOCK",
			    "this kernel has no mm_lock_seq: --fail-above cannot be judged");
	return 0;
}

static int count_runs(void)
{
	int err = tracer_count_runs(run.session.tracer);

	if (!err)
		return 0;
	return fail(EXIT_ERROR, "--overhead needs CAP_SYS_ADMIN, and not only in a user namespace",
		    "the kernel does not count program runs: %s", strerror(-err));
}

/* Attach everything, then give up all rights. Returns 0 or an exit status. */
static int prepare(void)
{
	int err = open_by() ?: session_open(&run.session, &run.options);

	if (!err)
		add_targets();
	if (!err && run.options.fail_above >= 0)
		err = check_threshold();
	if (!err && run.options.overhead)
		err = count_runs();
	/* Later we have no right to look. */
	run.owners_known = !uffd_list_read(&run.owners, "/proc", false, now_ns() + LOOK_NS);
	return err ?: rights_drop();
}

static int start(void)
{
	describe_run();
	tracer_phase(run.session.tracer, PHASE_RUN);
	run.start_ns = run.interval_ns = now_ns();
	return start_metrics();
}

/* Of a run that failed: the file does not say for ever that it goes on. */
static int end_metrics(int err)
{
	const struct span span = whole_run(true);

	sink_metrics(&run.sink, &span);
	return err;
}

static int start_command(void)
{
	const __u64 ns = run.options.duration_ns;
	const struct timespec duration = { (time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S) };

	/* Until it waits for COMMAND's start. */
	signals_let_in(false);
	/* While it was not there to get one. */
	if (signal_caught())
		return fail(128 + signal_caught(), NULL,
			    "a signal came before COMMAND was started");
	return target_start(&run.target, run.options.command, ns ? &duration : NULL);
}

/* A signal was meant for COMMAND too. We are its user, unless it became another. */
static void pass_signal_on(void)
{
	if (signal_caught() && run.target.is_command && run.target.alive && !run.target.unstarted &&
	    !signal_reached(run.target.pids[0]) && kill(run.target.pids[0], signal_caught()))
		warning("COMMAND continues: it cannot be signalled: %s", strerror(errno));
}

static int exit_status(void)
{
	int status = EXIT_DONE;

	if (run.options.fail_above >= 0)
		status = threshold_judge(&run.now, run.options.fail_above);
	return target_exit_status(&run.target) ?: status;
}

static int trace(void)
{
	int err = prepare() ?: start();

	if (err)
		return err;
	/* Whoever reads the banner knows that tracing runs. */
	err = sink_start(&run.sink);
	if (err)
		return end_metrics(err);
	if (run.options.command)
		err = start_command();
	if (!err)
		err = watch();
	signals_release();
	if (!err)
		err = report_summary();
	pass_signal_on();
	if (err)
		return end_metrics(err);
	return sink_metrics_status(&run.sink) ?: sink_trace_status(&run.sink) ?: run.failed ?: exit_status();
}

static int self_test_only(void)
{
	int err = session_open(&run.session, &run.options) ?: rights_drop();

	if (err)
		return err;
	describe_run();
	err = sink_self_test(&run.sink, &run.session.self_test);
	if (err)
		return err;
	return run.session.self_test.result == SELF_TEST_PASSED ? EXIT_DONE : EXIT_ERROR;
}

static int list_holders(void)
{
	const bool brief = run.options.brief, root = !geteuid();
	struct uffd_list l;
	int err = uffd_list_read(&l, "/proc", !brief, 0);

	if (err)
		err = fail(EXIT_ERROR, NULL, "cannot read /proc: %s", strerror(-err));
	/* The file is the user's. */
	err = err ?: rights_drop();
	err = err ?: sink_list(&run.sink, &l, brief);
	if (!err && l.hidden && !brief)
		warning("/proc hides processes (hidepid): root may see them");
	else if (!err && l.unreadable && !brief)
		warning("%d process%s could not be read%s", l.unreadable,
			l.unreadable == 1 ? "" : "es", root ? "" : ": root may");
	uffd_list_free(&l);
	return err;
}

static int find_target(void)
{
	if (run.options.command)
		return target_fork(&run.target, run.options.command);
	return target_find(&run.target, &run.options);
}

static int run_as_asked(void)
{
	if (run.options.sub == SUBCMD_LIST)
		return list_holders();
	/* Both files are the user's. */
	if (run.options.sub == SUBCMD_REPORT)
		return rights_drop() ?: saved_report(&run.sink, run.options.files[0]);
	if (run.options.sub == SUBCMD_DIFF)
		return rights_drop() ?: diff_files(&run.sink, run.options.files);
	if (run.options.probe)
		return probe(&run.options, run.sink.report.out, &run.sink.output);
	if (run.options.self_test == SELF_TEST_ONLY)
		return self_test_only();
	return find_target() ?: trace();
}

int main(int argc, char **argv)
{
	int err, status;

	/* First: with stderr closed, nothing could tell of another error either. */
	if (standard_fds_open())
		return EXIT_ERROR;
	signals_begin();
	err = options_parse(&run.options, argc, argv);
	if (err)
		return err;
	tracer_libbpf_output(run.options.verbose);
	signals_set();
	err = rights_find_user(run.options.user) ?: sink_open(&run.sink, &run.options)
						 ?: run_as_asked();
	session_close(&run.session);
	target_close(&run.target);
	/* A COMMAND that failed, and a lost report: the report's status. */
	status = sink_end(&run.sink) ?: err;
	if (status)
		sink_discard(&run.sink);
	return status;
}
