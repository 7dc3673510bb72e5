// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/* Capabilities, BTF and lockdown: see can_trace.h. */
#include "sys/can_trace.h"
#include "sys/err.h"

#include <cap-ng.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char lockdown_path[] = "/sys/kernel/security/lockdown";

const char *missing_capabilities(void)
{
	static char names[64];

	if (capng_get_caps_process())
		return "";
	/* CAP_SYS_ADMIN includes both: bpf_token_capable(), bpf_capable() before 6.9. */
	if (capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN))
		return "";
	names[0] = '\0';
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_BPF))
		strcat(names, "CAP_BPF");
	if (!capng_have_capability(CAPNG_EFFECTIVE, CAP_PERFMON))
		strcat(names, names[0] ? ", CAP_PERFMON" : "CAP_PERFMON");
	return names;
}

bool in_user_namespace(void)
{
	static const ino_t first = 0xEFFFFFFD; /* the kernel's PROC_USER_INIT_INO */
	struct stat st;

	return !stat("/proc/self/ns/user", &st) && st.st_ino != first;
}

const char *lockdown_mode(void)
{
	static char mode[32];
	char line[128], *begin, *end;
	FILE *f = fopen(lockdown_path, "re");

	strcpy(mode, "unknown");
	if (!f)
		return mode;
	begin = fgets(line, sizeof(line), f) ? strchr(line, '[') : NULL;
	end = begin ? strchr(begin, ']') : NULL;
	if (end) {
		*end = '\0';
		snprintf(mode, sizeof(mode), "%s", begin + 1);
	}
	fclose(f);
	return mode;
}

int has_btf(void)
{
	return access(BTF_PATH, R_OK) == 0;
}

static int refused_by_lockdown(void)
{
	return fail(EXIT_ERROR,
		    "kernel lockdown forbids reading kernel memory; boot without lockdown=confidentiality",
		    "the kernel is locked down (confidentiality)");
}

/* Not what was done already, or cannot help here. */
static const char *how_to_get_capabilities(void)
{
	if (in_user_namespace())
		return "run it outside of this user namespace: its capabilities count only with a BPF token";
	if (!geteuid())
		return "root has lost it here: to a container, a bounding set, or a security module such as AppArmor";
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1)
		return "run it without no_new_privs, which makes sudo and file capabilities (setcap) useless";
	return "run it as root (sudo), or let one group execute it (chgrp, chmod 750) and "
	       "grant both: setcap cap_bpf,cap_perfmon+ep";
}

int check_access(void)
{
	const char *missing = missing_capabilities();

	if (missing[0])
		return fail(EXIT_ERROR, how_to_get_capabilities(), "missing capability: %s",
			    missing);
	if (!has_btf())
		return fail(EXIT_ERROR,
			    "the kernel needs CONFIG_DEBUG_INFO_BTF=y, and /sys must be mounted",
			    "this kernel has no BTF: %s: %s", BTF_PATH, strerror(errno));
	if (!strcmp(lockdown_mode(), "confidentiality"))
		return refused_by_lockdown();
	return 0;
}

int explain_refusal(int err, const char *what)
{
	if (err == -EPERM && in_user_namespace())
		return fail(EXIT_ERROR,
			    "run it outside of this user namespace, or with libbpf 1.5 or later and a "
			    "/sys/fs/bpf that delegates all of BPF to it",
			    "%s: capabilities of a user namespace count only with a BPF token: %s",
			    what, strerror(-err));
	if (err == -EPERM)
		return fail(EXIT_ERROR,
			    "a container, a seccomp filter, a security module (AppArmor, SELinux) or this kernel's "
			    "configuration forbids BPF tracing programs; uffdretry --probe shows more",
			    "%s: the kernel refuses although no capability is missing: %s", what,
			    strerror(-err));
	if (err == -EACCES)
		return fail(EXIT_ERROR,
			    "a security module (SELinux, AppArmor) or a seccomp filter may forbid it; -v shows "
			    "whether it is the verifier",
			    "%s: %s", what, strerror(-err));
	if (err == -EAGAIN)
		return fail(EXIT_ERROR,
			    "signals interrupted the verifier too often: try again without them (SIGSTOP, "
			    "cpulimit, a debugger)",
			    "%s: %s", what, strerror(-err));
	if (err == -EMFILE)
		return fail(EXIT_ERROR, MORE_FILES, "%s: %s", what, strerror(-err));
	if (err == -ENOMEM)
		return fail(EXIT_ERROR,
			    "to start, the tool needs 36 to 56 MiB, by its options, and 50 KiB for each CPU beyond "
			    "two: see memory.max of its cgroup",
			    "%s: %s", what, strerror(-err));
	return fail(EXIT_ERROR,
		    "-v shows the messages of libbpf and the verifier, uffdretry --probe what this kernel offers",
		    "%s: %s", what, strerror(-err));
}
