#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
# Terminals of unusual kinds: the report comes out, and nothing stops.
. "$(dirname "$0")/lib.sh"

# A job in the background of a terminal with tostop, which stops whoever writes. Ends as the job does; 99: it was stopped.
background='
import os, pty, sys, termios
pid, fd = pty.fork()
if not pid:
    mode = termios.tcgetattr(0)
    mode[3] |= termios.TOSTOP
    termios.tcsetattr(0, termios.TCSANOW, mode)
    job = os.fork()
    if not job:
        os.setpgid(0, 0)
        os.execv(sys.argv[1], sys.argv[1:])
    status = os.waitpid(job, os.WUNTRACED)[1]
    os._exit(99 if os.WIFSTOPPED(status) else os.waitstatus_to_exitcode(status))
try:
    while text := os.read(fd, 4096):
        os.write(1, text)
except OSError:
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
'

# stdout is the master of a pseudoterminal: what is written there can be read from its slave.
master='
import os, pty, subprocess, sys, tty
master, slave = pty.openpty()
tty.setraw(slave)
done = subprocess.run(sys.argv[1:], stdout=master, timeout=60)
os.set_blocking(slave, False)
os.write(1, os.read(slave, 65536))
sys.exit(done.returncode)
'

# prints PROGRAM ARG...: the Python program runs the tool, whose version comes out.
prints() {
	out=$(/usr/bin/python3 -c "$1" "$UFFDRETRY" --probe --self-test=off 2>&1)
	status=$?
	[ $status -ne 99 ] && grep -q '^uffdretry  *[0-9]' <<<"$out"
}

prints "$background"
report $? 'in the background of a terminal with tostop: it is not stopped'
prints "$master"
report $? 'stdout is the master of a pseudoterminal: the report is there'
done_testing
