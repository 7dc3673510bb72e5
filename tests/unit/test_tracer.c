// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The tracer (tracer.c, configure.c, hook_stats.c, rows.c, read_*.c) without a kernel: libbpf opens
 * the object, and this file plays the kernel. Each of its calls fails once: the tracer must return
 * that error and leave nothing behind.
 */
#include "canned_btf.h"
#include "counters/stacks.h"
#include "failing.h"
#include "lib/clock.h"
#include "trace/hook_table.h"
#include "trace/tracer.h"
#include "uffdretry.skel.h"

#include <bpf/bpf.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#define CPUS 3
#define OVER_CPUS (1 + 2 + 3) /* CPU n counts n times what the first does */
#define INJECTED ENFILE	      /* no call has this errno of its own */
#define FIRST_FD 100000	      /* of programs: plus the number of the program */

/* --- The kernel ------------------------------------------------------------------------------- */

static struct {
	const struct bpf_object_skeleton *skel;
	const char *absent;	/* a program whose function has no address */
	char attached[1 << 14]; /* names of programs, in this order */
	int links, rings, warnings;
	__u64 runs, run_ns, missed;	 /* of each program */
	const char *missed_by_all_but;	 /* the one program that missed nothing */
	__u64 totals_first, unwitnessed; /* totals.calls and .unwitnessed of the first CPU */
	__u64 silent; /* of the first CPU: tolerated windows in the middle of a copy, of 10 */
	int rows;     /* writers */
	struct writer_row row[4];
	int nr_holders;
	bool raised; /* 5 s ago by holder 3, and not lowered */
	struct holder_totals holder[4];
	int nr_events;
	struct event events[3];
	size_t event_size;
	int (*print)(enum libbpf_print_level, const char *, va_list);
	ring_buffer_sample_fn take;
	void *take_data;
} kernel;

/* Not err.h: cmocka has a fail() of its own. */
void warning(const char *fmt, ...);
void warning(const char *fmt, ...)
{
	kernel.warnings++;
}

static int told(const char *what)
{
	return fails(what) ? -INJECTED : 0;
}

libbpf_print_fn_t libbpf_set_print(libbpf_print_fn_t print)
{
	kernel.print = print;
	return NULL;
}

int libbpf_num_possible_cpus(void)
{
	return told("possible CPUs") ?: CPUS;
}

/* Would Ctrl-Z interrupt us now? */
static bool can_be_stopped(void)
{
	sigset_t blocked;

	sigprocmask(SIG_BLOCK, NULL, &blocked);
	return !sigismember(&blocked, SIGTSTP);
}

int bpf_object__load_skeleton(struct bpf_object_skeleton *s)
{
	kernel.skel = s;
	assert_false(can_be_stopped()); /* the verifier would give up */
	return told("load");
}

/* The function with this BTF id has no address. */
static int absent_id;

/* Wrapped: whether the options are const in libbpf.h depends on the version. */
int __wrap_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
			 const struct bpf_insn *insns, size_t nr,
			 const struct bpf_prog_load_opts *opts);
int __wrap_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
			 const struct bpf_insn *insns, size_t nr,
			 const struct bpf_prog_load_opts *opts)
{
	assert_int_equal(type, BPF_PROG_TYPE_TRACING);
	assert_int_equal(nr, 2);
	if (opts->attach_btf_id == (__u32)absent_id) {
		errno = ENOENT;
		return -ENOENT;
	}
	return fails("address") ? -INJECTED : open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int bpf_prog_test_run_opts(int fd, struct bpf_test_run_opts *opts)
{
	return told("test run");
}

/* A probe is attached by the name of its one function. */
struct bpf_link *bpf_program__attach_kprobe_multi_opts(const struct bpf_program *prog,
						       const char *pattern,
						       const struct bpf_kprobe_multi_opts *opts)
{
	assert_null(pattern);
	assert_int_equal(opts->cnt, 1);
	assert_non_null(strstr(bpf_program__name(prog), opts->syms[0]));
	return bpf_program__attach(prog);
}

struct bpf_link *bpf_program__attach(const struct bpf_program *prog)
{
	static char link;

	if (fails(bpf_program__name(prog)))
		return NULL;
	strcat(strcat(kernel.attached, bpf_program__name(prog)), " ");
	kernel.links++;
	return (struct bpf_link *)&link;
}

int bpf_link__destroy(struct bpf_link *link)
{
	kernel.links -= link != NULL;
	return 0;
}

static const char *map_name(const struct bpf_map *map)
{
	return bpf_map__name(map);
}

/* The wait for a grace period. An error would change nothing. */
int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	return 0;
}

