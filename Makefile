# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# Build, test, demo, install. `make V=1` shows the commands; `make help` lists the targets.

CC ?= gcc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
LLVM_STRIP ?= llvm-strip
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/uffdretry
COMPLETIONSDIR ?= $(PREFIX)/share/bash-completion/completions
BUILD ?= build

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes
# clang 14 does not know this one.
ifneq ($(findstring clang,$(CC)),clang)
WARNINGS += -Wformat-signedness
endif
ifeq ($(WERROR),1)
WARNINGS += -Werror
endif
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE= $(WARNINGS) -iquote src -iquote load -iquote $(BUILD) $(CFLAGS)
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Wno-unused-parameter $(if $(filter 1,$(WERROR)),-Werror) \
	-D__TARGET_ARCH_x86 -Ivmlinux -Isrc

TOOL_LIBS := -lbpf -lelf -lz -ljson-c -lcap-ng -lpthread -lm
LOAD_LIBS := -ljson-c -lpthread
# libcap-ng's archive mentions getpwuid() and initgroups(), which we never call; ld would warn of them.
STATIC_LDFLAGS := -Wl,--no-warnings

# The rig that opens windows serves the tool's self-test and the loads alike.
RIG := load/rig.c
TOOL_SRCS := $(wildcard src/*.c)
TOOL_SRCS := $(filter-out %.bpf.c,$(TOOL_SRCS)) $(RIG)
LOAD_SRCS := $(wildcard load/*.c load/prod/*.c)
TOOL_OBJS := $(TOOL_SRCS:%.c=$(BUILD)/%.o)
LOAD_OBJS := $(LOAD_SRCS:%.c=$(BUILD)/%.o)
BPF_OBJ := $(BUILD)/uffdretry.bpf.o
SKEL := $(BUILD)/uffdretry.skel.h
SYSCALL_NAMES := $(BUILD)/syscall_names.h

ifeq ($(V),1)
Q :=
msg :=
else
Q := @
msg = @printf '  %-8s %s\n' "$(1)" "$(2)";
endif

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all static repro demo check check-kernels check-permm check-programs check-repro evidence evidence-quick deps test-programs format clean install uninstall help

all: uffdretry uffdload

$(BPF_OBJ): src/uffdretry.bpf.c | $(BUILD)
	$(call msg,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

$(SKEL): $(BPF_OBJ)
	$(call msg,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name uffdretry_bpf > $@

$(BUILD)/%.o: %.c | $(BUILD)
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# As the headers of this machine know them.
$(SYSCALL_NAMES): | $(BUILD)
	$(call msg,GEN,$@)
	$(Q)echo '#include <asm/unistd.h>' | $(CC) -E -dM - | { \
		echo 'static const char *const syscall_names[] = {'; \
		sed -n 's/^#define __NR_\([a-z0-9_]*\) \([0-9]*\)$$/	[\2] = "\1",/p'; \
		echo '};'; } >$@

$(BUILD)/src/tracer.o: $(SKEL)
$(BUILD)/src/writers.o: $(SYSCALL_NAMES)

uffdretry: $(TOOL_OBJS)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(TOOL_LIBS) -o $@

uffdload: $(LOAD_OBJS)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) $^ $(LOAD_LIBS) -o $@

static: uffdretry-static uffdload-static

uffdretry-static: $(TOOL_OBJS)
	$(call msg,LINK,$@)
	$(Q)$(CC) -static $(STATIC_LDFLAGS) $(CFLAGS) $(LDFLAGS) $^ $(TOOL_LIBS) -o $@
	$(Q)./tools/check-static $@

uffdload-static: $(LOAD_OBJS)
	$(call msg,LINK,$@)
	$(Q)$(CC) -static $(STATIC_LDFLAGS) $(CFLAGS) $(LDFLAGS) $^ $(LOAD_LIBS) -o $@
	$(Q)./tools/check-static $@

# Programs of a page each, for people without the tool: see docs/merged-check.md.
REPRO := $(patsubst load/repro/%.c,$(BUILD)/repro/%,$(wildcard load/repro/*.c))

repro: $(REPRO)

$(BUILD)/repro/%: load/repro/%.c load/repro/repro.h
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -static $(ALL_CFLAGS) $(LDFLAGS) $< -lpthread -o $@
	$(Q)./tools/check-static $@

$(BUILD):
	$(Q)mkdir -p $@

# --- Tests: see tests/README.md --------------------------------------------------------------------------------------

SERIES ?= 6.1 6.12 6.18 7.1 7.3
GROUPS ?= unit cli prom plot btf vm

$(BUILD)/bpfleft: tests/vm/bpfleft.c | $(BUILD)
	$(call msg,LINK,$@)
	$(Q)$(CC) -static $(ALL_CFLAGS) $< -lbpf -lelf -lz -o $@

test-programs: uffdretry static repro $(BUILD)/bpfleft

deps:
	$(Q)./tools/deps build test

check: deps
	$(Q)$(MAKE) --no-print-directory test-programs WERROR=$(WERROR)
	$(Q)SERIES="$(SERIES)" ./tests/run $(GROUPS)

# Every series to be had, half an hour: writes docs/kernels.md.
check-kernels: deps
	$(Q)$(MAKE) --no-print-directory test-programs
	$(Q)./tests/vm/matrix

# A kernel of our own with the checks that 7.1 did not take: up to an hour. Writes docs/permm.md.
check-permm:
	$(Q)./tools/deps build test permm
	$(Q)$(MAKE) --no-print-directory test-programs WERROR=$(WERROR)
	$(Q)./tests/permm/build
	$(Q)./tests/run permm

# QEMU, CRIU, stress-ng and the kernel's own tests under the tool: writes docs/programs.md.
check-programs: deps
	$(Q)./tools/deps programs
	$(Q)$(MAKE) --no-print-directory test-programs WERROR=$(WERROR)
	$(Q)./tests/programs/run 7.3
	$(Q)./tests/programs/report

# The reproducers on each series: writes the runs in docs/merged-check.md.
check-repro: deps
	$(Q)$(MAKE) --no-print-directory test-programs WERROR=$(WERROR)
	$(Q)./tests/vm/repro-runs

# docs/evidence.md, docs/mail.txt and their figures from the recorded data.
evidence:
	$(Q)./tools/deps plot
	$(Q)./tools/evidence.py

# The same from nothing, of the small sweep, in build/evidence: a quarter of an hour. The other check's kernel takes part where it is built.
EVIDENCE := $(BUILD)/evidence

evidence-quick:
	$(Q)./tools/deps build vm plot
	$(Q)$(MAKE) --no-print-directory static
	$(Q)mkdir -p $(EVIDENCE)/data
	$(Q)./bench/sweep --quick -o $(EVIDENCE)/data/sweep.jsonl
	$(Q)./tools/evidence.py --data $(EVIDENCE)/data/sweep.jsonl -o $(EVIDENCE)

# What works on this machine's kernel, or in a VM with a stock one.
demo:
	$(Q)./tools/deps build
	$(Q)$(MAKE) --no-print-directory static
	$(Q)./tools/demo

format:
	$(Q)clang-format -i src/*.[ch] load/*.[ch] load/prod/*.[ch] load/repro/*.[ch] tests/*/*.[ch]

install: uffdretry
	$(call msg,INSTALL,$(DESTDIR)$(SBINDIR)/uffdretry)
	$(Q)install -D -m 755 uffdretry $(DESTDIR)$(SBINDIR)/uffdretry
	$(Q)install -D -m 644 docs/uffdretry.8 $(DESTDIR)$(MANDIR)/man8/uffdretry.8
	$(Q)install -D -m 644 contrib/uffdretry.bash $(DESTDIR)$(COMPLETIONSDIR)/uffdretry
	$(Q)install -D -m 644 README.md $(DESTDIR)$(DOCDIR)/README.md
	$(Q)install -D -m 644 docs/classes.md $(DESTDIR)$(DOCDIR)/classes.md
	$(Q)install -D -m 644 docs/json.md $(DESTDIR)$(DOCDIR)/json.md
	$(Q)install -D -m 644 docs/metrics.md $(DESTDIR)$(DOCDIR)/metrics.md
	$(Q)install -D -m 644 -t $(DESTDIR)$(DOCDIR)/prometheus contrib/prometheus/*

uninstall:
	$(call msg,REMOVE,$(DESTDIR)$(SBINDIR)/uffdretry)
	$(Q)rm -f $(DESTDIR)$(SBINDIR)/uffdretry $(DESTDIR)$(MANDIR)/man8/uffdretry.8
	$(Q)rm -f $(DESTDIR)$(COMPLETIONSDIR)/uffdretry
	$(Q)rm -rf $(DESTDIR)$(DOCDIR)

help:
	@printf '%s\n' \
	'make                 ./uffdretry and ./uffdload' \
	'make static          ./uffdretry-static and ./uffdload-static' \
	'make repro           build/repro/*: what is wrong with the merged check, a page each' \
	'make demo            trace a load here, or in a VM where this kernel does not admit it' \
	'make check           all tests; GROUPS="unit cli prom plot btf vm", SERIES="6.12 7.3" choose' \
	'make check-kernels   every kernel series to be had; writes docs/kernels.md (half an hour)' \
	'make check-permm     the verdicts against a kernel that has the per-MM or the per-VMA check; builds it (30 min)' \
	'make check-programs  QEMU, CRIU, stress-ng, selftests under the tool; writes docs/programs.md (half an hour)' \
	'make check-repro     the reproducers on six series; writes the runs in docs/merged-check.md (five minutes)' \
	'make evidence        docs/evidence.md, docs/mail.txt and their figures, from docs/data' \
	'make evidence-quick  the same from nothing, of a small sweep, in build/evidence (a quarter of an hour)' \
	'make install         DESTDIR= PREFIX= (/usr/local); make uninstall' \
	'make format          clang-format' \
	'make clean' \
	'V=1 shows commands, WERROR=1 makes warnings errors, DEPS=no installs nothing'

clean:
	$(call msg,CLEAN,)
	$(Q)rm -rf $(BUILD) uffdretry uffdload uffdretry-static uffdload-static

-include tests/unit/unit.mk
-include $(TOOL_OBJS:.o=.d) $(LOAD_OBJS:.o=.d) $(BPF_OBJ:.o=.d)
