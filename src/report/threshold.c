// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* --fail-above: see threshold.h. */
#include "report/threshold.h"
#include "counters/counters.h"
#include "report/format.h"
#include "sys/err.h"

static int too_many(__u64 spurious, __u64 reached, double rate)
{
	return fail(EXIT_THRESHOLD, NULL,
		    "a per-MM check would needlessly fail %s of %llu windows: more than %s",
		    PERCENT(share_of(spurious, reached)), reached, PERCENT(rate));
}

int threshold_judge(const struct counters *c, double rate)
{
	const __u64 reached = windows_reached(&c->totals), missing = windows_missing(c);
	const __u64 spurious = c->totals.checks[CHECK_PER_MM_SEQ].spurious;

	/* The answer is JSON or text already. */
	err_json(NULL);
	if (!reached && !missing)
		return fail(EXIT_NOT_JUDGED, "trace longer, or what copies with userfaultfd",
			    "--fail-above cannot be judged: no window reached a check");
	if (c->totals.anomalies)
		return fail(EXIT_NOT_JUDGED, "please report them",
			    "--fail-above cannot be judged: %llu anomalies", c->totals.anomalies);
	if (c->skipped[COSTS_CHILD])
		return fail(EXIT_NOT_JUDGED, "trace it by -p or -c",
			    "--fail-above cannot be judged: children of COMMAND are missing");
	if (c->rehooks)
		return fail(EXIT_NOT_JUDGED, "let no other tracer start or end meanwhile",
			    "--fail-above cannot be judged: other BPF programs came or left, or may "
			    "have, and nobody knows how many calls that cost");
	/* What is missing decides only where it would change the answer. */
	if ((double)spurious > rate * (double)(reached + missing))
		return too_many(spurious, reached, rate);
	if ((double)(spurious + missing) > rate * (double)(reached + missing))
		return fail(EXIT_NOT_JUDGED, "the summary tells what was lost",
			    "--fail-above cannot be judged: %llu of %llu windows are spurious, "
			    "and up to %llu are missing",
			    spurious, reached, missing);
	return EXIT_DONE;
}
