// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * token COMMAND...: run it as root of a new user namespace, to which the first one delegates all of
 * BPF: whoever opens a token in its /sys/fs/bpf has CAP_BPF and CAP_PERFMON (Linux 6.9). Only root
 * of the first namespace may configure such a mount, and only one of the new namespace may open it.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <unistd.h>

static bool map_ids(pid_t pid, const char *name)
{
	static const char ids[] = "0 0 65536";
	char path[64];
	ssize_t written;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	written = write(fd, ids, sizeof(ids) - 1);
	close(fd);
	return written == sizeof(ids) - 1;
}

/* In the first namespace: delegate to @pid, which sends its file descriptor of the file system. */
static int delegate(int channel, pid_t pid)
{
	static const char *const options[] = { "delegate_cmds", "delegate_maps", "delegate_progs",
					       "delegate_attachs" };
	const int process = pidfd_open(pid, 0);
	int fs;

	if (read(channel, &fs, sizeof(fs)) != sizeof(fs))
		return 1;
	fs = pidfd_getfd(process, fs, 0);
	for (int i = 0; i < 4; i++)
		if (fsconfig(fs, FSCONFIG_SET_STRING, options[i], "any", 0))
			return 1;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) || !map_ids(pid, "uid_map") ||
	    !map_ids(pid, "gid_map"))
		return 1;
	return write(channel, "", 1) != 1;
}

/* In the new namespace. */
static bool mount_delegated(int channel)
{
	const int fs = fsopen("bpf", FSOPEN_CLOEXEC);
	char done;
	int mount;

	if (fs < 0 || write(channel, &fs, sizeof(fs)) != sizeof(fs) || read(channel, &done, 1) != 1)
		return false;
	mount = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return mount >= 0 &&
	       !move_mount(mount, "", AT_FDCWD, "/sys/fs/bpf", MOVE_MOUNT_F_EMPTY_PATH);
}

int main(int argc, char **argv)
{
	const pid_t pid = getpid();
	int channel[2];

	if (argc < 2 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, channel))
		return 64;
	if (!fork())
		_exit(delegate(channel[1], pid));
	close(channel[1]); /* so that read() ends if the other fails */
	if (unshare(CLONE_NEWUSER | CLONE_NEWNS) || !mount_delegated(channel[0])) {
		perror("token");
		return 1;
	}
	execvp(argv[1], &argv[1]);
	perror(argv[1]);
	return 1;
}
