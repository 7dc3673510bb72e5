/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* What json-c is to accept in tests: JSON as the standard has it, in valid UTF-8. */
#ifndef STRICT_H
#define STRICT_H

#include <json-c/json.h>

/* 0.18 refuses every character beyond ASCII when it is to be strict (json-c issue 875). */
static inline int strict_json(void)
{
	int strict = json_c_version_num() >> 8 == 18 ? 0 : JSON_TOKENER_STRICT;

	return strict | JSON_TOKENER_VALIDATE_UTF8;
}

#endif /* STRICT_H */
