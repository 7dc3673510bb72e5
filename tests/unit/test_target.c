// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The processes that are traced (sys/target.c): real commands, and failing calls, which leave
 * nothing open.
 */
#include "failing.h"
#include "said.h"
#include "sys/signals.h"
#include "sys/target.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int rights_err;

static bool as_user; /* now */
static int as_user_err;

int rights_as_user(void);
int rights_as_user(void)
{
	errno = as_user_err;
	as_user = !as_user_err;
	return as_user_err ? -1 : 0;
}

void rights_as_ourselves(void);
void rights_as_ourselves(void)
{
	as_user = false;
}

int rights_become_user(void);
int rights_become_user(void)
{
	return rights_err;
}

long __real_syscall(long nr, ...);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f);

WRAP(int, pipe2, (int fds[2], int flags), (fds, flags), -1)
WRAP(pid_t, fork, (void), (), -1)

long __wrap_syscall(long nr, long a, long b, long c, long d, long e, long f)
{
	return nr == SYS_pidfd_open && fails("pidfd_open") ? -1
							   : __real_syscall(nr, a, b, c, d, e, f);
}

static struct target t;

static int fresh(void **state)
{
	memset(&t, 0, sizeof(t));
	memset(said, 0, sizeof(said));
	rights_err = as_user_err = 0;
	arm(0, 0);
	return 0;
}

/* --- COMMAND --- */

/* Start it, wait for its end, and return its exit status as ours would be. */
static int run_to_the_end(char **command)
{
	struct pollfd fd;

	assert_int_equal(target_fork(&t, command), 0);
	assert_int_equal(t.nr, 1);
	assert_int_equal(t.alive, 1);
	/* It waits. */
	fd = (struct pollfd) { .fd = t.pidfds[0], .events = POLLIN };
	assert_int_equal(poll(&fd, 1, 20), 0);
	assert_int_equal(target_exit_status(&t), 0);
	assert_int_equal(target_start(&t, command, NULL), 0);
	assert_int_equal(poll(&fd, 1, 20000), 1);
	target_gone(&t, 0);
	assert_int_equal(t.alive, 0);
	assert_int_equal(t.pidfds[0], -1);
	return target_exit_status(&t);
}

static void commands_and_statuses(void)
{
	static const struct {
		const char *script;
		int status;
	} rows[] = { { "exit 0", 0 },
		     { "exit 7", 7 },
		     { "exit 255", 255 },
		     { "kill -9 $$", 137 },
		     { "kill -15 $$", 143 } };
	int before = descriptors();

	for (size_t i = 0; i < COUNT(rows); i++) {
		char *command[] = { (char *)"sh", (char *)"-c", (char *)rows[i].script, NULL };

		fresh(NULL);
		expect_u64(rows[i].script, run_to_the_end(command), rows[i].status);
		target_close(&t);
		assert_int_equal(descriptors(), before);
	}
}

static void its_status_is_ours(void **state)
{
	commands_and_statuses();
}

/* Whoever ignores SIGCHLD, as our caller may, gets no status. */
static void its_status_where_sigchld_was_ignored(void **state)
{
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	signal(SIGCHLD, SIG_IGN);
	signals_begin();
	signals_set();
	commands_and_statuses();
	signals_give_back();
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
}

