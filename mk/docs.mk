# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# Tables, figures and pages that are made from recorded data or real runs.

.PHONY: evidence evidence-quick examples

# make evidence: the tables in docs/evidence/evidence.md and mail.txt, and the figures, from docs/evidence/data
evidence:
	$(Q)./tools/deps plot
	$(Q)./tools/evidence/write

# make evidence-quick: a small sweep; its tables (tables.md) and figures in build/evidence (a quarter of an hour)
EVIDENCE := $(BUILD)/evidence

evidence-quick:
	$(Q)./tools/deps build vm plot
	$(Q)$(MAKE) --no-print-directory uffdretry uffdload
	$(Q)mkdir -p $(EVIDENCE)
	$(Q)./tools/evidence/sweep --quick -o $(EVIDENCE)/sweep.jsonl
	$(Q)./tools/evidence/write --tables --data $(EVIDENCE)/sweep.jsonl -o $(EVIDENCE)

# make examples: docs/reference/EXAMPLES.md, from real runs in a VM (two minutes)
examples:
	$(Q)./tools/deps build
	$(Q)$(MAKE) --no-print-directory uffdretry uffdload
	$(Q)./tools/examples
