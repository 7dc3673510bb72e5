// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * An output that never waits (sys/stream.c): a reader that does not read, reads late, or is gone;
 * on a pipe, on one that cannot be opened again, on a socket and on a terminal.
 */
#include "sys/stream.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <termios.h>
#include <unistd.h>

static bool cannot_open; /* /proc/self/fd */

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

int __wrap_open(const char *path, int flags, ...)
{
	errno = EACCES;
	return cannot_open ? -1 : __real_open(path, flags);
}

#define MUCH (1 << 20) /* more than any of them holds */

/* A record for its place @at, so that a missing one shows. */
static char byte_at(size_t at)
{
	return (char)('a' + at / 7 % 26);
}

/* Write @n bytes from @at on. False: an error. */
static bool writes(FILE *f, size_t at, size_t n)
{
	for (size_t i = at; i < at + n; i++)
		putc(byte_at(i), f);
	return !fflush(f) && !ferror(f);
}

static size_t got; /* bytes that were read, in order */

/* Read what is there now. */
static void reads(int fd)
{
	char bytes[4096];
	ssize_t n;

	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		for (ssize_t i = 0; i < n; i++)
			assert_int_equal(bytes[i], byte_at(got++));
	assert_int_equal(errno, EAGAIN);
}

/* @from and @to are the two ends. */
static void a_reader_that_stops(int from, int to)
{
	FILE *f = stream_open(to);
	int flags = fcntl(to, F_GETFL);

	alarm(20); /* where it waits, the test would never end */
	got = 0;
	assert_non_null(f);
	assert_int_equal(stream_waiting(), 0);
	assert_true(writes(f, 0, MUCH));
	assert_true(stream_waiting() > 0);
	assert_true(stream_waiting() < MUCH);
	assert_true(writes(f, MUCH, 100)); /* the caller should not, and may */
	assert_int_equal(stream_finish(20), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_int_equal(fcntl(to, F_GETFL), flags); /* it is others', too */
	while (stream_waiting()) {
		reads(from);
		assert_int_equal(stream_send(), 0);
	}
	assert_int_equal(stream_finish(0), 0);
	reads(from);
	assert_int_equal(got, MUCH + 100);
	fclose(f);
	alarm(0);
}

static void make_pipe(int fds[2])
{
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
}

static void on_a_pipe(void **state)
{
	int fds[2];

	for (int again = 0; again < 2; again++) {
		cannot_open = again;
		make_pipe(fds);
		a_reader_that_stops(fds[0], fds[1]);
		close(fds[0]);
		close(fds[1]);
	}
	cannot_open = false;
}

/* Where a pipe is full before all is written, it has whole lines. */
static void lines_on_a_pipe(void **state)
{
	char bytes[2 * PIPE_BUF];
	FILE *f;
	int fds[2];

	make_pipe(fds);
	assert_int_equal(fcntl(fds[1], F_SETPIPE_SZ, PIPE_BUF), PIPE_BUF);
	f = stream_open(fds[1]);
	for (int i = 0; i < 10; i++)
		fprintf(f, "%999d\n", i);
	assert_false(fflush(f));
	for (int want = 4000, left = 10000; left; want = left < 4000 ? left : 4000) {
		assert_int_equal(stream_waiting(), left - want);
		assert_int_equal(read(fds[0], bytes, sizeof(bytes)), want);
		assert_int_equal(bytes[want - 1], '\n');
		left -= want;
		assert_int_equal(stream_send(), 0);
	}
	fclose(f);
	close(fds[0]);
	close(fds[1]);
}

static int others_fill = -1; /* a pipe: between a look at it and the write */

int __real_poll(struct pollfd *fds, nfds_t nr, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t nr, int timeout);

int __wrap_poll(struct pollfd *fds, nfds_t nr, int timeout)
{
	char page[PIPE_BUF] = { 0 };
	int ready = __real_poll(fds, nr, timeout);

	while (others_fill >= 0 && write(others_fill, page, sizeof(page)) > 0)
		;
	return ready;
}

/* As COMMAND, which has the same pipe. Since 6.4, and not with a FIFO. */
static void somebody_else_fills_the_pipe(void **state)
{
	const struct iovec byte = { (void *)"", 1 };
	char path[32];
	int fds[2];
	FILE *f;

	make_pipe(fds);
	if (pwritev2(fds[1], &byte, 1, -1, RWF_NOWAIT) != 1)
		skip();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[1]);
	others_fill = __real_open(path, O_WRONLY | O_NONBLOCK);
	assert_true(others_fill >= 0);
	cannot_open = true;
	f = stream_open(fds[1]);
	alarm(20);
	assert_true(writes(f, 0, 100));
	alarm(0);
	cannot_open = false;
	close(others_fill);
	others_fill = -1;
	fclose(f);
	close(fds[0]);
	close(fds[1]);
}

