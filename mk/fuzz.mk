# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# The fuzz targets: libFuzzer with ASan and UBSan.

FUZZ_SECONDS ?= 600
FUZZ_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g
FUZZ_CC := $(CLANG) -std=gnu11 -D_GNU_SOURCE= -Wall -Wextra $(if $(filter 1,$(WERROR)),-Werror) -iquote src -iquote load \
	-iquote . -iquote tests -iquote $(BUILD)

FUZZ_PROGRAMS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_OBJS := $(TOOL_SRCS:%.c=$(BUILD)/fuzz/%.o)

.PHONY: fuzz fuzz-programs

fuzz-programs: $(FUZZ_PROGRAMS)

# make fuzz: run each fuzz target for FUZZ_SECONDS=600
fuzz: fuzz-programs
	$(Q)./tests/fuzz/run $(FUZZ_SECONDS)

$(BUILD)/fuzz/%.o: %.c $(FLAGS) | $(BUILD)
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link $(FUZZ_DEFINES) -MMD -MP -c $< -o $@

# The table in docs/reference/classes.md as C.
$(BUILD)/fuzz/classes.inc: docs/reference/classes.md tests/fuzz/table.awk
	$(call msg,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)awk -f tests/fuzz/table.awk $< >$@

$(BUILD)/fuzz/tests/fuzz/fuzz_classify.o: $(BUILD)/fuzz/classes.inc
# --help must not end the fuzzer.
$(BUILD)/fuzz/src/sys/options.o: FUZZ_DEFINES := -Dexit=fuzz_exit

$(BUILD)/fuzz/tool.a: $(filter-out $(BUILD)/fuzz/src/uffdretry.o,$(FUZZ_OBJS))
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/tests/fuzz/fuzz_%.o $(BUILD)/fuzz/tool.a
	$(call msg,LINK,$@)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer $^ $(TOOL_LIBS) -o $@

-include $(FUZZ_OBJS:.o=.d) $(wildcard $(BUILD)/fuzz/tests/fuzz/*.d)
