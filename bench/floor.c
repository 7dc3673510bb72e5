// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The floor: attach empty programs to the hooks on stdin ("VARIANT NAME" lines) until SIGTERM. No
 * tool on these hooks can cost less. A kprobe.multi at a return is called kretprobe.multi. At the end it prints "VARIANT NAME RUNS" for each, if the
 * kernel counts runs (kernel.bpf_stats_enabled).
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define MAX_PROGRAMS 256

static struct {
	char variant[16], target[128];
	int fd;
} programs[MAX_PROGRAMS];

static const struct bpf_insn nothing[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static enum bpf_attach_type attach_type(const char *variant)
{
	if (!strcmp(variant, "fentry"))
		return BPF_TRACE_FENTRY;
	return strcmp(variant, "fexit") ? BPF_TRACE_RAW_TP : BPF_TRACE_FEXIT;
}

/* A program at the entry or, with @returns, at the return of the function @target; as attach(). */
static int attach_probe(const char *target, bool returns)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_KPROBE_MULTI);
	LIBBPF_OPTS(bpf_link_create_opts, to, .kprobe_multi.syms = &target, .kprobe_multi.cnt = 1,
		    .kprobe_multi.flags = returns ? BPF_F_KPROBE_MULTI_RETURN : 0);
	int fd = bpf_prog_load(BPF_PROG_TYPE_KPROBE, "floor", "GPL", nothing, 2, &opts);
	int link = fd < 0 ? fd : bpf_link_create(fd, 0, BPF_TRACE_KPROBE_MULTI, &to);

	return link < 0 ? link : fd;
}

/* The program stays attached until this process ends. Returns its file descriptor, or -errno. */
static int attach(const char *variant, const char *target)
{
	enum bpf_attach_type type = attach_type(variant);
	int id = libbpf_find_vmlinux_btf_id(target, type), fd, link;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type,
		    .attach_btf_id = (__u32)id);

	if (strstr(variant, "probe.multi"))
		return attach_probe(target, strstr(variant, "ret"));
	if (id < 0)
		return id;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "floor", "GPL", nothing, 2, &opts);
	if (fd < 0)
		return fd;
	link = bpf_raw_tracepoint_open(NULL, fd);
	return link < 0 ? link : fd;
}

static unsigned long long runs(int fd)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &len) ? 0 : info.run_cnt;
}

int main(void)
{
	sigset_t end;
	int nr = 0, sig;

	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigprocmask(SIG_BLOCK, &end, NULL);
	for (; nr < MAX_PROGRAMS &&
	       scanf("%15s %127s", programs[nr].variant, programs[nr].target) == 2;
	     nr++) {
		programs[nr].fd = attach(programs[nr].variant, programs[nr].target);
		if (programs[nr].fd < 0) {
			fprintf(stderr, "floor: %s %s: %s\n", programs[nr].variant,
				programs[nr].target, strerror(-programs[nr].fd));
			return 1;
		}
	}
	puts("attached");
	fflush(stdout);
	sigwait(&end, &sig);
	for (int i = 0; i < nr; i++)
		printf("%s %s %llu\n", programs[i].variant, programs[i].target,
		       runs(programs[i].fd));
	return 0;
}
