// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// The truth of `uffdload causes`: causes, refusals, and chains by a model of its own.
#ifndef UFFDLOAD_CAUSES_TRUTH_H
#define UFFDLOAD_CAUSES_TRUTH_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a copy must end. Names are those of docs/reference/json.md. */
struct ending {
	int err;	    /* of the ioctl, 0: all went through */
	uint64_t copied;    /* bytes before it stopped; then err is EAGAIN */
	const char *stop;   /* the error that stopped it */
	const char *site;   /* where in the call */
	const char *window; /* class of the window of the page where it ended, or NULL */
	uint64_t installed; /* bytes that went through though the call failed */
	bool refused;	    /* by mmap_changing */
	bool no_address;    /* the kernel could not read the argument */
};

struct open_chain {
	uint64_t dst;
	uint64_t length;
};

#define OPEN_CHAINS_MAX 4096

struct causes_truth {
	bool untold; /* this kernel does not tell which errno stopped a short copy at a page */
	uint64_t calls;
	uint64_t bytes;
	uint64_t windows;
	uint64_t raised;
	uint64_t refused;
	uint64_t chains;
	uint64_t chains_lost;
	uint64_t ended;
	uint64_t longest;
	uint64_t reissued;
	uint64_t reopened;
	uint64_t retried;
	uint64_t succeeded;
	struct open_chain open[OPEN_CHAINS_MAX];
	size_t nr_open;
	const char *holder; /* who raised mmap_changing last */
	struct json_object *returned, *classes, *causes, *short_copy, *fills, *holders;
};

/* A copy of len bytes to dst ended so. */
void causes_add(struct causes_truth *truth, uint64_t dst, uint64_t len, const struct ending *e);
/* mmap_changing was raised by "OP/SYSCALL/ADVICE". */
void causes_raised(struct causes_truth *truth, const char *holder);
/* A fill ioctl other than UFFDIO_COPY ended so: "ok", "mmap_changing" or the name of an errno. */
void causes_fill(struct causes_truth *truth, const char *name, const char *how);
/* One line on stdout. 0 or -1. */
int causes_print(struct causes_truth *truth, uint64_t failures);

#endif