int bpf_map__lookup_elem(const struct bpf_map *map, const void *key, size_t key_size, void *value,
			 size_t size, __u64 flags)
{
	if (!strcmp(map_name(map), "raises")) {
		*(struct raise *)value =
			(struct raise) { .who.tgid = 3, .since = now_ns() - 5000000000 };
		return 0;
	}
	assert_string_equal(map_name(map), "holders");
	memcpy(value, &kernel.holder[((const struct holder *)key)->tgid - 1],
	       sizeof(struct holder_totals));
	return told("holder") ? -ENOENT : 0;
}

/* The maps of counters: files, which the tracer maps as it maps the kernel's memory. */
static struct counter_map {
	const char *name;
	size_t row;  /* bytes */
	size_t keys; /* of one CPU */
	int cpus;
	int fd;
	void *mem;
} counter_maps[] = {
	{ "totals", sizeof(struct totals), NR_SLOTS, CPUS, -1, NULL },
	{ "failures", sizeof(struct failures), NR_SLOTS, CPUS, -1, NULL },
	{ "window_hists", sizeof(struct hist), (size_t)NR_KINDS *NR_CLASSES, CPUS, -1, NULL },
	{ "begin_hist", sizeof(struct hist), 1, CPUS, -1, NULL },
	{ "relock_hists", sizeof(struct hist), NR_RELOCK_HOW, CPUS, -1, NULL },
	{ "chain_hist", sizeof(struct hist), 1, CPUS, -1, NULL },
	{ "writer_rows", sizeof(struct writer_row), MAX_WRITERS, 1, -1, NULL },
	{ "by_rows", sizeof(struct by_row), 1, 1, -1, NULL }, /* without --by */
	{ "stack_rows", sizeof(struct stack_row), MAX_STACKS, 1, -1, NULL },
	{ "stack_names", sizeof(struct stack_name), MAX_STACK_NAMES, 1, -1, NULL },
};

static size_t bytes_of(const struct counter_map *m)
{
	return m->row * m->keys * (size_t)m->cpus;
}

static void *counters_of(const char *map)
{
	for (size_t i = 0; i < COUNT(counter_maps); i++)
		if (!strcmp(counter_maps[i].name, map))
			return counter_maps[i].mem;
	return NULL;
}

static void make_counter_maps(void)
{
	for (size_t i = 0; i < COUNT(counter_maps); i++) {
		struct counter_map *m = &counter_maps[i];

		m->fd = memfd_create(m->name, MFD_CLOEXEC);
		assert_int_equal(ftruncate(m->fd, (off_t)bytes_of(m)), 0);
		m->mem = mmap(NULL, bytes_of(m), PROT_READ | PROT_WRITE, MAP_SHARED, m->fd, 0);
		assert_ptr_not_equal(m->mem, MAP_FAILED);
	}
}

int bpf_map__fd(const struct bpf_map *map)
{
	for (size_t i = 0; i < COUNT(counter_maps); i++) {
		const struct counter_map *m = &counter_maps[i];

		if (strcmp(map_name(map), m->name))
			continue;
		assert_int_equal(bpf_map__value_size(map), m->row);
		assert_int_equal(bpf_map__max_entries(map), m->keys * (size_t)m->cpus);
		return told(m->name) ?: m->fd;
	}
	return FIRST_FD - 1;
}

/* CPU n counts n times what the test sets, or n where it sets nothing. */
static void count_totals(struct totals *t, __u64 cpu)
{
	t->calls = cpu * kernel.totals_first;
	t->unwitnessed = cpu * kernel.unwitnessed;
	t->anomalies = 0;
	memset(t->silent, 0, sizeof(t->silent));
	t->silent[SILENT_PAGE][KIND_ANON][CLASS_TOLERATED] = cpu * kernel.silent;
	t->silent[SILENT_PAGE][KIND_ANON][CLASS_REAL] = cpu * kernel.silent;
	t->windows[KIND_ANON][CLASS_TOLERATED] = cpu * 10;
	t->windows[KIND_ANON][CLASS_REAL] = cpu * 5;
	t->checks[CHECK_PER_MM_SEQ].spurious = cpu * 20;
	t->checks[CHECK_PER_MM_SEQ].differs = cpu * 20;
}

static void count_writers(struct writer_row *rows)
{
	memset(rows, 0, MAX_WRITERS * sizeof(*rows));
	for (int i = 0; i < kernel.rows; i++)
		rows[kernel.row[i].id] = kernel.row[i];
}

