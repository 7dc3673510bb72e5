// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * What wakes a waiting run (sys/wakeup.c): each reason alone, and a signal also while a file
 * descriptor is ready.
 */
#include "sys/signals.h"
#include "sys/wakeup.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

void warning(const char *fmt, ...)
	__attribute__((format(printf, 1, 2))); /* err.h's fail() is cmocka's */

static struct wakeup w;
static const struct target nobody;

static void wait_with(const struct target *t, int out, short wanted, int events, int timeout_ms)
{
	wakeup_wait(&w, t, (struct pollfd) { .fd = out, .events = wanted }, events, -1, timeout_ms);
}

static void time_passes(void **state)
{
	wait_with(&nobody, 1, 0, -1, 10);
	assert_false(w.ready);
	assert_false(w.closed);
	assert_int_equal(signal_caught(), 0);
}

/* More descriptors than RLIMIT_NOFILE, which prlimit(1) may lower in a run. */
static void it_cannot_wait(void **state)
{
	struct rlimit old, none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = (struct rlimit) { 0, old.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	wait_with(&nobody, 1, 0, -1, 10);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_false(w.ready);
	assert_int_equal(w.err, EINVAL);
	wait_with(&nobody, 1, 0, -1, 10);
	assert_int_equal(w.err, 0);
}

static void the_reader_goes(void **state)
{
	int fds[2];

	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	wait_with(&nobody, fds[1], 0, -1, 10000);
	assert_true(w.closed);
	close(fds[1]);
}

/* A full pipe that the reader empties. */
static void there_is_room(void **state)
{
	static char bytes[1 << 20];
	int fds[2];

	assert_int_equal(pipe2(fds, O_NONBLOCK), 0);
	assert_true(write(fds[1], bytes, sizeof(bytes)) > 0);
	wait_with(&nobody, fds[1], POLLOUT, -1, 10);
	assert_false(w.ready);
	assert_true(read(fds[0], bytes, sizeof(bytes)) > 0);
	wait_with(&nobody, fds[1], POLLOUT, -1, 10000);
	assert_true(w.ready);
	assert_false(w.closed);
	close(fds[0]);
	close(fds[1]);
}

/* It would wake us again at once, for ever. */
static void the_reader_of_a_socket_goes(void **state)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	close(fds[0]);
	wait_with(&nobody, fds[1], 0, -1, 10000);
	assert_true(w.closed);
	close(fds[1]);
	wait_with(&nobody, fds[1], 0, -1, 10000);
	assert_true(w.closed);
}

static void events_wait(void **state)
{
	int fds[2], out = open("/dev/null", O_WRONLY);

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "e", 1), 1);
	wait_with(&nobody, out, 0, fds[0], 10000);
	assert_true(w.ready);
	assert_false(w.closed);
	close(fds[0]);
	close(fds[1]);
	close(out);
}

static void a_process_ends(void **state)
{
	static struct target t;
	int out = open("/dev/null", O_WRONLY);
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	t.pids[0] = pid;
	t.pidfds[0] = (int)syscall(SYS_pidfd_open, pid, 0);
	t.nr = t.alive = 1;
	wait_with(&t, out, 0, -1, 10000);
	assert_true(w.ready);
	assert_true(w.fds[0].revents);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	close(t.pidfds[0]);
	close(out);
}

/*
 * The status of a child in which the first signal is caught though events are always ready, and a
 * second one comes later. @with: one that comes at once, as from timeout(1), or 0.
 */
static int first_and_second(int first, int with, int second)
{
	int fds[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "e", 1), 1);
	pid = fork();
	if (!pid) {
		signal(SIGHUP, SIG_DFL); /* the tests may run under nohup */
		signals_catch();
		raise(first); /* blocked until we wait */
		if (signal_caught())
			_exit(1);
		if (with)
			raise(with);
		wait_with(&nobody, fds[1], 0, fds[0], 10000);
		if (with)
			raise(with);
		if (signal_caught() != first && signal_caught() != with)
			_exit(2);
		usleep(100000);
		raise(second); /* whatever the run does then */
		_exit(3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fds[0]);
	close(fds[1]);
	return status;
}

