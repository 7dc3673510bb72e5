# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# The tests and what they run: see tests/README.md.

.PHONY: format repro deps guest-programs test-programs check check-parallel check-kernels check-checks check-programs check-repro check-faults check-busy check-kasan check-model check-skips soak

SERIES ?= 6.1 6.12 6.18 7.1 7.3
GROUPS ?= unit harness cli lint fuzz prom evidence btf vm
PARALLEL_KERNELS ?= 6.12 6.18 7.1 7.3
MODEL_KERNELS ?= 7.3
FAULTS_KERNELS ?= 6.12 7.3
SKIPS_KERNELS ?= 6.1 6.12 6.18 7.1 7.3
BUSY_KERNELS ?= 6.12 6.18 7.1 7.3
SOAK_KERNELS ?= 6.12 7.3
SOAK_SECONDS ?= 3600
KASAN_SECONDS ?= 600

# What `make format` lays out: neither generated nor foreign files.
C_FILES := $(wildcard src/*.[ch] src/*/*.[ch] src/*/*/*.[ch] lib/*.[ch] load/*.[ch] load/*/*.[ch] load/*/*/*.[ch] repro/*.[ch] bench/*.[ch] tests/*/*.[ch])
CLANG_FORMAT ?= clang-format -i

format:
	$(Q)$(CLANG_FORMAT) $(C_FILES)

