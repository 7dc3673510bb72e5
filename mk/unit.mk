# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# The user side under ASan and UBSan: the unit tests (cmocka), and a tool for the tests of the command line.

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g

UNIT_SRCS := $(wildcard tests/unit/test_*.c)
UNIT_PROGRAMS := $(UNIT_SRCS:tests/unit/%.c=$(BUILD)/unit/%)
UNIT_OBJS := $(UNIT_SRCS:%.c=$(BUILD)/asan/%.o)
ASAN_OBJS := $(TOOL_SRCS:%.c=$(BUILD)/asan/%.o)

# make check-asan: the unit and cli tests alone, under ASan and UBSan (make check runs them so too)
.PHONY: check-unit check-cli check-asan unit-programs

$(BUILD)/asan/%.o: %.c | $(BUILD)
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(SANITIZE) -MMD -MP -c $< -o $@

$(BUILD)/asan/tests/unit/test_tracer.o: $(SKEL)

$(BUILD)/asan/uffdretry: $(ASAN_OBJS)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(SANITIZE) $(LDFLAGS) $^ $(TOOL_LIBS) -o $@

# Every module but main: what a test does not define itself comes from here.
$(BUILD)/asan/tool.a: $(filter-out $(BUILD)/asan/src/uffdretry.o,$(ASAN_OBJS))
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

# Calls of which the test has a version of its own that can fail (tests/unit/failing.h).
comma := ,
wrap = $(addprefix -Wl$(comma)--wrap=,$(1))
$(BUILD)/unit/test_rig $(BUILD)/cov/unit/test_rig: UNIT_LDFLAGS := $(call wrap,mmap munmap mprotect madvise ioctl poll read \
	eventfd memfd_create ftruncate pthread_attr_init pthread_create open syscall)
$(BUILD)/unit/test_selftest $(BUILD)/cov/unit/test_selftest: UNIT_LDFLAGS := $(call wrap,mmap open syscall)
$(BUILD)/unit/test_output $(BUILD)/cov/unit/test_output: UNIT_LDFLAGS := $(call wrap,strndup geteuid)
$(BUILD)/unit/test_target $(BUILD)/cov/unit/test_target: UNIT_LDFLAGS := $(call wrap,pipe2 fork syscall)
$(BUILD)/unit/test_tracer $(BUILD)/cov/unit/test_tracer: UNIT_LDFLAGS := $(call wrap,bpf_prog_load)

$(BUILD)/unit/test_%: $(BUILD)/asan/tests/unit/test_%.o $(BUILD)/asan/tool.a
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(SANITIZE) $(LDFLAGS) $(UNIT_LDFLAGS) $^ $(TOOL_LIBS) -lcmocka -o $@

unit-programs: $(UNIT_PROGRAMS)

check-unit: unit-programs
	$(Q)CMOCKA_MESSAGE_OUTPUT=TAP prove $(PROVE_FLAGS) --exec '' $(UNIT_PROGRAMS)

check-cli: $(BUILD)/asan/uffdretry
	$(Q)UFFDRETRY=$(abspath $<) prove $(PROVE_FLAGS) --exec bash tests/cli

# Both: every test of the user side that needs no other kernel, under ASan and UBSan.
check-asan: check-unit check-cli

-include $(ASAN_OBJS:.o=.d) $(UNIT_OBJS:.o=.d)