/* What the programs have counted so far. */
static void count(void)
{
	struct totals *totals = counters_of("totals");

	for (size_t i = 0; i < COUNT(counter_maps); i++) {
		const struct counter_map *m = &counter_maps[i];
		__u64 *v = m->mem;

		for (__u64 cpu = 1; cpu <= (__u64)m->cpus; cpu++)
			for (size_t n = 0; n < m->row * m->keys / sizeof(*v); n++)
				*v++ = cpu;
	}
	for (__u64 cpu = 0; cpu < CPUS; cpu++)
		count_totals(&totals[cpu * NR_SLOTS + SLOT_RUN], cpu + 1);
	count_writers(counters_of("writer_rows"));
}

int bpf_map__get_next_key(const struct bpf_map *map, const void *key, void *next, size_t key_size)
{
	__u32 nr = key ? ((const struct holder *)key)->tgid : 0;

	if (!strcmp(map_name(map), "raises")) {
		memset(next, 0, key_size);
		return kernel.raised && !key ? 0 : -ENOENT;
	}
	assert_string_equal(map_name(map), "holders");
	if ((int)nr >= kernel.nr_holders)
		return -ENOENT;
	*(struct holder *)next = (struct holder) { .tgid = nr + 1 };
	return 0;
}

static char programs[64][64];
static int nr_programs;

int bpf_program__fd(const struct bpf_program *prog)
{
	int i = 0;

	while (i < nr_programs && strcmp(programs[i], bpf_program__name(prog)))
		i++;
	snprintf(programs[i], sizeof(programs[i]), "%s", bpf_program__name(prog));
	nr_programs += i == nr_programs;
	return FIRST_FD + i;
}

int bpf_obj_get_info_by_fd(int fd, void *info, __u32 *len)
{
	const char *program = programs[fd - FIRST_FD];
	struct bpf_prog_info *i = info;

	assert_int_equal(*len, sizeof(*i));
	i->run_cnt = kernel.runs;
	i->run_time_ns = kernel.run_ns;
	i->recursion_misses = kernel.missed;
	if (kernel.missed_by_all_but && !strcmp(program, kernel.missed_by_all_but))
		i->recursion_misses = 0;
	return told("program info");
}

int bpf_enable_stats(enum bpf_stats_type type)
{
	assert_int_equal(type, BPF_STATS_RUN_TIME);
	return told("enable stats") ?: open("/dev/null", O_RDONLY | O_CLOEXEC);
}

struct ring_buffer *ring_buffer__new(int fd, ring_buffer_sample_fn take, void *data,
				     const struct ring_buffer_opts *opts)
{
	static char ring;

	if (fails("ring buffer"))
		return NULL;
	kernel.take = take;
	kernel.take_data = data;
	kernel.rings++;
	return (struct ring_buffer *)&ring;
}

void ring_buffer__free(struct ring_buffer *ring)
{
	kernel.rings -= ring != NULL;
}

int ring_buffer__epoll_fd(const struct ring_buffer *ring)
{
	return 77;
}

/* As libbpf's: until the callback fails. */
int ring_buffer__consume(struct ring_buffer *ring)
{
	int n = 0;

	for (; kernel.nr_events; n++) {
		int err = kernel.take(kernel.take_data, &kernel.events[0],
				      kernel.event_size ?: sizeof(struct event));

		kernel.nr_events--;
		if (err < 0)
			return err;
	}
	return n;
}

/* --- What the tests share --------------------------------------------------------------------- */

static struct kernel k; /* 7.3 */
static struct counters c;
static struct tracer_config cfg;
static struct tracer *t;
static struct hook_state hooks[MAX_HOOKS];

static int read_now(void)
{
	count();
	return tracer_read(t, &c);
}

/* Open and attach the tracer of cfg. stop() runs after each test. */
static void start(void)
{
	assert_int_equal(tracer_open(&t, &cfg), 0);
	assert_int_equal(tracer_attach(t), 0);
}

/* Close it. Nothing is left behind. */
static void stop(void)
{
	tracer_close(t);
	t = NULL;
	assert_int_equal(kernel.links, 0);
	assert_int_equal(kernel.rings, 0);
}

static int tear_down(void **state)
{
	stop();
	return 0;
}

/* What the programs would see. */
static struct uffdretry_bpf__bss *bss(void)
{
	const char *maps = (const char *)kernel.skel->maps;

	/* bpftool may know a shorter struct than libbpf.h. */
	for (int i = 0; i < kernel.skel->map_cnt; i++) {
		const struct bpf_map_skeleton *map =
			(const void *)(maps + i * kernel.skel->map_skel_sz);

		if (strstr(map->name, "bss"))
			return *map->mmaped;
	}
	fail_msg("no .bss");
	return NULL;
}

