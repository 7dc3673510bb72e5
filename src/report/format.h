/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Numbers and strings as the text report shows them: short, with a unit, safe on a terminal. */
#ifndef FORMAT_H
#define FORMAT_H

#include <linux/types.h>
#include <stdbool.h>
#include <stdio.h>

#define COLUMNS 80 /* the width of the text report */

/* @k / @n, or 0 when @n is 0. */
double share_of(__u64 k, __u64 n);

/* Each of these fills @text and returns it. */

/* The share @p as a percentage; a small one keeps two digits, so that it never reads as zero. */
const char *format_percent(double p, char *text, size_t size);
/* Nanoseconds as three digits and a unit. */
const char *format_duration(__u64 ns, char *text, size_t size);
/* A number of bytes with a binary unit. */
const char *format_bytes(__u64 n, char *text, size_t size);
/* @n in at most @width (6 or more) characters: exact, or three digits and a unit. */
const char *format_count(__u64 n, int width, char *text, size_t size);

/* The same as expressions. The text lives as long as the enclosing block. */
#define FORMAT(format, ...) format(__VA_ARGS__, (char[24]) { 0 }, 24)
#define PERCENT(p) FORMAT(format_percent, p)
#define DURATION(ns) FORMAT(format_duration, ns)
#define BYTES(n) FORMAT(format_bytes, n)
#define COUNT_IN(n, width) FORMAT(format_count, n, width)
#define N(n) COUNT_IN(n, 8)

/* Append to @text what fits of @more. Each byte that is not printable ASCII becomes '?'. */
void append_printable(char *text, size_t size, const char *more);
/* The same into an empty @text. */
void printable(char *text, size_t size, const char *from);

/* A list that continues on the next line, @indent deep, where it would leave the screen. */
struct list {
	FILE *out;
	int indent;
	int column; /* 0 before the first item, whose line is already indented */
};

void list_add(struct list *l, const char *text);

/* Print @text between the columns @indent and COLUMNS, word by word. */
void print_wrapped(FILE *out, const char *text, int indent);

#endif /* FORMAT_H */
