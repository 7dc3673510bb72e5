// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The floor: programs that return at once, on the hooks named on stdin as "VARIANT NAME" lines, until killed. What they
 * add to an operation no tool on these hooks can be cheaper than.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf_common.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static enum bpf_attach_type attach_type(const char *variant)
{
	if (!strcmp(variant, "fentry"))
		return BPF_TRACE_FENTRY;
	return strcmp(variant, "fexit") ? BPF_TRACE_RAW_TP : BPF_TRACE_FEXIT;
}

/* The program stays attached until we end. */
static int attach(const char *variant, const char *target)
{
	const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	enum bpf_attach_type type = attach_type(variant);
	int id = libbpf_find_vmlinux_btf_id(target, type), fd;
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type, .attach_btf_id = (__u32)id);

	if (id < 0)
		return id;
	fd = bpf_prog_load(BPF_PROG_TYPE_TRACING, "floor", "GPL", nothing, 2, &opts);
	if (fd < 0)
		return fd;
	return bpf_raw_tracepoint_open(NULL, fd);
}

int main(void)
{
	char variant[16], target[128];

	while (scanf("%15s %127s", variant, target) == 2) {
		int err = attach(variant, target);

		if (err < 0) {
			fprintf(stderr, "floor: %s %s: %s\n", variant, target, strerror(-err));
			return 1;
		}
	}
	puts("attached");
	fflush(stdout);
	for (;;)
		pause();
}
