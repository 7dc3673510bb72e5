// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * The report as OpenMetrics 1.0 (docs/reference/metrics.md). One exception: TYPE and HELP of a
 * counter name its sample, _total included, because node_exporter reads only the Prometheus text
 * format and would lose both.
 */
#include "report/openmetrics.h"
#include "counters/counters.h"
#include "lib/hist.h"
#include "sys/json_lines.h"
#include "sys/output.h"
#include "version.h"

#include <errno.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

/* Results that exist from the start: a counter that appears late loses its first increase. */
static const unsigned int usual_results[] = { 0,      EAGAIN, ENOENT, EEXIST, EFAULT,
					      ENOMEM, EINVAL, ESRCH,  ENOSPC };

static void family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# TYPE %s %s\n# HELP %s %s\n", name, type, name, help);
}

/* Does a control character begin here, in valid UTF-8? U+0080 to U+009F are some. */
static bool is_control(const char *text)
{
	const unsigned char *c = (const unsigned char *)text;

	return c[0] < ' ' || c[0] == 0x7f || (c[0] == 0xc2 && c[1] < 0xa0);
}

/* NAME="VALUE", escaped: valid UTF-8 whatever the bytes, and no control characters. */
static void label(FILE *out, const char *name, const char *value)
{
	struct json_object *text = json_text(value);

	fprintf(out, "%s=\"", name);
	for (const char *p = text ? json_object_get_string(text) : ""; *p; p++) {
		if (*p == '\n')
			fputs("\\n", out);
		else if (*p == '"' || *p == '\\')
			fprintf(out, "\\%c", *p);
		else if (!is_control(p))
			fputc(*p, out);
		else {
			fputc('?', out);
			p += (unsigned char)*p == 0xc2;
		}
	}
	fputc('"', out);
	json_object_put(text);
}

static void plain(FILE *out, const char *name, const char *type, const char *help, __u64 value)
{
	family(out, name, type, help);
	fprintf(out, "%s %llu\n", name, value);
}

/* Nanoseconds as seconds, without loss. */
static void seconds(FILE *out, __u64 ns)
{
	fprintf(out, "%llu.%09llu", ns / 1000000000, ns % 1000000000);
}

static void counted_seconds(FILE *out, const char *name, const char *help, __u64 ns)
{
	family(out, name, "counter", help);
	fprintf(out, "%s ", name);
	seconds(out, ns);
	fputc('\n', out);
}

static void build_info(const struct report *r)
{
	struct utsname uts;

	uname(&uts);
	family(r->out, "uffdretry_build_info", "gauge",
	       "Always 1. Which tool, kernel and plan the numbers come from.");
	fputs("uffdretry_build_info{", r->out);
	label(r->out, "version", UFFDRETRY_VERSION);
	fputc(',', r->out);
	label(r->out, "kernel", uts.release);
	fputc(',', r->out);
	label(r->out, "plan", r->plan);
	fputc(',', r->out);
	label(r->out, "exact", r->exact ? "true" : "false");
	fputc(',', r->out);
	label(r->out, "self_test", r->self_test);
	fputs("} 1\n", r->out);
}

static void run_state(const struct report *r, const struct span *s)
{
	plain(r->out, "uffdretry_running", "gauge",
	      "1 while the tool traces, 0 in the file that it leaves behind.", !s->final);
	family(r->out, "uffdretry_traced_seconds_total", "counter", "Seconds traced.");
	fprintf(r->out, "uffdretry_traced_seconds_total %.6f\n", s->elapsed_s);
}

static void copy_calls(FILE *out, const struct totals *t)
{
	bool done[NR_RETURNED] = {};

	family(out, "uffdretry_copy_calls_total", "counter",
	       "UFFDIO_COPY calls that returned, by result.");
	for (size_t i = 0; i < sizeof(usual_results) / sizeof(usual_results[0]); i++) {
		unsigned int e = usual_results[i];

		done[e] = true;
		fprintf(out, "uffdretry_copy_calls_total{result=\"%s\"} %llu\n", returned_name(e),
			t->returned[e]);
	}
	for (unsigned int e = 0; e < NR_RETURNED; e++)
		if (t->returned[e] && !done[e] && returned_name(e))
			fprintf(out, "uffdretry_copy_calls_total{result=\"%s\"} %llu\n",
				returned_name(e), t->returned[e]);
}

static void copy_eagain(FILE *out, const struct failures *f)
{
	family(out, "uffdretry_copy_eagain_total", "counter",
	       "UFFDIO_COPY calls that failed with EAGAIN, by cause.");
	for (int i = 0; i < NR_EAGAIN_CAUSES; i++)
		fprintf(out, "uffdretry_copy_eagain_total{cause=\"%s\"} %llu\n", cause_names[i],
			failures_of_cause(f, (enum eagain_cause)i));
}

