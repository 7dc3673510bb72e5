# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# The tests: see tests/README.md.

.PHONY: deps test-programs check check-kernels check-permm check-programs check-repro check-faults check-kasan soak

SERIES ?= 6.1 6.12 6.18 7.1 7.3
GROUPS ?= unit cli lint fuzz prom evidence btf vm

$(BUILD)/bpfleft: tests/vm/bpfleft.c | $(BUILD)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $< -lbpf -o $@

$(BUILD)/withcaps: tests/vm/withcaps.c | $(BUILD)
	$(call msg,LINK,$@)
	$(Q)$(CC) -static $(STATIC_LDFLAGS) $(ALL_CFLAGS) $< -lcap-ng -o $@

$(BUILD)/failcall: tests/vm/failcall.c | $(BUILD)
	$(call msg,LINK,$@)
	$(Q)$(CC) -static $(ALL_CFLAGS) $< -o $@

$(BUILD)/failmalloc.so: tests/vm/failmalloc.c | $(BUILD)
	$(call msg,LINK,$@)
	$(Q)$(CC) -shared -fPIC $(filter-out -Wmissing-prototypes,$(ALL_CFLAGS)) $< -o $@

$(BUILD)/crowd: tests/vm/crowd.c | $(BUILD)
	$(call msg,LINK,$@)
	$(Q)$(CC) -static $(ALL_CFLAGS) $< -o $@

$(BUILD)/hold: tests/vm/hold.c $(LIB_SRCS) $(wildcard lib/*.h) | $(BUILD)
	$(call msg,LINK,$@)
	$(Q)$(CC) -static $(ALL_CFLAGS) $< $(LIB_SRCS) -lpthread -o $@

test-programs: uffdretry uffdload repro $(BUILD)/bpfleft $(BUILD)/withcaps $(BUILD)/failcall $(BUILD)/failmalloc.so $(BUILD)/crowd $(BUILD)/hold $(BUILD)/floor

deps:
	$(Q)./tools/deps build test

check: deps
	$(Q)$(MAKE) --no-print-directory test-programs WERROR=$(WERROR)
	$(Q)SERIES="$(SERIES)" ./tests/run $(GROUPS)

# make check-kernels: every kernel series that Debian has; writes docs/reference/kernels.md (half an hour)
check-kernels: deps
	$(Q)$(MAKE) --no-print-directory test-programs
	$(Q)./tests/vm/matrix

# make check-permm: the verdicts against a kernel that has the per-MM or per-VMA check, which it builds; writes docs/evidence/permm.md (an hour)
check-permm:
	$(Q)./tools/deps build test kernel
	$(Q)$(MAKE) --no-print-directory test-programs WERROR=$(WERROR)
	$(Q)./tests/kernel/build permm
	$(Q)./tests/run permm

# make check-programs: QEMU, CRIU, stress-ng and the kernel's selftests under the tool; writes docs/evidence/programs.md (half an hour)
check-programs: deps
	$(Q)./tools/deps programs
	$(Q)$(MAKE) --no-print-directory test-programs static WERROR=$(WERROR)
	$(Q)./tests/programs/run 7.3
	$(Q)./tests/programs/report

# make check-repro: the reproducers on six series; writes the runs in docs/evidence/merged-check.md (five minutes)
check-repro: deps
	$(Q)$(MAKE) --no-print-directory test-programs WERROR=$(WERROR)
	$(Q)./tests/vm/repro-runs

# make check-faults: what goes wrong around the tool, with large numbers; FAULTS_KERNELS="6.12 7.3" (half an hour each)
FAULTS_KERNELS ?= 6.12 7.3
check-faults: deps
	$(Q)$(MAKE) --no-print-directory test-programs WERROR=$(WERROR)
	$(Q)for kernel in $(FAULTS_KERNELS); do ./tests/vm/faults $$kernel long || exit; done

# make soak: a load that never stops and a tool that starts all the time; SOAK_KERNELS="6.12 7.3" SOAK_SECONDS=3600 each
SOAK_KERNELS ?= 6.12 7.3
SOAK_SECONDS ?= 3600
soak: deps
	$(Q)$(MAKE) --no-print-directory test-programs WERROR=$(WERROR)
	$(Q)for kernel in $(SOAK_KERNELS); do ./tests/vm/soak $$kernel $(SOAK_SECONDS) || exit; done

# make check-kasan: the same on a kernel with KASAN and lockdep, which it builds; KASAN_SECONDS=600 (half an hour)
KASAN_SECONDS ?= 600
check-kasan: deps
	$(Q)./tools/deps kernel
	$(Q)$(MAKE) --no-print-directory test-programs WERROR=$(WERROR)
	$(Q)./tests/kernel/build kasan
	$(Q)MEM=3G ./tests/vm/soak kasan $(KASAN_SECONDS)