static void on_a_socket(void **state)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	a_reader_that_stops(fds[0], fds[1]);
	close(fds[0]);
	close(fds[1]);
}

/* As after Ctrl-S. */
static void on_this_terminal(void)
{
	int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK), end;
	struct termios t;

	assert_int_equal(grantpt(terminal) ?: unlockpt(terminal), 0);
	end = __real_open(ptsname(terminal), O_RDWR | O_NOCTTY);
	assert_int_equal(tcgetattr(end, &t), 0);
	cfmakeraw(&t);
	assert_int_equal(tcsetattr(end, TCSANOW, &t), 0);
	a_reader_that_stops(terminal, end);
	close(end);
	close(terminal);
}

/* Also after su: the terminal is another user's. */
static void on_a_terminal(void **state)
{
	on_this_terminal();
	cannot_open = true;
	on_this_terminal();
	cannot_open = false;
}

static void the_reader_is_gone(void **state)
{
	int fds[2];
	FILE *f;

	make_pipe(fds);
	f = stream_open(fds[1]);
	assert_true(writes(f, 0, MUCH));
	close(fds[0]);
	assert_int_equal(stream_finish(10000), -1);
	assert_int_equal(errno, EPIPE);
	assert_int_equal(stream_waiting(), 0);
	assert_false(writes(f, 0, 1));
	fclose(f);
	close(fds[1]);
}

static void on_signal(int sig)
{
	(void)sig;
}

/* It does not wait longer for a signal than for a reader. */
static void a_signal_comes(void **state)
{
	const struct sigaction sa = { .sa_handler = on_signal };
	int fds[2];
	FILE *f;

	make_pipe(fds);
	f = stream_open(fds[1]);
	assert_true(writes(f, 0, MUCH));
	sigaction(SIGALRM, &sa, NULL);
	ualarm(50000, 0);
	assert_int_equal(stream_finish(20000), -1);
	assert_int_equal(errno, EINTR);
	signal(SIGALRM, SIG_DFL);
	close(fds[0]);
	close(fds[1]);
	assert_int_equal(stream_send(), -1);
	fclose(f);
}

/* Not one that a reader could hold, and an error at once. */
static void a_device(void **state)
{
	int fd = __real_open("/dev/full", O_WRONLY);
	FILE *f = stream_open(fd);

	assert_false(writes(f, 0, 10));
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(stream_waiting(), 0);
	fclose(f);
	close(fd);
	assert_null(stream_open(fd));
	assert_int_equal(errno, EBADF);
}

static int set_up(void **state)
{
	signal(SIGPIPE, SIG_IGN);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(on_a_pipe),
		cmocka_unit_test(lines_on_a_pipe),
		cmocka_unit_test(on_a_socket),
		cmocka_unit_test(on_a_terminal),
		cmocka_unit_test(the_reader_is_gone),
		cmocka_unit_test(a_signal_comes),
		cmocka_unit_test(a_device),
		cmocka_unit_test(somebody_else_fills_the_pipe),
	};

	return cmocka_run_group_tests_name("stream", tests, set_up, NULL);
}
