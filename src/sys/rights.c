// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * Whose rights: see rights.h. Users and groups come from /etc/passwd and /etc/group, not from the
 * name service, for which a static program would load modules of another libc. A user of a
 * directory service alone keeps the ids that sudo gives, and only its first group.
 */
#include "sys/rights.h"
#include "sys/err.h"

#include <cap-ng.h>
#include <ctype.h>
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static struct user {
	bool other; /* than who we are */
	uid_t uid;
	gid_t gid;
	gid_t groups[NGROUPS_MAX];
	size_t nr_groups;
	char name[64]; /* "" without an entry in /etc/passwd */
	char home[PATH_MAX];
	char shell[PATH_MAX];
	char number[16];
} user;

/* Our own rights, while we act as the user. */
static struct {
	uid_t uid;
	gid_t gid;
	gid_t groups[NGROUPS_MAX];
	int nr_groups;
	void *capabilities; /* libcap-ng's */
} ours;

/* The entry of @name, without a name of @uid, or NULL. Valid until the next call. */
static const struct passwd *find_passwd(const char *name, uid_t uid)
{
	FILE *f = fopen("/etc/passwd", "re");
	struct passwd *p = NULL;

	if (!f)
		return NULL;
	while ((p = fgetpwent(f)))
		if (name ? !strcmp(p->pw_name, name) : p->pw_uid == uid)
			break;
	fclose(f);
	return p;
}

static bool is_member(const struct group *g, const char *name)
{
	for (char **m = g->gr_mem; *m; m++)
		if (!strcmp(*m, name))
			return true;
	return false;
}

static void find_groups(struct user *u)
{
	FILE *f = fopen("/etc/group", "re");
	struct group *g;

	u->groups[u->nr_groups++] = u->gid;
	if (!f)
		return;
	while (u->name[0] && u->nr_groups < NGROUPS_MAX && (g = fgetgrent(f)))
		if (g->gr_gid != u->gid && is_member(g, u->name))
			u->groups[u->nr_groups++] = g->gr_gid;
	fclose(f);
}

static void take_passwd(struct user *u, const struct passwd *p)
{
	snprintf(u->name, sizeof(u->name), "%s", p->pw_name);
	snprintf(u->home, sizeof(u->home), "%s", p->pw_dir);
	snprintf(u->shell, sizeof(u->shell), "%s", p->pw_shell);
}

/* A user or group id in the environment. Returns 0 or -1. */
static int id_of(const char *variable, unsigned int *id)
{
	const char *text = getenv(variable);
	unsigned long value;
	char *end;

	if (!text || !isdigit((unsigned char)text[0]))
		return -1;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value >= UINT_MAX) /* (uid_t)-1 is not an id */
		return -1;
	*id = (unsigned int)value;
	return 0;
}

/* The caller of sudo, if we are root; else we stay who we are. */
static int find_caller(struct user *u)
{
	const struct passwd *p;

	if (getuid() || geteuid() || !getenv("SUDO_UID"))
		return 0;
	if (id_of("SUDO_UID", &u->uid) || id_of("SUDO_GID", &u->gid))
		return fail(EXIT_ERROR, "--user names the user to act for",
			    "SUDO_UID and SUDO_GID must be numbers");
	p = find_passwd(NULL, u->uid);
	if (p)
		take_passwd(u, p);
	return 0;
}

static int find_named(struct user *u, const char *name)
{
	const struct passwd *p = find_passwd(name, 0);

	if (!p)
		return fail(EXIT_ERROR, "--user takes a name of /etc/passwd", "no such user: %s",
			    name);
	u->uid = p->pw_uid;
	u->gid = p->pw_gid;
	take_passwd(u, p);
	return 0;
}

static bool may_become_others(void)
{
	return !capng_get_caps_process() && capng_have_capability(CAPNG_EFFECTIVE, CAP_SETUID) &&
	       capng_have_capability(CAPNG_EFFECTIVE, CAP_SETGID);
}

int rights_find_user(const char *name)
{
	struct user *u = &user;
	int err;

	if (getuid() != geteuid() || getgid() != getegid())
		return fail(EXIT_ERROR, "use sudo, or give the file capabilities",
			    "must not be installed set-user-ID");
	*u = (struct user) { .uid = geteuid(), .gid = getegid() };
	err = name ? find_named(u, name) : find_caller(u);
	if (err)
		return err;
	u->other = u->uid != geteuid() || u->gid != getegid();
	snprintf(u->number, sizeof(u->number), "%u", u->uid);
	if (!u->other)
		return 0;
	find_groups(u);
	/* seteuid() from 0 to us would clear our capabilities, and we could not trace. */
	if (!u->uid && geteuid())
		return fail(EXIT_ERROR, "run it as root", "cannot become user %s: only root can",
			    rights_user());
	if (may_become_others())
		return 0;
	return fail(EXIT_ERROR,
		    geteuid() ? "run it as root, or as that user"
			      : "root has lost it here; run it as that user, or with --user root",
		    "cannot become user %s: missing capability: %s", rights_user(),
		    "CAP_SETUID, CAP_SETGID");
}

