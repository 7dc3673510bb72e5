# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# The user side under ASan and UBSan: the unit tests (cmocka), and the tool that the command line's tests run.

SANITIZE := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g
# clang would link its runtime statically, and the calls that a test replaces are replaced in there as well.
ifeq ($(findstring clang,$(CC)),clang)
SANITIZE_LDFLAGS := -shared-libsan -Wl,-rpath,$(shell $(CC) -print-runtime-dir)
endif

UNIT_SRCS := $(wildcard tests/unit/test_*.c)
UNIT_PROGRAMS := $(UNIT_SRCS:tests/unit/%.c=$(BUILD)/unit/%)
UNIT_OBJS := $(UNIT_SRCS:%.c=$(BUILD)/asan/%.o)
ASAN_OBJS := $(TOOL_SRCS:%.c=$(BUILD)/asan/%.o)

.PHONY: unit-programs

unit-programs: $(UNIT_PROGRAMS)

$(UNIT_OBJS): | $(SKEL) $(SYSCALL_NAMES)
# cmocka's state, and the arguments of calls that a test replaces.
$(UNIT_OBJS): ALL_CFLAGS += -Wno-unused-parameter

$(BUILD)/asan/%.o: %.c $(FLAGS) | $(BUILD)
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) $(SANITIZE) -MMD -MP -c $< -o $@

$(BUILD)/asan/uffdretry: $(ASAN_OBJS)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(SANITIZE) $(SANITIZE_LDFLAGS) $(LDFLAGS) $^ $(TOOL_LIBS) -o $@

# Every module but main. A test links those that it does not define itself.
$(BUILD)/asan/tool.a: $(filter-out $(BUILD)/asan/src/uffdretry.o,$(ASAN_OBJS))
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/unit/test_%: $(BUILD)/asan/tests/unit/test_%.o $(BUILD)/asan/tool.a
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(SANITIZE) $(SANITIZE_LDFLAGS) $(LDFLAGS) $(UNIT_LDFLAGS) $^ $(TOOL_LIBS) -lcmocka -o $@

# Calls that the test replaces by its own, which can fail (tests/unit/failing.h).
comma := ,
wrap = $(addprefix -Wl$(comma)--wrap=,$(1))
%/unit/test_rig: UNIT_LDFLAGS := $(call wrap,mmap munmap mprotect madvise ioctl poll read \
	eventfd memfd_create ftruncate pthread_attr_init pthread_create open syscall)
%/unit/test_rights: UNIT_LDFLAGS := $(call wrap,setresuid capng_apply)
%/unit/test_selftest: UNIT_LDFLAGS := $(call wrap,mmap open syscall)
%/unit/test_output: UNIT_LDFLAGS := $(call wrap,geteuid getegid close fchown fcntl ftruncate renameat renameat2)
%/unit/test_trace_file: UNIT_LDFLAGS := $(call wrap,close)
%/unit/test_stream: UNIT_LDFLAGS := $(call wrap,open poll)
%/unit/test_target: UNIT_LDFLAGS := $(call wrap,pipe2 fork syscall)
%/unit/test_tracer: UNIT_LDFLAGS := $(call wrap,bpf_prog_load)
%/unit/test_uffd_list: UNIT_LDFLAGS := $(call wrap,readlinkat)

-include $(ASAN_OBJS:.o=.d) $(UNIT_OBJS:.o=.d)
