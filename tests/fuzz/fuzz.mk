# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# Fuzz targets: libFuzzer, with ASan and UBSan. `make fuzz` runs each for FUZZ_SECONDS; tests/fuzz/run is what does it.

FUZZ_SECONDS ?= 600
FUZZ_FLAGS := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -O1 -g
FUZZ_CC := $(CLANG) -std=gnu11 -D_GNU_SOURCE= -Wall -Wextra $(if $(filter 1,$(WERROR)),-Werror) -iquote src -iquote load \
	-iquote $(BUILD)

FUZZ_PROGRAMS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))

.PHONY: fuzz fuzz-programs
.SECONDARY: $(BUILD)/fuzz/classes.inc

$(BUILD)/fuzz/%.o: %.c | $(BUILD)
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link $(FUZZ_DEFINES) -MMD -MP -c $< -o $@

# What docs/classes.md says, as C.
$(BUILD)/fuzz/classes.inc: docs/classes.md tests/fuzz/table.awk
	$(call msg,GEN,$@)
	$(Q)mkdir -p $(@D)
	$(Q)awk -f tests/fuzz/table.awk $< >$@

$(BUILD)/fuzz/tests/fuzz/fuzz_classify.o: $(BUILD)/fuzz/classes.inc
$(BUILD)/fuzz/src/writers.o: $(SYSCALL_NAMES)
# --help ends the program.
$(BUILD)/fuzz/src/options.o: FUZZ_DEFINES := -Dexit=fuzz_exit

fuzz_src = $(1:%=$(BUILD)/fuzz/src/%.o)
$(BUILD)/fuzz/fuzz_options: $(call fuzz_src,options err json)
$(BUILD)/fuzz/fuzz_json $(BUILD)/fuzz/fuzz_text: $(call fuzz_src,$(reports) report_event err)
$(BUILD)/fuzz/fuzz_openmetrics: $(call fuzz_src,$(reports) replace sticky report_openmetrics)
$(BUILD)/fuzz/fuzz_classify: $(call fuzz_src,totals)

$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzz/tests/fuzz/fuzz_%.o
	$(call msg,LINK,$@)
	$(Q)$(CLANG) $(FUZZ_FLAGS) -fsanitize=fuzzer $^ -lbpf -ljson-c -lm -o $@

fuzz-programs: $(FUZZ_PROGRAMS)

# Each target for ten minutes, two at a time.
fuzz: fuzz-programs
	$(Q)./tests/fuzz/run $(FUZZ_SECONDS)

-include $(wildcard $(BUILD)/fuzz/*/*.d $(BUILD)/fuzz/*/*/*.d)
