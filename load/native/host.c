// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// What a time depends on: the machine, its kernel, its mitigations, its clock, and its load.
#define _GNU_SOURCE
#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "lib/clock.h"
#include "native/host.h"

#define VULNERABILITIES "/sys/devices/system/cpu/vulnerabilities"

static void put(struct json_object *to, const char *name, struct json_object *value)
{
	json_object_object_add(to, name, value);
}

/* The first line of a file. */
static struct json_object *line_json(const char *path)
{
	struct json_object *text = NULL;
	FILE *file = fopen(path, "re");
	char line[512];

	if (!file)
		return NULL;
	if (fgets(line, sizeof(line), file))
		text = json_object_new_string_len(line, (int)strcspn(line, "\n"));
	fclose(file);
	return text;
}

/* The first value of a key of /proc/cpuinfo; not each architecture has each. */
static struct json_object *cpuinfo_json(const char *key)
{
	struct json_object *text = NULL;
	FILE *file = fopen("/proc/cpuinfo", "re");
	char line[4096];
	char *value;

	while (file && !text && fgets(line, sizeof(line), file)) {
		value = strchr(line, ':');
		if (!value || strncmp(line, key, strlen(key)))
			continue;
		value += strspn(value, ": ");
		text = json_object_new_string_len(value, (int)strcspn(value, "\n"));
	}
	if (file)
		fclose(file);
	return text;
}

/* Null where the processor's flags do not tell. */
static struct json_object *virtual_json(void)
{
	struct json_object *flags = cpuinfo_json("flags");
	struct json_object *yes =
		flags ? json_object_new_boolean(
				!!strstr(json_object_get_string(flags), "hypervisor"))
		      : NULL;

	json_object_put(flags);
	return yes;
}

static struct json_object *mitigations_json(void)
{
	struct json_object *all = json_object_new_object();
	DIR *dir = opendir(VULNERABILITIES);
	struct dirent *entry;
	char path[512];

	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), VULNERABILITIES "/%s", entry->d_name);
		put(all, entry->d_name, line_json(path));
	}
	if (dir)
		closedir(dir);
	return all;
}

static struct json_object *date_json(void)
{
	time_t now = time(NULL);
	struct tm tm;
	char text[32];

	gmtime_r(&now, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_object_new_string(text);
}

/* What two stamps add to each duration: the least of many. */
static struct json_object *clock_cost_json(void)
{
	uint64_t least = UINT64_MAX, begin, end;
	int i;

	for (i = 0; i < 10000; i++) {
		begin = now_ns();
		end = now_ns();
		if (end - begin < least)
			least = end - begin;
	}
	return json_object_new_uint64(least);
}

struct json_object *host_json(void)
{
	struct json_object *host = json_object_new_object();
	struct utsname name;

	if (!uname(&name)) {
		put(host, "kernel", json_object_new_string(name.release));
		put(host, "build", json_object_new_string(name.version));
		put(host, "arch", json_object_new_string(name.machine));
	}
	put(host, "cpu", cpuinfo_json("model name"));
	put(host, "virtual", virtual_json());
	put(host, "cpus", json_object_new_int64(sysconf(_SC_NPROCESSORS_ONLN)));
	put(host, "mitigations", mitigations_json());
	put(host, "clock_source",
	    line_json("/sys/devices/system/clocksource/clocksource0/current_clocksource"));
	put(host, "clock_ns", clock_cost_json());
	put(host, "thp", line_json("/sys/kernel/mm/transparent_hugepage/enabled"));
	put(host, "load", line_json("/proc/loadavg"));
	put(host, "boot_id", line_json("/proc/sys/kernel/random/boot_id"));
	put(host, "date", date_json());
	return host;
}
