// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The BPF object's life over libbpf: see tracer.h. */
#include "trace/tracer.h"
#include "sys/err.h"
#include "sys/options.h"
#include "uffdretry.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf_common.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What the kernel counted of a program. */
struct runs {
	__u64 count;
	__u64 ns;
	__u64 missed;
};

struct tracer {
	struct uffdretry_bpf *skel;
	struct hook_state hooks[MAX_HOOKS];
	struct bpf_link *links[MAX_HOOKS];
	struct bpf_program *programs[MAX_HOOKS];
	int nr_hooks;
	const struct plan *plan;
	int nr_targets;	  /* that were ever added */
	bool follow_forks;
	bool has_writers; /* somebody asks who writes, and a hook tells */
	int nr_cpus;
	struct ring_buffer *events; /* NULL without events */
	tracer_event_fn *on_event;  /* during tracer_read_events() */
	void *on_event_data;
	int batch;	   /* events handed on by it */
	struct runs runs_before[MAX_HOOKS]; /* tracer_count_runs() */
	int stats_fd;	   /* while it is open, the kernel counts runs */
	__u64 unwitnessed; /* while their hook had missed nothing: an anomaly that was counted stays one */
	void *percpu;	   /* one value of the largest per-CPU map */
	struct writer_entry writers[MAX_WRITERS];
};

static const struct hook process_fork = {
	.program = "sched_process_fork",
	.variant = "tp_btf",
	.target = "sched_process_fork",
	.required = true,
	.why = "children of COMMAND",
	.rare = true,
};
static const struct hook process_exit = {
	.program = "sched_process_exit",
	.variant = "tp_btf",
	.target = "sched_process_exit",
	.required = true,
	.why = "children of COMMAND that are gone",
	.rare = true,
};

static bool libbpf_verbose;

static int libbpf_print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	if (!libbpf_verbose || level == LIBBPF_DEBUG)
		return 0;
	return vfprintf(stderr, fmt, ap);
}

void tracer_libbpf_output(bool verbose)
{
	libbpf_verbose = verbose;
	libbpf_set_print(libbpf_print);
}

/*
 * Does the function that @h sits on have an address? Hundreds of functions in BTF have no symbol of their name. The
 * kernel looks when it loads a program for it (bpf_check_attach_target()); this one does nothing.
 */
static bool has_address(const struct kernel *k, const struct hook *h)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	bool entry = !strcmp(h->variant, "fentry");
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = entry ? BPF_TRACE_FENTRY : BPF_TRACE_FEXIT,
		    .attach_btf_id = (__u32)hook_btf_id(k, h));
	int fd;

	if (!strcmp(h->variant, "tp_btf"))
		return true;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "has_address", "GPL", nothing, 2, &opts);
	if (fd < 0)
		return errno != ENOENT;
	close(fd);
	return true;
}

/* Note @h and switch its program on, if this kernel has its target. */
static int want_hook(struct tracer *t, const struct kernel *k, const struct hook *h)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(t->skel->obj, h->program);
	struct hook_state *state = &t->hooks[t->nr_hooks];
	int err;

	if (!prog)
		return -ENOENT;
	*state = (struct hook_state) {
		.hook = h, .target = h->target, .variant = h->variant, .why = h->why, .rare = h->rare,
	};
	t->nr_hooks++;
	if (!hook_in_btf(k, h))
		return 0;
	state->no_address = !has_address(k, h);
	if (state->no_address) {
		warning("%s() is in BTF, but has no address: %s", h->target, h->why);
		return h->required ? -ESRCH : 0;
	}
	err = bpf_program__set_autoload(prog, true);
	if (!err)
		t->programs[t->nr_hooks - 1] = prog;
	return err;
}

/* Does the user ask for what @h is for? */
static bool is_asked_for(const struct tracer_config *cfg, const struct hook *h)
{
	switch (h->use) {
	case USE_WRITERS:
		/* Re-take latency asks the same hook who reads. */
		return cfg->writers || cfg->relock;
	case USE_WITNESS:
		return cfg->witness;
	default:
		return true;
	}
}

