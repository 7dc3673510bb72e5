# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# The plotter, which `make install` installs too: one directory with all that it needs, and a link to its program.

.PHONY: install-plot uninstall-plot

BINDIR ?= $(PREFIX)/bin
PLOTDIR ?= $(PREFIX)/share/uffdretry

# make install-plot: install uffdretry-plot alone (it needs python3-matplotlib)
install-plot:
	$(call msg,INSTALL,$(DESTDIR)$(BINDIR)/uffdretry-plot)
	$(Q)install -D -m 755 -t $(DESTDIR)$(PLOTDIR) tools/plot.py
	$(Q)install -D -m 644 -t $(DESTDIR)$(PLOTDIR)/plotting tools/plotting/*.py
	$(Q)install -d $(DESTDIR)$(BINDIR)
	$(Q)ln -sfr $(DESTDIR)$(PLOTDIR)/plot.py $(DESTDIR)$(BINDIR)/uffdretry-plot
	$(Q)install -D -m 644 -t $(DESTDIR)$(MANDIR)/man1 docs/reference/uffdretry-plot.1

# make uninstall-plot: remove what make install-plot installed
uninstall-plot:
	$(Q)rm -f $(DESTDIR)$(BINDIR)/uffdretry-plot $(DESTDIR)$(MANDIR)/man1/uffdretry-plot.1
	$(Q)rm -rf $(DESTDIR)$(PLOTDIR)
