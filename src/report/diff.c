// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* The command `uffdretry diff`: see diff.h. */
#include "report/diff.h"
#include "sys/err.h"
#include "sys/records.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int print(const struct report *to, const void *data)
{
	return to->json ? json_diff(to->out, data) : text_diff(to->out, data);
}

int diff_files(struct sink *sink, const char *const files[2])
{
	struct diff *d = calloc(1, sizeof(*d));
	int err = 0;

	if (!d)
		return fail(EXIT_ERROR, NULL, "diff: %s", strerror(ENOMEM));
	for (int i = 0; i < 2 && !err; i++) {
		d->names[i] = records_name(files[i]);
		err = saved_read(&d->runs[i], files[i]);
	}
	err = err ?: sink_print(sink, print, d);
	for (int i = 0; i < 2; i++)
		saved_free(&d->runs[i]);
	free(d);
	return err;
}
