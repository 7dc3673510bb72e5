/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* What the fuzz targets share: the input as values, and tests of text. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A finding: libFuzzer keeps the input. */
#define demand(holds)                                                               \
	do {                                                                        \
		if (holds)                                                          \
			break;                                                      \
		fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #holds); \
		abort();                                                            \
	} while (0)

struct bytes {
	const uint8_t *next;
	size_t left;
};

/* The next @size bytes; zeros behind the end. */
static inline void take(struct bytes *b, void *to, size_t size)
{
	size_t n = size < b->left ? size : b->left;

	memset(to, 0, size);
	if (n)
		memcpy(to, b->next, n);
	b->next += n;
	b->left -= n;
}

static inline uint8_t take_byte(struct bytes *b)
{
	uint8_t byte;

	take(b, &byte, 1);
	return byte;
}

/* The length of the UTF-8 sequence at @s, 0: invalid. Decodes and encodes it, unlike json.c. */
static inline size_t sequence(const unsigned char *s, size_t left)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80	     ? 1
		   : s[0] >> 5 == 6  ? 2
		   : s[0] >> 4 == 14 ? 3
		   : s[0] >> 3 == 30 ? 4
				     : 0;
	uint32_t point = n == 1 ? s[0] : s[0] & (0x7fU >> n);

	if (!n || n > left)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		point = point << 6 | (s[i] & 0x3f);
	}
	if (point < least[n] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
		return 0;
	return n;
}

/* Valid UTF-8 without control characters other than newlines. */
static inline void demand_harmless(const char *text, size_t size)
{
	const unsigned char *s = (const unsigned char *)text;

	for (size_t i = 0, n; i < size; i += n) {
		n = sequence(s + i, size - i);
		demand(n);
		demand(n > 1 || s[i] == '\n' || (s[i] >= ' ' && s[i] != 0x7f));
		demand(n != 2 || s[i] != 0xc2 || s[i + 1] >= 0xa0);
	}
}

#endif /* FUZZ_H */
