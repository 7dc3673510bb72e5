// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * Print how many BPF programs, maps and links the kernel holds: "programs N maps N links N". With
 * the argument `verified`: the sum of the instructions that the verifier processed for these
 * programs. With `functions NAME...`: those that the kernel's BTF has, a line each.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static unsigned int count(int (*next)(__u32, __u32 *))
{
	unsigned int n = 0;
	__u32 id = 0;

	while (next(id, &id) == 0)
		n++;
	return n;
}

static __u64 verified(void)
{
	__u64 sum = 0;
	__u32 id = 0;

	while (bpf_prog_get_next_id(id, &id) == 0) {
		struct bpf_prog_info info = {};
		__u32 len = sizeof(info);
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd < 0)
			continue;
		if (!bpf_obj_get_info_by_fd(fd, &info, &len))
			sum += info.verified_insns;
		close(fd);
	}
	return sum;
}

static void print_functions(char **names)
{
	struct btf *btf = btf__load_vmlinux_btf();

	for (; *names; names++)
		if (btf__find_by_name_kind(btf, *names, BTF_KIND_FUNC) > 0)
			puts(*names);
	btf__free(btf);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "verified")) {
		printf("%llu\n", (unsigned long long)verified());
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "functions")) {
		print_functions(argv + 2);
		return 0;
	}
	printf("programs %u maps %u links %u\n", count(bpf_prog_get_next_id),
	       count(bpf_map_get_next_id), count(bpf_link_get_next_id));
	return 0;
}
