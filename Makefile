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
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE= $(WARNINGS) -iquote src -iquote load -iquote $(BUILD) \
	-ffile-prefix-map=$(CURDIR)=. $(CPPFLAGS) $(CFLAGS)
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Wno-unused-parameter $(if $(filter 1,$(WERROR)),-Werror) \
	-D__TARGET_ARCH_x86 -Ivmlinux -Isrc -ffile-prefix-map=$(CURDIR)=.

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
.PHONY: all static repro demo install install-docs uninstall format clean help deps test-programs
.PHONY: check check-kernels check-permm check-programs check-repro check-faults check-kasan soak
.PHONY: examples evidence evidence-quick bench bench-check bench-scale bench-soak bench-programs

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
GROUPS ?= unit cli lint fuzz prom plot btf vm

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

$(BUILD)/hold: tests/vm/hold.c $(RIG) load/rig.h | $(BUILD)
	$(call msg,LINK,$@)
	$(Q)$(CC) -static $(ALL_CFLAGS) $< $(RIG) -lpthread -o $@

test-programs: uffdretry uffdload repro $(BUILD)/bpfleft $(BUILD)/withcaps $(BUILD)/failcall $(BUILD)/failmalloc.so $(BUILD)/crowd $(BUILD)/hold $(BUILD)/floor

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
	$(Q)./tools/deps build test kernel
	$(Q)$(MAKE) --no-print-directory test-programs WERROR=$(WERROR)
	$(Q)./tests/kernel/build permm
	$(Q)./tests/run permm

# QEMU, CRIU, stress-ng and the kernel's own tests under the tool: writes docs/programs.md.
check-programs: deps
	$(Q)./tools/deps programs
	$(Q)$(MAKE) --no-print-directory test-programs static WERROR=$(WERROR)
	$(Q)./tests/programs/run 7.3
	$(Q)./tests/programs/report

# The reproducers on each series: writes the runs in docs/merged-check.md.
check-repro: deps
	$(Q)$(MAKE) --no-print-directory test-programs WERROR=$(WERROR)
	$(Q)./tests/vm/repro-runs

# What goes wrong around the tool, with the large numbers: half an hour a kernel.
FAULTS_KERNELS ?= 6.12 7.3
check-faults: deps
	$(Q)$(MAKE) --no-print-directory test-programs WERROR=$(WERROR)
	$(Q)for kernel in $(FAULTS_KERNELS); do ./tests/vm/faults $$kernel long || exit; done

# A load that never stops and a tool that starts all the time, on SOAK_KERNELS for SOAK_SECONDS each.
SOAK_KERNELS ?= 6.12 7.3
SOAK_SECONDS ?= 3600
soak: deps
	$(Q)$(MAKE) --no-print-directory test-programs WERROR=$(WERROR)
	$(Q)for kernel in $(SOAK_KERNELS); do ./tests/vm/soak $$kernel $(SOAK_SECONDS) || exit; done

# The same on a kernel of our own that watches itself: KASAN, lockdep, sleeping in atomic context.
KASAN_SECONDS ?= 600
check-kasan: deps
	$(Q)./tools/deps kernel
	$(Q)$(MAKE) --no-print-directory test-programs WERROR=$(WERROR)
	$(Q)./tests/kernel/build kasan
	$(Q)MEM=3G ./tests/vm/soak kasan $(KASAN_SECONDS)

# --- What the tool costs: see bench/README.md ------------------------------------------------------------------------

$(BUILD)/ops: bench/ops.c bench/area.h load/rig.c load/rig.h | $(BUILD)
	$(call msg,LINK,$@)
	$(Q)$(CC) -static $(ALL_CFLAGS) $(LDFLAGS) bench/ops.c load/rig.c -lpthread -o $@

$(BUILD)/floor: bench/floor.c | $(BUILD)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $< -lbpf -o $@

$(BUILD)/grow: bench/grow.c bench/area.h load/rig.c load/rig.h | $(BUILD)
	$(call msg,LINK,$@)
	$(Q)$(CC) -static $(ALL_CFLAGS) $(LDFLAGS) bench/grow.c load/rig.c -lpthread -o $@

bench-programs: uffdretry uffdload $(BUILD)/ops $(BUILD)/floor $(BUILD)/grow

