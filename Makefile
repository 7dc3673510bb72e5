# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# Build, demo, install; tests, measurements and packages are in mk/. `make V=1` shows the commands, `make help` the targets.

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
CLANG_FORMAT ?= clang-format -i

CFLAGS ?= -O2 -g
WARNINGS := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wstrict-prototypes
# clang 14 does not know this one.
ifneq ($(findstring clang,$(CC)),clang)
WARNINGS += -Wformat-signedness
endif
ifeq ($(WERROR),1)
WARNINGS += -Werror
endif
ALL_CFLAGS := -std=gnu11 -D_GNU_SOURCE= $(WARNINGS) -iquote src -iquote load -iquote . -iquote $(BUILD) \
	-ffile-prefix-map=$(CURDIR)=. $(CPPFLAGS) $(CFLAGS)
BPF_CFLAGS := -target bpf -mcpu=v3 -O2 -g -Wall -Wextra -Wno-unused-parameter $(if $(filter 1,$(WERROR)),-Werror) \
	-D__TARGET_ARCH_x86 -iquote vmlinux -iquote src -iquote . -ffile-prefix-map=$(CURDIR)=.

TOOL_LIBS := -lbpf -lelf -lz -ljson-c -lcap-ng -lpthread -lm
LOAD_LIBS := -ljson-c -lpthread
# libcap-ng's archive mentions getpwuid() and initgroups(), which we never call; ld would warn of them.
STATIC_LDFLAGS := -Wl,--no-warnings

# What the tool and the loads both link: the rig opens windows for the self-test and for the loads.
LIB_SRCS := $(wildcard lib/*.c)
TOOL_SRCS := $(filter-out %.bpf.c,$(wildcard src/*.c src/*/*.c)) $(LIB_SRCS)
LOAD_SRCS := $(wildcard load/*.c load/*/*.c) $(LIB_SRCS)
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
.PHONY: all static repro demo install install-docs uninstall format clean help help-all

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

# Generated headers, for each way to compile (asan, fuzz, cov): X/src/... as $(BUILD)/src/...
$(foreach dir,$(BUILD) $(BUILD)/asan $(BUILD)/fuzz $(BUILD)/cov,$(eval $(patsubst %.c,$(dir)/%.o,$(wildcard src/trace/*.c)): $(SKEL)))
$(foreach dir,$(BUILD) $(BUILD)/asan $(BUILD)/fuzz $(BUILD)/cov,$(eval $(dir)/src/counters/names.o: $(SYSCALL_NAMES)))

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
	$(Q)./tools/package/check-static $@

uffdload-static: $(LOAD_OBJS)
	$(call msg,LINK,$@)
	$(Q)$(CC) -static $(STATIC_LDFLAGS) $(CFLAGS) $(LDFLAGS) $^ $(LOAD_LIBS) -o $@
	$(Q)./tools/package/check-static $@

# Programs of a page each, for people without the tool: see docs/evidence/merged-check.md.
REPRO := $(patsubst repro/%.c,$(BUILD)/repro/%,$(wildcard repro/*.c))

repro: $(REPRO)

$(BUILD)/repro/%: repro/%.c repro/repro.h
	$(call msg,LINK,$@)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -static $(ALL_CFLAGS) $(LDFLAGS) $< -lpthread -o $@
	$(Q)./tools/package/check-static $@

$(BUILD):
	$(Q)mkdir -p $@

# What works on this machine's kernel, or in a VM with a stock one.
demo:
	$(Q)./tools/deps build
	$(Q)$(MAKE) --no-print-directory uffdretry uffdload
	$(Q)./tools/demo

format:
	$(Q)$(CLANG_FORMAT) $(C_FILES)

# The README and what its links lead to, placed as here.
DOCS := README.md SECURITY.md CONTRIBUTING.md CHANGELOG.md tests/README.md tests/permm/retry-check.patch bench/README.md \
	$(wildcard LICENSES/* contrib/prometheus/* docs/*.md docs/*/*.md docs/evidence/mail.txt docs/evidence/figures/*.svg \
	docs/evidence/data/*.json docs/evidence/data/*.gz)

install: uffdretry install-docs
	$(call msg,INSTALL,$(DESTDIR)$(SBINDIR)/uffdretry)
	$(Q)install -D -m 755 uffdretry $(DESTDIR)$(SBINDIR)/uffdretry
	$(Q)install -D -m 644 docs/reference/uffdretry.8 $(DESTDIR)$(MANDIR)/man8/uffdretry.8
	$(Q)install -D -m 644 contrib/uffdretry.bash $(DESTDIR)$(COMPLETIONSDIR)/uffdretry

install-docs:
	$(call msg,INSTALL,$(DESTDIR)$(DOCDIR))
	$(Q)for file in $(DOCS); do install -D -m 644 $$file $(DESTDIR)$(DOCDIR)/$$file || exit; done

uninstall:
	$(call msg,REMOVE,$(DESTDIR)$(SBINDIR)/uffdretry)
	$(Q)rm -f $(DESTDIR)$(SBINDIR)/uffdretry $(DESTDIR)$(MANDIR)/man8/uffdretry.8
	$(Q)rm -f $(DESTDIR)$(COMPLETIONSDIR)/uffdretry
	$(Q)rm -rf $(DESTDIR)$(DOCDIR)

help:
	@printf '%s\n' \
	'make                 ./uffdretry and ./uffdload' \
	'make demo            trace a load here, or in a VM if this kernel refuses tracing' \
	'make check           all tests; choose with GROUPS="unit cli lint" and SERIES="6.12 7.3"' \
	'make install         DESTDIR=, PREFIX=/usr/local; make uninstall' \
	'make static          ./uffdretry-static and ./uffdload-static' \
	'make repro           build/repro/*: what is wrong with the merged check, one page each' \
	'make deb             Debian packages in build/dist' \
	'make format          clang-format' \
	'make clean           remove what was built' \
	'make help-all        the other targets: long tests, measurements, evidence, releases' \
	'V=1 shows commands, WERROR=1 makes warnings errors, DEPS=no installs no package'

# Each part says in its first lines what its targets do: "# make TARGET: ...".
help-all: help
	@echo
	@sed -n 's/^# make \([^:]*\): /\1	/p' mk/*.mk | expand -t 21 | sed 's/^/make /'

clean:
	$(call msg,CLEAN,)
	$(Q)rm -rf $(BUILD) uffdretry uffdload uffdretry-static uffdload-static

# clang-format's; generated and foreign files are not.
C_FILES := $(wildcard src/*.[ch] src/*/*.[ch] lib/*.[ch] load/*.[ch] load/*/*.[ch] repro/*.[ch] bench/*.[ch] tests/*/*.[ch])

include mk/check.mk mk/unit.mk mk/fuzz.mk mk/coverage.mk mk/bench.mk mk/docs.mk mk/package.mk
-include $(TOOL_OBJS:.o=.d) $(LOAD_OBJS:.o=.d) $(BPF_OBJ:.o=.d)
