# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# Build, demo and install. mk/ has the tests, measurements and packages. `make help` lists the targets.

# These characters have a meaning to make, the shell or -ffile-prefix-map.
ifneq ($(words $(CURDIR))$(shell pwd -P | grep '[][:blank:]=$$&"`;()<>|*?[\\'"']"),1)
$(error make cannot build in a directory whose name has blanks or one of = $$ & ; | < > ( ) [ ] * ? \ and quotes: $(CURDIR))
endif

CC ?= gcc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
LLVM_STRIP ?= llvm-strip
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
DOCDIR ?= $(PREFIX)/share/doc/uffdretry
COMPLETIONSDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
FISHDIR ?= $(PREFIX)/share/fish/vendor_completions.d

# ARCH is the processor of the programs: amd64 or arm64. For another one than this machine's, all of them are static, below $(BUILD).
arch_name = $(patsubst aarch64,arm64,$(patsubst x86,amd64,$(patsubst x86_64,amd64,$(1))))
HOST_ARCH := $(call arch_name,$(shell uname -m))
# Whoever builds kernels may have x86 or x86_64 in the environment.
override ARCH := $(or $(call arch_name,$(ARCH)),$(HOST_ARCH))
OUT :=
CROSS :=
CROSS_CFLAGS :=
CROSS_LDFLAGS :=
BPF_ARCH := $(patsubst amd64,x86,$(ARCH))
# BUILD is not taken from the environment: `make clean` removes it.
ifneq ($(ARCH),$(HOST_ARCH))
CROSS := $(patsubst arm64,aarch64-linux-gnu,$(ARCH))
ifeq ($(origin CC),default)
CC := $(CROSS)-gcc
endif
BUILD := build/$(ARCH)
OUT := $(BUILD)/
SYSROOT := $(shell ./tools/sysroot $(ARCH))
CROSS_CFLAGS := -isystem $(SYSROOT)/usr/include -isystem $(SYSROOT)/usr/include/$(CROSS)
CROSS_LDFLAGS := -L$(SYSROOT)/usr/lib/$(CROSS)
else
BUILD := build
endif

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes
# clang 14 does not know -Wformat-signedness.
ifneq ($(findstring clang,$(CC)),clang)
WARNINGS += -Wformat-signedness
endif
ifeq ($(WERROR),1)
WARNINGS += -Werror
endif
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE= $(WARNINGS) -iquote src -iquote load -iquote . -iquote $(BUILD) \
	-ffile-prefix-map=$(CURDIR)=. $(CROSS_CFLAGS) $(CPPFLAGS) $(CFLAGS)
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Wno-unused-parameter $(if $(filter 1,$(WERROR)),-Werror) \
	-D__TARGET_ARCH_$(BPF_ARCH) -iquote vmlinux -iquote src -iquote . -ffile-prefix-map=$(CURDIR)=.