# Writes docs/data/bench.json, and from it the tables in docs/overhead.md and the man page.
bench:
	$(Q)./tools/deps build bench
	$(Q)$(MAKE) --no-print-directory bench-programs WERROR=$(WERROR)
	$(Q)./bench/run --json docs/data/bench.json
	$(Q)./bench/report.py docs

# Fails when anything costs a tenth more than it did.
bench-check:
	$(Q)./tools/deps build bench
	$(Q)$(MAKE) --no-print-directory bench-programs WERROR=$(WERROR)
	$(Q)./bench/run --quick --baseline docs/data/bench.json

# Windows open at once, processes, memory, start and stop: writes docs/data/scale.json, and the list in docs/overhead.md.
bench-scale:
	$(Q)./tools/deps build vm
	$(Q)$(MAKE) --no-print-directory bench-programs WERROR=$(WERROR)
	$(Q)./bench/scale all >$(BUILD)/scale.json
	$(Q)mv $(BUILD)/scale.json docs/data/ && ./bench/report.py docs

# SOAK windows (ten million), by hand: writes docs/data/soak.json.
bench-soak:
	$(Q)./tools/deps build vm
	$(Q)$(MAKE) --no-print-directory bench-programs WERROR=$(WERROR)
	$(Q)./bench/scale soak >$(BUILD)/soak.json
	$(Q)mv $(BUILD)/soak.json docs/data/ && ./bench/report.py docs

# --- Evidence ---------------------------------------------------------------------------------------------------------

# docs/evidence.md, docs/mail.txt and their figures from the recorded data.
evidence:
	$(Q)./tools/deps plot
	$(Q)./tools/evidence.py

# The same from nothing, of the small sweep, in build/evidence: a quarter of an hour. The other check's kernel takes part where it is built.
EVIDENCE := $(BUILD)/evidence

evidence-quick:
	$(Q)./tools/deps build vm plot
	$(Q)$(MAKE) --no-print-directory uffdretry uffdload
	$(Q)mkdir -p $(EVIDENCE)/data
	$(Q)./bench/sweep --quick -o $(EVIDENCE)/data/sweep.jsonl
	$(Q)./tools/evidence.py --data $(EVIDENCE)/data/sweep.jsonl -o $(EVIDENCE)

# What works on this machine's kernel, or in a VM with a stock one.
demo:
	$(Q)./tools/deps build
	$(Q)$(MAKE) --no-print-directory uffdretry uffdload
	$(Q)./tools/demo

# Writes docs/EXAMPLES.md from real runs in a VM: two minutes.
examples:
	$(Q)./tools/deps build
	$(Q)$(MAKE) --no-print-directory uffdretry uffdload
	$(Q)./tools/examples

format:
	$(Q)clang-format -i src/*.[ch] load/*.[ch] load/prod/*.[ch] load/repro/*.[ch] bench/*.[ch] tests/*/*.[ch]

