/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* The file of --output: opened with care, and nothing but whole records left in it. */
#ifndef OUTPUT_H
#define OUTPUT_H

#include <stdio.h>

/*
 * output_open() - open @path for writing, as the user that we act for (rights.h).
 * In a sticky directory, such as /tmp, neither a link is followed nor a file taken that is somebody else's or has a
 * second name. What a regular file held is dropped. Returns NULL with errno set.
 */
FILE *output_open(const char *path);

/* What was written so far is whole, and flushed. */
void output_is_whole(void);

/* Writing failed: take back what came after the last output_is_whole(). */
void output_cut(void);

/* The run failed: a file that we made and that holds nothing goes. Else, and on files that are no regular ones, nothing. */
void output_discard(void);

#endif /* OUTPUT_H */
