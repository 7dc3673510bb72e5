/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (C) 2026 the uffdretry authors */
/*
 * Does a hand-kept header of kernel types agree with the BTF of real kernels?
 *
 * usage: btfcheck OBJECT MARKS KERNEL=BTF...
 * OBJECT is the header, compiled by clang -target bpf -g. MARKS has its "optional" comments, one a
 * line: TYPE FIELD-or-dash optional|everywhere (declared.awk makes both). Each disagreement is a
 * line, "KERNEL: TYPE.FIELD: what is wrong"; then the exit status is 1.
 *
 * Each type and field must exist and be of the same kind. Members of anonymous structs and unions
 * count as members of the outer type. An array may be declared too short, and a pointer as void *.
 * A marked type or field may be absent, but not from all kernels unless the mark says so. A
 * ___flavour is compared with its type; a marked flavour that does not fit as a whole is absent.
 * The struct of a typedef, declared without a tag, may have one.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/btf.h>

#define ANON_ENUM "btfcheck_anon_" /* the name that declared.awk gives an anonymous enum */
#define TEXT 256
#define MAX_MARKS 256

struct mark {
	char type[TEXT], field[TEXT];
	bool everywhere;
	bool declared; /* there is such a type or field */
	int absent;    /* from so many kernels */
};

static struct mark marks[MAX_MARKS];
static int nr_marks;
static struct btf *header, *kernel;
static const char *label; /* of the kernel */
static bool quiet;	  /* count disagreements, do not print them */

/* --- Marks ------------------------------------------------------------------------------------ */

static bool read_marks(const char *path)
{
	FILE *file = fopen(path, "r");
	char word[16];
	struct mark *m;

	if (!file)
		return false;
	for (m = marks;
	     nr_marks < MAX_MARKS && fscanf(file, "%255s %255s %15s", m->type, m->field, word) == 3;
	     m++) {
		m->everywhere = !strcmp(word, "everywhere");
		nr_marks++;
	}
	return !fclose(file) && nr_marks < MAX_MARKS;
}

static struct mark *mark_of(const char *type, const char *field)
{
	for (int i = 0; i < nr_marks; i++)
		if (!strcmp(marks[i].type, type) && !strcmp(marks[i].field, field))
			return &marks[i];
	return NULL;
}

/* --- Types ------------------------------------------------------------------------------------ */

static const char *name_of(const struct btf *btf, const struct btf_type *t)
{
	return btf__name_by_offset(btf, t->name_off);
}

/* The type behind const, volatile, typedef and the like. */
static const struct btf_type *real_type(const struct btf *btf, __u32 id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (btf_is_mod(t) || btf_is_typedef(t))
		t = btf__type_by_id(btf, t->type);
	return t;
}

static bool is_anonymous_composite(const struct btf *btf, const struct btf_type *t)
{
	return btf_is_composite(t) && !*name_of(btf, t);
}

/* The length of a type's name without its ___flavour. */
static int essential_len(const char *name)
{
	const char *flavour = strstr(name, "___");

	return flavour && flavour != name ? flavour - name : (int)strlen(name);
}

static bool same_name(const char *ours, const char *theirs)
{
	return essential_len(ours) == (int)strlen(theirs) && !strncmp(ours, theirs, strlen(theirs));
}

/* Describe a type. Two types that are the same for us have equal descriptions. */
static void describe(const struct btf *btf, __u32 id, char *text, size_t size)
{
	const struct btf_type *t = real_type(btf, id);
	const char *name = *name_of(btf, t) ? name_of(btf, t) : "(nameless)";
	int len = essential_len(name), n;

	switch (btf_kind(t)) {
	case BTF_KIND_UNKN:
		snprintf(text, size, "void");
		return;
	case BTF_KIND_INT:
		if (!strcmp(name, "char") || btf_int_encoding(t) & BTF_INT_BOOL)
			snprintf(text, size, "%s", strcmp(name, "char") ? "bool" : name);
		else
			snprintf(text, size, "%s%u",
				 btf_int_encoding(t) & BTF_INT_SIGNED ? "s" : "u", t->size * 8);
		return;
	case BTF_KIND_FLOAT:
		snprintf(text, size, "float%u", t->size * 8);
		return;
	case BTF_KIND_PTR:
		n = snprintf(text, size, "pointer to ");
		describe(btf, t->type, text + n, size - n);
		return;
	case BTF_KIND_ARRAY:
		n = snprintf(text, size, "array of %u ", btf_array(t)->nelems);
		describe(btf, btf_array(t)->type, text + n, size - n);
		return;
	case BTF_KIND_FUNC_PROTO:
		snprintf(text, size, "function");
		return;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		snprintf(text, size, "enum %.*s of %u bits", len, name, t->size * 8);
		return;
	case BTF_KIND_FWD:
		snprintf(text, size, "%s %.*s", btf_kflag(t) ? "union" : "struct", len, name);
		return;
	default:
		snprintf(text, size, "%s %.*s", btf_is_union(t) ? "union" : "struct", len, name);
	}
}

