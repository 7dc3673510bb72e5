# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# Tarball, Debian packages, static release: docs/development/dependencies.md.

VERSION := $(shell sed -n 's/^\#define UFFDRETRY_VERSION "\(.*\)"$$/\1/p' src/version.h)
DIST := $(BUILD)/dist

.PHONY: dist deb release check-deb check-suites

# make dist: build/dist/uffdretry-VERSION.tar.gz, of the last commit, the same bytes wherever it is made
dist:
	$(Q)mkdir -p $(DIST)
	$(Q)git archive --prefix=uffdretry-$(VERSION)/ HEAD | gzip -9n >$(DIST)/uffdretry-$(VERSION).tar.gz
	$(Q)echo $(DIST)/uffdretry-$(VERSION).tar.gz

deb: dist
	$(Q)./tools/deps build deb
	$(Q)./tools/package/build deb $(DIST)/uffdretry-$(VERSION).tar.gz $(DIST)

# make release: a static binary in build/dist, with checksums
release: dist
	$(Q)./tools/deps build
	$(Q)./tools/package/build static $(DIST)/uffdretry-$(VERSION).tar.gz $(DIST)

# make check-deb: the packages built twice alike, lintian, and installed, run and removed on Debian 12 and 13
check-deb: dist
	$(Q)./tools/deps build deb
	$(Q)./tools/package/check-deb $(DIST)/uffdretry-$(VERSION).tar.gz

# make check-suites: make demo, make check and the packages in a fresh Debian; SUITES="bookworm trixie" (an hour each)
SUITES ?= bookworm trixie
check-suites: dist
	$(Q)./tools/deps deb
	$(Q)for suite in $(SUITES); do ./tools/package/check-suite $(DIST)/uffdretry-$(VERSION).tar.gz $$suite || exit; done