/* The state of the hook of @program, or NULL. */
static const struct hook_state *state_of(const char *program)
{
	int nr = tracer_hooks(t, hooks);

	for (int i = 0; i < nr; i++)
		if (!strcmp(hooks[i].hook->program, program))
			return &hooks[i];
	return NULL;
}

static int fresh(void **state)
{
	memset(&kernel, 0, sizeof(kernel));
	cfg = (struct tracer_config) { .kernel = &k,
				       .plan = plan_by_name("retry_state"),
				       .writers = true };
	absent_id = -1;
	arm(0, 0);
	return 0;
}

/* --- Hooks ------------------------------------------------------------------------------------ */

static const char *place(const char *program)
{
	char name[64];
	const char *at;

	snprintf(name, sizeof(name), "%s ", program);
	at = strstr(kernel.attached, name);
	if (!at)
		fail_msg("%s is not attached", program);
	return at;
}

static bool is_attached(const char *program)
{
	char name[64];

	snprintf(name, sizeof(name), "%s ", program);
	return strstr(kernel.attached, name);
}

/* What opens a window never runs without what closes it. */
static void hooks_in_their_order(void **state)
{
	int nr;

	start();
	nr = tracer_hooks(t, hooks);
	for (int i = 0; i < nr; i++)
		expect_u64(hooks[i].hook->program, hooks[i].attached,
			   hook_in_btf(&k, hooks[i].hook));
	assert_true(place("mfill_retry_state_changed_probe") <
		    place("mfill_retry_state_save_probe"));
	assert_true(place("__mfill_atomic_pte_exit") < place("mfill_retry_state_save_probe"));
	assert_false(is_attached("mfill_retry_state_changed_exit")); /* the page's errno tells */
	assert_true(is_attached("mmap_lock_acquire_returned__writers"));
	assert_false(is_attached("mmap_lock_acquire_returned__writers_memcg"));
	assert_false(is_attached("__vma_start_write_exit")); /* not asked for */
	assert_false(is_attached("sched_process_fork"));
	assert_false(tracer_sees_relock(t));
	assert_int_equal(tracer_events_fd(t), -1);
	assert_false(tracer_in_pid_ns(t));
	assert_non_null(tracer_writers(t));
	stop();
	tracer_close(NULL);
}

static void what_is_asked_for(void **state)
{
	cfg.writers = false;
	start();
	assert_false(is_attached("mmap_lock_acquire_returned__writers"));
	assert_null(tracer_writers(t));
	stop();
	fresh(NULL);
	cfg.follow_forks = cfg.witness = cfg.relock = cfg.events = true;
	start();
	assert_true(place("sched_process_exit") < place("sched_process_fork"));
	assert_true(is_attached("__vma_start_write_exit"));
	assert_true(is_attached("mfill_retry_state_changed_exit"));
	assert_true(is_attached("uffd_lock_vma_entry__relock"));
	assert_true(is_attached("mmap_lock_released__relock"));
	assert_false(is_attached("mmap_lock_released__relock_memcg"));
	assert_true(tracer_sees_relock(t));
	assert_int_equal(tracer_events_fd(t), 77);
	bss()->pid_level = 1;
	assert_true(tracer_in_pid_ns(t));
}

/* In BTF without a symbol: the tracer does without the hook, unless it is required. */
static void functions_without_an_address(void **state)
{
	absent_id = kernel_function_id(&k, "expand_stack_locked");
	start();
	assert_true(state_of("expand_stack_locked_entry")->no_address);
	assert_false(state_of("expand_stack_locked_entry")->attached);
	assert_false(state_of("unmap_vmas_entry")->no_address);
	assert_int_equal(kernel.warnings, 1);
	stop();
	absent_id = kernel_function_id(&k, "unmap_vmas");
	assert_int_equal(tracer_open(&t, &cfg), -ESRCH);
	assert_null(t);
}

/*
 * The tracer does without a hook that cannot be attached, unless it is required. It tells of a
 * function that has no room for one more program.
 */
