// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The hypervisor's signature: see hypervisor.h. */
#include "sys/hypervisor.h"

#include <string.h>

#ifdef __x86_64__
#include <cpuid.h>

const char *hypervisor(char text[HYPERVISOR_LEN])
{
	unsigned int a, words[3], c, d;

	__cpuid(1, a, words[0], c, d);
	if (!(c >> 31)) /* reserved to say so */
		return NULL;
	__cpuid(0x40000000, a, words[0], words[1], words[2]);
	memcpy(text, words, sizeof(words));
	text[sizeof(words)] = '\0';
	return text[0] ? text : NULL;
}
#else
const char *hypervisor(char text[HYPERVISOR_LEN])
{
	(void)text;
	return NULL;
}
#endif