static int want_hooks(struct tracer *t, const struct tracer_config *cfg)
{
	int err = 0;

	if (cfg->follow_forks)
		err = want_hook(t, cfg->kernel, &process_exit) ?: want_hook(t, cfg->kernel, &process_fork);
	for (const struct hook *const *h = cfg->plan->hooks; !err && *h; h++)
		if (is_asked_for(cfg, *h))
			err = want_hook(t, cfg->kernel, *h);
	for (const struct hook *const *h = event_hooks; !err && *h; h++)
		err = want_hook(t, cfg->kernel, *h);
	for (const struct hook *const *h = relock_hooks; !err && cfg->relock && *h; h++)
		err = want_hook(t, cfg->kernel, *h);
	return err;
}

static bool is_loaded(const struct tracer *t, const char *program)
{
	for (int i = 0; i < t->nr_hooks; i++)
		if (!strcmp(t->hooks[i].hook->program, program))
			return t->programs[i];
	return false;
}

static bool has_fired(const struct tracer *t, const char *program)
{
	for (int i = 0; i < t->nr_hooks; i++)
		if (!strcmp(t->hooks[i].hook->program, program))
			return t->hooks[i].fired == FIRED_YES;
	return false;
}

/* One of these fits the kernel. */
static bool has_writer_hook(const struct tracer *t)
{
	return is_loaded(t, "mmap_lock_acquire_returned__writers") || is_loaded(t, "mmap_lock_acquire_returned__writers_memcg") ||
	       is_loaded(t, "mmap_lock_acquire_returned__legacy");
}

bool tracer_sees_hugetlb(const struct tracer *t)
{
	for (int i = 0; i < t->nr_hooks; i++)
		if (t->hooks[i].hook == t->plan->hugetlb)
			return t->hooks[i].attached;
	return false;
}

bool tracer_bounds_begin(const struct tracer *t)
{
	for (int i = 0; i < t->nr_hooks; i++)
		if (t->hooks[i].hook->bounds_begin && t->hooks[i].attached)
			return true;
	return false;
}

bool tracer_sees_relock(const struct tracer *t)
{
	return has_writer_hook(t) && ((is_loaded(t, "uffd_lock_vma_entry__relock") && is_loaded(t, "uffd_lock_vma_exit__relock")) ||
				      is_loaded(t, "mmap_lock_start_locking"));
}

static int configure(struct tracer *t, const struct tracer_config *cfg)
{
	int err = want_hooks(t, cfg);

	if (err)
		return err;
	t->plan = cfg->plan;
	t->follow_forks = cfg->follow_forks;
	if (!cfg->follow_forks)
		bpf_map__set_max_entries(t->skel->maps.targets, MAX_PIDS);
	t->skel->rodata->cfg_all = cfg->all;
	bpf_program__set_autoload(t->skel->progs.own_pid_ns, true);
	t->skel->rodata->cfg_events = cfg->events;
	t->skel->rodata->cfg_relock = cfg->relock;
	if (!cfg->events)
		bpf_map__set_autocreate(t->skel->maps.events, false);
	if (!is_loaded(t, "__vma_start_write_exit") && cfg->kernel->seq != SEQ_NONE)
		bpf_map__set_max_entries(t->skel->maps.change_logs, NR_LOGS);
	t->skel->rodata->cfg_self_tgid = (__u32)getpid();
	t->skel->rodata->has_uffd_mask = cfg->kernel->uffd_mask;
	t->skel->rodata->has_kernel_check = cfg->kernel->has_check;
	t->skel->rodata->unmap_desc = cfg->kernel->unmap_desc;
	t->skel->bss->has_write_lock_hook = is_loaded(t, "__vma_start_write_exit");
	t->has_writers = cfg->writers && has_writer_hook(t);
	t->skel->rodata->has_writers = t->has_writers;
	writer_shapes_fill(t->skel->rodata->writer_shapes);
	return 0;
}

#define EVENT_BATCH 4096