static void hooks_that_cannot_be_attached(void **state)
{
	int optional = 0, required = 0, full = 0;

	assert_int_equal(tracer_open(&t, &cfg), 0);
	for (int at = 1;; at++) {
		const int why = at % 2 ? INJECTED : E2BIG;
		int err;

		arm(at, why);
		err = tracer_attach(t);
		if (!failing.what)
			break;
		expect_u64(failing.what, err,
			   state_of(failing.what)->hook->roles & ROLE_REQUIRED ? -why : 0);
		optional += !err;
		required += err != 0;
		full += err == -E2BIG;
		assert_int_equal(kernel.warnings, full);
		stop();
		arm(0, 0);
		assert_int_equal(tracer_open(&t, &cfg), 0);
	}
	assert_true(optional >= 3 && required >= 6 && full >= 1);
}

/* The table has each program of the object, and says where it sits as its SEC() does. */
static void each_program_has_a_row(void **state)
{
	struct bpf_program *prog;
	int rows = 0, nr = 0;

	assert_int_equal(tracer_open(&t, &cfg), 0);
	for (const struct hook *h = hook_table; h->target; h++) {
		char section[128];

		prog = bpf_object__find_program_by_name(*kernel.skel->obj, h->program);
		expect_u64(h->program, prog != NULL, true);
		snprintf(section, sizeof(section), "?%s/%s", h->variant, h->target);
		expect_str(h->program, bpf_program__section_name(prog),
			   section + (*bpf_program__section_name(prog) != '?'));
		rows++;
	}
	bpf_object__for_each_program(prog, *kernel.skel->obj) nr++;
	assert_int_equal(nr, rows + 2); /* own_pid_ns() and end_windows() sit on no hook */
}

/* --- Targets and phases ----------------------------------------------------------------------- */

/* The programs' set of targets has a bit for each number. */
static void targets(void **state)
{
	start();
	tracer_add_target(t, 4711);
	tracer_add_target(t, PID_MAX - 1);
	assert_int_equal(bss()->targets[4711 / 64], 1ULL << 4711 % 64);
	assert_int_equal(bss()->targets[PID_MAX / 64 - 1], 1ULL << 63);
	tracer_add_target(t, 4712);
	tracer_remove_target(t, 4711);
	assert_int_equal(bss()->targets[4711 / 64], 1ULL << 4712 % 64);
	tracer_add_cgroup(t, 12345);
	assert_int_equal(bss()->cgroup_id, 12345);
}

static void phases(void **state)
{
	start();
	tracer_phase(t, PHASE_RUN);
	assert_int_equal(bss()->phase, PHASE_RUN);
	tracer_phase(t, PHASE_OFF);
	assert_int_equal(bss()->phase, PHASE_OFF);
	tracer_set_kernel_check(t, CHECK_PER_MM_SEQ);
}

/* A witness that never fired in the self-test proves nothing. */
static void hooks_that_never_fire(void **state)
{
	cfg.witness = true;
	start();
	assert_true(bss()->has_write_lock_hook);
	for (int runs = 1; runs >= 0; runs--) {
		kernel.runs = (__u64)runs;
		tracer_watch_hooks(t, true);
		tracer_watch_hooks(t, false);
		assert_int_equal(bss()->has_write_lock_hook, runs);
		tracer_hooks(t, hooks);
		for (int i = 0; i < kernel.links; i++)
			if (hooks[i].attached)
				assert_int_equal(hooks[i].fired, runs ? FIRED_YES : FIRED_NEVER);
	}
	stop();
	/* When the kernel cannot count runs, nothing changes. */
	start();
	arm(1, EPERM);
	tracer_watch_hooks(t, true);
	tracer_watch_hooks(t, false);
	assert_true(bss()->has_write_lock_hook);
	tracer_hooks(t, hooks);
	assert_int_equal(hooks[0].fired, FIRED_UNKNOWN);
}

/* --- Counters --------------------------------------------------------------------------------- */

static void counters_are_sums_over_the_cpus(void **state)
{
	start();
	kernel.totals_first = 1000;
	bss()->mm_states[0].open = 2;
	bss()->mm_states[4095].open = 3;
	bss()->open_chains.value = 4;
	bss()->longest_chain.value = 5;
	assert_int_equal(read_now(), 0);
	assert_int_equal(c.totals.calls, 1000 * OVER_CPUS);
	assert_int_equal(c.hists[NR_KINDS - 1][NR_CLASSES - 1].count[HIST_BUCKETS - 1], OVER_CPUS);
	assert_int_equal(c.begin.sum, OVER_CPUS);
	assert_int_equal(c.relock[NR_RELOCK_HOW - 1].sum, OVER_CPUS);
	assert_int_equal(c.failures.raised, OVER_CPUS);
	assert_int_equal(c.chain_lengths.sum, OVER_CPUS);
	assert_int_equal(c.open, 5);
	assert_int_equal(c.chains_open, 4);
	assert_int_equal(c.chain_longest, 5);
}

