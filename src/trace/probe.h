/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* --probe: what works on this machine, as text or JSON. Bug reports should contain it. */
#ifndef PROBE_H
#define PROBE_H

#include "sys/options.h"
#include "sys/output.h"

#include <stdio.h>

/* probe() - print it to @out, the file of @output. Returns 0 when a plan works here, else EXIT_ERROR. */
int probe(const struct options *o, FILE *out, struct output *output);

#endif /* PROBE_H */
