/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* The one place that knows the version. */
#ifndef VERSION_H
#define VERSION_H

#define UFFDRETRY_VERSION "0.1.0"

#endif /* VERSION_H */
