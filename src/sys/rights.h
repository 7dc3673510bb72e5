/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Whose rights: the user that we act for, and giving up our own.
 *
 * That user is the one of --user; without it the one who called sudo (SUDO_UID, SUDO_GID), when we are root; else
 * whoever we are. COMMAND runs as it, files are opened as it, and once everything is attached so does the tool, without
 * any capability.
 */
#ifndef RIGHTS_H
#define RIGHTS_H

/*
 * rights_find_user() - who it is. @name: a user of /etc/passwd, or NULL.
 * Returns 0, or prints why not and returns EXIT_ERROR: no such user, or not the right to become it.
 */
int rights_find_user(const char *name);

/* The name of that user, or its number in decimal; NULL when it is who we are. */
const char *rights_user(void);

/*
 * Open files as that user: between the two only the kernel's answer to it counts. rights_as_user() returns 0, or -1
 * with errno set and nothing changed.
 */
int rights_as_user(void);
void rights_as_ourselves(void);

/*
 * rights_become_user() - in a child that is about to execute COMMAND: be that user for good, with its groups, HOME,
 * USER, LOGNAME and SHELL, and hand on no capability. Returns 0 or a negative errno.
 */
int rights_become_user(void);

/*
 * rights_drop() - be that user for good, drop every capability from every set, set no_new_privs, and let no process
 * without CAP_SYS_PTRACE trace us or take our file descriptors. What is attached stays: the kernel asks for rights when
 * BPF objects are made, not when they are used by their file descriptors (since 5.19, c8644cd0efe7). Returns 0, or
 * prints why not and returns EXIT_ERROR.
 */
int rights_drop(void);

#endif /* RIGHTS_H */