/* Does the header's declaration (its description) fit the kernel's type? */
static bool fits(const char *ours, const char *theirs)
{
	unsigned int n, m;
	int i = 0, j = 0;

	if (!strcmp(ours, "pointer to void"))
		return !strncmp(theirs, "pointer to ", 11);
	if (sscanf(ours, "array of %u %n", &n, &i) == 1 &&
	    sscanf(theirs, "array of %u %n", &m, &j) == 1)
		return n <= m && !strcmp(ours + i, theirs + j);
	return !strcmp(ours, theirs);
}

/* --- Comparing -------------------------------------------------------------------------------- */

/* Report a disagreement. Returns 1, or 0 for an absence that a mark allows. */
static int disagree(const char *type, const char *field, bool absent, const char *what)
{
	struct mark *m = absent ? mark_of(type, field) : NULL;

	if (m && !quiet)
		m->absent++;
	if (m)
		return 0;
	if (!quiet)
		printf("%s: %s%s%s: %s\n", label, type, *field == '-' ? "" : ".",
		       *field == '-' ? "" : field, what);
	return 1;
}

/*
 * Are both the typedef of that name, and ours of a nameless struct? Some processors give it a tag. The
 * members tell whether they agree.
 */
static bool same_typedef(__u32 our_id, __u32 their_id)
{
	const struct btf_type *ours = btf__type_by_id(header, our_id),
			      *theirs = btf__type_by_id(kernel, their_id);

	return btf_is_typedef(ours) && btf_is_typedef(theirs) &&
	       same_name(name_of(header, ours), name_of(kernel, theirs)) &&
	       is_anonymous_composite(header, real_type(header, our_id)) &&
	       btf_kind(real_type(header, our_id)) == btf_kind(real_type(kernel, their_id));
}

static int compare_types(const char *type, const char *field, __u32 our_id, __u32 their_id)
{
	char ours[TEXT], theirs[TEXT], what[3 * TEXT];

	describe(header, our_id, ours, sizeof(ours));
	describe(kernel, their_id, theirs, sizeof(theirs));
	if (fits(ours, theirs) || same_typedef(our_id, their_id))
		return 0;
	snprintf(what, sizeof(what), "declared as %s, but the kernel has %s", ours, theirs);
	return disagree(type, field, false, what);
}

/*
 * The member @name of the kernel's @t or of its anonymous members; @bits: the width of a bit-field.
 */
static const struct btf_member *find_member(const struct btf_type *t, const char *name, __u32 *bits)
{
	for (int i = 0; i < btf_vlen(t); i++) {
		const struct btf_member *m = &btf_members(t)[i];
		const char *member_name = btf__name_by_offset(kernel, m->name_off);
		const struct btf_member *found = NULL;

		if (!strcmp(member_name, name)) {
			*bits = btf_member_bitfield_size(t, i);
			return m;
		}
		if (!*member_name && btf_is_composite(real_type(kernel, m->type)))
			found = find_member(real_type(kernel, m->type), name, bits);
		if (found)
			return found;
	}
	return NULL;
}

