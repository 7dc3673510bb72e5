// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * failcall NUMBER FIRST ERRNO COMMAND...: run it with a seccomp filter. Each system call NUMBER
 * whose first argument is FIRST (-1: any) fails with ERRNO, as if the kernel had no memory. ERRNO -1:
 * it kills.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 5)
		return 64;

	unsigned int nr = (unsigned int)atoi(argv[1]), first = (unsigned int)atoi(argv[2]);
	int err = atoi(argv[3]);
	unsigned int fails = err < 0 ? SECCOMP_RET_KILL_PROCESS
				     : SECCOMP_RET_ERRNO | (unsigned int)err;
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, first, 0, first == (unsigned int)-1 ? 0 : 1),
		BPF_STMT(BPF_RET | BPF_K, fails),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(filter[0]), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) {
		perror("failcall");
		return 1;
	}
	execvp(argv[4], &argv[4]);
	perror(argv[4]);
	return 1;
}