/* lost.recursion has the runs skipped since the load, --overhead those of its own time. */
static void runs_and_those_that_were_skipped(void **state)
{
	__u64 attached;

	start();
	attached = (__u64)kernel.links;
	kernel.runs = 100;
	kernel.run_ns = 5000;
	kernel.missed = 7;
	assert_int_equal(read_now(), 0);
	assert_int_equal(c.recursion, 7 * attached);
	assert_int_equal(c.skipped[COSTS_CALL], 7);
	/* More windows showed than begins were skipped: the others began before the run. */
	assert_int_equal(c.skipped[COSTS_WINDOW], 0);
	assert_int_equal(c.totals.windows[KIND_ANON][CLASS_UNDETERMINED], OVER_CPUS + 7 - 1);
	assert_int_equal(c.totals.lost[LOST_EVENTS], OVER_CPUS);
	assert_int_equal(tracer_count_runs(t), 0);
	kernel.runs = 130;
	kernel.run_ns = 5900;
	kernel.missed = 9;
	assert_int_equal(read_now(), 0);
	assert_int_equal(c.recursion, 9 * attached);
	tracer_hooks(t, hooks);
	assert_true(hooks[0].attached);
	assert_int_equal(hooks[0].runs, 30);
	assert_int_equal(hooks[0].run_ns, 900);
	assert_int_equal(hooks[0].skipped, 2);
	assert_int_equal(hooks[0].missed, 9);
}

/* With events a window whose begin was skipped lacks one. */
static void windows_without_an_event(void **state)
{
	cfg.events = true;
	start();
	kernel.missed = 7;
	assert_int_equal(read_now(), 0);
	assert_int_equal(c.totals.lost[LOST_EVENTS], OVER_CPUS + 7);
	cfg.events = false;
}

/* A write lock without a witness is an anomaly, unless the witness may have missed it. */
static void anomalies_of_the_witness(void **state)
{
	cfg.witness = true;
	start();
	kernel.unwitnessed = 1;
	kernel.missed = 3;
	kernel.missed_by_all_but = "__vma_start_write_exit";
	assert_int_equal(read_now(), 0);
	assert_int_equal(c.totals.anomalies, OVER_CPUS);
	kernel.unwitnessed = 2; /* one more, but the witness has missed a run */
	kernel.missed_by_all_but = NULL;
	assert_int_equal(read_now(), 0);
	assert_int_equal(c.totals.anomalies, OVER_CPUS);
}

/*
 * Windows whose class relies on the silence of a hook are undetermined, as many as it missed runs;
 * those that an earlier reading told stay.
 */
static void doubtful_windows(void **state)
{
	const __u64 *anon = c.totals.windows[KIND_ANON];
	const struct check_totals *mm = &c.totals.checks[CHECK_PER_MM_SEQ];

	start();
	kernel.silent = 2;
	assert_int_equal(read_now(), 0);
	assert_int_equal(anon[CLASS_TOLERATED], 10 * OVER_CPUS);
	kernel.missed = 100;
	assert_int_equal(read_now(), 0);
	assert_int_equal(anon[CLASS_TOLERATED], 10 * OVER_CPUS);
	kernel.silent = 3;
	assert_int_equal(read_now(), 0);
	assert_int_equal(anon[CLASS_TOLERATED], 9 * OVER_CPUS);
	assert_int_equal(mm->spurious, 19 * OVER_CPUS);
	assert_int_equal(mm->differs, 19 * OVER_CPUS);
	/* Whatever the address of its page, the VMA changed. */
	assert_int_equal(anon[CLASS_REAL], 5 * OVER_CPUS);
}

/* A kernel with the per-MM check fails them as well. */
static void doubtful_windows_that_the_kernel_fails(void **state)
{
	const struct check_totals *mm = &c.totals.checks[CHECK_PER_MM_SEQ];

	start();
	tracer_set_kernel_check(t, CHECK_PER_MM_SEQ);
	kernel.silent = 3;
	kernel.missed = 100;
	assert_int_equal(read_now(), 0);
	assert_int_equal(mm->spurious, 17 * OVER_CPUS);
	assert_int_equal(mm->differs, 20 * OVER_CPUS);
}

/* The silence of a hook that missed nothing proves that it had nothing to see. */
static void no_doubt(void **state)
{
	start();
	kernel.silent = 3;
	kernel.missed = 100;
	kernel.missed_by_all_but = "__mfill_atomic_pte_exit";
	assert_int_equal(read_now(), 0);
	assert_int_equal(c.totals.windows[KIND_ANON][CLASS_TOLERATED], 10 * OVER_CPUS);
}

