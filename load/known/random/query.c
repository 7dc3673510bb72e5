// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
// Asks the kernel what is mapped at an address, and compares the model with it.
#define _GNU_SOURCE
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ioctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "known/random/query.h"

/* struct procmap_query of linux/fs.h, 6.11 and later. */
struct vma_answer {
	uint64_t size;
	uint64_t query_flags;
	uint64_t query_addr;
	uint64_t vma_start;
	uint64_t vma_end;
	uint64_t vma_flags;
	uint64_t vma_page_size;
	uint64_t vma_offset;
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t vma_name_size;
	uint32_t build_id_size;
	uint64_t vma_name_addr;
	uint64_t build_id_addr;
};

#define QUERY_IOCTL _IOWR('f', 17, struct vma_answer)
#define ANSWER_READABLE 1
#define ANSWER_WRITABLE 2
#define ANSWER_SHARED 8

static int ask_kernel(int fd, uint64_t address, struct vma_answer *answer)
{
	*answer = (struct vma_answer) { .size = sizeof(*answer), .query_addr = address };
	return ioctl(fd, QUERY_IOCTL, answer) ? errno : 0;
}

/* One line of /proc/PID/maps (proc_pid_maps(5)); false if it is malformed. */
static bool parse_line(const char *line, struct vma_answer *answer)
{
	char prot[5];

	*answer = (struct vma_answer) { 0 };
	if (sscanf(line, "%lx-%lx %4s %lx %*s %lu", &answer->vma_start, &answer->vma_end, prot,
		   &answer->vma_offset, &answer->inode) != 5)
		return false;
	answer->vma_flags = (prot[0] == 'r' ? ANSWER_READABLE : 0) |
			    (prot[1] == 'w' ? ANSWER_WRITABLE : 0) |
			    (prot[3] == 's' ? ANSWER_SHARED : 0);
	return true;
}

/* The same from the text of /proc/self/maps. Not through stdio: it might map a buffer. */
static int ask_text(int fd, uint64_t address, struct vma_answer *answer)
{
	static char text[1 << 16];
	size_t size = 0;
	ssize_t n;
	char *line, *rest = text;

	if (lseek(fd, 0, SEEK_SET))
		return errno;
	while ((n = read(fd, text + size, sizeof(text) - 1 - size)) > 0)
		size += (size_t)n;
	if (n < 0 || size == sizeof(text) - 1)
		return n < 0 ? errno : ENOBUFS;
	text[size] = '\0';
	while ((line = strsep(&rest, "\n")))
		if (parse_line(line, answer) && answer->vma_start <= address &&
		    address < answer->vma_end)
			return 0;
	return ENOENT;
}

/* What is mapped at the address: 0, or the errno, ENOENT when nothing is. */
static int ask(const struct query *query, uint64_t address, struct vma_answer *answer)
{
	return query->text ? ask_text(query->fd, address, answer)
			   : ask_kernel(query->fd, address, answer);
}

int query_open(struct query *query, const struct arena *arena)
{
	struct vma_answer answer;
	struct stat file, other;

	query->fd = -1;
	if (fstat(arena->file, &file) || fstat(arena->other, &other))
		return -errno;
	query->file_inode = file.st_ino;
	query->other_inode = other.st_ino;
	query->fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	if (query->fd < 0)
		return 0;
	query->text = ask_kernel(query->fd, arena->start, &answer) != 0;
	if (ask(query, arena->start, &answer))
		query_close(query);
	return 0;
}

void query_close(struct query *query)
{
	if (query->fd >= 0)
		close(query->fd);
	query->fd = -1;
}

static bool same_prot(const struct vma_answer *answer, const struct vma_model *vma)
{
	return !(answer->vma_flags & ANSWER_READABLE) == !(vma->prot & PROT_READ) &&
	       !(answer->vma_flags & ANSWER_WRITABLE) == !(vma->prot & PROT_WRITE) &&
	       !(answer->vma_flags & ANSWER_SHARED) == !vma->shared;
}

/* The inode of shared anonymous memory is not known here. */
static bool same_file(const struct query *query, const struct vma_answer *answer,
		      const struct vma_model *vma)
{
	switch (vma->file) {
	case FILE_NONE:
		return !answer->inode;
	case FILE_FIRST:
	case FILE_AGAIN:
		return answer->inode == query->file_inode;
	case FILE_OTHER:
		return answer->inode == query->other_inode;
	default:
		return answer->inode;
	}
}

static bool same_offset(const struct vma_answer *answer, const struct model *model,
			const struct vma_facts *facts)
{
	long first = facts->pgoff;

	if (facts->vma.file == FILE_NONE)
		return true;
	if (facts->vma.file < FILE_SHARED_ANON)
		first += (long)model->place.offset - MODEL_OFFSET;
	return answer->vma_offset == (uint64_t)first * PAGE;
}

static bool is_same(const struct query *query, const struct vma_answer *answer,
		    const struct model *model, int page)
{
	struct vma_facts facts = model_facts(model, page);

	return answer->vma_start == place_page(&model->place, facts.start) &&
	       answer->vma_end == place_page(&model->place, facts.end) &&
	       same_prot(answer, &facts.vma) && same_file(query, answer, &facts.vma) &&
	       same_offset(answer, model, &facts);
}

static void explain(const struct vma_answer *answer, const struct model *model, int page)
{
	struct vma_facts facts = model_facts(model, page);
	long start = (long)(answer->vma_start - model->place.start) / (long)PAGE;
	long end = (long)(answer->vma_end - model->place.start) / (long)PAGE;

	warnx("  model: pages %d to %d, protection %d, file %d, pgoff %ld", facts.start, facts.end,
	      facts.vma.prot, facts.vma.file, facts.pgoff);
	warnx("  kernel: pages %ld to %ld, flags %llx, inode %llu, offset %llu", start, end,
	      (unsigned long long)answer->vma_flags, (unsigned long long)answer->inode,
	      (unsigned long long)(answer->vma_offset / PAGE));
}

/* What is unmapped in the model is a hole, or the inaccessible arena around the place. */
int query_compare(const struct query *query, const struct model *model, int page)
{
	struct vma_answer answer;
	int err;

	if (query->fd < 0)
		return 0;
	err = ask(query, place_page(&model->place, page), &answer);
	if (err && err != ENOENT)
		return -err;
	if (!model->pages[page + MODEL_FRONT].id)
		return err || !(answer.vma_flags & (ANSWER_READABLE | ANSWER_WRITABLE)) ? 0
											: -EPROTO;
	if (!err && is_same(query, &answer, model, page))
		return 0;
	if (!err)
		explain(&answer, model, page);
	return -EPROTO;
}
