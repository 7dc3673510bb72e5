// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The processes that are traced: see target.h. */
#include "sys/target.h"
#include "sys/cgroup_names.h"
#include "sys/err.h"
#include "sys/rights.h"
#include "sys/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Our programs look for a task's cgroups from the root on, so far (MAX_CGROUP_DEPTH). */
#define MAX_LEVEL 63

static int pidfd_open(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static int add(struct target *t, pid_t pid)
{
	int fd = pidfd_open(pid);

	if (fd < 0 && errno == ESRCH)
		return fail(EXIT_ERROR, "pgrep -a NAME finds running processes",
			    "no such process: %d", pid);
	if (fd < 0 && (errno == EINVAL || errno == ENOENT))
		return fail(EXIT_ERROR, "give the process id: Tgid in /proc/PID/status",
			    "%d is a thread, not a process", pid);
	if (fd < 0)
		return fail(EXIT_ERROR, errno == EMFILE ? MORE_FILES : NULL,
			    "cannot watch process %d: %s", pid, strerror(errno));
	t->pids[t->nr] = pid;
	t->pidfds[t->nr++] = fd;
	t->alive++;
	return 0;
}

/* The level of the cgroup @path, where the root is 0. */
static int level_of(const char *path)
{
	char real[PATH_MAX];
	const char *root = cgroup_root(), *c = real;
	int level = 0;

	if (!realpath(path, real))
		return 0;
	if (!strncmp(real, root, strlen(root)))
		c += strlen(root);
	for (; (c = strchr(c, '/')); c++)
		level++;
	return level;
}

/* A cgroup's id is its inode number (kernfs). A relative path is below /sys/fs/cgroup. */
static int find_cgroup(struct target *t, const char *path)
{
	char *full = t->cgroup_path;
	struct statfs fs;
	struct stat st;

	if (!*path)
		return fail(EXIT_ERROR, "-c takes a path below /sys/fs/cgroup",
			    "no such cgroup: the name is empty");
	if (snprintf(full, PATH_MAX, "%s%s", path[0] == '/' ? "" : "/sys/fs/cgroup/", path) >=
	    PATH_MAX)
		return fail(EXIT_ERROR, NULL, "no such cgroup: the name is too long");
	if (stat(full, &st) || statfs(full, &fs))
		return fail(EXIT_ERROR,
			    "-c takes a path below /sys/fs/cgroup: see /proc/PID/cgroup",
			    "no such cgroup: %s: %s", full, strerror(errno));
	if (!S_ISDIR(st.st_mode) || fs.f_type != CGROUP2_SUPER_MAGIC)
		return fail(EXIT_ERROR, "-c takes a directory of the cgroup v2 file system",
			    "not a cgroup: %s", full);
	if (level_of(full) > MAX_LEVEL)
		return fail(EXIT_ERROR, "-c takes one above it",
			    "%s is deeper than %d levels: its tasks would not be found", full,
			    MAX_LEVEL);
	t->cgroup = path;
	t->cgroup_id = st.st_ino;
	return 0;
}

void target_check_cgroup(struct target *t)
{
	struct stat st;
	bool same;

	if (!t->cgroup || t->cgroup_gone)
		return;
	same = stat(t->cgroup_path, &st) ? errno != ENOENT : st.st_ino == t->cgroup_id;
	if (same)
		return;
	t->cgroup_gone = true;
	warning("cgroup %s was removed: a new one of this name is not traced, start uffdretry again",
		t->cgroup);
}

int target_find(struct target *t, const struct options *o)
{
	int err = o->cgroup ? find_cgroup(t, o->cgroup) : 0;

	for (int i = 0; !err && i < o->nr_pids; i++)
		err = add(t, o->pids[i]);
	return err;
}

/*
 * What starts COMMAND. A word, not any byte: whatever else is written to that number by mistake
 * starts nothing.
 */
static const char go[] = "start COMMAND";

/* Wait for the word. False: the pipe was closed, or holds something else. */
static bool told_to_go(int start)
{
	char word[sizeof(go)];

	return read(start, word, sizeof(word)) == sizeof(word) && !memcmp(word, go, sizeof(go));
}

/*
 * In the child: wait until tracing runs, then execute COMMAND as its user and without our file
 * descriptors. If that fails, errno goes through the pipe @exec, which a successful execvp()
 * closes.
 */
static void run_command(char **command, int start, int exec)
{
	int err;

	if (!told_to_go(start))
		_exit(EXIT_ERROR);
	signals_give_back();
	err = -rights_become_user();
	if (!err) {
		execvp(command[0], command);
		err = errno;
	}
	if (write(exec, &err, sizeof(err)) != sizeof(err))
		_exit(EXIT_ERROR);
	_exit(EXIT_ERROR);
}

static int not_executed(const char *command, int err)
{
	const bool missing = err == ENOENT || err == ENOTDIR;

	return fail(missing ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE,
		    "COMMAND is a file, or found in PATH, and its user (--user, sudo) may execute it",
		    "cannot execute %s: %s", command,
		    missing && !strchr(command, '/') ? "command not found" : strerror(err));
}

/* Returns 0 when the effective user may execute @path, or an errno. */
static int may_execute(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return errno;
	if (!S_ISREG(st.st_mode))
		return S_ISDIR(st.st_mode) ? EISDIR : EACCES;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) ? errno : 0;
}

