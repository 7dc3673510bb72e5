// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What a time depends on: the machine, its kernel, its mitigations, its clock, and its load.
#ifndef UFFDLOAD_HOST_H
#define UFFDLOAD_HOST_H

#include <json-c/json.h>

/* docs/development/loads.md has the members. What cannot be read is null. */
struct json_object *host_json(void);

#endif
