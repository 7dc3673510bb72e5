/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * The user that we act for, and giving up our own rights.
 *
 * It is the user of --user; else, if we are root, the caller of sudo (SUDO_UID, SUDO_GID); else
 * ourselves. COMMAND runs as this user, files are opened as this user, and so the tool continues
 * once everything is attached, without any capability.
 */
#ifndef RIGHTS_H
#define RIGHTS_H

/*
 * rights_find_user() - find that user. @name: of --user, in /etc/passwd, or NULL.
 * Returns 0, or prints why not and returns EXIT_ERROR: there is no such user, or we may not become
 * it.
 */
int rights_find_user(const char *name);

/* The name of that user, or its decimal id; NULL when it is ourselves. */
const char *rights_user(void);

/*
 * Act as that user between these two calls, to open files with its rights. rights_as_user() returns
 * 0, or -1 with errno set and nothing changed.
 */
int rights_as_user(void);
void rights_as_ourselves(void);

/*
 * rights_become_user() - in the child, before it executes COMMAND: become that user for good, with
 * its groups, HOME, USER, LOGNAME and SHELL, and without capabilities. Returns 0 or a negative
 * errno.
 */
int rights_become_user(void);

/*
 * rights_drop() - become that user for good, drop all capabilities, set no_new_privs, and let no
 * process without CAP_SYS_PTRACE trace us or take our file descriptors. Attached programs stay:
 * since 5.19 (c8644cd0efe7) the kernel checks capabilities when BPF objects are made, not when
 * their file descriptors are used.
 * Returns 0, or prints why not and returns EXIT_ERROR.
 */
int rights_drop(void);

#endif /* RIGHTS_H */
