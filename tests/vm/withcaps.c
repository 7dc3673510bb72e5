// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * withcaps UID CAPABILITY[,CAPABILITY...] COMMAND...: run it as UID with only these capabilities.
 */
#include <cap-ng.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 4)
		return 64;
	capng_clear(CAPNG_SELECT_ALL);
	for (char *name = strtok(argv[2], ","); name; name = strtok(NULL, ",")) {
		int cap = capng_name_to_capability(name);

		if (cap < 0 || capng_update(CAPNG_ADD,
					    CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_INHERITABLE |
						    CAPNG_BOUNDING_SET | CAPNG_AMBIENT,
					    (unsigned int)cap)) {
			fprintf(stderr, "withcaps: no such capability: %s\n", name);
			return 64;
		}
	}
	if (capng_change_id(atoi(argv[1]), atoi(argv[1]),
			    CAPNG_DROP_SUPP_GRP | CAPNG_CLEAR_BOUNDING) ||
	    capng_apply(CAPNG_SELECT_AMBIENT)) {
		perror("withcaps");
		return 1;
	}
	execvp(argv[3], &argv[3]);
	perror(argv[3]);
	return 1;
}