/* Look for @name in PATH, as execvp() does. Returns 0 or an errno. */
static int search_path(const char *name)
{
	const char *dir = getenv("PATH") ?: "/bin:/usr/bin";
	char path[PATH_MAX];
	int err = ENOENT;

	for (size_t length;; dir += length + 1) {
		int why = ENAMETOOLONG;

		length = strcspn(dir, ":");
		if (snprintf(path, sizeof(path), "%.*s%s%s", (int)length, dir, length ? "/" : "",
			     name) < (int)sizeof(path))
			why = may_execute(path);
		if (!why)
			return 0;
		if (why == EACCES)
			err = why;
		if (!dir[length])
			return err;
	}
}

/* Before anything is traced: a typo should not cost a run. Returns 0 or an exit status. */
static int find_command(const char *command)
{
	int err;

	if (rights_as_user())
		return fail(EXIT_ERROR, NULL, "cannot become the user of COMMAND: %s",
			    strerror(errno));
	err = !*command		     ? ENOENT
	      : strchr(command, '/') ? may_execute(command)
				     : search_path(command);
	rights_as_ourselves();
	return err ? not_executed(command, err) : 0;
}

int target_fork(struct target *t, char **command)
{
	int start[2], exec[2];
	sigset_t all, mask;
	pid_t pid;
	int err = find_command(command[0]);

	if (err)
		return err;
	if (pipe2(start, O_CLOEXEC))
		return fail(EXIT_ERROR, NULL, "pipe: %s", strerror(errno));
	if (pipe2(exec, O_CLOEXEC)) {
		close(start[0]);
		close(start[1]);
		return fail(EXIT_ERROR, NULL, "pipe: %s", strerror(errno));
	}
	/* It takes a signal when it executes COMMAND: until then we answer for it. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &mask);
	pid = fork();
	if (pid == 0) {
		close(start[1]);
		run_command(command, start[0], exec[1]);
	}
	sigprocmask(SIG_SETMASK, &mask, NULL);
	close(start[0]);
	close(exec[1]);
	t->is_command = true;
	t->start_pipe = start[1];
	t->exec_pipe = exec[0];
	if (pid < 0)
		return fail(EXIT_ERROR, NULL, "cannot start %s: %s", command[0], strerror(errno));
	t->unstarted = pid;
	return add(t, pid);
}

int target_start(struct target *t, char **command, const struct timespec *patience)
{
	struct pollfd fd = { .fd = t->exec_pipe, .events = POLLIN };
	int err = 0;

	if (write(t->start_pipe, go, sizeof(go)) != sizeof(go))
		return fail(EXIT_ERROR, NULL, "cannot start %s: %s", command[0], strerror(errno));
	/* COMMAND may be on a file system that hangs: a signal or -d ends the wait, and then the run. */
	if (ppoll(&fd, 1, patience, signals_unblocked()) <= 0 ||
	    read(t->exec_pipe, &err, sizeof(err)) <= 0)
		err = 0;
	if (err)
		return not_executed(command[0], err);
	t->unstarted = 0;
	return 0;
}

bool target_ended(const struct target *t, int i)
{
	struct pollfd fd = { .fd = t->pidfds[i], .events = POLLIN };

	return poll(&fd, 1, 0) > 0;
}

void target_gone(struct target *t, int i)
{
	if (t->is_command) {
		t->reaped = waitpid(t->pids[i], &t->status, WNOHANG);
		t->unstarted = 0;
	}
	close(t->pidfds[i]);
	t->pidfds[i] = -1;
	t->alive--;
}

int target_exit_status(struct target *t)
{
	if (!t->is_command || t->alive)
		return 0;
	if (!t->reaped && waitpid(t->pids[0], &t->status, 0) < 0 && errno == EINTR)
		return 128 + signal_caught();
	if (WIFSIGNALED(t->status))
		return 128 + WTERMSIG(t->status);
	return WEXITSTATUS(t->status);
}

/* It ends because its pipe is closed, and it may not be ours to kill any more; stopped, it stays. */
static void end_unstarted(pid_t pid)
{
	kill(pid, SIGKILL);
	for (int i = 0; i < 100 && !waitpid(pid, NULL, WNOHANG); i++)
		usleep(10000);
}

void target_close(struct target *t)
{
	for (int i = 0; i < t->nr; i++)
		if (t->pidfds[i] >= 0)
			close(t->pidfds[i]);
	if (t->is_command) {
		close(t->start_pipe);
		close(t->exec_pipe);
	}
	if (t->unstarted)
		end_unstarted(t->unstarted);
}