const char *rights_user(void)
{
	if (!user.other)
		return NULL;
	return user.name[0] ? user.name : user.number;
}

/* None effective, all still permitted. seteuid() does this for root only. */
static int suspend_capabilities(void)
{
	for (unsigned int cap = 0; cap <= CAP_LAST_CAP; cap++)
		capng_update(CAPNG_DROP, CAPNG_EFFECTIVE, cap);
	return capng_apply(CAPNG_SELECT_CAPS);
}

static int resume_capabilities(void)
{
	capng_restore_state(&ours.capabilities);
	return capng_apply(CAPNG_SELECT_CAPS);
}

int rights_as_user(void)
{
	if (!user.other)
		return 0;
	ours.uid = geteuid();
	ours.gid = getegid();
	ours.nr_groups = getgroups(NGROUPS_MAX, ours.groups);
	if (ours.nr_groups < 0)
		return -1;
	ours.capabilities = capng_get_caps_process() ? NULL : capng_save_state();
	if (!ours.capabilities) {
		errno = ENOMEM;
		return -1;
	}
	/* A user namespace may forbid setgroups(), then nothing was changed yet. */
	if (setgroups(user.nr_groups, user.groups)) {
		free(ours.capabilities);
		return -1;
	}
	if (!setegid(user.gid) && !seteuid(user.uid) && !suspend_capabilities())
		return 0;
	rights_as_ourselves();
	return -1;
}

void rights_as_ourselves(void)
{
	int err = errno;

	if (!user.other)
		return;
	/* Cannot fail: the real and saved ids are ours. Never continue as another user. */
	if (seteuid(ours.uid) || resume_capabilities() || setegid(ours.gid) ||
	    setgroups((size_t)ours.nr_groups, ours.groups))
		abort();
	errno = err;
}

/* Set the ids for good. Groups first: they need CAP_SETGID. Returns 0 or a negative errno. */
static int set_ids(void)
{
	if (!user.other)
		return 0;
	if (setgroups(user.nr_groups, user.groups) || setresgid(user.gid, user.gid, user.gid) ||
	    setresuid(user.uid, user.uid, user.uid))
		return -errno;
	return 0;
}

/* Permitted, effective, inheritable and ambient ones. Executing as root gives back root's. */
static int drop_capabilities(void)
{
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	capng_clear(CAPNG_SELECT_CAPS);
	return capng_apply(CAPNG_SELECT_CAPS) ? -EPERM : 0;
}

int rights_become_user(void)
{
	int err = set_ids() ?: drop_capabilities();

	if (err || !user.other || !user.name[0])
		return err;
	setenv("USER", user.name, 1);
	setenv("LOGNAME", user.name, 1);
	setenv("HOME", user.home, 1);
	setenv("SHELL", user.shell, 1);
	return 0;
}

/*
 * With ambient capabilities and an unchanged uid we are dumpable: any process of that uid, COMMAND
 * too, could trace us and take our BPF objects (pidfd_getfd()).
 */
static int hide(void)
{
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ? -errno : 0;
}

/*
 * A change of ids makes us what fs.suid_dumpable says. As long as capabilities are permitted, those
 * who lack them cannot use that.
 */
static int set_ids_unseen(void)
{
	if (user.other && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
		return -errno;
	return set_ids() ?: hide();
}

int rights_drop(void)
{
	/* First: those whom the dropped capabilities kept away could come in at once. */
	int err = hide();

	/* Needs CAP_SETPCAP; without it the bounding set gives nothing, because of no_new_privs. */
	for (unsigned long cap = 0; cap < 64 && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		prctl(PR_CAPBSET_DROP, cap, 0, 0, 0);
	err = err ?: set_ids_unseen();
	/* We are the user now, and there is no way back. */
	if (!err)
		user.other = false;
	err = err ?: drop_capabilities();
	if (!err && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		err = -errno;
	if (!err &&
	    (capng_get_caps_process() || capng_have_capabilities(CAPNG_SELECT_CAPS) != CAPNG_NONE))
		err = -EPERM;
	return err ? fail(EXIT_ERROR, NULL, "cannot give up rights: %s", strerror(-err)) : 0;
}
