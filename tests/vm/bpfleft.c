// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Print how many BPF programs, maps and links the kernel holds: "programs N maps N links N". */
#include <bpf/bpf.h>
#include <stdio.h>

static unsigned int count(int (*next)(__u32, __u32 *))
{
	unsigned int n = 0;
	__u32 id = 0;

	while (next(id, &id) == 0)
		n++;
	return n;
}

int main(void)
{
	printf("programs %u maps %u links %u\n", count(bpf_prog_get_next_id), count(bpf_map_get_next_id),
	       count(bpf_link_get_next_id));
	return 0;
}
