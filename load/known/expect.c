// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What one UFFDIO_COPY must return, given what happens in one of its windows, and how it adds to the truth.
#include <errno.h>
#include <string.h>

#include "steps/arena.h"
#include "known/expect.h"

static int page_error(const struct copy_truth *copy, enum kernel_check check)
{
	if (reached_check(copy->window.class) && kernel_refuses(check, &copy->window))
		return EAGAIN;
	return copy->err;
}

/* Pages before the failing one make it a short copy: EAGAIN, whatever the page's own error was. */
struct rig_result expected_result(const struct copy_truth *copy, enum kernel_check check)
{
	int err = page_error(copy, check);
	size_t bytes = (err ? copy->held : strlen(copy->layout)) * (copy->window.kind == KIND_HUGETLB ? HUGE : PAGE);

	if (!err)
		return (struct rig_result) { .err = 0, .copied = (int64_t)bytes };
	if (bytes)
		return (struct rig_result) { .err = EAGAIN, .copied = (int64_t)bytes };
	return (struct rig_result) { .err = err, .copied = -err };
}

static void add_quiet(struct truth *truth, const struct copy_truth *copy, char letter)
{
	struct window_truth quiet = {
		.kind = copy->window.kind,
		.class = CLASS_QUIET,
		.external = copy->window.external,
	};

	if (letter != 'm' && letter != 'M')
		truth_add_window(truth, &quiet);
}

void add_copy_truth(struct truth *truth, const struct copy_truth *copy)
{
	struct rig_result result = expected_result(copy, truth->kernel_check);
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