# The README and what its links lead to, placed as here.
DOCS := README.md SECURITY.md CONTRIBUTING.md CHANGELOG.md tests/README.md tests/permm/retry-check.patch bench/README.md \
	docs/mail.txt docs/data/bench.json docs/data/scale.json docs/data/soak.json docs/data/sweep.jsonl.gz \
	$(wildcard LICENSES/* docs/*.md docs/figures/*.svg contrib/prometheus/*)

install: uffdretry install-docs
	$(call msg,INSTALL,$(DESTDIR)$(SBINDIR)/uffdretry)
	$(Q)install -D -m 755 uffdretry $(DESTDIR)$(SBINDIR)/uffdretry
	$(Q)install -D -m 644 docs/uffdretry.8 $(DESTDIR)$(MANDIR)/man8/uffdretry.8
	$(Q)install -D -m 644 contrib/uffdretry.bash $(DESTDIR)$(COMPLETIONSDIR)/uffdretry

install-docs:
	$(call msg,INSTALL,$(DESTDIR)$(DOCDIR))
	$(Q)for file in $(DOCS); do install -D -m 644 $$file $(DESTDIR)$(DOCDIR)/$$file || exit; done

uninstall:
	$(call msg,REMOVE,$(DESTDIR)$(SBINDIR)/uffdretry)
	$(Q)rm -f $(DESTDIR)$(SBINDIR)/uffdretry $(DESTDIR)$(MANDIR)/man8/uffdretry.8
	$(Q)rm -f $(DESTDIR)$(COMPLETIONSDIR)/uffdretry
	$(Q)rm -rf $(DESTDIR)$(DOCDIR)

# --- Packages: docs/dependencies.md --------------------------------------------------------------------------------

VERSION := $(shell sed -n 's/^\#define UFFDRETRY_VERSION "\(.*\)"$$/\1/p' src/version.h)
DIST := $(BUILD)/dist

.PHONY: dist deb release check-deb check-suites

# Everything to build from, of the last commit: the same bytes whenever and wherever it is made.
dist:
	$(Q)mkdir -p $(DIST)
	$(Q)git archive --prefix=uffdretry-$(VERSION)/ HEAD | gzip -9n >$(DIST)/uffdretry-$(VERSION).tar.gz
	$(Q)echo $(DIST)/uffdretry-$(VERSION).tar.gz

deb: dist
	$(Q)./tools/deps build deb
	$(Q)./tools/package deb $(DIST)/uffdretry-$(VERSION).tar.gz $(DIST)

release: dist
	$(Q)./tools/deps build
	$(Q)./tools/package static $(DIST)/uffdretry-$(VERSION).tar.gz $(DIST)

# Built twice with the same result, lintian, and installed, run and removed on Debian 12 and 13.
check-deb: dist
	$(Q)./tools/deps build deb
	$(Q)./tools/check-deb $(DIST)/uffdretry-$(VERSION).tar.gz

# Both commands of the README, and the build of the packages, on a fresh Debian of each of these: up to an hour each.
SUITES ?= bookworm trixie
check-suites: dist
	$(Q)./tools/deps deb
	$(Q)for suite in $(SUITES); do ./tools/check-suite $(DIST)/uffdretry-$(VERSION).tar.gz $$suite || exit; done

help:
	@printf '%s\n' \
	'make                 ./uffdretry and ./uffdload' \
	'make static          ./uffdretry-static and ./uffdload-static' \
	'make repro           build/repro/*: what is wrong with the merged check, a page each' \
	'make demo            trace a load here, or in a VM where this kernel does not admit it' \
	'make check           all tests; GROUPS="unit cli lint fuzz prom plot btf vm", SERIES="6.12 7.3" choose' \
	'make check-faults    what goes wrong around the tool, with large numbers: FAULTS_KERNELS="6.12 7.3" (an hour)' \
	'make soak            a kernel stays well: SOAK_KERNELS="6.12 7.3", SOAK_SECONDS=3600 each' \
	'make check-kasan     the same on a kernel with KASAN and lockdep, which it builds (half an hour): KASAN_SECONDS=600' \
	'make check-asan      the unit and cli tests alone, under ASan and UBSan (make check has them so too)' \
	'make coverage        lines run by the unit, cli and some VM tests; docs/coverage.md' \
	'make fuzz            each fuzz target for FUZZ_SECONDS (600)' \
	'make check-kernels   every kernel series to be had; writes docs/kernels.md (half an hour)' \
	'make check-permm     the verdicts against a kernel that has the per-MM or the per-VMA check; builds it (30 min)' \
	'make check-programs  QEMU, CRIU, stress-ng, selftests under the tool; writes docs/programs.md (half an hour)' \
	'make check-repro     the reproducers on six series; writes the runs in docs/merged-check.md (five minutes)' \
	'make examples        docs/EXAMPLES.md, from real runs in a VM' \
	'make bench           what the tool costs, in guest instructions; writes docs/data/bench.json (ten minutes)' \
	'make bench-check     the same against docs/data/bench.json: fails when anything but --events costs a tenth more' \
	'make bench-scale     windows at once, processes, memory, start and stop; writes docs/data/scale.json (three minutes)' \
	'make bench-soak      ten million windows (SOAK=N), every one counted' \
	'make dist            build/dist/uffdretry-VERSION.tar.gz, of the last commit' \
	'make deb             Debian packages in build/dist; make check-deb tries them on Debian 12 and 13' \
	'make check-suites    make demo, make check and the packages in a fresh Debian, SUITES="bookworm trixie" (an hour each)' \
	'make release         a static binary in build/dist, with checksums' \
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
-include tests/fuzz/fuzz.mk
-include tests/cov.mk
-include $(TOOL_OBJS:.o=.d) $(LOAD_OBJS:.o=.d) $(BPF_OBJ:.o=.d)