/* It inherits no file descriptor and no blocked or ignored signal of ours. */
static void what_it_inherits(void **state)
{
	static const int ignored[] = { SIGPIPE, SIGXFSZ };
	char *command[] = {
		(char *)"sh", (char *)"-c",
		(char *)"n=3; while [ $n -lt 64 ]; do [ -e /proc/$$/fd/$n ] && exit 1; n=$((n + 1)); done; "
			"while read -r key value; do [ \"$key$value\" = SigBlk:0000000000000000 ] && break; done </proc/$$/status || "
			"exit 2; ulimit -c 0; kill -PIPE $$; kill -XFSZ $$; exit 3",
		NULL
	};

	/* But for those that we inherited ourselves. */
	for (int fd = 3; fd < 1024; fd++)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
	signals_begin();
	signals_set();
	assert_int_equal(run_to_the_end(command), 128 + SIGPIPE);
	signals_give_back();
	target_close(&t);
	/* But our caller's. */
	for (size_t i = 0; i < COUNT(ignored); i++) {
		fresh(NULL);
		signal(ignored[i], SIG_IGN);
		signals_begin();
		signals_set();
		assert_int_equal(run_to_the_end(command), i ? 3 : 128 + SIGXFSZ);
		signals_give_back();
		target_close(&t);
	}
	for (size_t i = 0; i < COUNT(ignored); i++)
		signal(ignored[i], SIG_DFL);
}

/* As a shell says it, and before anything is forked. */
static void what_is_not_found(void **state)
{
	static const struct {
		const char *path; /* PATH */
		const char *name;
		int status;
		const char *why;
	} rows[] = {
		{ "/bin", "/nonexistent/program", EXIT_NOT_FOUND,
		  "cannot execute /nonexistent/program: No such file or directory" },
		{ "/bin", "/etc/passwd/x", EXIT_NOT_FOUND,
		  "cannot execute /etc/passwd/x: Not a directory" },
		{ "/bin", "", EXIT_NOT_FOUND, "cannot execute : command not found" },
		{ "/bin", "group", EXIT_NOT_FOUND, "cannot execute group: command not found" },
		{ "/nonexistent:/bin", "nosuch", EXIT_NOT_FOUND,
		  "cannot execute nosuch: command not found" },
		{ "/etc:/bin", "group", EXIT_NOT_EXECUTABLE,
		  "cannot execute group: Permission denied" },
		{ "/bin", "/etc/passwd", EXIT_NOT_EXECUTABLE,
		  "cannot execute /etc/passwd: Permission denied" },
		{ "/bin", "/etc", EXIT_NOT_EXECUTABLE, "cannot execute /etc: Is a directory" },
		{ "/bin", "/dev/null", EXIT_NOT_EXECUTABLE,
		  "cannot execute /dev/null: Permission denied" },
	};
	char *before = strdup(getenv("PATH"));

	for (size_t i = 0; i < COUNT(rows); i++) {
		char *command[] = { (char *)rows[i].name, NULL };

		fresh(NULL);
		setenv("PATH", rows[i].path, 1);
		expect_u64(rows[i].why, target_fork(&t, command), rows[i].status);
		expect_str("said", said, rows[i].why);
		assert_false(as_user);
		assert_int_equal(t.nr, 0);
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	}
	setenv("PATH", before, 1);
	free(before);
}

/* Each way that execvp() would find it. */
static void what_is_found(void **state)
{
	static const struct {
		const char *path, *name;
	} rows[] = { { "/nonexistent:/bin", "true" },
		     { "/etc:/bin", "true" },
		     { NULL, "true" },
		     { "", "true" }, /* here */
		     { "/etc:", "true" },
		     { "/nonexistent", "./true" } };
	char *before = strdup(getenv("PATH"));

	assert_int_equal(chdir("/bin"), 0);
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *command[] = { (char *)rows[i].name, NULL };

		fresh(NULL);
		if (rows[i].path)
			setenv("PATH", rows[i].path, 1);
		else
			unsetenv("PATH");
		expect_u64(rows[i].path ?: "no PATH", run_to_the_end(command), 0);
		target_close(&t);
	}
	setenv("PATH", before, 1);
	free(before);
}

static void its_user_cannot_be_asked(void **state)
{
	char *command[] = { (char *)"true", NULL };

	as_user_err = EPERM;
	assert_int_equal(target_fork(&t, command), EXIT_ERROR);
	assert_string_equal(said, "cannot become the user of COMMAND: Operation not permitted");
}

