/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* `uffdretry list`: one line, or one member of a JSON record, for each holder of a userfaultfd. */
#ifndef LIST_H
#define LIST_H

#include "report/report.h"
#include "sys/uffd_list.h"

/* Returns 0, or -1 with errno set. With @brief the PIDs alone, one a line. */
int report_list(const struct report *r, const struct uffd_list *l, bool brief);

#endif /* LIST_H */