static int compare_members(const char *type, const struct btf_type *ours,
			   const struct btf_type *theirs)
{
	int wrong = 0;

	for (int i = 0; i < btf_vlen(ours); i++) {
		const struct btf_member *m = &btf_members(ours)[i], *found;
		const struct btf_type *t = real_type(header, m->type);
		const char *name = btf__name_by_offset(header, m->name_off);
		__u32 bits = 0;

		if (!*name) {
			wrong += compare_members(type, t, theirs);
			continue;
		}
		found = find_member(theirs, name, &bits);
		if (!found)
			wrong += disagree(type, name, true, "the kernel has no such field");
		else if (bits != btf_member_bitfield_size(ours, i))
			wrong += disagree(type, name, false,
					  "a bit-field of another width, or none");
		else if (compare_types(type, name, m->type, found->type))
			wrong++;
		else if (is_anonymous_composite(header, t))
			wrong += compare_members(type, t, real_type(kernel, found->type));
	}
	return wrong;
}

static const char *enumerator(const struct btf *btf, const struct btf_type *t, int i,
			      long long *value)
{
	if (btf_is_enum64(t)) {
		*value = btf_enum64_value(&btf_enum64(t)[i]);
		return btf__name_by_offset(btf, btf_enum64(t)[i].name_off);
	}
	*value = btf_enum(t)[i].val;
	return btf__name_by_offset(btf, btf_enum(t)[i].name_off);
}

/* Compare our enumerator @i with that of the same name in @theirs. -1: there is none. */
static int compare_enumerator(const char *type, const struct btf_type *ours, int i,
			      const struct btf_type *theirs)
{
	long long our_value, their_value;
	const char *name = enumerator(header, ours, i, &our_value);

	for (int j = 0; j < btf_vlen(theirs); j++)
		if (!strcmp(enumerator(kernel, theirs, j, &their_value), name))
			return our_value == their_value ? 0
							: disagree(type, name, false,
								   "the kernel has another value");
	return -1;
}

static int compare_enumerators(const char *type, const struct btf_type *ours,
			       const struct btf_type *theirs)
{
	int wrong = 0;

	for (int i = 0; i < btf_vlen(ours); i++) {
		int result = compare_enumerator(type, ours, i, theirs);
		long long value;

		if (result < 0)
			result = disagree(type, enumerator(header, ours, i, &value), true,
					  "no such enumerator");
		wrong += result;
	}
	return wrong;
}

/* Enumerators without an enum name may be in any of the kernel's enums. */
static int compare_anonymous_enum(const struct btf_type *ours)
{
	int wrong = 0;

	for (int i = 0; i < btf_vlen(ours); i++) {
		int result = -1;
		long long value;

		for (__u32 id = 1; result < 0 && id < btf__type_cnt(kernel); id++)
			if (btf_is_any_enum(btf__type_by_id(kernel, id)))
				result = compare_enumerator("enum", ours, i,
							    btf__type_by_id(kernel, id));
		if (result < 0)
			result = disagree("enum", enumerator(header, ours, i, &value), true,
					  "no such enumerator");
		wrong += result;
	}
	return wrong;
}

/* Do two types live in the same C name space, so that names decide? */
static bool comparable(const struct btf_type *ours, const struct btf_type *theirs)
{
	if (btf_is_typedef(ours) || btf_is_typedef(theirs))
		return btf_is_typedef(ours) && btf_is_typedef(theirs);
	if (btf_is_any_enum(ours))
		return btf_is_any_enum(theirs);
	if (btf_is_fwd(ours))
		return btf_is_composite(theirs) || btf_is_fwd(theirs);
	return btf_kind(ours) == btf_kind(theirs);
}

static int compare_with(const char *type, __u32 our_id, __u32 their_id)
{
	const struct btf_type *ours = real_type(header, our_id),
			      *theirs = real_type(kernel, their_id);
	int wrong = compare_types(type, "-", our_id, their_id);

	if (wrong)
		return wrong;
	/* A typedef of a named struct: that struct is compared under its own name. */
	if (btf_is_typedef(btf__type_by_id(header, our_id)) && *name_of(header, ours))
		return 0;
	if (btf_is_composite(ours))
		return compare_members(type, ours, theirs);
	return btf_is_any_enum(ours) ? compare_enumerators(type, ours, theirs) : 0;
}