/* The child sends why it cannot be executed, though it was there before. */
static void what_cannot_be_executed(void **state)
{
	char path[] = "/tmp/uffdretry-command-XXXXXX", why[128];
	char *command[] = { path, NULL };
	int fd = mkstemp(path);

	for (int rights = 0; rights < 2; rights++) {
		fresh(NULL);
		rights_err = rights ? -EPERM : 0;
		if (!rights)
			assert_int_equal(fchmod(fd, 0700), 0);
		else
			command[0] = (char *)"/bin/true";
		assert_int_equal(target_fork(&t, command), 0);
		unlink(path);
		assert_int_equal(target_start(&t, command, NULL),
				 rights ? EXIT_NOT_EXECUTABLE : EXIT_NOT_FOUND);
		snprintf(why, sizeof(why), "cannot execute %s: %s", command[0],
			 strerror(rights ? EPERM : ENOENT));
		assert_string_equal(said, why);
		target_close(&t);
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	}
	close(fd);
}

/*
 * A COMMAND that was not started has not run, and nothing of it is left that would hold our locks; also
 * where it is stopped.
 */
static void never_started(void **state)
{
	char path[] = "/tmp/uffdretry-command-XXXXXX";
	char *command[] = { (char *)"rm", path, NULL };

	close(mkstemp(path));
	for (int stopped = 0; stopped < 2; stopped++) {
		fresh(NULL);
		assert_int_equal(target_fork(&t, command), 0);
		if (stopped)
			kill(t.pids[0], SIGSTOP);
		target_close(&t);
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	}
	assert_int_equal(unlink(path), 0);
}

/* An error text that reaches the pipe by mistake does not start it. */
static void not_started_by_other_words(void **state)
{
	static const char text[] = "uffdretry: missing capability: CAP_BPF, CAP_PERFMON\n";
	char *command[] = { (char *)"sh", (char *)"-c", (char *)"exit 7", NULL };
	int status;

	assert_int_equal(target_fork(&t, command), 0);
	assert_int_equal(write(t.start_pipe, text, sizeof(text)), sizeof(text));
	assert_int_equal(waitpid(t.pids[0], &status, 0), t.pids[0]);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), EXIT_ERROR);
	target_close(&t);
}

/* It was killed while it waited. */
static void gone_before_the_start(void **state)
{
	char *command[] = { (char *)"sh", (char *)"-c", (char *)"exit 7", NULL };

	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(target_fork(&t, command), 0);
	kill(t.pids[0], SIGKILL);
	assert_int_equal(waitpid(t.pids[0], NULL, 0), t.pids[0]);
	assert_int_equal(target_start(&t, command, NULL), EXIT_ERROR);
	assert_string_equal(said, "cannot start sh: Broken pipe");
	target_close(&t);
	signal(SIGPIPE, SIG_DFL);
}

static void on_signal(int sig)
{
	(void)sig;
}

/* It is stopped, as on a file system that hangs. Signals are blocked but where we wait. */
static void a_signal_ends_the_wait_for_its_start(void **state)
{
	const struct sigaction sa = { .sa_handler = on_signal };
	char *command[] = { (char *)"sh", (char *)"-c", (char *)"exit 7", NULL };
	struct pollfd fd = { .events = POLLIN };
	sigset_t alarms;

	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	sigaction(SIGALRM, &sa, NULL);
	sigprocmask(SIG_BLOCK, &alarms, NULL);
	assert_int_equal(target_fork(&t, command), 0);
	kill(t.pids[0], SIGSTOP);
	ualarm(50000, 0);
	assert_int_equal(target_start(&t, command, NULL), 0);
	assert_int_equal(t.alive, 1);
	kill(t.pids[0], SIGCONT);
	fd.fd = t.pidfds[0];
	assert_int_equal(poll(&fd, 1, 20000), 1);
	target_gone(&t, 0);
	assert_int_equal(target_exit_status(&t), 7);
	target_close(&t);
	sigprocmask(SIG_UNBLOCK, &alarms, NULL);
	signal(SIGALRM, SIG_DFL);
}