static void fill_result(FILE *out, int fill, const char *result, __u64 n)
{
	fprintf(out, "uffdretry_fill_calls_total{ioctl=\"%s\",result=\"%s\"} %llu\n",
		fill_names[fill], result, n);
}

static void fill_calls(FILE *out, const struct failures *f)
{
	family(out, "uffdretry_fill_calls_total", "counter",
	       "Calls of the other ioctls that fill memory that returned, by result.");
	for (int i = 0; i < NR_FILLS; i++) {
		fill_result(out, i, "ok", f->fills[i].ok);
		for (int e = 0; e < NR_FAIL_ERRNOS; e++) {
			__u64 n = f->fills[i].failed[e];

			if (e == FAIL_EAGAIN)
				n += f->fills[i].mmap_changing;
			/* These two are results of short copies. */
			if (n || (e != FAIL_EINTR && e != FAIL_UNTOLD))
				fill_result(out, i, fail_errno_names[e], n);
		}
	}
}

static void fill_eagain(FILE *out, const struct failures *f)
{
	static const char *const name = "uffdretry_fill_eagain_total";

	family(out, name, "counter", "Of these, calls that failed with EAGAIN, by cause.");
	for (int i = 0; i < NR_FILLS; i++) {
		fprintf(out, "%s{ioctl=\"%s\",cause=\"mmap_changing\"} %llu\n", name, fill_names[i],
			f->fills[i].mmap_changing);
		fprintf(out, "%s{ioctl=\"%s\",cause=\"other\"} %llu\n", name, fill_names[i],
			f->fills[i].failed[FAIL_EAGAIN]);
	}
}

/* NAME{op="OP"}, before a value. */
static void of_op(FILE *out, const char *name, const char *op)
{
	fprintf(out, "%s{op=\"%s\"} ", name, op);
}

static void refused_calls(FILE *out, const struct failures *f)
{
	static const char *const name = "uffdretry_mmap_changing_refused_calls_total";

	family(out, name, "counter",
	       "Calls that an unread event failed with EAGAIN, by the operation that raised it.");
	for (int i = 0; i < NR_CHANGING_OPS; i++) {
		of_op(out, name, changing_op_names[i]);
		fprintf(out, "%llu\n", f->op_refused[i]);
	}
	of_op(out, name, "unseen");
	fprintf(out, "%llu\n", f->refused_unseen);
	of_op(out, name, "stuck");
	fprintf(out, "%llu\n", f->refused_stuck);
}

static void pending_events(FILE *out, const struct failures *f)
{
	static const char *const raised = "uffdretry_mmap_changing_raised_total",
				 *const held = "uffdretry_mmap_changing_held_seconds_total";

	family(out, raised, "counter", "Events that raised mmap_changing, by operation.");
	for (int i = 0; i < NR_CHANGING_OPS; i++) {
		of_op(out, raised, changing_op_names[i]);
		fprintf(out, "%llu\n", f->op_raised[i]);
	}
	family(out, held, "counter",
	       "Seconds that an event held mmap_changing until it was read, by operation.");
	for (int i = 0; i < NR_CHANGING_OPS; i++) {
		of_op(out, held, changing_op_names[i]);
		seconds(out, f->op_held_ns[i]);
		fputc('\n', out);
	}
	refused_calls(out, f);
}

/* Sections of one operation, of all processes: a label for each would make series without end. */
static __u64 sections_of(const struct report *r, const struct counters *c, const char *op, int from)
{
	struct writer_text text;
	__u64 n = 0;

	for (int i = from; i < MAX_WRITERS; i++) {
		if (!r->writers[i].used)
			continue;
		writer_describe(&r->writers[i].key, &text);
		if (!strcmp(text.op, op))
			n += c->writers[i].sections;
	}
	return n;
}

static bool op_came_before(const struct report *r, const char *op, int before)
{
	struct writer_text text;

	for (int i = 0; i < before; i++) {
		if (!r->writers[i].used)
			continue;
		writer_describe(&r->writers[i].key, &text);
		if (!strcmp(text.op, op))
			return true;
	}
	return false;
}

static void write_section(FILE *out, const char *op, __u64 n)
{
	fputs("uffdretry_write_sections_total{", out);
	label(out, "op", op);
	fprintf(out, "} %llu\n", n);
}

