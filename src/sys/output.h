/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* The files that the tool writes: whole records in --output and --trace, others replaced in one step. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include "sys/directory.h"

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

/* A file that is being replaced. */
struct replace {
	struct directory directory; /* and the name in it */
	char *temporary;	    /* a name there: rename(2) works within one file system */
	FILE *out;
	bool written; /* it is whole, and has only to get the name */
};

/* A file of records; zero when it is not a regular file, which none of the functions below minds. */
struct output {
	FILE *file;
	const char *path;
	bool made;   /* by us */
	bool named;  /* when it was opened */
	off_t whole; /* bytes of whole records */
	bool beside; /* the records are in a temporary file until they are whole */
	int lock;    /* then: keeps that of the file, whose descriptor the other one has taken */
	struct replace replace;
};

/*
 * output_open() - open @path for writing, as the user that we act for (rights.h). What it holds
 * stays until output_begin(). In a shared directory (directory.h), refuse a link, another user's file, and a file
 * with a second name; on the way there, a link. A FIFO without a reader is ENXIO, a file
 * that another run writes EBUSY.
 * Returns NULL with errno set.
 */
FILE *output_open(struct output *o, const char *path);

/* Does the file hold something, which must not be lost to a run that never begins? */
bool output_holds_more(const struct output *o);

/*
 * output_begin() - the report begins. What a regular file holds stays until output_end(), where we
 * can make a file with its owner, group and mode beside it, and neither has an access control list.
 * Else it is emptied. Returns 0, or -1 with errno set.
 */
int output_begin(struct output *o);

/*
 * output_end() - the report is whole, and replaces what the file held. Returns 0, or -1 with errno
 * set; the report then stays where output_left() tells. ENOENT: the file was removed meanwhile.
 */
int output_end(struct output *o);

/*
 * output_reached() - did the file system take all of @out, which stays open? One of a network may tell
 * only when a descriptor is closed. Returns 0, or -1 with errno set.
 */
int output_reached(FILE *out);

/* Where a report is that did not get into the file; NULL when it did, or is empty. Static. */
const char *output_left(const struct output *o);

/* ... and is it whole there? */
bool output_left_whole(const struct output *o);

/* Do @out and @path name the same regular file? */
bool output_is(FILE *out, const char *path);

/* ... @out and @fd? */
bool output_is_fd(FILE *out, int fd);

/* All that was written so far is whole records, and flushed. */
void output_is_whole(struct output *o);

/* Writing failed: remove what came after the last output_is_whole(). */
void output_cut(struct output *o);

/* The run failed: remove what we made, if it is empty. */
void output_discard(struct output *o);

/*
 * replace_begin() - open a temporary file PATH.XXXXXX, which a textfile collector ignores; write to
 * @r->out. It has the mode that creat(2) gives for @mode. A @path that exists must be a regular
 * file, and in a shared directory ours. Returns 0, or -1 with errno set.
 */
int replace_begin(struct replace *r, const char *path, mode_t mode);

/*
 * replace_end() - rename the temporary file to the path. Nothing is synced. The file of the last call
 * stays locked while we run, and output_open() of another run refuses it.
 * Returns 0, or -1 with errno set, the temporary file removed and the old content untouched. EBUSY:
 * another run writes the file.
 */
int replace_end(struct replace *r);

#endif /* OUTPUT_H */
