// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The BPF object's life: open, attach, targets, phases, close. */
#include "trace/tracer.h"
#include "trace/tracer_private.h"
#include "sys/err.h"
#include "sys/stderr.h"
#include "uffdretry_plain.skel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static bool libbpf_verbose;

static int libbpf_print(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	int n = 0;

	if (!libbpf_verbose || level == LIBBPF_DEBUG)
		return 0;
	if (stderr_begin())
		n = vfprintf(stderr, fmt, ap);
	stderr_end();
	return n;
}

void tracer_libbpf_output(bool verbose)
{
	libbpf_verbose = verbose;
	libbpf_set_print(libbpf_print);
}

/* Run a program that sits on no hook. */
static int run_program(const struct bpf_program *prog)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	return bpf_prog_test_run_opts(bpf_program__fd(prog), &opts);
}

/* The object for kernels without bpf_rdonly_cast() has the same programs, maps and variables. */
static int open_skeleton(struct tracer *t, const struct kernel *k)
{
	int err;

	t->skel = calloc(1, sizeof(*t->skel));
	if (!t->skel)
		return -ENOMEM;
	err = uffdretry_bpf__create_skeleton(t->skel);
	if (err)
		return err;
	if (!k->has_cast)
		t->skel->skeleton->data =
			(void *)uffdretry_plain_bpf__elf_bytes(&t->skel->skeleton->data_sz);
	return bpf_object__open_skeleton(t->skel->skeleton, NULL);
}

/*
 * Ctrl-Z waits: the verifier gives up while a signal is pending (EAGAIN), and libbpf tries a program
 * five times.
 */
static int load(struct tracer *t)
{
	sigset_t stop, before;
	int err;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	sigprocmask(SIG_BLOCK, &stop, &before);
	err = uffdretry_bpf__load(t->skel);
	sigprocmask(SIG_SETMASK, &before, NULL);
	/* libbpf could not read the kernel's BTF. kernel_open() could, so memory is short. */
	return err == -ESRCH ? -ENOMEM : err;
}

int tracer_open(struct tracer **out, const struct tracer_config *cfg)
{
	struct tracer *t = calloc(1, sizeof(*t));
	int err;

	*out = NULL;
	if (!t)
		return -ENOMEM;
	t->stats_fd = t->symbols_map = -1;
	t->loses_rehooked = cfg->kernel->loses_rehooked;
	t->skipped_hook = -1;
	t->nr_cpus = libbpf_num_possible_cpus();
	err = t->nr_cpus < 0 ? t->nr_cpus : 0;
	if (!err)
		err = open_skeleton(t, cfg->kernel);
	if (!err)
		err = configure(t, cfg);
	if (!err)
		err = size_rows(t);
	if (!err)
		err = load(t);
	if (!err)
		err = open_rows(t);
	if (!err)
		err = run_program(t->skel->progs.own_pid_ns);
	if (!err && cfg->events)
		err = open_events(t);
	if (err) {
		tracer_close(t);
		return err;
	}
	*out = t;
	return 0;
}

/* By name: libbpf would look for the function's address, which takes CAP_SYSLOG. NULL and errno. */
static struct bpf_link *attach_probe(struct bpf_program *prog, const char *target)
{
	LIBBPF_OPTS(bpf_kprobe_multi_opts, opts, .syms = &target, .cnt = 1);

	return bpf_program__attach_kprobe_multi_opts(prog, NULL, &opts);
}

/* A trampoline has room for 38 programs (BPF_MAX_TRAMP_LINKS), for fewer if each needs much code. */
static int attach_failed(const char *target)
{
	const int err = -errno;

	if (err == -E2BIG)
		warning("too many other BPF programs are attached to %s()", target);
	return err;
}

int tracer_attach(struct tracer *t)
{
	for (int i = 0; i < t->nr_hooks; i++) {
		if (!t->programs[i])
			continue;
		t->links[i] = hook_is_probe(t->hooks[i].hook)
				      ? attach_probe(t->programs[i], t->hooks[i].target)
				      : bpf_program__attach(t->programs[i]);
		if (t->links[i])
			t->hooks[i].attached = true;
		else if (t->hooks[i].hook->roles & ROLE_REQUIRED)
			return attach_failed(t->hooks[i].target);
	}
	/* Without it the run is no worse: see tracer_sees_rehooks(). */
	watch_rehooks(t);
	return 0;
}

bool tracer_sees_rehooks(const struct tracer *t)
{
	return !t->loses_rehooked || t->symbols;
}

/* Its word in the programs' set of targets. */
static __u64 *target_word(struct tracer *t, pid_t tgid)
{
	return &t->skel->bss->targets[tgid / 64 % (PID_MAX / 64)];
}

void tracer_add_target(struct tracer *t, pid_t tgid)
{
	__atomic_fetch_or(target_word(t, tgid), 1ULL << (tgid & 63), __ATOMIC_RELAXED);
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
	__atomic_fetch_and(target_word(t, tgid), ~(1ULL << (tgid & 63)), __ATOMIC_RELAXED);
}

void tracer_phase(struct tracer *t, enum phase phase)
{
	__u32 key = 0;
	int inner = bpf_map__fd(t->skel->maps.quiesce_inner);

	t->skel->bss->phase = phase;
	/* The update of a map of maps waits for a grace period; what it writes does not matter. */
	bpf_map_update_elem(bpf_map__fd(t->skel->maps.quiesce), &key, &inner, BPF_ANY);
}

int tracer_stop(struct tracer *t)
{
	tracer_phase(t, PHASE_OFF);
	return run_program(t->skel->progs.end_windows);
}

void tracer_detach(struct tracer *t)
{
	for (int i = 0; i < t->nr_hooks; i++) {
		bpf_link__destroy(t->links[i]);
		t->links[i] = NULL;
	}
}

__u64 tracer_flags_changed(const struct tracer *t)
{
	return t->skel->bss->flags_changed;
}

void tracer_set_uffd_mask(struct tracer *t, __u64 mask)
{
	t->skel->bss->uffd_mask = mask;
}

void tracer_set_kernel_check(struct tracer *t, enum check check)
{
	t->skel->data->kernel_is = check;
}

void tracer_close(struct tracer *t)
{
	if (!t)
		return;
	tracer_detach(t);
	close_rehooks(t);
	ring_buffer__free(t->events);
	close_rows(t);
	uffdretry_bpf__destroy(t->skel);
	if (t->stats_fd >= 0)
		close(t->stats_fd);
	free(t);
}
