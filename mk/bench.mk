# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# What the tool costs: see bench/README.md. mk/check.mk links the programs.

.PHONY: bench bench-arm64 bench-check bench-scale bench-soak bench-programs

bench-programs: uffdretry uffdload $(BUILD)/ops $(BUILD)/floor $(BUILD)/grow

# make bench: measure the cost in guest instructions; writes docs/evidence/data/bench.json and the tables from it (ten minutes)
bench:
	$(Q)./tools/deps build bench
	$(Q)$(MAKE) bench-programs
	$(Q)./bench/run --json docs/evidence/data/bench.json
	$(Q)./bench/report.py docs

# make bench-arm64: measure the cost on arm64; writes docs/evidence/data/bench-arm64.json and the tables from it (ten minutes)
bench-arm64:
	$(Q)./tools/deps build arm64
	$(Q)env -u CC $(MAKE) ARCH=arm64 guest-programs build/arm64/ops build/arm64/floor
	$(Q)./bench/run --quick --json docs/evidence/data/bench-arm64.json arm64-7.3
	$(Q)./bench/report.py docs

# make bench-check: compare the cost with bench.json; fails when anything costs a tenth more
bench-check:
	$(Q)./tools/deps build bench
	$(Q)$(MAKE) bench-programs
	$(Q)./bench/run --quick --baseline docs/evidence/data/bench.json

# make bench-scale: measure windows at once, processes, memory, start and stop; writes docs/evidence/data/scale.json (three minutes)
bench-scale:
	$(Q)./tools/deps build vm
	$(Q)$(MAKE) bench-programs
	$(Q)./bench/scale all >$(BUILD)/scale.json
	$(Q)mv $(BUILD)/scale.json docs/evidence/data/ && ./bench/report.py docs

# make bench-soak: trace ten million windows (SOAK=N) and count every one; writes docs/evidence/data/soak.json
bench-soak:
	$(Q)./tools/deps build vm
	$(Q)$(MAKE) bench-programs
	$(Q)./bench/scale soak >$(BUILD)/soak.json
	$(Q)mv $(BUILD)/soak.json docs/evidence/data/ && ./bench/report.py docs
