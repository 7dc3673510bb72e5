# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# The user side with gcov's counters: the unit tests, and the tool that the tests of the command line and the guests run.

COV_FLAGS := --coverage -fprofile-update=atomic -O0 -g
COV_OBJS := $(TOOL_SRCS:%.c=$(BUILD)/cov/%.o)
COV_UNIT := $(UNIT_SRCS:tests/unit/%.c=$(BUILD)/cov/unit/%)
COV_UNIT_OBJS := $(UNIT_SRCS:%.c=$(BUILD)/cov/%.o)
COVERAGE_VM ?= exact rights plans life refused

.PHONY: coverage coverage-programs

coverage-programs: $(BUILD)/cov/uffdretry $(COV_UNIT)

# make coverage: count the lines that the unit, cli and some VM tests run (COVERAGE_VM); build/cov/report.txt and .html
coverage: deps
	$(Q)./tools/deps coverage
	$(Q)$(MAKE) test-programs coverage-programs
	$(Q)./tests/coverage $(COVERAGE_VM)

$(COV_UNIT_OBJS): | $(SKEL) $(SYSCALL_NAMES)

$(BUILD)/cov/%.o: %.c $(FLAGS) | $(BUILD)
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -ffile-prefix-map=%,$(ALL_CFLAGS)) $(COV_FLAGS) -MMD -MP -MT $@ -c $(abspath $<) -o $(abspath $@)

$(BUILD)/cov/uffdretry: $(COV_OBJS)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(COV_FLAGS) $(LDFLAGS) $^ $(TOOL_LIBS) -o $@

$(BUILD)/cov/tool.a: $(filter-out $(BUILD)/cov/src/uffdretry.o,$(COV_OBJS))
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/cov/unit/test_%: $(BUILD)/cov/tests/unit/test_%.o $(BUILD)/cov/tool.a
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(COV_FLAGS) $(LDFLAGS) $(UNIT_LDFLAGS) $^ $(TOOL_LIBS) -lcmocka -o $@

-include $(COV_OBJS:.o=.d) $(COV_UNIT_OBJS:.o=.d)
