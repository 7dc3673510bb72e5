# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# What the tool costs: see bench/README.md.

.PHONY: bench bench-check bench-scale bench-soak bench-programs

$(BUILD)/ops: bench/ops.c bench/area.h $(LIB_SRCS) $(wildcard lib/*.h) | $(BUILD)
	$(call msg,LINK,$@)
	$(Q)$(CC) -static $(ALL_CFLAGS) $(LDFLAGS) bench/ops.c $(LIB_SRCS) -lpthread -o $@

$(BUILD)/floor: bench/floor.c | $(BUILD)
	$(call msg,LINK,$@)
	$(Q)$(CC) $(ALL_CFLAGS) $(LDFLAGS) $< -lbpf -o $@

$(BUILD)/grow: bench/grow.c bench/area.h $(LIB_SRCS) $(wildcard lib/*.h) | $(BUILD)
	$(call msg,LINK,$@)
	$(Q)$(CC) -static $(ALL_CFLAGS) $(LDFLAGS) bench/grow.c $(LIB_SRCS) -lpthread -o $@

bench-programs: uffdretry uffdload $(BUILD)/ops $(BUILD)/floor $(BUILD)/grow

# make bench: what the tool costs, in guest instructions; writes docs/evidence/data/bench.json and the tables made of it (ten minutes)
bench:
	$(Q)./tools/deps build bench
	$(Q)$(MAKE) --no-print-directory bench-programs WERROR=$(WERROR)
	$(Q)./bench/run --json docs/evidence/data/bench.json
	$(Q)./bench/report.py docs

# make bench-check: the same against docs/evidence/data/bench.json; fails when anything but --events costs a tenth more
bench-check:
	$(Q)./tools/deps build bench
	$(Q)$(MAKE) --no-print-directory bench-programs WERROR=$(WERROR)
	$(Q)./bench/run --quick --baseline docs/evidence/data/bench.json

# make bench-scale: windows at once, processes, memory, start and stop; writes docs/evidence/data/scale.json (three minutes)
bench-scale:
	$(Q)./tools/deps build vm
	$(Q)$(MAKE) --no-print-directory bench-programs WERROR=$(WERROR)
	$(Q)./bench/scale all >$(BUILD)/scale.json
	$(Q)mv $(BUILD)/scale.json docs/evidence/data/ && ./bench/report.py docs

# make bench-soak: ten million windows (SOAK=N), every one counted; writes docs/evidence/data/soak.json
bench-soak:
	$(Q)./tools/deps build vm
	$(Q)$(MAKE) --no-print-directory bench-programs WERROR=$(WERROR)
	$(Q)./bench/scale soak >$(BUILD)/soak.json
	$(Q)mv $(BUILD)/soak.json docs/evidence/data/ && ./bench/report.py docs
