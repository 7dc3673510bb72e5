// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* An output that never waits: see stream.h. */
#include "sys/stream.h"
#include "sys/signals.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* So much a terminal takes when it is ready; it makes two bytes of a newline. */
#define TERMINAL_ROOM 64

static struct stream {
	int fd;
	bool is_socket, is_pipe;
	size_t room; /* for a write when it is ready: more could wait. 0: no write waits */
	char *bytes; /* that wait: from @sent to @end */
	size_t sent, end, size;
} stream = { .fd = -1 };

static bool is_ready(void)
{
	struct pollfd fd = { .fd = stream.fd, .events = POLLOUT };

	return poll(&fd, 1, 0) > 0;
}

/*
 * How many of @n bytes go in one write. A pipe takes PIPE_BUF bytes whole or not at all: so many
 * whole lines have nothing of COMMAND's between their parts.
 */
static size_t portion(const char *bytes, size_t n)
{
	const char *end;

	if (!stream.is_pipe || n <= PIPE_BUF)
		return n;
	end = memrchr(bytes, '\n', PIPE_BUF) ?: memchr(bytes, '\n', n);
	return end ? (size_t)(end - bytes) + 1 : n;
}

/* As write(2); EAGAIN when that would wait. */
static ssize_t put(const char *bytes, size_t n)
{
	const struct iovec one = { (void *)bytes, n };
	ssize_t done;

	if (stream.is_socket)
		return send(stream.fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (!stream.room)
		return write(stream.fd, bytes, n);
	/*
	 * A pipe that is not a FIFO, since 6.4. With the others, whoever else writes there can take
	 * the room after we looked.
	 */
	done = pwritev2(stream.fd, &one, 1, -1, RWF_NOWAIT);
	if (done >= 0 || errno != EOPNOTSUPP)
		return done;
	if (!is_ready()) {
		errno = EAGAIN;
		return -1;
	}
	return write(stream.fd, bytes, n < stream.room ? n : stream.room);
}

int stream_send(void)
{
	struct stream *s = &stream;
	ssize_t n;

	while (s->sent < s->end) {
		n = put(s->bytes + s->sent, portion(s->bytes + s->sent, s->end - s->sent));

		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0 && errno != EINTR)
			break;
		if (n > 0)
			s->sent += (size_t)n;
	}
	n = s->sent < s->end ? -1 : 0;
	s->sent = s->end = 0;
	return (int)n;
}

/* Make room for @n bytes more. Returns 0, or -1 with errno set. */
static int reserve(size_t n)
{
	struct stream *s = &stream;
	char *bytes;

	if (s->sent) {
		memmove(s->bytes, s->bytes + s->sent, s->end - s->sent);
		s->end -= s->sent;
		s->sent = 0;
	}
	if (n <= s->size - s->end)
		return 0;
	bytes = realloc(s->bytes, 2 * (s->end + n));
	if (!bytes)
		return -1;
	s->bytes = bytes;
	s->size = 2 * (s->end + n);
	return 0;
}

/* Of the FILE. Returns @n, or 0 with errno set. */
static ssize_t take(void *cookie, const char *bytes, size_t n)
{
	(void)cookie;
	if (reserve(n))
		return 0;
	memcpy(stream.bytes + stream.end, bytes, n);
	stream.end += n;
	return stream_send() ? 0 : (ssize_t)n;
}

static int forget(void *cookie)
{
	(void)cookie;
	free(stream.bytes);
	if (!stream.room)
		close(stream.fd);
	stream = (struct stream) { .fd = -1 };
	return 0;
}

/*
 * Open what @fd is once more, without waiting: O_NONBLOCK of @fd itself would be COMMAND's too, and
 * that of whoever else writes there. Returns -1 where we may not: it is another user's (su).
 */
static int open_again(int fd)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
}

/* The master of a pseudoterminal: opened again, it is another terminal. */
static bool is_master(int fd)
{
	int number;

	return !ioctl(fd, TIOCGPTN, &number);
}

FILE *stream_open(int fd)
{
	const cookie_io_functions_t io = { .write = take, .close = forget };
	struct stat st;
	int own = -1;

	if (fstat(fd, &st))
		return NULL;
	if (S_ISFIFO(st.st_mode) || (isatty(fd) && !is_master(fd)))
		own = open_again(fd);
	stream = (struct stream) { .fd = own < 0 ? fd : own,
				   .is_socket = S_ISSOCK(st.st_mode),
				   .is_pipe = S_ISFIFO(st.st_mode),
				   .room = own >= 0	? 0
					   : isatty(fd) ? TERMINAL_ROOM
							: PIPE_BUF };
	return fopencookie(NULL, "w", io);
}

int stream_fd(void)
{
	return stream.fd;
}

size_t stream_waiting(void)
{
	return stream.end - stream.sent;
}

int stream_finish(int patience_ms)
{
	const struct timespec patience = { patience_ms / 1000, patience_ms % 1000 * 1000000L };
	struct pollfd fd = { .fd = stream.fd, .events = POLLOUT };
	const bool caught = signal_caught();
	int ready;

	for (;;) {
		if (stream_send())
			return -1;
		if (!stream_waiting())
			return 0;
		ready = ppoll(&fd, 1, &patience, signals_unblocked());
		/* By a second signal that came with the first, or it would have killed. */
		if (ready < 0 && errno == EINTR && caught)
			continue;
		if (!ready)
			errno = ETIMEDOUT;
		if (ready <= 0)
			return -1;
	}
}
