// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// splitmix64: the loads' own random numbers, so that a seed gives the same run everywhere.
#ifndef UFFDLOAD_PRNG_H
#define UFFDLOAD_PRNG_H

#include <stdint.h>

struct prng {
	uint64_t state;
};

static inline uint64_t prng_next(struct prng *prng)
{
	uint64_t z = prng->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

/* 0 to n - 1. The bias of the modulo is far too small to matter here. */
static inline uint32_t prng_below(struct prng *prng, uint32_t n)
{
	return (uint32_t)(prng_next(prng) % n);
}

#endif
