/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* The processes that hold a userfaultfd, by /proc: no BPF, and no right for most of one's own. */
#ifndef UFFD_LIST_H
#define UFFD_LIST_H

#include <linux/types.h>
#include <stdbool.h>
#include <sys/types.h>

/* What a range is registered for. */
enum uffd_mode {
	UFFD_MISSING = 1 << 0,
	UFFD_WP = 1 << 1,
	UFFD_MINOR = 1 << 2,
	UFFD_RWP = 1 << 3, /* 7.3 and later */
};

/* A file descriptor, as its fdinfo tells. */
struct uffd_fd {
	int fd;
	bool known;	/* the fdinfo could be read: what follows is valid */
	__u64 inode;	/* the same userfaultfd has the same one, in every process */
	__u64 features; /* UFFD_FEATURE_* asked for or implied; 0 before UFFDIO_API */
	__u64 pending;	/* faults that nobody has read */
	__u64 total;	/* faults that wait, read or not */
};

struct uffd_range {
	__u64 start, end;
	unsigned int modes; /* a set of enum uffd_mode */
};

struct uffd_process {
	pid_t pid;
	char comm[64];
	struct uffd_fd *fds; /* by inode, then by number */
	int nr_fds;
	/* The process's own memory that is registered, with whichever userfaultfd. */
	struct uffd_range *ranges;
	int nr_ranges;
	bool ranges_known;
};

struct uffd_list {
	struct uffd_process *processes; /* by pid */
	int nr;
	int unreadable; /* processes whose file descriptors we may not see */
	bool hidden; /* /proc hides processes (hidepid=): there are more, nobody tells how many */
};

/*
 * uffd_list_read() - read @proc, which is "/proc". With @whole every file descriptor of a holder, else
 * the first, and what is registered, from smaps: the kernel then walks the holder's page tables.
 * @until: by now_ns(); 0: take the time that it takes, which any user can make long.
 * Returns 0 or a negative errno, -ETIME after @until; free @l in all cases.
 */
int uffd_list_read(struct uffd_list *l, const char *proc, bool whole, __u64 until);
void uffd_list_free(struct uffd_list *l);

#endif /* UFFD_LIST_H */