/* Neither does the run of a limited duration wait longer. */
static void patience_ends_the_wait_for_its_start(void **state)
{
	const struct timespec patience = { .tv_nsec = 50000000 };
	char *command[] = { (char *)"sh", (char *)"-c", (char *)"exit 7", NULL };

	assert_int_equal(target_fork(&t, command), 0);
	kill(t.pids[0], SIGSTOP);
	assert_int_equal(target_start(&t, command, &patience), 0);
	assert_int_equal(t.alive, 1);
	target_close(&t);
	/* It runs when it can. */
	kill(t.pids[0], SIGCONT);
	assert_int_equal(waitpid(t.pids[0], &t.status, 0), t.pids[0]);
	assert_int_equal(WEXITSTATUS(t.status), 7);
}

/* A process that traces @pid until the pipe that it returns is closed. */
static int trace_it(pid_t pid, pid_t *tracer)
{
	int ready[2], end[2];
	char c;

	assert_int_equal(__real_pipe2(ready, O_CLOEXEC) | __real_pipe2(end, O_CLOEXEC), 0);
	*tracer = __real_fork();
	if (!*tracer) {
		close(end[1]);
		c = !ptrace(PTRACE_SEIZE, pid, NULL, NULL);
		if (write(ready[1], &c, 1) == 1)
			(void)!read(end[0], &c, 1);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_true(c);
	close(ready[0]);
	close(ready[1]);
	close(end[0]);
	return end[1];
}

/* The kernel gives COMMAND's status to its tracer first: the run does not wait for that, its status does. */
static void its_tracer_takes_its_time(void **state)
{
	char *command[] = { (char *)"sh", (char *)"-c", (char *)"exit 7", NULL };
	const struct sigaction sa = { .sa_handler = on_signal };
	struct pollfd fd = { .events = POLLIN };
	pid_t tracer;
	int end;

	assert_int_equal(target_fork(&t, command), 0);
	end = trace_it(t.pids[0], &tracer);
	assert_int_equal(target_start(&t, command, NULL), 0);
	fd.fd = t.pidfds[0];
	assert_int_equal(poll(&fd, 1, 20000), 1);
	alarm(20);
	target_gone(&t, 0);
	alarm(0);
	assert_int_equal(t.alive, 0);
	/* A signal ends the wait, whose number is the caller's to know. */
	sigaction(SIGALRM, &sa, NULL);
	ualarm(50000, 0);
	assert_int_equal(target_exit_status(&t), 128);
	signal(SIGALRM, SIG_DFL);
	close(end);
	assert_int_equal(waitpid(tracer, NULL, 0), tracer);
	assert_int_equal(target_exit_status(&t), 7);
	target_close(&t);
}

static void calls_that_fail(void **state)
{
	static const char *const messages[] = {
		"pipe: Too many open files in system", "pipe: Too many open files in system",
		"cannot start sh: Too many open files in system",
		"cannot watch process ", /* the number */
	};
	char *command[] = { (char *)"sh", (char *)"-c", (char *)"exit 0", NULL };
	int before = descriptors(), at;

	for (at = 1;; at++) {
		int err;

		fresh(NULL);
		arm(at, ENFILE);
		err = target_fork(&t, command);
		target_close(&t);
		assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
		assert_int_equal(descriptors(), before);
		if (!failing.what)
			break;
		expect_u64(failing.what, err, EXIT_ERROR);
		if (strncmp(said, messages[at - 1], strlen(messages[at - 1])))
			expect_str("said", said, messages[at - 1]);
	}
	assert_int_equal(at, 5);
}

/* --- Processes and cgroups that are there --- */

static void processes(void **state)
{
	static struct options o;
	pid_t child = __real_fork();

	if (!child) {
		pause();
		_exit(0);
	}
	o = (struct options) { .pids = { getpid(), child }, .nr_pids = 2 };
	assert_int_equal(target_find(&t, &o), 0);
	assert_int_equal(t.alive, 2);
	kill(child, SIGKILL);
	assert_int_equal(poll(&(struct pollfd) { .fd = t.pidfds[1], .events = POLLIN }, 1, 20000),
			 1);
	target_gone(&t, 1); /* not ours to wait for */
	assert_int_equal(t.alive, 1);
	assert_int_equal(target_exit_status(&t), 0);
	target_close(&t);
	assert_int_equal(waitpid(child, NULL, 0), child);
	fresh(NULL);
	assert_int_equal(target_find(&t, &o),
			 EXIT_ERROR); /* the second is gone; the first was found */
	assert_int_equal(t.nr, 1);
	assert_int_equal(strncmp(said, "no such process: ", 17), 0);
	target_close(&t);
}

static void cgroups(void **state)
{
	static struct options o;
	static char path[5000];

	memset(path, 'x', sizeof(path) - 1);
	o.cgroup = path;
	assert_int_equal(target_find(&t, &o), EXIT_ERROR);
	assert_string_equal(said, "no such cgroup: the name is too long");
	o.cgroup = "/proc";
	assert_int_equal(target_find(&t, &o), EXIT_ERROR);
	assert_string_equal(said, "not a cgroup: /proc");
	assert_null(t.cgroup);
}

/* Of a test that failed: the next one waits for all children. */
static int no_child_stays(void **state)
{
	for (int i = 0; i < t.nr; i++)
		if (t.pids[i] != getpid())
			kill(t.pids[i], SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	return 0;
}

/* As when a service restarts. */
static void a_cgroup_that_is_made_again(void **state)
{
	char other[sizeof(t.cgroup_path)];
	struct stat st;

	strcpy(t.cgroup_path, "/tmp/uffdretry-cgroup-XXXXXX");
	assert_non_null(mkdtemp(t.cgroup_path));
	assert_int_equal(stat(t.cgroup_path, &st), 0);
	/* Now, so that it has another inode number. */
	snprintf(other, sizeof(other), "%.100s-2", t.cgroup_path);
	assert_int_equal(mkdir(other, 0700), 0);
	t.cgroup = "a.service";
	t.cgroup_id = st.st_ino;
	for (int made = 0; made < 2; made++) {
		t.cgroup_gone = false;
		said[0] = '\0';
		if (made) {
			assert_int_equal(mkdir(t.cgroup_path, 0700), 0);
			assert_int_equal(rename(other, t.cgroup_path), 0);
		} else {
			target_check_cgroup(&t);
			assert_string_equal(said, "");
			assert_int_equal(rmdir(t.cgroup_path), 0);
		}
		target_check_cgroup(&t);
		assert_string_equal(said, "cgroup a.service was removed: a new one of this name is "
					  "not traced, start uffdretry again");
		said[0] = '\0';
		target_check_cgroup(&t); /* once */
		assert_string_equal(said, "");
	}
	rmdir(t.cgroup_path);
	t.cgroup = NULL;
	target_check_cgroup(&t);
	assert_string_equal(said, "");
}

#define test(f) cmocka_unit_test_setup_teardown(f, fresh, no_child_stays)

int main(void)
{
	const struct CMUnitTest tests[] = {
		test(its_status_is_ours),
		test(its_status_where_sigchld_was_ignored),
		test(what_it_inherits),
		test(what_is_not_found),
		test(what_is_found),
		test(its_user_cannot_be_asked),
		test(what_cannot_be_executed),
		test(never_started),
		test(not_started_by_other_words),
		test(gone_before_the_start),
		test(a_signal_ends_the_wait_for_its_start),
		test(patience_ends_the_wait_for_its_start),
		test(its_tracer_takes_its_time),
		test(calls_that_fail),
		test(processes),
		test(cgroups),
		test(a_cgroup_that_is_made_again),
	};

	return cmocka_run_group_tests_name("target", tests, NULL, NULL);
}
