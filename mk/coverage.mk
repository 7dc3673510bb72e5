# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# The user side with gcov's counters: the unit tests, and one tool for the command line's tests and the guests.

COV_FLAGS := --coverage -fprofile-update=atomic -O0 -g
COV_OBJS := $(TOOL_SRCS:%.c=$(BUILD)/cov/%.o)
COV_UNIT := $(UNIT_SRCS:tests/unit/%.c=$(BUILD)/cov/unit/%)

.PHONY: coverage coverage-programs

$(BUILD)/cov/%.o: %.c | $(BUILD)
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -ffile-prefix-map=%,$(ALL_CFLAGS)) $(COV_FLAGS) -MMD -MP -MT $@ -c $(abspath $<) -o $(abspath $@)

$(BUILD)/cov/tests/unit/test_tracer.o: $(SKEL)

$(BUILD)/cov/uffdretry: $(COV_OBJS)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(COV_FLAGS) $(LDFLAGS) $^ $(TOOL_LIBS) -o $@

# With all modules that a test could need: what it does not define itself comes from the archive.
$(BUILD)/cov/tool.a: $(filter-out $(BUILD)/cov/src/uffdretry.o,$(COV_OBJS))
	$(Q)$(AR) rcs $@ $^

$(BUILD)/cov/unit/test_%: $(BUILD)/cov/tests/unit/test_%.o $(BUILD)/cov/tool.a
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(COV_FLAGS) $(LDFLAGS) $(UNIT_LDFLAGS) $^ $(TOOL_LIBS) -lcmocka -o $@

coverage-programs: $(BUILD)/cov/uffdretry $(COV_UNIT)

# make coverage: lines that the unit, cli and some VM tests run (COVERAGE_VM); build/cov/report.txt and .html
COVERAGE_VM ?= exact rights plans life refused
coverage: deps
	$(Q)./tools/deps coverage
	$(Q)$(MAKE) --no-print-directory test-programs coverage-programs
	$(Q)./tests/coverage $(COVERAGE_VM)

-include $(COV_OBJS:.o=.d) $(UNIT_SRCS:%.c=$(BUILD)/cov/%.d)
