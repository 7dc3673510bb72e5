# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# Static binaries, the tarball, the Debian packages, a release: see docs/development/dependencies.md.

VERSION := $(shell sed -n 's/^\#define UFFDRETRY_VERSION "\(.*\)"$$/\1/p' src/version.h)
DIST := $(BUILD)/dist
TARBALL := $(DIST)/uffdretry-$(VERSION).tar.gz
SUITES ?= bookworm trixie
# ld warns of getpwuid() and initgroups() in libcap-ng's archive. The tool calls neither.
STATIC_LDFLAGS := -Wl,--no-warnings

.PHONY: static dist deb release check-deb check-suites

static: $(OUT)uffdretry-static $(OUT)uffdload-static

$(OUT)uffdretry-static $(OUT)uffdload-static:
	$(call msg,LINK,$@)
	$(Q)$(CC) -static-pie $(HARDEN_LDFLAGS) $(STATIC_LDFLAGS) $(CFLAGS) $(CROSS_LDFLAGS) $(LDFLAGS) $^ $(LIBS) $(LDLIBS) -o $@
	$(Q)./tools/package/check-static $@
	$(Q)./tools/package/check-hardened $@

# make dist: pack the last commit as build/dist/uffdretry-VERSION.tar.gz; every machine makes the same bytes
dist:
	$(Q)mkdir -p $(DIST)
	$(Q)GIT_ATTR_NOSYSTEM=1 git -c tar.umask=0002 -c core.autocrlf=false -c core.attributesFile=/dev/null archive --prefix=uffdretry-$(VERSION)/ -o $(DIST)/plain.tar HEAD
	$(Q)env -u GZIP gzip -9n <$(DIST)/plain.tar >$(TARBALL)
	$(Q)rm $(DIST)/plain.tar
	$(Q)echo $(TARBALL)

deb: dist
	$(Q)./tools/deps build deb
	$(Q)./tools/package/build deb $(TARBALL) $(DIST)

# make release: build the static binary in build/dist, with its SPDX list and checksums; SIGN=KEY signs these (gpg)
release: dist
	$(Q)./tools/deps build deb
	$(Q)./tools/package/build static $(TARBALL) $(DIST)
	$(Q)$(if $(SIGN),./tools/package/sign '$(SIGN)' $(TARBALL:.tar.gz=.sha256))

# make check-release: build the release twice and compare; sign and verify it (five minutes)
.PHONY: check-release
check-release: dist
	$(Q)./tools/deps build deb
	$(Q)./tools/package/check-release $(TARBALL)

# make check-deb: build the packages twice and compare; lintian; install, run and remove them on Debian 12 and 13
check-deb: dist
	$(Q)./tools/deps build deb
	$(Q)./tools/package/check-deb $(TARBALL)

# make check-suites: run make demo, make check and build the packages in a fresh Debian; SUITES="bookworm trixie" (an hour each)
check-suites: dist
	$(Q)./tools/deps deb
	$(Q)for suite in $(SUITES); do ./tools/package/check-suite $(TARBALL) $$suite || exit; done
