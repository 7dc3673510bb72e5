// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Which pages of this process are mapped, as /proc/self/pagemap tells every user.
#ifndef UFFDLOAD_PAGEMAP_H
#define UFFDLOAD_PAGEMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A descriptor or -errno. */
int pagemap_open(void);
/* present[i]: whether the page i after AT is mapped. 0 or -errno. */
int pagemap_read(int fd, const void *at, size_t pages, bool *present);
/* How many of these pages are mapped, or -errno. */
long pagemap_count(int fd, const void *at, size_t pages);

#endif
