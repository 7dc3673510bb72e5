// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The file of metrics (report/openmetrics.c, sys/output.c): each number in its place, escaped, and
 * no partial file. "test_openmetrics write FACTOR SPURIOUS FILE" writes the canned counters times
 * FACTOR, and SPURIOUS spurious EAGAINs under the per-MM check: tests/prom feeds them to a
 * Prometheus.
 */
#include "canned.h"
#include "report/openmetrics.h"
#include "unit.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *release = "7.3.4-cloud-amd64";

/* Instead of the system's: a release with every character that must be escaped. */
int uname(struct utsname *uts)
{
	memset(uts, 0, sizeof(*uts));
	snprintf(uts->release, sizeof(uts->release), "%s", release);
	return 0;
}

static struct counters c;
static char dir[] = "/tmp/test_openmetrics.XXXXXX";
static char path[64];

static int set_up(void **state)
{
	canned_counters(&c);
	for (__u64 i = 0; i < NR_CLASSES; i++) {
		c.hists[KIND_ANON][i].sum = 1000 * (101 + i);
		c.hists[KIND_SHMEM][i].sum = 1000000 * (1001 + 2 * i);
	}
	strcpy(dir, "/tmp/test_openmetrics.XXXXXX");
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/metrics.prom", dir);
	return 0;
}

/* How many entries the directory has: a temporary file must not be one of them. */
static int entries(void)
{
	DIR *d = opendir(dir);
	int n = 0;

	while (d && readdir(d))
		n++;
	closedir(d);
	return n - 2;
}

static int tear_down(void **state)
{
	remove(path);
	return rmdir(dir); /* fails when anything is left */
}

static struct report canned(enum seq_kind seq)
{
	struct report r = canned_report(NULL);

	r.seq = seq;
	return r;
}

static int write_file(enum seq_kind seq, bool final)
{
	const struct report r = canned(seq);
	const struct span s = { .counters = &c, .elapsed_s = 12.5, .final = final };

	return report_openmetrics(&r, &s, path);
}

static char *content(void)
{
	static char text[65536];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	if (f)
		fclose(f);
	text[n] = '\0';
	return text;
}

/* @line, whole, is in the file. */
static bool has(const char *line)
{
	size_t n = strlen(line);

	for (const char *p = content(); (p = strstr(p, line)); p++)
		if (p[n] == '\n' && (p == content() || p[-1] == '\n'))
			return true;
	return false;
}

static void expect(const char *line)
{
	if (!has(line))
		expect_str("missing", line, content());
}

static void expect_none(const char *text)
{
	if (strstr(content(), text))
		expect_str("unwanted", text, content());
}

static void every_number(void **state)
{
	static const char *const lines[] = {
		"# TYPE uffdretry_windows_total counter",
		"uffdretry_running 1",
		"uffdretry_traced_seconds_total 12.500000",
		"uffdretry_copy_calls_total{result=\"ok\"} 4990",
		"uffdretry_copy_calls_total{result=\"EAGAIN\"} 9",
		"uffdretry_copy_calls_total{result=\"ENOENT\"} 4",
		"uffdretry_copy_calls_total{result=\"EFAULT\"} 0",
		"uffdretry_copied_bytes_total 20475904",
		"uffdretry_windows_total{class=\"quiet\",kind=\"anon\"} 101",
		"uffdretry_windows_total{class=\"locked\",kind=\"anon\"} 103",
		"uffdretry_windows_total{class=\"undetermined\",kind=\"shmem\"} 1023",
		"uffdretry_copy_eagain_total{cause=\"entry_mmap_changing\"} 501",
		"uffdretry_copy_eagain_total{cause=\"snapshot\"} 506",
		"uffdretry_copy_eagain_total{cause=\"short_copy\"} 509",
		"uffdretry_windows_open 414",
		"uffdretry_windows_judged_total 8900",
		"uffdretry_check_eagain_total{check=\"per_mm_seq\",outcome=\"real\"} 342",
		"uffdretry_check_eagain_total{check=\"per_mm_seq\",outcome=\"spurious\"} 343",
		"uffdretry_check_missed_total{check=\"per_mm_seq\"} 344",
		"uffdretry_check_missed_total{check=\"kernel\"} 354",
		"uffdretry_odd_start_windows_total 401",
		"uffdretry_external_windows_total 402",
		"uffdretry_anomalies_total 403",
		/* 112 + 1023 undetermined, 412 without memory, 421 missing at most. */
		"uffdretry_windows_lost_total 1968",
		"uffdretry_program_runs_skipped_total 413",
		"uffdretry_calls_lost_total 422",
		"uffdretry_calls_of_pages_lost_total 423",
		"uffdretry_children_lost_total 425",
		"uffdretry_unmaps_lost_total 424",
		"uffdretry_chains_lost_total 553",
		"uffdretry_events_lost_total{kind=\"events\"} 415",
		"uffdretry_events_lost_total{kind=\"changing_events\"} 416",
		"uffdretry_events_lost_total{kind=\"copy_events\"} 417",
	};
	size_t n;

	assert_int_equal(write_file(SEQ_COUNT, false), 0);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		expect(lines[i]);
	n = strlen(content());
	assert_string_equal(content() + n - 6, "# EOF\n");
	/* The canned run has no hook for hugetlb destinations, and none for writers. */
	expect_none("hugetlb");
	expect_none("write_sections");
	assert_int_equal(write_file(SEQ_COUNT, true), 0);
	expect("uffdretry_running 0");
}