/* The second kills, whichever it is. Those that come at once are one. */
static void signals(void **state)
{
	static const struct {
		int first, with, second;
	} rows[] = { { SIGTERM, 0, SIGTERM },
		     { SIGTERM, 0, SIGINT },
		     { SIGINT, 0, SIGHUP },
		     { SIGTERM, SIGTERM, SIGINT },
		     { SIGINT, SIGTERM, SIGHUP } };

	for (size_t i = 0; i < COUNT(rows); i++) {
		int status = first_and_second(rows[i].first, rows[i].with, rows[i].second);

		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), rows[i].second);
	}
}

/* Nobody reads stderr. */
static void a_warning_waits(void **state)
{
	static char bytes[1 << 16];
	int fds[2], begun[2], status;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	assert_int_equal(pipe(begun), 0);
	assert_int_equal(write(fds[1], bytes, sizeof(bytes)), sizeof(bytes));
	pid = fork();
	if (!pid) {
		signals_catch();
		if (write(begun[1], "b", 1) != 1)
			_exit(3);
		if (dup2(fds[1], STDERR_FILENO) < 0)
			_exit(2);
		alarm(20);
		warning("nobody reads this");
		_exit(signal_caught() != SIGTERM);
	}
	assert_int_equal(read(begun[0], bytes, 1), 1);
	usleep(100000);
	kill(pid, SIGTERM);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	for (int i = 0; i < 2; i++) {
		close(fds[i]);
		close(begun[i]);
	}
}

/* nohup ignores it, and so do we. */
static void nohup(void **state)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		signal(SIGHUP, SIG_IGN);
		signals_begin();
		signals_catch();
		raise(SIGHUP);
		wait_with(&nobody, 1, 0, -1, 10);
		_exit(signal_caught());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* Before a session is open, and in list, report and diff: it kills. */
static void nothing_is_measured(void **state)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP };

	for (size_t i = 0; i < COUNT(ending); i++) {
		pid_t pid = fork();
		int status;

		if (!pid) {
			signal(SIGHUP, SIG_DFL);
			signals_begin();
			signals_set();
			raise(ending[i]);
			_exit(1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), ending[i]);
	}
}

/* On a terminal of its own: Ctrl-C reaches its group, and not another one. */
static int ctrl_c(int terminal)
{
	pid_t other;
	bool right;

	if (setsid() < 0 || open(ptsname(terminal), O_RDWR) < 0)
		return 1;
	signals_catch();
	other = fork();
	if (!other) {
		setpgid(0, 0);
		pause();
	}
	setpgid(other, other);
	if (write(terminal, "\3", 1) != 1)
		return 2;
	wait_with(&nobody, 1, 0, -1, 10000);
	right = signal_caught() == SIGINT && signal_reached(getpid()) && !signal_reached(other);
	kill(other, SIGKILL);
	return right ? 0 : 3;
}

static void the_terminal_sends_to_all(void **state)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY), status;
	pid_t pid;

	assert_int_equal(grantpt(terminal) ?: unlockpt(terminal), 0);
	pid = fork();
	if (!pid)
		_exit(ctrl_c(terminal));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(terminal);
}

/* By kill(1) alone we got it. */
static void kill_sends_to_one(void **state)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		signals_catch();
		raise(SIGINT);
		wait_with(&nobody, 1, 0, -1, 10000);
		_exit(signal_caught() != SIGINT || signal_reached(getpid()));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_passes),
		cmocka_unit_test(it_cannot_wait),
		cmocka_unit_test(the_reader_goes),
		cmocka_unit_test(there_is_room),
		cmocka_unit_test(the_reader_of_a_socket_goes),
		cmocka_unit_test(events_wait),
		cmocka_unit_test(a_process_ends),
		cmocka_unit_test(signals),
		cmocka_unit_test(nothing_is_measured),
		cmocka_unit_test(a_warning_waits),
		cmocka_unit_test(nohup),
		cmocka_unit_test(the_terminal_sends_to_all),
		cmocka_unit_test(kill_sends_to_one),
	};

	return cmocka_run_group_tests_name("wakeup", tests, NULL, NULL);
}
