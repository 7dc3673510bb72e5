/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Directories in which anybody may put names: nobody can trust them. */
#ifndef STICKY_H
#define STICKY_H

#include <stdbool.h>

/* in_sticky_directory() - is @path in one, such as /tmp? Where that cannot be found out it counts as being in one. */
bool in_sticky_directory(const char *path);

#endif /* STICKY_H */