# Static, for guests that have no libraries; the Debian package sets it to nothing.
REPRO_LINK ?= -static
REPRO := $(patsubst repro/%.c,$(BUILD)/repro/%,$(wildcard repro/*.c))

repro: $(REPRO)

$(BUILD)/repro/%: repro/%.c repro/repro.h $(FLAGS)
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(REPRO_LINK) $(ALL_CFLAGS) $(LDFLAGS) $< -lpthread -o $@
	$(Q)$(if $(REPRO_LINK),./tools/package/check-static $@)

# A program that runs in a guest: one file, with lib/ where it opens windows. It is static unless its GUEST_LIBS say otherwise.
$(BUILD)/%: GUEST_LIBS = -static
$(BUILD)/hold $(BUILD)/heirs $(BUILD)/unborn $(BUILD)/vanish $(BUILD)/longcopy $(BUILD)/ops $(BUILD)/grow: $(LIB_OBJS)
$(BUILD)/hold $(BUILD)/heirs $(BUILD)/unborn $(BUILD)/vanish $(BUILD)/longcopy $(BUILD)/ops $(BUILD)/grow: GUEST_LIBS = -static -lpthread
# Its frames are known: each function of its own has a frame pointer, and none is entered by a jump.
$(BUILD)/stacked: $(LIB_OBJS)
$(BUILD)/stacked: private ALL_CFLAGS += -fPIE -fno-omit-frame-pointer -fno-optimize-sibling-calls
$(BUILD)/stacked: GUEST_LIBS = -$(if $(CROSS),static-)pie -lpthread
$(BUILD)/withcaps: GUEST_LIBS = -static $(STATIC_LDFLAGS) -lcap-ng
$(BUILD)/bpfleft $(BUILD)/floor: GUEST_LIBS = $(if $(CROSS),-static -lbpf -lelf -lz,-lbpf)

define link_guest_program
	$(call msg,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -MT $@ -MF $@.d $(CROSS_LDFLAGS) $(LDFLAGS) $< $(filter %.o,$^) $(GUEST_LIBS) -o $@
endef

$(BUILD)/%: tests/vm/%.c $(FLAGS) | $(BUILD)
	$(link_guest_program)

$(BUILD)/%: tests/checks/%.c $(FLAGS) | $(BUILD)
	$(link_guest_program)

$(BUILD)/%: bench/%.c $(FLAGS) | $(BUILD)
	$(link_guest_program)

$(BUILD)/failmalloc.so: tests/vm/failmalloc.c $(FLAGS) | $(BUILD)
	$(call msg,LINK,$@)
	$(Q)$(CC) -shared -fPIC $(filter-out -Wmissing-prototypes,$(ALL_CFLAGS)) $< -o $@

GUEST_PROGRAMS := $(addprefix $(BUILD)/,bpfleft withcaps failcall crowd heirs unborn vanish hold longcopy stacked token floor cost)

# The test build of the tool, which can skip runs of a hook. The second make knows what it depends on.
INJECT_TOOL := $(BUILD)/inject/uffdretry

.PHONY: $(INJECT_TOOL)

$(INJECT_TOOL):
	$(Q)$(MAKE) INJECT=1 BUILD=$(BUILD)/inject $@

# make guest-programs: build what the guests of tests/vm run beside the tool; with ARCH=arm64 for arm64, and the tool
guest-programs: $(GUEST_PROGRAMS) $(if $(CROSS),static)

test-programs: uffdretry uffdload repro $(GUEST_PROGRAMS) $(BUILD)/failmalloc.so $(INJECT_TOOL)

# make deps: install the Debian packages that `make check` needs
deps:
	$(Q)./tools/deps build test

# A second make, which finds the programs of the packages.
check: deps
	$(Q)$(MAKE) test-programs
	$(Q)SERIES="$(SERIES)" ./tests/run $(GROUPS)

# make check-parallel: run exact and writers in guests whose two CPUs really run at once; PARALLEL_KERNELS="6.12 7.3" (five minutes each)
check-parallel: deps
	$(Q)$(MAKE) test-programs
	$(Q)SERIES="$(PARALLEL_KERNELS)" ./tests/run parallel

# make check-model: compare the model of a per-MM check with the count; MODEL_KERNELS="7.3" (ten minutes each)
check-model: deps
	$(Q)$(MAKE) test-programs
	$(Q)SERIES="$(MODEL_KERNELS)" ./tests/run model; status=$$?; \
		sed -n 's/^# {/{/p' build/tap/model-*.tap; exit $$status

# make check-kernels: test every kernel series that Debian has; writes docs/reference/kernels.md (half an hour)
check-kernels: deps
	$(Q)$(MAKE) test-programs
	$(Q)./tests/vm/matrix
	$(Q)SERIES="$(SERIES)" ./tests/run kernels

# make check-checks: compare the verdicts with kernels of its own that have the other checks; writes docs/evidence/permm.md (an hour)
check-checks:
	$(Q)./tools/deps build test kernel
	$(Q)$(MAKE) test-programs
	$(Q)./tests/kernel/build checks
	$(Q)./tests/kernel/build series
	$(Q)./tests/run checks

# make check-programs: trace QEMU, CRIU, stress-ng and the kernel's selftests; writes docs/evidence/programs.md (half an hour)
check-programs: deps
	$(Q)./tools/deps programs
	$(Q)$(MAKE) test-programs static
	$(Q)./tests/programs/run 7.3
	$(Q)./tests/programs/report

# make check-repro: run the reproducers on six series; writes the runs in docs/evidence/merged-check.md (five minutes)
check-repro: deps
	$(Q)$(MAKE) test-programs
	$(Q)./tests/vm/repro-runs

# make check-faults: break what the tool relies on, in large numbers; FAULTS_KERNELS="6.12 7.3" (half an hour each)
check-faults: deps
	$(Q)$(MAKE) test-programs
	$(Q)for kernel in $(FAULTS_KERNELS); do ./tests/vm/faults $$kernel long || exit; done

# make check-busy: count 2.4 million windows of up to 64 copiers on each kernel; BUSY_KERNELS="6.12 7.3" (half an hour)
check-busy: deps
	$(Q)$(MAKE) test-programs
	$(Q)SERIES="$(BUSY_KERNELS)" ./tests/run busy; status=$$?; \
		grep -hE '^# (kernel|[0-9.]+) ' build/tap/busy-*.tap; exit $$status

# make check-skips: skip runs of each hook in turn: each class is right or undetermined; SKIPS_KERNELS="6.12 7.3" (an hour each)
check-skips: deps
	$(Q)$(MAKE) test-programs
	$(Q)SERIES="$(SKIPS_KERNELS)" ./tests/run skips

# make soak: start the tool again and again beside an endless load; SOAK_KERNELS="6.12 7.3" SOAK_SECONDS=3600 each
soak: deps
	$(Q)$(MAKE) test-programs
	$(Q)for kernel in $(SOAK_KERNELS); do ./tests/vm/soak $$kernel $(SOAK_SECONDS) || exit; done

# make check-kasan: make soak on a kernel with KASAN and lockdep, which it builds; KASAN_SECONDS=600 (half an hour)
check-kasan: deps
	$(Q)./tools/deps kernel
	$(Q)$(MAKE) test-programs
	$(Q)./tests/kernel/build kasan
	$(Q)MEM=3G ./tests/vm/soak kasan $(KASAN_SECONDS)

# make check-trust: repeat the long runs that are older than the last change of a hook (six hours); TRUST=--short tries
.PHONY: check-trust
check-trust: deps
	$(Q)./tools/deps kernel
	$(Q)$(MAKE) test-programs
	$(Q)./tools/evidence/trust.py $(TRUST)

-include $(GUEST_PROGRAMS:=.d)
