# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# The user side under ASan and UBSan: the unit tests (cmocka), and a tool for the tests of the command line.

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g

UNIT_SRCS := $(wildcard tests/unit/test_*.c)
UNIT_PROGRAMS := $(UNIT_SRCS:tests/unit/%.c=$(BUILD)/unit/%)
UNIT_OBJS := $(UNIT_SRCS:%.c=$(BUILD)/asan/%.o)
ASAN_OBJS := $(TOOL_SRCS:%.c=$(BUILD)/asan/%.o)

.PHONY: check-unit check-cli check-asan unit-programs

$(BUILD)/asan/%.o: %.c | $(BUILD)
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(SANITIZE) -MMD -MP -c $< -o $@

$(BUILD)/asan/src/tracer.o $(BUILD)/asan/tests/unit/test_tracer.o: $(SKEL)
$(BUILD)/asan/src/writers.o: $(SYSCALL_NAMES)

$(BUILD)/asan/uffdretry: $(ASAN_OBJS)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(SANITIZE) $(LDFLAGS) $^ $(TOOL_LIBS) -o $@

# Each test with the modules it needs and no others; test_classify and test_hist need headers only.
asan_src = $(1:%=$(BUILD)/asan/src/%.o)
$(BUILD)/unit/test_options: $(call asan_src,options)
$(BUILD)/unit/test_totals: $(call asan_src,totals)
$(BUILD)/unit/test_failures: $(call asan_src,failures)
reports := json report report_overhead report_json report_text report_failures report_failures_text report_claims \
	report_advice advice claims failures totals writers
$(BUILD)/unit/test_json $(BUILD)/unit/test_report: $(call asan_src,$(reports))
$(BUILD)/unit/test_writers: $(call asan_src,writers)
$(BUILD)/unit/test_claims: $(call asan_src,claims totals)
$(BUILD)/unit/test_advice: $(call asan_src,$(reports))
$(BUILD)/unit/test_event: $(call asan_src,$(reports) report_event)
$(BUILD)/unit/test_openmetrics: $(call asan_src,$(reports) replace sticky report_openmetrics)
$(BUILD)/unit/test_output: $(call asan_src,output replace sticky rights err json)
$(BUILD)/unit/test_plan: $(call asan_src,plan)
$(BUILD)/unit/test_target: $(call asan_src,target)
$(BUILD)/unit/test_tracer: $(call asan_src,tracer plan writers)
$(BUILD)/unit/test_rig: $(BUILD)/asan/load/rig.o
$(BUILD)/unit/test_selftest: $(BUILD)/asan/load/rig.o $(call asan_src,selftest totals)

# Calls of which the test has a version of its own that can fail (tests/unit/failing.h).
comma := ,
wrap = $(addprefix -Wl$(comma)--wrap=,$(1))
$(BUILD)/unit/test_rig $(BUILD)/cov/unit/test_rig: UNIT_LDFLAGS := $(call wrap,mmap munmap mprotect madvise ioctl poll read \
	eventfd memfd_create ftruncate pthread_attr_init pthread_create open syscall)
$(BUILD)/unit/test_selftest $(BUILD)/cov/unit/test_selftest: UNIT_LDFLAGS := $(call wrap,mmap open syscall)
$(BUILD)/unit/test_output $(BUILD)/cov/unit/test_output: UNIT_LDFLAGS := $(call wrap,strndup geteuid)
$(BUILD)/unit/test_target $(BUILD)/cov/unit/test_target: UNIT_LDFLAGS := $(call wrap,pipe2 fork syscall)
$(BUILD)/unit/test_tracer $(BUILD)/cov/unit/test_tracer: UNIT_LDFLAGS := $(call wrap,bpf_prog_load)

$(BUILD)/unit/test_%: $(BUILD)/asan/tests/unit/test_%.o
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(SANITIZE) $(LDFLAGS) $(UNIT_LDFLAGS) $^ -lcmocka -lbpf -ljson-c -lcap-ng -lm -o $@

unit-programs: $(UNIT_PROGRAMS)

check-unit: unit-programs
	$(Q)CMOCKA_MESSAGE_OUTPUT=TAP prove $(PROVE_FLAGS) --exec '' $(UNIT_PROGRAMS)

check-cli: $(BUILD)/asan/uffdretry
	$(Q)UFFDRETRY=$(abspath $<) prove $(PROVE_FLAGS) --exec bash tests/cli

# Both: every test of the user side that needs no other kernel, under ASan and UBSan.
check-asan: check-unit check-cli

-include $(ASAN_OBJS:.o=.d) $(UNIT_OBJS:.o=.d)