/* Failures: of the other fill ioctls, by who raised the event, and the time lost. */
static void failures(void **state)
{
	static const char *const lines[] = {
		"uffdretry_fill_calls_total{ioctl=\"move\",result=\"ok\"} 531",
		"uffdretry_fill_calls_total{ioctl=\"move\",result=\"EAGAIN\"} 532",
		"uffdretry_fill_calls_total{ioctl=\"move\",result=\"EINVAL\"} 533",
		"uffdretry_fill_calls_total{ioctl=\"zeropage\",result=\"EAGAIN\"} 534",
		"uffdretry_fill_calls_total{ioctl=\"continue\",result=\"EAGAIN\"} 0",
		"uffdretry_fill_eagain_total{ioctl=\"move\",cause=\"mmap_changing\"} 532",
		"uffdretry_fill_eagain_total{ioctl=\"move\",cause=\"other\"} 0",
		"uffdretry_fill_eagain_total{ioctl=\"zeropage\",cause=\"other\"} 534",
		"uffdretry_mmap_changing_raised_total{op=\"fork\"} 601",
		"uffdretry_mmap_changing_raised_total{op=\"unmap\"} 604",
		"uffdretry_mmap_changing_held_seconds_total{op=\"remap\"} 612.000000000",
		"uffdretry_mmap_changing_refused_calls_total{op=\"remove\"} 623",
		"uffdretry_mmap_changing_refused_calls_total{op=\"unseen\"} 543",
		"uffdretry_mmap_changing_refused_calls_total{op=\"stuck\"} 544",
		"uffdretry_chains_total 551",
		"uffdretry_chains_open 557",
		"uffdretry_chain_seconds_total 0.000000554",
	};

	assert_int_equal(write_file(SEQ_COUNT, false), 0);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		expect(lines[i]);
	/* No ioctl returns these two. */
	expect_none("untold");
	expect_none("EINTR");
}

/*
 * 102 windows in the bucket of 1,000 ns (896 ... 1023), 1,003 in that of 1 ms (917,504 ...
 * 1,048,575).
 */
static void histogram(void **state)
{
	static const char *const lines[] = {
		"# UNIT uffdretry_window_duration_seconds seconds",
		"uffdretry_window_duration_seconds_bucket{class=\"unrelated\",le=\"0.000001023\"} 102",
		"uffdretry_window_duration_seconds_bucket{class=\"unrelated\",le=\"0.000262143\"} 102",
		"uffdretry_window_duration_seconds_bucket{class=\"unrelated\",le=\"0.001048575\"} 1105",
		"uffdretry_window_duration_seconds_bucket{class=\"unrelated\",le=\"17.179869183\"} 1105",
		"uffdretry_window_duration_seconds_bucket{class=\"unrelated\",le=\"+Inf\"} 1105",
		"uffdretry_window_duration_seconds_sum{class=\"unrelated\"} 1.003102000",
		"uffdretry_window_duration_seconds_count{class=\"unrelated\"} 1105",
	};

	assert_int_equal(write_file(SEQ_COUNT, false), 0);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		expect(lines[i]);
	expect_none("duration_seconds_bucket{class=\"undetermined\"");
}

/*
 * Writers by operation, of all processes: ten munmappers, one replaced, have 300 - 45 sections
 * together.
 */
static void write_sections(void **state)
{
	struct report r = canned(SEQ_COUNT);
	const struct span s = { .counters = &c, .elapsed_s = 12.5 };

	r.writers = canned_writers(&c);
	assert_int_equal(report_openmetrics(&r, &s, path), 0);
	expect("uffdretry_write_sections_total{op=\"munmap\"} 228");
	expect("uffdretry_write_sections_total{op=\"madvise\"} 18446744073709551615");
	expect("uffdretry_write_sections_total{op=\"unseen\"} 1903");
	expect("uffdretry_write_sections_total{op=\"unlisted\"} 1905");
	expect_none("munmapper");
	expect("uffdretry_watched_write_sections_total 4215");
	expect("uffdretry_watched_seconds_total 4.000000000");
	expect_none("uffdretry_held");
	r.relock = true;
	assert_int_equal(report_openmetrics(&r, &s, path), 0);
	expect("uffdretry_held_write_sections_total 432");
	expect("uffdretry_held_seconds_total 0.018705600");
	r.seq = SEQ_NONE;
	assert_int_equal(report_openmetrics(&r, &s, path), 0);
	expect_none("uffdretry_watched");
	expect_none("uffdretry_held");
}

