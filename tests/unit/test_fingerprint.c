// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (C) 2026 the uffdretry authors
/*
 * Fingerprints of names and policies (src/fingerprint.h): the content alone decides, wherever it
 * lies; and they enter the class.
 */
#include "fingerprint.h"
#include "classify.h"
#include "unit.h"

#include <stdlib.h>

/* As the programs read it: up to the NUL, into zeroes. */
static __u64 of_name(const char *name)
{
	__u64 words[ANON_NAME_WORDS] = {};

	assert_true(strlen(name) < ANON_NAME_MAX);
	memcpy(words, name, strlen(name));
	return name_fingerprint(words);
}

static void a_name_is_known_by_its_content(void **state)
{
	char at[] = "stack", elsewhere[] = "stack";

	assert_int_equal(of_name(at), of_name(elsewhere));
	memcpy(at, "heap!", 5);
	assert_int_not_equal(of_name(at), of_name(elsewhere));
	/* No name is not the empty name. */
	assert_int_not_equal(of_name(""), 0);
}

static int compare(const void *a, const void *b)
{
	const __u64 *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Names that differ in one byte, anywhere, or in length. */
static void no_two_names_are_alike(void **state)
{
	static __u64 all[ANON_NAME_MAX * ('z' - ' ' + 1) + 1];
	size_t nr = 0;

	for (size_t len = 0; len < ANON_NAME_MAX; len++) {
		char name[ANON_NAME_MAX] = "";

		memset(name, 'a', len);
		all[nr++] = of_name(name);
		for (char last = ' '; len && last <= 'z'; last++) {
			if (last == 'a')
				continue;
			name[len - 1] = last;
			all[nr++] = of_name(name);
		}
	}
	qsort(all, nr, sizeof(all[0]), compare);
	for (size_t i = 1; i < nr; i++)
		assert_int_not_equal(all[i - 1], all[i]);
}

static void no_two_policies_are_alike(void **state)
{
	assert_int_not_equal(policy_fingerprint(0, 0, 0, 0), 0);
	assert_int_not_equal(policy_fingerprint(2, 0, 0, 1), policy_fingerprint(2, 0, 0, 2));
	assert_int_not_equal(policy_fingerprint(2, 0, 0, 1), policy_fingerprint(3, 0, 0, 1));
	assert_int_not_equal(policy_fingerprint(2, 0, 0, 1), policy_fingerprint(2, 1, 0, 1));
	assert_int_not_equal(policy_fingerprint(2, 0, 0, 1), policy_fingerprint(2, 0, 1, 1));
}

/* A is named B, then C, whose memory was A's: `tolerated`, not `locked`. */
static void a_name_at_the_old_address_is_another(void **state)
{
	struct window_facts w = { .relock_result = RELOCK_OK, .seq = SEQ_COUNT };
	struct verdict v;

	w.begin.uffd_ops = w.end.uffd_ops = UFFD_OPS_ANON;
	w.begin.anon_name = of_name("A");
	w.end.anon_name = of_name("C");
	w.begin.mm_lock_seq = 1000;
	w.end.mm_lock_seq = 1004;
	w.end.vm_lock_seq = 1003;
	classify(&w, 12, &v);
	assert_int_equal(v.class, CLASS_TOLERATED);
	assert_int_equal(v.tolerated_reasons, BIT32(TOLERATED_DIFF_NAME));
	w.end.anon_name = of_name("A");
	classify(&w, 12, &v);
	assert_int_equal(v.class, CLASS_LOCKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_known_by_its_content),
		cmocka_unit_test(no_two_names_are_alike),
		cmocka_unit_test(no_two_policies_are_alike),
		cmocka_unit_test(a_name_at_the_old_address_is_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
