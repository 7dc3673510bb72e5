# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# The documents: those that are installed, and those that are written from recorded data or real runs.

.PHONY: install-docs uninstall-docs evidence evidence-native evidence-programs evidence-quick examples

EVIDENCE := $(BUILD)/evidence

# README.md and all that its links lead to, at the same places.
DOCS := README.md SECURITY.md CONTRIBUTING.md CHANGELOG.md tests/README.md tests/checks/retry-check.patch bench/README.md \
	$(wildcard LICENSES/* contrib/kernel/* contrib/prometheus/* docs/*.md docs/*/*.md docs/reference/*.json docs/evidence/mail.txt docs/evidence/figures/*.svg \
	docs/evidence/data/*.json docs/evidence/data/*.jsonl docs/evidence/data/*.gz)
DOCS += $(wildcard contrib/systemd/* contrib/kubernetes/*)

# make install-docs: install the documents alone
install-docs:
	$(call msg,INSTALL,$(DESTDIR)$(DOCDIR))
	$(Q)for file in $(DOCS); do install -D -m 644 $$file "$(DESTDIR)$(DOCDIR)/$$file" || exit; done

# make uninstall-docs: remove what make install-docs of this version installed, and no file of others
uninstall-docs:
	$(Q)for file in $(DOCS); do rm -f "$(DESTDIR)$(DOCDIR)/$$file" || exit; done
	$(Q)cd "$(DESTDIR)$(DOCDIR)" 2>/dev/null || exit 0; for dir in $(filter-out ./,$(sort $(dir $(DOCS)))); do [ ! -d $$dir ] || rmdir -p --ignore-fail-on-non-empty $$dir || exit; done
	$(Q)rmdir "$(DESTDIR)$(DOCDIR)" 2>/dev/null || :

# make evidence: write the tables of docs/evidence/evidence.md, and the figures, from docs/evidence/data
evidence:
	$(Q)./tools/deps plot
	$(Q)./tools/evidence/write

# make evidence-quick: record a small sweep, and write its tables (tables.md) and figures in build/evidence (a quarter of an hour)
evidence-quick:
	$(Q)./tools/deps build vm plot
	$(Q)$(MAKE) uffdretry uffdload
	$(Q)mkdir -p $(EVIDENCE)
	$(Q)./tools/evidence/sweep --quick -o $(EVIDENCE)/sweep.jsonl
	$(Q)./tools/evidence/write --tables --data $(EVIDENCE)/sweep.jsonl -o $(EVIDENCE)

# make evidence-programs: count the write sections of real programs, natively (a quarter of an hour)
evidence-programs:
	$(Q)./tools/deps native plot
	$(Q)./tests/programs/native/record; status=$$?; [ $$status -gt 1 ] || { ./tools/evidence/native_programs.py && ./tools/evidence/native_times.py; }; exit $$status

# make evidence-native: measure windows and write sections here, without tracing; adds to docs/evidence/data (ten minutes)
evidence-native:
	$(Q)./tools/deps build plot
	$(Q)$(MAKE) uffdload
	$(Q)./tools/evidence/native
	$(Q)./tools/evidence/native_times.py

# make examples: write docs/reference/EXAMPLES.md from real runs in a VM (two minutes)
examples:
	$(Q)./tools/deps build
	$(Q)$(MAKE) uffdretry uffdload
	$(Q)./tools/examples