/* Rows only come; each has its place by its id. @counts may be NULL. */
static int read_writers(struct tracer *t, struct writer_counts counts[MAX_WRITERS])
{
	struct writer_key key, next;
	const void *previous = NULL;
	int fd = bpf_map__fd(t->skel->maps.writer_rows);

	while (!bpf_map_get_next_key(fd, previous, &next)) {
		struct writer_row row;
		int err = bpf_map_lookup_elem(fd, &next, &row);

		if (err)
			return err;
		if (row.id < MAX_WRITERS) {
			if (counts)
				counts[row.id] = (struct writer_counts) { row.windows, row.sections };
			t->writers[row.id] = (struct writer_entry) { next, row.start, row.end, true };
		}
		key = next;
		previous = &key;
	}
	return 0;
}

/* Have the names of the writers that @e is about. One that came since the last reading is in the map by now. */
static void know_writers(struct tracer *t, const struct event *e)
{
	for (int i = 0; i < e->writers.nr && i < WRITERS_A_WINDOW; i++)
		if (e->writers.ids[i] < MAX_WRITERS && !t->writers[e->writers.ids[i]].used) {
			read_writers(t, NULL);
			return;
		}
}

static int take_event(void *tracer, void *data, size_t size)
{
	struct tracer *t = tracer;

	if (size >= sizeof(struct event)) {
		know_writers(t, data);
		t->on_event(t->on_event_data, data);
	}
	/* Any error ends the batch; the event is consumed all the same. */
	return ++t->batch < EVENT_BATCH ? 0 : -EAGAIN;
}

int tracer_events_fd(const struct tracer *t)
{
	return t->events ? ring_buffer__epoll_fd(t->events) : -1;
}

bool tracer_read_events(struct tracer *t, tracer_event_fn *on_event, void *data)
{
	t->on_event = on_event;
	t->on_event_data = data;
	t->batch = 0;
	return t->events && ring_buffer__consume(t->events) == -EAGAIN;
}

/* Let the programs know which pid namespace our numbers are of. */
static int find_pid_ns(struct tracer *t)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	return bpf_prog_test_run_opts(bpf_program__fd(t->skel->progs.own_pid_ns), &opts);
}

static int open_events(struct tracer *t)
{
	t->events = ring_buffer__new(bpf_map__fd(t->skel->maps.events), take_event, t, NULL);
	return t->events ? 0 : -errno;
}

static int open_skeleton(struct tracer *t)
{
	int err;

	t->skel = uffdretry_bpf__open();
	if (t->skel)
		return 0;
	err = errno;
	return err > 0 ? -err : -ENOMEM;
}

static int load(struct tracer *t)
{
	int err = uffdretry_bpf__load(t->skel);

	/* So libbpf says that it cannot read the kernel's BTF. kernel_open() could: it is for want of memory. */
	return err == -ESRCH ? -ENOMEM : err;
}

int tracer_open(struct tracer **out, const struct tracer_config *cfg)
{
	struct tracer *t = calloc(1, sizeof(*t));
	size_t value_size = sizeof(union { struct totals totals; struct failures failures; struct hist hist; });
	int err;

	*out = NULL;
	if (!t)
		return -ENOMEM;
	t->stats_fd = -1;
	t->nr_cpus = libbpf_num_possible_cpus();
	err = t->nr_cpus < 0 ? t->nr_cpus : 0;
	if (!err)
		t->percpu = calloc((size_t)t->nr_cpus, value_size);
	if (!err && !t->percpu)
		err = -ENOMEM;
	if (!err)
		err = open_skeleton(t);
	if (t->skel)
		err = configure(t, cfg);
	if (!err)
		err = load(t);
	if (!err)
		err = find_pid_ns(t);
	if (!err && cfg->events)
		err = open_events(t);
	if (err) {
		tracer_close(t);
		return err;
	}
	*out = t;
	return 0;
}

int tracer_attach(struct tracer *t)
{
	for (int i = 0; i < t->nr_hooks; i++) {
		if (!t->programs[i])
			continue;
		t->links[i] = bpf_program__attach(t->programs[i]);
		if (t->links[i])
			t->hooks[i].attached = true;
		else if (t->hooks[i].hook->required)
			return -errno;
	}
	return 0;
}