static void writers_have_their_place(void **state)
{
	const struct writer_entry *entries;

	start();
	kernel.rows = 3;
	kernel.row[0] = (struct writer_row) { 1, 1, 2, 4096, 8192, { .tgid = 1 }, 5 };
	kernel.row[1] = (struct writer_row) {
		.used = 1, .windows = 3, .sections = 4, .id = MAX_WRITERS - 1
	};
	kernel.row[2] =
		(struct writer_row) { .windows = 9, .id = 4 }; /* its key is not there yet */
	assert_int_equal(read_now(), 0);
	entries = tracer_writers(t);
	assert_int_equal(c.writers[5].windows, 1);
	assert_int_equal(c.writers[5].sections, 2);
	assert_int_equal(c.writers[MAX_WRITERS - 1].windows, 3);
	assert_true(entries[5].used);
	assert_int_equal(entries[5].key.tgid, 1);
	assert_int_equal(entries[5].end, 8192);
	assert_false(entries[4].used);
	assert_int_equal(c.writers[4].windows, 0);
}

static void holders_by_what_they_refused(void **state)
{
	struct holder_row rows[4];

	start();
	kernel.nr_holders = 4;
	kernel.holder[0] = (struct holder_totals) { .refused = 2 };
	kernel.holder[1] = (struct holder_totals) { .raised = 5 }; /* not traced, refused no call */
	kernel.holder[2] = (struct holder_totals) { .refused = 9 };
	kernel.holder[3] = (struct holder_totals) { .raised = 1, .traced = 1 };
	assert_int_equal(tracer_read_holders(t, rows, 4), 3);
	assert_int_equal(rows[0].who.tgid, 3);
	assert_int_equal(rows[1].who.tgid, 1);
	assert_int_equal(rows[2].who.tgid, 4);
	assert_int_equal(tracer_read_holders(t, rows, 1), 1);
	kernel.holder[2].longest_ns = 7;
	kernel.holder[0].longest_ns = 7;
	kernel.raised = true;
	assert_int_equal(tracer_read_holders(t, rows, 4), 3);
	assert_true(rows[0].totals.longest_ns >= 4900000000);
	assert_int_equal(rows[1].totals.longest_ns, 7);
	kernel.holder[2].longest_ns = 1ULL << 40;
	tracer_read_holders(t, rows, 4);
	assert_int_equal(rows[0].totals.longest_ns, 1ULL << 40);
}

/* --- Stacks ----------------------------------------------------------------------------------- */

static bool creates_stack_maps(void)
{
	const struct bpf_map *map;
	int created = 0, of_stacks = 0;

	for (int i = 0; i < kernel.skel->map_cnt; i++) {
		map = *kernel.skel->maps[i].map;
		if (strncmp(map_name(map), "stack_", 6))
			continue;
		of_stacks++;
		created += bpf_map__autocreate(map);
	}
	assert_int_equal(of_stacks, 5);
	assert_true(!created || created == of_stacks);
	return created;
}

static void stacks_when_asked_for(void **state)
{
	struct stacks s;

	start();
	assert_false(creates_stack_maps());
	stop();
	fresh(NULL);
	cfg.stacks = true;
	start();
	assert_true(creates_stack_maps());
	((struct stack_row *)counters_of("stack_rows"))[5].sections = 4711;
	((struct stack_name *)counters_of("stack_names"))[6].levels = 7;
	tracer_stacks(t, &s);
	assert_int_equal(s.rows[5].sections, 4711);
	assert_int_equal(s.names[6].levels, 7);
}

/* --- Events ----------------------------------------------------------------------------------- */

static int handed_on;

static void hand_on(void *data, const struct event *e)
{
	assert_ptr_equal(data, &handed_on);
	assert_int_equal(e->pid, 4711);
	handed_on++;
}

/* Events come in batches. A short record is skipped, and a new writer is read first. */
static void events_in_batches(void **state)
{
	cfg.events = true;
	start();
	kernel.rows = 1;
	kernel.row[0] = (struct writer_row) { .used = 1, .windows = 1, .id = 8 };
	count();
	kernel.events[0] = (struct event) { .pid = 4711, .writers = { .nr = 1, .ids = { 8 } } };
	handed_on = 0;
	kernel.nr_events = 4095;
	assert_false(tracer_read_events(t, hand_on, &handed_on));
	assert_int_equal(handed_on, 4095);
	assert_true(tracer_writers(t)[8].used);
	kernel.nr_events = 5000;
	assert_true(tracer_read_events(t, hand_on, &handed_on));
	assert_int_equal(handed_on, 4095 + 4096);
	assert_int_equal(kernel.nr_events, 5000 - 4096);
	assert_false(tracer_read_events(t, hand_on, &handed_on));
	assert_int_equal(handed_on, 4095 + 5000);
	kernel.nr_events = 3;
	kernel.event_size = sizeof(struct event) - 1;
	assert_false(tracer_read_events(t, hand_on, &handed_on));
	assert_int_equal(handed_on, 4095 + 5000);
	stop();
	cfg.events = cfg.writers = false;
	start();
	assert_false(tracer_read_events(t, hand_on, &handed_on));
}