/* A value at each bound, and one above it: "le" is inclusive. */
static void bounds_are_inclusive(void **state)
{
	memset(&c, 0, sizeof(c));
	for (int k = 10; k <= 34; k += 2) {
		c.hists[KIND_ANON][CLASS_QUIET].count[hist_bucket((1ULL << k) - 1)]++;
		c.hists[KIND_ANON][CLASS_QUIET].count[hist_bucket(1ULL << k)]++;
	}
	assert_int_equal(write_file(SEQ_COUNT, false), 0);
	for (int k = 10; k <= 34; k += 2) {
		char line[128];
		__u64 ns = (1ULL << k) - 1;

		snprintf(line, sizeof(line),
			 "uffdretry_window_duration_seconds_bucket{class=\"quiet\",le=\"%llu.%09llu\"} %d",
			 ns / 1000000000, ns % 1000000000, k - 9);
		expect(line);
	}
	expect("uffdretry_window_duration_seconds_bucket{class=\"quiet\",le=\"+Inf\"} 26");
}

/* Without mm_lock_seq in the kernel these metrics are absent. */
static void absent_not_zero(void **state)
{
	assert_int_equal(write_file(SEQ_NONE, false), 0);
	expect("uffdretry_check_eagain_total{check=\"snapshot\",outcome=\"real\"} 312");
	expect_none("per_mm_seq");
	expect_none("per_vma_seq");
	expect_none("odd_start");
	expect_none("class=\"locked\"");
}

static void labels_are_escaped(void **state)
{
	release = "a\"b\\c\nd\x1b\xc2\x9b\xff";
	assert_int_equal(write_file(SEQ_COUNT, false), 0);
	if (!strstr(content(),
		    ",kernel=\"a\\\"b\\\\c\\nd??\xef\xbf\xbd\",plan=\"retry_state\",exact=\"true\","
		    "self_test=\"passed\"} 1\n"))
		expect_str("labels", "escaped", content());
	release = "7.3.4-cloud-amd64";
}

static void replaced_and_readable(void **state)
{
	mode_t mask = umask(022);
	struct stat then, now;

	assert_int_equal(write_file(SEQ_COUNT, false), 0);
	assert_int_equal(stat(path, &then), 0);
	assert_int_equal(then.st_mode & 0777, 0644);
	assert_int_equal(write_file(SEQ_COUNT, false), 0);
	assert_int_equal(stat(path, &now), 0);
	umask(mask);
	assert_int_not_equal(then.st_ino, now.st_ino);
	assert_int_equal(entries(), 1);
}

/* A write that fails half way leaves the old file unchanged and no temporary one. */
static void full_disk(void **state)
{
	const struct rlimit little = { 4096, 4096 };
	struct stat then, now;

	assert_int_equal(write_file(SEQ_COUNT, false), 0);
	assert_int_equal(stat(path, &then), 0);
	if (fork() == 0) {
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &little);
		_exit(write_file(SEQ_COUNT, false) == -1 && errno == EFBIG ? 0 : 1);
	} else {
		int status = -1;

		wait(&status);
		assert_int_equal(status, 0);
	}
	assert_int_equal(stat(path, &now), 0);
	assert_int_equal(then.st_ino, now.st_ino);
	assert_int_equal(entries(), 1);
}

static void only_regular_files(void **state)
{
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(write_file(SEQ_COUNT, false), -1);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(entries(), 1);
	remove(path);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(write_file(SEQ_COUNT, false), -1);
	assert_int_equal(errno, EISDIR);
	assert_int_equal(entries(), 1);
	remove(path);
	strcat(path, "/no/such/directory");
	assert_int_equal(write_file(SEQ_COUNT, false), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(entries(), 0);
}

static int write_canned(const char *factor, const char *spurious, const char *file)
{
	__u64 *p = (__u64 *)&c;
	struct report r = canned(SEQ_COUNT);
	const struct span s = { .counters = &c, .elapsed_s = 100 * atof(factor) };

	if (set_up(NULL) || rmdir(dir))
		return 1;
	r.writers = canned_writers(&c);
	c.writers[3].sections = 27;
	for (size_t i = 0; i < sizeof(c) / sizeof(*p); i++)
		p[i] *= strtoull(factor, NULL, 10);
	c.totals.checks[CHECK_PER_MM_SEQ].spurious = strtoull(spurious, NULL, 10);
	return report_openmetrics(&r, &s, file) ? 1 : 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(every_number, set_up, tear_down),
		cmocka_unit_test_setup_teardown(failures, set_up, tear_down),
		cmocka_unit_test_setup_teardown(histogram, set_up, tear_down),
		cmocka_unit_test_setup_teardown(write_sections, set_up, tear_down),
		cmocka_unit_test_setup_teardown(bounds_are_inclusive, set_up, tear_down),
		cmocka_unit_test_setup_teardown(absent_not_zero, set_up, tear_down),
		cmocka_unit_test_setup_teardown(labels_are_escaped, set_up, tear_down),
		cmocka_unit_test_setup_teardown(replaced_and_readable, set_up, tear_down),
		cmocka_unit_test_setup_teardown(full_disk, set_up, tear_down),
		cmocka_unit_test_setup_teardown(only_regular_files, set_up, tear_down),
	};

	if (argc == 5 && !strcmp(argv[1], "write"))
		return write_canned(argv[2], argv[3], argv[4]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
