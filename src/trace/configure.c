// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Before the load: which hooks a tracer has, and what its programs know from the start. */
#include "trace/skip.h"
#include "trace/tracer.h"
#include "trace/tracer_private.h"
#include "sys/err.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf_common.h>
#include <string.h>
#include <unistd.h>

/*
 * Does @h's function have an address? Hundreds of functions in BTF have no symbol of their name.
 * The kernel looks when it loads a program for it (bpf_check_attach_target()), so load one that
 * does nothing.
 */
static bool has_address(const struct kernel *k, const struct hook *h)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	bool entry = !strcmp(h->variant, "fentry");
	LIBBPF_OPTS(bpf_prog_load_opts, opts,
		    .expected_attach_type = entry ? BPF_TRACE_FENTRY : BPF_TRACE_FEXIT,
		    .attach_btf_id = (__u32)kernel_function_id(k, h->target));
	int fd;

	if (hook_is_tracepoint(h))
		return true;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "has_address", "GPL", nothing, 2, &opts);
	if (fd < 0)
		return errno != ENOENT;
	close(fd);
	return true;
}

/* Add @h to the tracer's hooks, and have its program loaded if this kernel has its target. */
static int add_hook(struct tracer *t, const struct kernel *k, const struct hook *h)
{
	struct bpf_program *prog = bpf_object__find_program_by_name(t->skel->obj, h->program);
	int i = t->nr_hooks, err;

	if (!prog || i == MAX_HOOKS)
		return -ENOENT;
	t->nr_hooks++;
	t->hooks[i] = (struct hook_state) {
		.hook = h,
		.target = h->target,
		.variant = h->variant,
		.why = h->why,
		.rare = h->roles & ROLE_RARE,
	};
	if (!hook_in_btf(k, h))
		return 0;
	t->hooks[i].no_address = !has_address(k, h);
	if (t->hooks[i].no_address) {
		warning("%s() is in BTF, but has no address: %s", h->target, h->why);
		return h->roles & ROLE_REQUIRED ? -ESRCH : 0;
	}
	err = bpf_program__set_autoload(prog, true);
	if (!err)
		t->programs[i] = prog;
	return err;
}

/* Does the user ask for what @h is for? */
static bool is_asked_for(const struct tracer_config *cfg, const struct hook *h)
{
	if (h->roles & ROLE_ANSWER)
		return cfg->witness || !cfg->kernel->has_probes;
	if (h->roles & ROLE_ONLY_WRITERS)
		return cfg->writers || cfg->relock; /* the hooks on mmap_lock see its readers too */
	if (h->roles & ROLE_WITNESS)
		return cfg->witness;
	if (h->roles & ROLE_RELOCK)
		return cfg->relock;
	if (h->roles & ROLE_HOLDS)
		return cfg->relock && cfg->writers && cfg->kernel->seq != SEQ_NONE;
	if (h->roles & ROLE_CHILDREN)
		return cfg->follow_forks;
	if (h->roles & ROLE_EXITS)
		return cfg->follow_forks || cfg->pids;
	return true;
}

static int choose_hooks(struct tracer *t, const struct tracer_config *cfg)
{
	int err = 0;

	for (const struct hook *h = hook_table; h->target; h++) {
		if (!plan_has(cfg->plan, h) && !(h->plans & BESIDE_PLANS))
			continue;
		if (is_asked_for(cfg, h))
			err = add_hook(t, cfg->kernel, h);
		if (err)
			break;
	}
	return err;
}

bool role_is_loaded(const struct tracer *t, __u32 role)
{
	for (int i = 0; i < t->nr_hooks; i++)
		if (t->hooks[i].hook->roles & role && t->programs[i])
			return true;
	return false;
}

static bool role_is_attached(const struct tracer *t, __u32 role)
{
	for (int i = 0; i < t->nr_hooks; i++)
		if (t->hooks[i].hook->roles & role && t->hooks[i].attached)
			return true;
	return false;
}

bool tracer_sees_hugetlb(const struct tracer *t)
{
	return role_is_attached(t, ROLE_HUGETLB);
}

bool tracer_bounds_begin(const struct tracer *t)
{
	return role_is_attached(t, ROLE_BOUNDS_BEGIN);
}

bool tracer_sees_relock(const struct tracer *t)
{
	return role_is_loaded(t, ROLE_WRITERS) && role_is_loaded(t, ROLE_RELOCK);
}

/* Maps that nobody uses are not created, or small. */
static void size_maps(struct tracer *t, const struct tracer_config *cfg)
{
	if (!cfg->events)
		bpf_map__set_autocreate(t->skel->maps.events, false);
	if (!role_is_loaded(t, ROLE_WITNESS) && cfg->kernel->seq != SEQ_NONE)
		bpf_map__set_max_entries(t->skel->maps.vma_logs, NR_LOGS);
}

int configure(struct tracer *t, const struct tracer_config *cfg)
{
	int err = choose_hooks(t, cfg);

	if (err)
		return err;
	bpf_program__set_autoload(t->skel->progs.own_pid_ns, true);
	bpf_program__set_autoload(t->skel->progs.end_windows, true);
	size_maps(t, cfg);
	size_by(t, cfg->by);
	size_stacks(t, cfg->stacks);
	t->has_writers = cfg->writers && role_is_loaded(t, ROLE_WRITERS);
	t->skel->rodata->cfg_all = cfg->all;
	t->skel->rodata->page_shift = (__u32)__builtin_ctzl((unsigned long)sysconf(_SC_PAGESIZE));
	t->skel->rodata->cfg_events = cfg->events;
	t->skel->rodata->cfg_relock = cfg->relock;
	t->skel->rodata->cfg_self_tgid = (__u32)getpid();
	t->skel->bss->uffd_mask = cfg->kernel->uffd_mask;
	t->skel->rodata->has_kernel_check = cfg->kernel->has_check;
	t->skel->rodata->has_relock_probe = cfg->kernel->has_probes;
	t->skel->rodata->unmap_desc = cfg->kernel->unmap_desc;
	t->skel->rodata->has_writers = t->has_writers;
	t->skel->bss->has_write_lock_hook = role_is_loaded(t, ROLE_WITNESS);
	writer_shapes_fill(t->skel->rodata->writer_shapes);
	return skip_configure(t);
}