int tracer_add_target(struct tracer *t, pid_t tgid)
{
	__u32 key = (__u32)tgid;
	__u8 one = 1;
	int err = bpf_map__update_elem(t->skel->maps.targets, &key, sizeof(key), &one, sizeof(one), BPF_ANY);

	if (err)
		return err;
	/* With COMMAND the programs themselves add its children. */
	t->nr_targets++;
	t->skel->bss->only_target = t->nr_targets == 1 && !t->follow_forks ? key : 0;
	return 0;
}

void tracer_add_cgroup(struct tracer *t, __u64 id)
{
	t->skel->bss->cgroup_id = id;
}

bool tracer_in_pid_ns(const struct tracer *t)
{
	return t->skel->bss->pid_level;
}

void tracer_remove_target(struct tracer *t, pid_t tgid)
{
	__u32 key = (__u32)tgid;

	t->skel->bss->only_target = 0;
	bpf_map__delete_elem(t->skel->maps.targets, &key, sizeof(key), 0);
}

void tracer_phase(struct tracer *t, enum phase phase)
{
	__u32 key = 0;
	int inner = bpf_map__fd(t->skel->maps.quiesce_inner);

	t->skel->bss->phase = phase;
	/* The update of a map of maps returns after a grace period; its content does not matter. */
	bpf_map_update_elem(bpf_map__fd(t->skel->maps.quiesce), &key, &inner, BPF_ANY);
}

static void note_fired(struct tracer *t)
{
	for (int i = 0; i < t->nr_hooks; i++) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);

		if (t->hooks[i].attached && !bpf_obj_get_info_by_fd(bpf_program__fd(t->programs[i]), &info, &len))
			t->hooks[i].fired = info.run_cnt ? FIRED_YES : FIRED_NEVER;
	}
}

void tracer_watch_hooks(struct tracer *t, bool on)
{
	if (on) {
		t->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
		return;
	}
	if (t->stats_fd < 0)
		return;
	note_fired(t);
	close(t->stats_fd);
	t->stats_fd = -1;
	/* A witness that never speaks is none. */
	if (!has_fired(t, "__vma_start_write_exit"))
		t->skel->bss->has_write_lock_hook = false;
}

void tracer_kernel_is(struct tracer *t, enum check check)
{
	t->skel->data->kernel_is = check;
}

/* Read the per-CPU value of @map at @key, of @size bytes (all __u64), and add it up in @sum. */
static int read_percpu(struct tracer *t, struct bpf_map *map, __u32 key, void *sum, size_t size)
{
	__u64 *total = sum;
	const __u64 *value = t->percpu;
	int err = bpf_map__lookup_elem(map, &key, sizeof(key), t->percpu, size * (size_t)t->nr_cpus, 0);

	if (err)
		return err;
	memset(sum, 0, size);
	for (int cpu = 0; cpu < t->nr_cpus; cpu++)
		for (size_t i = 0; i < size / sizeof(__u64); i++)
			total[i] += *value++;
	return 0;
}

int tracer_count_runs(struct tracer *t)
{
	t->stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (t->stats_fd < 0)
		return t->stats_fd;
	/* The self-test had runs of its own. */
	for (int i = 0; i < t->nr_hooks; i++) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);
		int err = t->programs[i] ? bpf_obj_get_info_by_fd(bpf_program__fd(t->programs[i]), &info, &len) : 0;

		if (err)
			return err;
		t->runs_before[i] = (struct runs) { info.run_cnt, info.run_time_ns, info.recursion_misses };
	}
	return 0;
}

/* A preempted program is skipped when its function is called again on that CPU. The kernel counts that. */
static int read_missed(struct tracer *t, __u64 *recursion)
{
	*recursion = 0;
	for (int i = 0; i < t->nr_hooks; i++) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);
		int err;

		if (!t->programs[i])
			continue;
		err = bpf_obj_get_info_by_fd(bpf_program__fd(t->programs[i]), &info, &len);
		if (err)
			return err;
		t->hooks[i].missed = info.recursion_misses;
		t->hooks[i].runs = info.run_cnt - t->runs_before[i].count;
		t->hooks[i].run_ns = info.run_time_ns - t->runs_before[i].ns;
		t->hooks[i].skipped = info.recursion_misses - t->runs_before[i].missed;
		*recursion += info.recursion_misses;
	}
	return 0;
}