/* --- Errors ----------------------------------------------------------------------------------- */

/* What a run does, from open to close. Returns the first error. */
static int everything(void)
{
	struct holder_row rows[4];
	int err;

	cfg.follow_forks = cfg.witness = cfg.relock = cfg.events = cfg.all = cfg.stacks = true;
	err = tracer_open(&t, &cfg);
	if (err) {
		assert_null(t);
		stop();
		return err;
	}
	err = tracer_attach(t);
	if (!err) {
		tracer_add_target(t, 4711);
		tracer_watch_hooks(t, true);
		tracer_phase(t, PHASE_SELF_TEST);
		tracer_watch_hooks(t, false);
		err = tracer_count_runs(t);
	}
	if (!err)
		err = read_now();
	if (!err)
		tracer_read_holders(t, rows, 4);
	stop();
	return err;
}

/* The tracer can do without hooks, their addresses, the watch and the holders. */
static bool is_done_without(const char *what)
{
	static const char *const rows[] = { "address", "holder", "enable stats", "program info" };

	for (size_t i = 0; i < COUNT(rows); i++)
		if (!strcmp(what, rows[i]))
			return true;
	return strstr(what, "_entry") || strstr(what, "_exit") || strstr(what, "_probe") ||
	       strstr(what, "mmap_lock");
}

static void each_call_that_fails_is_told(void **state)
{
	int before = descriptors(), told_of = 0;

	for (int at = 1;; at++) {
		int err;

		fresh(NULL);
		kernel.rows = kernel.nr_holders = 2;
		arm(at, INJECTED);
		err = everything();
		if (!failing.what) {
			assert_int_equal(err, 0);
			break;
		}
		if (err || !is_done_without(failing.what))
			expect_u64(failing.what, -err, INJECTED);
		told_of += err != 0;
		arm(0, 0);
		assert_int_equal(descriptors(), before);
		assert_true(can_be_stopped());
	}
	/* The required hooks and the maps of counters alone make more. */
	assert_true(told_of > (int)COUNT(counter_maps) + 10);
}

static int print_to_libbpf(enum libbpf_print_level level, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kernel.print(level, fmt, ap);
	va_end(ap);
	return n;
}

static void libbpf_is_quiet_unless_asked(void **state)
{
	tracer_libbpf_output(false);
	assert_int_equal(print_to_libbpf(LIBBPF_WARN, "# never seen\n"), 0);
	tracer_libbpf_output(true);
	assert_int_equal(print_to_libbpf(LIBBPF_WARN, "# %s\n", "libbpf speaks"), 16);
	assert_int_equal(print_to_libbpf(LIBBPF_DEBUG, "# never seen\n"), 0);
	tracer_libbpf_output(false);
}

static int open_k(void **state)
{
	make_counter_maps();
	k = open_kernel(canned_btf(canned_kernel("7.3"), ""));
	return 0;
}

static int close_k(void **state)
{
	kernel_close(&k);
	return 0;
}

#define test(f) cmocka_unit_test_setup_teardown(f, fresh, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(hooks_in_their_order),
		test(what_is_asked_for),
		test(functions_without_an_address),
		test(hooks_that_cannot_be_attached),
		test(each_program_has_a_row),
		test(targets),
		test(phases),
		test(hooks_that_never_fire),
		test(counters_are_sums_over_the_cpus),
		test(runs_and_those_that_were_skipped),
		test(windows_without_an_event),
		test(anomalies_of_the_witness),
		test(doubtful_windows),
		test(doubtful_windows_that_the_kernel_fails),
		test(no_doubt),
		test(writers_have_their_place),
		test(holders_by_what_they_refused),
		test(stacks_when_asked_for),
		test(events_in_batches),
		test(each_call_that_fails_is_told),
		test(libbpf_is_quiet_unless_asked),
	};

	return cmocka_run_group_tests_name("tracer", tests, open_k, close_k);
}