static void write_sections(const struct report *r, const struct counters *c)
{
	struct writer_text text;

	if (!r->writers)
		return;
	family(r->out, "uffdretry_write_sections_total", "counter",
	       "Times that mmap_lock was held for write in retry windows, by operation.");
	for (int i = 0; i < MAX_WRITERS; i++) {
		if (!r->writers[i].used)
			continue;
		writer_describe(&r->writers[i].key, &text);
		if (!op_came_before(r, text.op, i))
			write_section(r->out, text.op, sections_of(r, c, text.op, i));
	}
	write_section(r->out, "unseen", c->totals.writers.unseen);
	write_section(r->out, "unlisted", c->totals.writers.other);
}

/* Their ratios are S and D of per_mm in the summary. */
static void watched_sections(const struct report *r, const struct totals *t)
{
	if (!r->writers || r->seq == SEQ_NONE)
		return;
	plain(r->out, "uffdretry_watched_write_sections_total", "counter",
	      "Times that mmap_lock was held for write between retry windows.",
	      t->passed_steps / 2);
	counted_seconds(r->out, "uffdretry_watched_seconds_total",
			"Seconds from the first retry window of each process to its last.",
			t->passed_ns);
	if (!r->relock)
		return;
	plain(r->out, "uffdretry_held_write_sections_total", "counter",
	      "Times that mmap_lock was held for write, with begin and end seen.", t->held);
	counted_seconds(r->out, "uffdretry_held_seconds_total",
			"Seconds that mmap_lock was held for write in these.", t->held_ns);
}

static void chains(FILE *out, const struct counters *c)
{
	plain(out, "uffdretry_chains_total", "counter",
	      "Pages that UFFDIO_COPY failed to fill at least once.", c->failures.chains);
	plain(out, "uffdretry_chains_open", "gauge", "Of these, pages that nobody has filled yet.",
	      c->chains_open);
	counted_seconds(out, "uffdretry_chain_seconds_total",
			"Seconds lost: from the first failure of each page until it was filled.",
			c->failures.chain_lost_ns);
}

static void windows(const struct report *r, const struct totals *t)
{
	family(r->out, "uffdretry_windows_total", "counter",
	       "Retry windows of UFFDIO_COPY, by class and destination.");
	for (enum dst_kind kind = 0; kind < NR_KINDS; kind++)
		for (enum window_class i = 0; i < NR_CLASSES; i++)
			if (report_sees(r, kind) && report_tells_class(r, i))
				fprintf(r->out,
					"uffdretry_windows_total{class=\"%s\",kind=\"%s\"} %llu\n",
					class_names[i], kind_names[kind], t->windows[kind][i]);
}

/*
 * The bounds are 2^k - 1 ns, where buckets of struct hist end, so the cumulative counts are exact.
 * They are a factor of four apart, which makes 14 series a class.
 */
static void class_durations(FILE *out, const char *class, const struct hist *h)
{
	__u64 below = 0;
	__u32 bucket = 0;

	for (int k = 10; k <= 34; k += 2) {
		for (; hist_max(bucket) < 1ULL << k; bucket++)
			below += h->count[bucket];
		fprintf(out, "uffdretry_window_duration_seconds_bucket{class=\"%s\",le=\"", class);
		seconds(out, (1ULL << k) - 1);
		fprintf(out, "\"} %llu\n", below);
	}
	fprintf(out, "uffdretry_window_duration_seconds_bucket{class=\"%s\",le=\"+Inf\"} %llu\n",
		class, hist_count(h));
	fprintf(out, "uffdretry_window_duration_seconds_sum{class=\"%s\"} ", class);
	seconds(out, h->sum);
	fprintf(out, "\nuffdretry_window_duration_seconds_count{class=\"%s\"} %llu\n", class,
		hist_count(h));
}

/* Undetermined windows have no duration: their end was lost. */
static void window_durations(const struct report *r, const struct counters *c)
{
	FILE *out = r->out;
	struct hist h;

	family(out, "uffdretry_window_duration_seconds", "histogram",
	       "Durations of retry windows, by class.");
	fputs("# UNIT uffdretry_window_duration_seconds seconds\n", out);
	for (enum window_class i = 0; i < NR_CLASSES; i++) {
		if (i == CLASS_UNDETERMINED || !report_tells_class(r, i))
			continue;
		hist_of_class(c, i, &h);
		class_durations(out, class_names[i], &h);
	}
}

static void check_eagain(FILE *out, const char *check, const char *outcome, __u64 n)
{
	fprintf(out, "uffdretry_check_eagain_total{check=\"%s\",outcome=\"%s\"} %llu\n", check,
		outcome, n);
}

