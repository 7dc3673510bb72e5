# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# The readers of records, which `make install` installs too: the plotter, one directory with all that it needs and
# a link to its program; and uffdretry-stacks, a file.

.PHONY: install-plot uninstall-plot install-stacks uninstall-stacks

BINDIR ?= $(PREFIX)/bin
PLOTDIR ?= $(PREFIX)/share/uffdretry

# make install-plot: install uffdretry-plot alone (it needs python3-matplotlib)
install-plot:
	$(call msg,INSTALL,$(DESTDIR)$(BINDIR)/uffdretry-plot)
	$(Q)install -D -m 755 -t "$(DESTDIR)$(PLOTDIR)" tools/plot.py
	$(Q)install -D -m 644 -t "$(DESTDIR)$(PLOTDIR)/plotting" tools/plotting/*.py
	$(Q)install -d "$(DESTDIR)$(BINDIR)"
	$(Q)ln -sfr "$(DESTDIR)$(PLOTDIR)/plot.py" "$(DESTDIR)$(BINDIR)/uffdretry-plot"
	$(Q)install -D -m 644 -t "$(DESTDIR)$(MANDIR)/man1" docs/reference/uffdretry-plot.1

# make uninstall-plot: remove what make install-plot installed
uninstall-plot:
	$(Q)rm -f "$(DESTDIR)$(BINDIR)/uffdretry-plot" "$(DESTDIR)$(MANDIR)/man1/uffdretry-plot.1"
	$(Q)rm -f "$(DESTDIR)$(PLOTDIR)/plot.py"
	$(Q)for file in $(notdir $(wildcard tools/plotting/*.py)); do rm -f "$(DESTDIR)$(PLOTDIR)/plotting/$$file" || exit; done
	$(Q)rm -rf "$(DESTDIR)$(PLOTDIR)/plotting/__pycache__"
	$(Q)rmdir "$(DESTDIR)$(PLOTDIR)/plotting" "$(DESTDIR)$(PLOTDIR)" 2>/dev/null || :

# make install-stacks: install uffdretry-stacks alone (it needs binutils)
install-stacks:
	$(call msg,INSTALL,$(DESTDIR)$(BINDIR)/uffdretry-stacks)
	$(Q)install -D -m 755 tools/stacks.py "$(DESTDIR)$(BINDIR)/uffdretry-stacks"
	$(Q)install -D -m 644 -t "$(DESTDIR)$(MANDIR)/man1" docs/reference/uffdretry-stacks.1

# make uninstall-stacks: remove what make install-stacks installed
uninstall-stacks:
	$(Q)rm -f "$(DESTDIR)$(BINDIR)/uffdretry-stacks" "$(DESTDIR)$(MANDIR)/man1/uffdretry-stacks.1"
