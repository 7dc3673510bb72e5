// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What one UFFDIO_COPY must return, given what happens in one of its windows, and how it adds to
// the truth.
#include <errno.h>
#include <string.h>

#include "steps/arena.h"
#include "known/expect.h"

static int page_error(const struct expected_copy *copy, enum truth_kernel check)
{
	if (truth_reached_check(copy->window.class) && truth_kernel_refuses(check, &copy->window))
		return EAGAIN;
	return copy->err;
}

/* Pages before the failing one make it a short copy: EAGAIN, whatever the page's own error was. */
struct rig_result expect_result(const struct expected_copy *copy, enum truth_kernel check)
{
	int err = page_error(copy, check);
	size_t page_size = copy->window.kind == TRUTH_KIND_HUGETLB ? HUGE : PAGE;
	size_t bytes = (err ? copy->held : strlen(copy->layout)) * page_size;

	if (!err)
		return (struct rig_result) { .err = 0, .copied = (int64_t)bytes };
	if (bytes)
		return (struct rig_result) { .err = EAGAIN, .copied = (int64_t)bytes };
	return (struct rig_result) { .err = err, .copied = -err };
}

static void add_quiet(struct truth *truth, const struct expected_copy *copy, char letter)
{
	struct truth_window quiet = {
		.kind = copy->window.kind,
		.class = TRUTH_QUIET,
		.external = copy->window.external,
	};

	if (letter != 'm' && letter != 'M')
		truth_add_window(truth, &quiet);
}

void expect_add(struct truth *truth, const struct expected_copy *copy)
{
	struct rig_result result = expect_result(copy, truth->kernel_check);
	size_t i;

	truth_add_copy(truth, result.err, bytes_copied(result));
	for (i = 0; i < copy->held; i++)
		add_quiet(truth, copy, copy->layout[i]);
	truth_add_window(truth, &copy->window);
	for (i = copy->held + 1; !result.err && copy->layout[i]; i++)
		add_quiet(truth, copy, copy->layout[i]);
}

uint64_t bytes_copied(struct rig_result result)
{
	return result.copied > 0 ? (uint64_t)result.copied : 0;
}