static __u64 missed_by(const struct tracer *t, const char *program)
{
	for (int i = 0; i < t->nr_hooks; i++)
		if (!strcmp(t->hooks[i].hook->program, program))
			return t->hooks[i].missed;
	return 0;
}

static __u64 read_open(const struct tracer *t)
{
	__u64 open = 0;

	for (size_t i = 0; i < sizeof(t->skel->bss->open_windows) / sizeof(__u32); i++)
		open += t->skel->bss->open_windows[i];
	return open;
}

int tracer_read_totals(struct tracer *t, enum totals_slot slot, struct totals *totals)
{
	return read_percpu(t, t->skel->maps.totals, slot, totals, sizeof(*totals));
}

static int read_failures(struct tracer *t, struct counters *c)
{
	int err = read_percpu(t, t->skel->maps.failures, SLOT_RUN, &c->failures, sizeof(c->failures));

	if (!err)
		err = read_percpu(t, t->skel->maps.chain_hist, 0, &c->chain_lengths, sizeof(c->chain_lengths));
	c->chains_open = t->skel->bss->open_chains;
	c->chain_longest = t->skel->bss->longest_chain;
	return err;
}

/* Who refused most comes first. */
static int compare_holders(const void *a, const void *b)
{
	const struct holder_row *x = a, *y = b;

	return (x->totals.refused < y->totals.refused) - (x->totals.refused > y->totals.refused);
}

int tracer_read_holders(struct tracer *t, struct holder_row *rows, int max)
{
	struct bpf_map *map = t->skel->maps.holders;
	struct holder key, *last = NULL;
	int nr = 0;

	while (nr < max && !bpf_map__get_next_key(map, last, &key, sizeof(key))) {
		rows[nr].who = key;
		if (!bpf_map__lookup_elem(map, &key, sizeof(key), &rows[nr].totals, sizeof(rows[nr].totals), 0) &&
		    (rows[nr].totals.traced || rows[nr].totals.refused))
			nr++;
		last = &key;
	}
	qsort(rows, (size_t)nr, sizeof(rows[0]), compare_holders);
	return nr;
}

int tracer_read(struct tracer *t, struct counters *c)
{
	int err = tracer_read_totals(t, SLOT_RUN, &c->totals);

	for (__u32 kind = 0; kind < NR_KINDS; kind++)
		for (__u32 class = 0; !err && class < NR_CLASSES; class ++)
			err = read_percpu(t, t->skel->maps.window_hists, kind * NR_CLASSES + class,
					  &c->hists[kind][class], sizeof(struct hist));
	if (!err)
		err = read_percpu(t, t->skel->maps.begin_hist, 0, &c->begin, sizeof(c->begin));
	for (__u32 how = 0; !err && how < NR_RELOCK_HOW; how++)
		err = read_percpu(t, t->skel->maps.relock_hists, how, &c->relock[how], sizeof(struct hist));
	if (!err)
		err = read_writers(t, c->writers);
	if (!err)
		err = read_failures(t, c);
	if (!err)
		err = read_missed(t, &c->recursion);
	/* A write lock that the hook cannot have missed and did not see. */
	if (!missed_by(t, "__vma_start_write_exit"))
		t->unwitnessed = c->totals.unwitnessed;
	c->totals.anomalies += t->unwitnessed;
	c->open = read_open(t);
	return err;
}

int tracer_hooks(const struct tracer *t, struct hook_state *hooks)
{
	memcpy(hooks, t->hooks, sizeof(t->hooks));
	return t->nr_hooks;
}

const struct writer_entry *tracer_writers(const struct tracer *t)
{
	return t->has_writers ? t->writers : NULL;
}

void tracer_close(struct tracer *t)
{
	if (!t)
		return;
	for (int i = 0; i < t->nr_hooks; i++)
		bpf_link__destroy(t->links[i]);
	ring_buffer__free(t->events);
	uffdretry_bpf__destroy(t->skel);
	if (t->stats_fd >= 0)
		close(t->stats_fd);
	free(t->percpu);
	free(t);
}
