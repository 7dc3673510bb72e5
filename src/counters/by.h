/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* --by: the table of targets as it was read, and the lines that a report shows of it. */
#ifndef BY_H
#define BY_H

#include "uffdretry.h"

/* So many lines are in the JSON; the others are summed. */
#define BY_SHOWN 1024

/* The rows at one moment. Large: the caller allocates it, and only with --by. */
struct by_table {
	__u32 nr; /* rows that were read, row 0 included */
	/* What the loader found out after the programs had counted, of no target that is known: */
	__u64 unseen;	/* more windows */
	__u64 doubtful; /* windows that are undetermined, and so not needless, after all */
	struct by_row rows[BY_ROWS + 1];
};

struct by_line {
	const struct by_row *who; /* NULL: several */
	__u64 calls;
	__u64 eagain;
	__u64 windows;
	__u64 needless;
	__u64 p99_ns; /* of the windows' lengths, to within a quarter; 0: not known */
};

struct by_list {
	int nr;
	struct by_line lines[BY_ROWS];
	int others;	      /* targets that are in @other */
	struct by_line other; /* also what has no row */
};

/*
 * by_list_make() - what was counted from @then (NULL: the start) to @now, at most @max lines of
 * targets that have a count. Most EAGAIN first: these somebody has paid for. Then most needless ones
 * under a per-MM check, most windows, most calls, and the order of their appearance. The lines and
 * @other sum to the totals of the same reading.
 */
void by_list_make(struct by_list *l, const struct by_table *now, const struct by_table *then,
		  int max);

/* by_list_cut() - sum the lines beyond @max into @other, whose p99 is then not known. */
void by_list_cut(struct by_list *l, int max);

#endif /* BY_H */
