# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# Pages and figures that are written from recorded data or real runs.

.PHONY: evidence evidence-quick examples

# make evidence: the tables of docs/evidence/evidence.md and mail.txt, and their figures, from docs/evidence/data
evidence:
	$(Q)./tools/deps plot
	$(Q)./tools/evidence/evidence.py

# make evidence-quick: the same from nothing, of a small sweep, in build/evidence (a quarter of an hour)
EVIDENCE := $(BUILD)/evidence

evidence-quick:
	$(Q)./tools/deps build vm plot
	$(Q)$(MAKE) --no-print-directory uffdretry uffdload
	$(Q)mkdir -p $(EVIDENCE)/data
	$(Q)./tools/evidence/sweep --quick -o $(EVIDENCE)/data/sweep.jsonl
	$(Q)./tools/evidence/evidence.py --data $(EVIDENCE)/data/sweep.jsonl -o $(EVIDENCE)

# make examples: docs/reference/EXAMPLES.md, from real runs in a VM (two minutes)
examples:
	$(Q)./tools/deps build
	$(Q)$(MAKE) --no-print-directory uffdretry uffdload
	$(Q)./tools/examples
