#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""TAP: what bash, zsh and fish make of a line and the Tab key. bash and zsh run interactively, on a terminal of the test.

In each shell `uffdretry` is a function: of `list --brief` it prints the PIDs 23, 234 and 1777, else its arguments.
"""
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import time

CONTRIB = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../contrib")
FUNCTION = "uffdretry() { if [ \"$*\" = 'list --brief' ]; then printf '%s\\n' 23 234 1777; else printf '<%s>' \"$@\"; echo '|'; fi; }"
BASH_COMPLETION = "/usr/share/bash-completion/bash_completion"

# What is typed, and the arguments that the command then gets.
LINES = (
    ("--pla\t", "<--plan>"),
    ("--plan=retry_s\t", "<--plan=retry_state>"),
    ("--plan retry_f\t", "<--plan><retry_fn>"),
    ("--plan=retry_s\t -j", "<--plan=retry_state><-j>"),
    ("--self-test=on\t", "<--self-test=only>"),
    ("-p 17\t", "<-p><1777>"),
    ("-p 1,17\t", "<-p><1,1777>"),
    ("-p 1,2,17\t", "<-p><1,2,1777>"),
    ("--pid=5,17\t", "<--pid=5,1777>"),
    ("--pid 17\t 1", "<--pid><1777><1>"),
    ("-p 1,2\t4\t", "<-p><1,234>"),
    ("li\t", "<list>"),
    ("rep\t", "<report>"),
    ("report /etc/os-relea\t", "<report></etc/os-release>"),
    ("di\t", "<diff>"),
    ("diff /etc/hostname /etc/os-relea\t", "<diff></etc/hostname></etc/os-release>"),
    ("--fail-above=0\t", "<--fail-above=0.1%>"),
    ("--cgroup=/sys/fs/c\t", "<--cgroup=/sys/fs/cgroup>"),
    ("-- --pla\t", "<--><--pla>"),
)


class Terminal:
    """An interactive shell; say() types a line and returns what the function printed."""

    def __init__(self, command, setup):
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ.update(TERM="dumb", PS1="$ ", HOME="/nonexistent", ZDOTDIR="/nonexistent")
            os.execvp(command[0], command)
        for line in setup + ["echo rea''dy"]:
            self.type(line + "\n")
        self.wait_for(r"ready\r")

    def type(self, text):
        os.write(self.fd, text.encode())

    def wait_for(self, pattern, seconds=10):
        text, end = "", time.monotonic() + seconds
        while not re.search(pattern, text):
            if time.monotonic() > end or not select.select([self.fd], [], [], 1)[0]:
                if time.monotonic() > end:
                    raise TimeoutError(repr(text))
                continue
            text += os.read(self.fd, 4096).decode(errors="replace")
        return text

    def say(self, line):
        self.type(f"uffdretry {line}\n")
        try:
            return re.search(r"((?:<[^<>]*>)+)\|\r", self.wait_for(r">\|\r"))[1]
        except TimeoutError as error:
            self.type("\x03")
            return f"timeout: {error}"

    def end(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


class Tap:
    tests = failed = 0

    def check(self, good, what, *notes):
        self.tests += 1
        self.failed += not good
        print("ok" if good else "not ok", self.tests, "-", what)
        for note in () if good else notes:
            print("#", note)

    def skip(self, what):
        self.tests += 1
        print(f"ok {self.tests} # SKIP {what}")


def type_lines(tap, name, terminal, lines):
    for line, want in lines:
        got = terminal.say(line).replace("/>", ">")
        tap.check(got == want, f"{name}: {line}".replace("\t", "<TAB>").replace("#", ""), f"{got}, not {want}")
    terminal.end()


def bash(tap, name, *before):
    setup = ["bind 'set enable-bracketed-paste off'", *before, FUNCTION, f". {CONTRIB}/uffdretry.bash"]
    type_lines(tap, name, Terminal(["bash", "--norc", "--noprofile", "-i"], setup), LINES)


def zsh(tap):
    setup = ["unset zle_bracketed_paste", f"fpath=({CONTRIB} $fpath)", "autoload -Uz compinit", "compinit -u -D", FUNCTION,
             "autoload -Uz uffdretry.zsh", "compdef uffdretry.zsh uffdretry"]
    type_lines(tap, "zsh", Terminal(["zsh", "-f", "-i"], setup), LINES)


def wanted(arguments):
    """The last argument that Tab completed: -j and an INTERVAL were typed."""
    return [a for a in re.findall("<([^<>]*)>", arguments) if a not in ("-j", "1")][-1]


def fish(tap):
    """fish itself tells what it would offer."""
    function = "function uffdretry; printf '%s\\n' 23 234 1777; end"
    for line, want in LINES:
        typed, word = line.split("\t")[0], wanted(want)
        script = f"{function}; source {CONTRIB}/uffdretry.fish; complete -C 'uffdretry {typed}'"
        got = subprocess.run(["fish", "--no-config", "-c", script], capture_output=True, text=True, check=False)
        offered = [one.split("\t")[0].rstrip("/") for one in got.stdout.splitlines()]
        # What is complete is not offered again; behind -- nothing is.
        tap.check(word in offered or (word == typed.split()[-1] and not offered), f"fish: {typed}<TAB>", f"{offered}, not {word}: {got.stderr}")


def main():
    tap = Tap()
    bash(tap, "bash")
    bash(tap, "bash, = and : end no word", "COMP_WORDBREAKS=${COMP_WORDBREAKS//[=:]}")
    if os.path.exists(BASH_COMPLETION):
        bash(tap, "bash-completion", f". {BASH_COMPLETION}")
    else:
        tap.skip("bash-completion is not installed")
    for shell, test in (("zsh", zsh), ("fish", fish)):
        if shutil.which(shell):
            got = subprocess.run([shell, "-n", f"{CONTRIB}/uffdretry.{shell}"], capture_output=True, text=True, check=False)
            tap.check(got.returncode == 0, f"{shell} -n", got.stderr)
            test(tap)
        else:
            tap.skip(f"{shell} is not installed")
    print(f"1..{tap.tests}")
    sys.exit(tap.failed != 0)


main()
