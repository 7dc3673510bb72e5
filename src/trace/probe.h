/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* --probe: what works here, as text or JSON; also what to paste in a bug report. */
#ifndef PROBE_H
#define PROBE_H

#include "sys/options.h"

#include <stdio.h>

/* Print it to @out. Returns 0 when some plan works here, else EXIT_ERROR. */
int probe(const struct options *o, FILE *out);

#endif /* PROBE_H */
