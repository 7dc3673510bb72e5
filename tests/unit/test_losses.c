// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Each loss, alone, is in the text, the JSON, the metrics and a diff. A new one is found by its enum. */
#include "canned.h"
#include "report/diff.h"
#include "report/json.h"
#include "report/openmetrics.h"
#include "report/saved.h"
#include "report/text.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

/* No other number of a run. */
#define LOST 54321

static struct counters c;
static struct report r;
static struct diff d;
static const struct span span = { .counters = &c, .elapsed_s = 1, .final = true };
static const char *name; /* of the loss */

static void expect_lost(const char *where, int fd)
{
	char *text = calloc(1, 1 << 20), what[128];

	assert_true(pread(fd, text, (1 << 20) - 1, 0) > 0);
	snprintf(what, sizeof(what), "%s in %s", name, where);
	expect_u64(what, strstr(text, "54321") != NULL, true);
	free(text);
}

/* What @print writes, which is closed. */
static void check_report(const char *where,
			 int (*print)(const struct report *, const struct span *))
{
	int fd = memfd_create("report", 0);

	r.out = fdopen(dup(fd), "w");
	assert_int_equal(print(&r, &span), 0);
	fclose(r.out);
	expect_lost(where, fd);
	close(fd);
}

static void check_metrics(void)
{
	char path[] = "/tmp/uffdretry-losses-XXXXXX";
	int fd = mkstemp(path);

	assert_int_equal(report_openmetrics(&r, &span, path), 0);
	close(fd);
	fd = open(path, O_RDONLY);
	expect_lost("the metrics", fd);
	close(fd);
	unlink(path);
}

static void check_diff(void)
{
	int record = memfd_create("record", 0), fd = memfd_create("diff", 0);
	char path[64];
	FILE *out = fdopen(dup(fd), "w");

	r.out = fdopen(dup(record), "w");
	assert_int_equal(json_span(&r, &span), 0);
	fclose(r.out);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", record);
	for (int i = 0; i < 2; i++) {
		d.names[i] = path;
		assert_int_equal(saved_read(&d.runs[i], path), 0);
	}
	assert_int_equal(text_diff(out, &d), 0);
	fclose(out);
	expect_lost("a diff", fd);
	for (int i = 0; i < 2; i++)
		saved_free(&d.runs[i]);
	close(record);
	close(fd);
}

/* The loss number @i; NULL: there are no more. */
static __u64 *loss(int i)
{
	__u64 *const others[] = {
		&c.totals.anomalies,
		&c.totals.windows[KIND_ANON][CLASS_UNDETERMINED],
		&c.recursion,
		&c.rehooks,
		&c.failures.stopped[FAIL_ENOENT][SITE_UNKNOWN],
		&c.failures.holders_lost,
		&c.failures.chains_lost,
		&c.totals.writers.other,
	};

	name = "another";
	if (i < (int)COUNT(others))
		return others[i];
	i -= COUNT(others);
	if (i < NR_LOST_CAUSES) {
		name = lost_names[i];
		return &c.totals.lost[i];
	}
	i -= NR_LOST_CAUSES - 1; /* the first costs nothing */
	if (i == NR_SKIP_COSTS)
		return NULL;
	name = skipped_names[i];
	return &c.skipped[i];
}

static void each_is_told(void **state)
{
	for (int nr = 0; loss(nr); nr++) {
		memset(&c, 0, sizeof(c));
		r = canned_report(NULL);
		r.writers = canned_writers(&c);
		r.verbose = true;
		memset(&c, 0, sizeof(c));
		*loss(nr) = LOST;
		/* These windows get their class. */
		c.totals.windows[KIND_ANON][CLASS_UNDETERMINED] += c.totals.lost[LOST_WINDOWS];
		check_report("the text", text_summary);
		check_report("the JSON", json_span);
		check_metrics();
		check_diff();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_told),
	};

	return cmocka_run_group_tests_name("losses", tests, NULL, NULL);
}
