// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Messages on stderr (sys/stderr.c) whose reader has stopped: one waits a second, the others not. */
#include "lib/clock.h"
#include "sys/signals.h"
#include "sys/stderr.h"
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static int kept, fds[2];

/* stderr_begin(), and how long it took. */
static bool begin(__u64 *took_ns)
{
	const __u64 then = now_ns();
	bool may = stderr_begin();

	*took_ns = now_ns() - then;
	stderr_end();
	return may;
}

static void fill(void)
{
	static char bytes[1 << 20];

	assert_int_equal(fcntl(fds[1], F_SETFL, O_NONBLOCK), 0);
	assert_true(write(fds[1], bytes, sizeof(bytes)) > 0);
	assert_int_equal(fcntl(fds[1], F_SETFL, 0), 0);
}

static int on_a_pipe(void **state)
{
	kept = dup(STDERR_FILENO);
	return pipe(fds) || dup2(fds[1], STDERR_FILENO) < 0;
}

static int back(void **state)
{
	return dup2(kept, STDERR_FILENO) < 0;
}

/* In this order: the time that one may wait is used up. */
static void a_reader_that_stops(void **state)
{
	static char bytes[1 << 20];
	__u64 took;

	assert_true(begin(&took));
	fill();
	assert_false(begin(&took));
	assert_true(took >= 900000000 && took < 10000000000);
	assert_false(begin(&took));
	assert_true(took < 500000000);
	assert_true(read(fds[0], bytes, sizeof(bytes)) > 0);
	assert_true(begin(&took));
}

static void a_reader_that_is_gone(void **state)
{
	__u64 took;

	fill();
	close(fds[0]);
	assert_true(begin(&took)); /* write() tells */
}

/* They are blocked before and after. */
static void signals_come_in(void **state)
{
	signals_catch();
	raise(SIGTERM);
	assert_int_equal(signal_caught(), 0);
	stderr_begin();
	assert_int_equal(signal_caught(), SIGTERM);
	stderr_end();
	usleep(100000);
	raise(SIGINT); /* would kill */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reader_that_stops),
		cmocka_unit_test(a_reader_that_is_gone),
		cmocka_unit_test(signals_come_in),
	};

	return cmocka_run_group_tests_name("stderr", tests, on_a_pipe, back);
}
