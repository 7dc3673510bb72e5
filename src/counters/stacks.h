/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/* Stacks of the writers met in windows: the rows of the BPF programs, and what they read like. */
#ifndef STACKS_H
#define STACKS_H

#include "uffdretry.h"

#include <stdbool.h>
#include <stddef.h>

/* The programs are off: nothing changes any more. */
struct stacks {
	const struct stack_row *rows;	/* MAX_STACKS of them, by id */
	const struct stack_name *names; /* MAX_STACK_NAMES of them, by id */
};

/* The longest text of a frame: a path and an offset. */
#define FRAME_TEXT (NAME_LEVELS * (NAME_PART + 1) + 40)

/* stacks_sort() - the ids of the stacks that windows met, most sections first. Returns how many. */
int stacks_sort(const struct stacks *s, int ids[MAX_STACKS]);

/* The frames of @row that are the writer's: without those of the tracing itself. The outermost is 0. */
int stacks_user_frames(const struct stack_row *row);
int stacks_kernel_frames(const struct stacks *s, const struct stack_row *row);

/*
 * stacks_user_frame() - "/usr/lib/libx.so.1+0x1234", an offset into the file; with @base only
 * "libx.so.1+0x1234"; "0x7f0012345678" of what is mapped from no file. Any bytes may be in it.
 */
void stacks_user_frame(const struct stacks *s, const struct stack_row *row, int frame, bool base,
		       char text[FRAME_TEXT]);

/* stacks_kernel_frame() - "do_munmap", or "[unknown]" where there was no room for its name. */
void stacks_kernel_frame(const struct stacks *s, const struct stack_row *row, int frame,
			 char text[FRAME_TEXT]);

#endif /* STACKS_H */