# What ships is hardened. The test builds are not: sanitizers do more, and _FORTIFY_SOURCE, which needs an optimizer, renames the calls that
# unit tests replace.
HARDEN_CFLAGS := -fPIE -fstack-protector-strong -fstack-clash-protection \
	$(if $(filter arm64,$(ARCH)),-mbranch-protection=standard,-fcf-protection) \
	$(if $(filter -O0,$(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
HARDEN_LDFLAGS := -Wl,-z,relro,-z,now

# A test build, which can skip runs of a hook: see src/bpf/skip.bpf.h.
ifeq ($(INJECT),1)
ALL_CFLAGS += -DINJECT_SKIPS=
BPF_CFLAGS += -DINJECT_SKIPS=
endif

# Objects must not outlive the flags that they were made with. This file changes when those do; -Werror changes no object. `make install`
# takes what is there.
FLAGS := $(if $(filter install,$(MAKECMDGOALS)),,$(BUILD)/flags)
FLAGS_NOW := $(filter-out -Werror,$(CC) $(CLANG) $(HARDEN_CFLAGS) $(ALL_CFLAGS) $(BPF_CFLAGS) $(LDFLAGS))

TOOL_LIBS := -lbpf -lelf -lz -ljson-c -lcap-ng -lpthread -lm
LOAD_LIBS := -ljson-c -lpthread

# The tool and the loads both link lib/.
LIB_SRCS := $(wildcard lib/*.c)
TOOL_SRCS := $(filter-out %.bpf.c,$(wildcard src/*.c src/*/*.c src/*/*/*.c)) $(LIB_SRCS)
LOAD_SRCS := $(wildcard load/*.c load/*/*.c load/*/*/*.c) $(LIB_SRCS)
LIB_OBJS := $(LIB_SRCS:%.c=$(BUILD)/%.o)
TOOL_OBJS := $(TOOL_SRCS:%.c=$(BUILD)/%.o)
LOAD_OBJS := $(LOAD_SRCS:%.c=$(BUILD)/%.o)
# The second object is for kernels without bpf_rdonly_cast(): see src/bpf/compat.bpf.h.
BPF_OBJS := $(BUILD)/uffdretry.bpf.o $(BUILD)/uffdretry_plain.bpf.o
SKEL := $(BPF_OBJS:.bpf.o=.skel.h)
SYSCALL_NAMES := $(BUILD)/syscall_names.h

ifeq ($(V),1)
Q :=
msg :=
else
Q := @
msg = @printf '  %-8s %s\n' "$(1)" "$(2)";
endif

MAKEFLAGS += --no-print-directory
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all demo install uninstall clean help help-all

all: $(if $(CROSS),static,uffdretry uffdload)

$(BUILD)/uffdretry_plain.bpf.o: BPF_CFLAGS += -DWITHOUT_CAST=
$(BPF_OBJS): src/uffdretry.bpf.c $(FLAGS) | $(BUILD)
	$(call msg,BPF,$@)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MF $(@:.o=.d) -MT $@ -c $< -o $@
	$(Q)$(LLVM_STRIP) -g $@

# bpftool 7.1 (Debian 12) leaves the object unaligned: libelf then copies sections, and no memory for that reads as a wrong format.
$(SKEL): %.skel.h: %.bpf.o
	$(call msg,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $(*F)_bpf | sed \
		-e 's/^	return (const void \*)"\\$$/	static const char elf[] __attribute__((aligned(8))) = "\\/' \
		-e '/^	static const char elf/,/";$$/s/";$$/";\n	return elf;/' > $@

$(BUILD)/%.o: %.c $(FLAGS) | $(BUILD)
	$(call msg,CC,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(HARDEN_CFLAGS) $(ALL_CFLAGS) -MMD -MP -c $< -o $@

# From the compiler's headers. On arm64 some numbers are macros of their own, and two names are no system calls.
$(SYSCALL_NAMES): | $(BUILD)
	$(call msg,GEN,$@)
	$(Q)echo '#include <asm/unistd.h>' | $(CC) -E -dM - | { \
		echo '#include <asm/unistd.h>'; \
		echo 'static const char *const syscall_names[] = {'; \
		sed -n -e '/ __NR_\(syscalls\|arch_specific_syscall\) /d' -e 's/^#define __NR_\([a-z0-9_]*\) .*/	[__NR_\1] = "\1",/p'; \
		echo '};'; } >$@

# The .d files say who includes these headers; before the first compilation, there are none.
$(foreach dir,$(BUILD) $(BUILD)/asan $(BUILD)/fuzz $(BUILD)/cov,$(patsubst %.c,$(dir)/%.o,$(filter src/%,$(TOOL_SRCS)))): \
	| $(SKEL) $(SYSCALL_NAMES)

TOOL := $(sort $(OUT)uffdretry $(BUILD)/uffdretry)
$(TOOL) $(OUT)uffdretry-static: LIBS := $(TOOL_LIBS)
$(TOOL) $(OUT)uffdretry-static: $(TOOL_OBJS)
$(OUT)uffdload $(OUT)uffdload-static: LIBS := $(LOAD_LIBS)
$(OUT)uffdload $(OUT)uffdload-static: $(LOAD_OBJS)

$(TOOL) $(OUT)uffdload:
	$(call msg,LINK,$@)
	$(Q)$(CC) -pie $(HARDEN_LDFLAGS) $(CFLAGS) $(CROSS_LDFLAGS) $(LDFLAGS) $^ $(LIBS) $(LDLIBS) -o $@

$(BUILD):
	$(Q)mkdir -p $@

.PHONY: always
$(FLAGS): always | $(BUILD)
	$(Q)echo '$(subst ','\'',$(FLAGS_NOW))' | { cmp -s - $@ || echo '$(subst ','\'',$(FLAGS_NOW))' >$@; }

# The packages first: only then the second make finds the programs in them.
demo:
	$(Q)./tools/deps build
	$(Q)$(MAKE) uffdretry uffdload
	$(Q)./tools/demo

INSTALLED := $(if $(CROSS),$(OUT)uffdretry-static,uffdretry)
install: $(INSTALLED) install-docs install-plot install-stacks
	$(call msg,INSTALL,$(DESTDIR)$(SBINDIR)/uffdretry)
	$(Q)install -D -m 755 $(INSTALLED) "$(DESTDIR)$(SBINDIR)/uffdretry"
	$(Q)install -D -m 644 docs/reference/uffdretry.8 "$(DESTDIR)$(MANDIR)/man8/uffdretry.8"
	$(Q)install -D -m 644 contrib/uffdretry.bash "$(DESTDIR)$(COMPLETIONSDIR)/uffdretry"
	$(Q)install -D -m 644 contrib/uffdretry.zsh "$(DESTDIR)$(ZSHDIR)/_uffdretry"
	$(Q)install -D -m 644 contrib/uffdretry.fish "$(DESTDIR)$(FISHDIR)/uffdretry.fish"

uninstall: uninstall-docs uninstall-plot uninstall-stacks
	$(call msg,REMOVE,$(DESTDIR)$(SBINDIR)/uffdretry)
	$(Q)rm -f "$(DESTDIR)$(SBINDIR)/uffdretry" "$(DESTDIR)$(MANDIR)/man8/uffdretry.8"
	$(Q)rm -f "$(DESTDIR)$(COMPLETIONSDIR)/uffdretry" "$(DESTDIR)$(ZSHDIR)/_uffdretry" "$(DESTDIR)$(FISHDIR)/uffdretry.fish"

help:
	@printf '%s\n' \
	'make                 build ./uffdretry and ./uffdload' \
	'make demo            trace a load here, or in a VM if this kernel refuses tracing' \
	'make check           run all tests; GROUPS="unit cli lint" and SERIES="6.12 7.3" choose' \
	'make install         install under PREFIX (/usr/local), DESTDIR before it' \
	'make uninstall       remove what make install installed' \
	'make static          build ./uffdretry-static and ./uffdload-static;' \
	'                     with ARCH=arm64 for that processor, in build/arm64' \
	'make repro           build build/repro/*: what the merged check gets wrong, a page each' \
	'make deb             build Debian packages in build/dist' \
	'make format          lay out the C files with clang-format 14' \
	'make clean           remove what was built' \
	'make help-all        list the other targets: long tests, measurements, releases' \
	'V=1 shows commands, WERROR=1 makes warnings errors, DEPS=no installs no package'

# Other targets have a line "# make TARGET: what it does" above them.
help-all: help
	@echo
	@sed -n 's/^# make \([^:]*\): /\1	/p' Makefile mk/*.mk | expand -t 21 | sed 's/^/make /'

clean:
	$(call msg,CLEAN,)
	$(Q)rm -rf $(BUILD) uffdretry uffdload uffdretry-static uffdload-static

include mk/check.mk mk/unit.mk mk/fuzz.mk mk/coverage.mk mk/bench.mk mk/docs.mk mk/plot.mk mk/package.mk
-include $(TOOL_OBJS:.o=.d) $(LOAD_OBJS:.o=.d) $(BPF_OBJS:.o=.d)