static void checks(const struct report *r, const struct totals *t)
{
	plain(r->out, "uffdretry_windows_judged_total", "counter",
	      "Windows that the checks judged: the denominator of the next two.",
	      windows_reached(t));
	family(r->out, "uffdretry_check_eagain_total", "counter",
	       "Windows that each check fails, or would fail: a real change, or spurious.");
	for (enum check i = 0; i < NR_CHECKS; i++) {
		if (!report_tells_check(r, i))
			continue;
		check_eagain(r->out, check_names[i], "real", t->checks[i].real);
		check_eagain(r->out, check_names[i], "spurious", t->checks[i].spurious);
	}
	family(r->out, "uffdretry_check_missed_total", "counter",
	       "Windows with a real change that each check lets pass.");
	for (enum check i = 0; i < NR_CHECKS; i++)
		if (report_tells_check(r, i))
			fprintf(r->out, "uffdretry_check_missed_total{check=\"%s\"} %llu\n",
				check_names[i], t->checks[i].missed);
}

static void lost(FILE *out, const struct counters *c)
{
	plain(out, "uffdretry_program_runs_skipped_total", "counter",
	      "Runs of tracing programs that the kernel skipped.", c->recursion);
	plain(out, "uffdretry_windows_lost_total", "counter",
	      "Windows that are undetermined, and at most so many that are missing.",
	      windows_missing(c));
	plain(out, "uffdretry_calls_lost_total", "counter",
	      "At most so many calls are missing, with their results.", c->skipped[COSTS_CALL]);
	if (c->rehooks != REHOOKS_UNTOLD)
		plain(out, "uffdretry_rehooks_total", "counter",
		      "Times that other BPF programs came to our functions or left: calls in them are lost.",
		      c->rehooks);
	plain(out, "uffdretry_calls_of_pages_lost_total", "counter",
	      "At most so many calls whose pages are missing in the bytes copied.",
	      c->skipped[COSTS_PAGES]);
	plain(out, "uffdretry_children_lost_total", "counter",
	      "At most so many children of COMMAND are missing, with all that they did.",
	      c->skipped[COSTS_CHILD]);
	plain(out, "uffdretry_failures_unexplained_total", "counter",
	      "Failed calls and short copies without a cause.", failures_unexplained(&c->failures));
	plain(out, "uffdretry_holders_lost_total", "counter",
	      "Events that raised mmap_changing, and found no place in the list of holders.",
	      c->failures.holders_lost);
	plain(out, "uffdretry_unmaps_lost_total", "counter",
	      "At most so many unmaps are missing: replaced windows look tolerated or locked.",
	      c->skipped[COSTS_UNMAP]);
	plain(out, "uffdretry_chains_lost_total", "counter",
	      "Failures that are in no chain: no place, fork() was not done, or no errno is told.",
	      c->failures.chains_lost);
	family(out, "uffdretry_events_lost_total", "counter",
	       "With --events or --trace: records that are missing, by kind.");
	for (enum lost_cause i = LOST_EVENTS; i <= LOST_COPY_EVENTS; i++)
		fprintf(out, "uffdretry_events_lost_total{kind=\"%s\"} %llu\n", lost_names[i],
			c->totals.lost[i]);
}

static void write_metrics(const struct report *r, const struct span *s)
{
	const struct counters *c = s->counters;

	build_info(r);
	run_state(r, s);
	copy_calls(r->out, &c->totals);
	plain(r->out, "uffdretry_copied_bytes_total", "counter", "Bytes that UFFDIO_COPY copied.",
	      c->totals.bytes);
	copy_eagain(r->out, &c->failures);
	fill_calls(r->out, &c->failures);
	fill_eagain(r->out, &c->failures);
	pending_events(r->out, &c->failures);
	chains(r->out, c);
	windows(r, &c->totals);
	plain(r->out, "uffdretry_windows_open", "gauge", "Retry windows open at present.", c->open);
	window_durations(r, c);
	checks(r, &c->totals);
	write_sections(r, c);
	watched_sections(r, &c->totals);
	if (r->seq == SEQ_COUNT)
		plain(r->out, "uffdretry_odd_start_windows_total", "counter",
		      "Windows that began inside a write section.", c->totals.odd_start);
	plain(r->out, "uffdretry_external_windows_total", "counter",
	      "Windows whose copier is in another process than the destination.",
	      c->totals.external);
	plain(r->out, "uffdretry_anomalies_total", "counter",
	      "Windows whose facts contradict each other; must be 0.", c->totals.anomalies);
	lost(r->out, c);
	fputs("# EOF\n", r->out);
}

int report_openmetrics(const struct report *r, const struct span *s, const char *path)
{
	struct report to_file = *r;
	struct replace file;

	/* As any new file: the collector is another user. */
	if (replace_begin(&file, path, 0666))
		return -1;
	to_file.out = file.out;
	write_metrics(&to_file, s);
	return replace_end(&file);
}