/* Of the kernel's types of that name, the one that disagrees least with ours. 0: there is none. */
static __u32 best_match(const char *type, __u32 our_id, int *wrong)
{
	__u32 best = 0;

	quiet = true;
	for (__u32 id = 1; id < btf__type_cnt(kernel); id++) {
		const struct btf_type *theirs = btf__type_by_id(kernel, id);
		int n;

		if (!comparable(btf__type_by_id(header, our_id), theirs) ||
		    !same_name(type, name_of(kernel, theirs)))
			continue;
		n = compare_with(type, our_id, id);
		if (!best || n < *wrong) {
			best = id;
			*wrong = n;
		}
	}
	quiet = false;
	return best;
}

static int compare_type(__u32 id)
{
	const struct btf_type *t = btf__type_by_id(header, id);
	const char *type = name_of(header, t);
	int wrong = 0;
	__u32 best;

	if (!strncmp(type, ANON_ENUM, strlen(ANON_ENUM)))
		return compare_anonymous_enum(t);
	best = best_match(type, id, &wrong);
	if (!best)
		return disagree(type, "-", true, "the kernel has no such type");
	if (wrong && essential_len(type) != (int)strlen(type) && mark_of(type, "-"))
		return disagree(type, "-", true, "does not fit");
	return compare_with(type, id, best);
}

static bool is_declaration(const struct btf_type *t)
{
	return *name_of(header, t) &&
	       (btf_is_composite(t) || btf_is_any_enum(t) || btf_is_typedef(t) || btf_is_fwd(t));
}

static int compare_kernel(const char *path)
{
	int wrong = 0;

	kernel = btf__parse(path, NULL);
	if (!kernel) {
		fprintf(stderr, "btfcheck: %s: %s\n", path, strerror(errno));
		exit(2);
	}
	for (__u32 id = 1; id < btf__type_cnt(header); id++)
		if (is_declaration(btf__type_by_id(header, id)))
			wrong += compare_type(id);
	btf__free(kernel);
	return wrong;
}

/* --- The marks themselves --------------------------------------------------------------------- */

static void find_declared(const char *type, const char *field)
{
	struct mark *m = mark_of(type, field);

	if (m)
		m->declared = true;
}

static void find_declared_in(const char *type, const struct btf_type *t)
{
	long long value;

	for (int i = 0; i < btf_vlen(t); i++) {
		if (btf_is_any_enum(t)) {
			find_declared(type, enumerator(header, t, i, &value));
		} else if (btf_is_composite(t)) {
			const struct btf_member *m = &btf_members(t)[i];

			find_declared(type, btf__name_by_offset(header, m->name_off));
			if (is_anonymous_composite(header, real_type(header, m->type)))
				find_declared_in(type, real_type(header, m->type));
		}
	}
}

static int check_marks(int nr_kernels)
{
	int wrong = 0;

	for (__u32 id = 1; id < btf__type_cnt(header); id++) {
		const struct btf_type *t = btf__type_by_id(header, id);
		const char *type = name_of(header, t);

		if (!is_declaration(t))
			continue;
		find_declared(type, "-");
		find_declared_in(strncmp(type, ANON_ENUM, strlen(ANON_ENUM)) ? type : "enum",
				 real_type(header, id));
	}
	for (struct mark *m = marks; m < marks + nr_marks; m++) {
		const char *what = NULL;

		if (!m->declared)
			what = "marked optional, but not declared";
		else if (m->absent == nr_kernels && !m->everywhere)
			what = "absent from all of them, but not marked optional-everywhere";
		if (what && ++wrong)
			printf("all kernels: %s %s: %s\n", m->type, m->field, what);
	}
	return wrong;
}

int main(int argc, char **argv)
{
	int wrong = 0;

	if (argc < 4) {
		fprintf(stderr, "usage: btfcheck OBJECT MARKS KERNEL=BTF...\n");
		return 64;
	}
	header = btf__parse(argv[1], NULL);
	if (!header || !read_marks(argv[2])) {
		fprintf(stderr, "btfcheck: cannot read %s\n", header ? argv[2] : argv[1]);
		return 2;
	}
	for (int i = 3; i < argc; i++) {
		char *path = strchr(argv[i], '=');

		if (!path) {
			fprintf(stderr, "btfcheck: no = in %s\n", argv[i]);
			return 64;
		}
		*path = '\0';
		label = argv[i];
		wrong += compare_kernel(path + 1);
	}
	wrong += check_marks(argc - 3);
	btf__free(header);
	return wrong != 0;
}
