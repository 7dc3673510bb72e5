#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Draw figures from what uffdretry -j printed, or make one page of HTML of it.

FILE has JSON lines or multi-line JSON, of a run with or without INTERVAL and -e.
Without --figure, all that the data allows. No display is needed.
Exit status: 0 done, 1 an input or output is not what it should be (one line on stderr), 64 usage.
"""
import argparse
import contextlib
import io
import os
import re
import secrets
import shutil
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.append(os.path.join(HERE, "plotting"))

import records  # noqa: E402 pylint: disable=wrong-import-position

NAME = os.path.basename(sys.argv[0]).removesuffix(".py")
NAMES = ("eagain", "rates", "time", "windows", "writers", "chains")  # in the order of the page
REPORT_LIMIT = 1 << 16  # characters


def say(text):
    if sys.stderr:  # else print() would take stdout
        print(f"{NAME}: {records.printable(str(text), 5000)}", file=sys.stderr)  # a file may have any name


def fail(text, status=1):
    say(text)
    sys.exit(status)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        fail(f"{message} (see --help)", 64)


def parse_arguments():
    parser = Parser(prog=os.path.basename(sys.argv[0]), description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE",
                        help="JSON of uffdretry -j; *.gz too; - is stdin; several are drawn in one figure, "
                        "over time with a column for each")
    parser.add_argument("--figure", action="append", choices=NAMES,
                        help="only this one; may be given again")
    parser.add_argument("--format", choices=("png", "svg"), default="png")
    parser.add_argument("-o", "--output", metavar="DIR", default=".",
                        help="where the figures go, as NAME.FORMAT (default: here)")
    parser.add_argument("--html", metavar="OUT.html",
                        help="write one page with answers, figures and tables instead; - is stdout")
    parser.add_argument("--check", action="store_true",
                        help="read and draw, but write nothing: say what would be written")
    return parser.parse_args()


unfinished = set()  # temporary files


def end_by(number, _frame):
    """Die of a signal, and leave no temporary file."""
    for path in unfinished:
        with contextlib.suppress(OSError):
            os.unlink(path)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def catch_signals():
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup
            signal.signal(number, end_by)


def write_file(path, data):
    """Put data in the place of path, whole or not at all. path is not opened: it may be another's link or FIFO."""
    temporary = os.path.join(os.path.dirname(path), f".uffdretry-plot.{secrets.token_hex(8)}")
    unfinished.add(temporary)
    try:
        with open(temporary, "xb") as file:
            file.write(data)
        os.replace(temporary, path)
    except OSError as err:
        raise OSError(err.errno, err.strerror, path) from err
    finally:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        unfinished.discard(temporary)


# --- figures --------------------------------------------------------------------------------------

def save(figure, file, kind, source):
    """Without dates: the same data gives the same file. source names the data."""
    metadata = {"Date": None, "Description": source} if kind == "svg" else {"Description": source}
    figure.savefig(file, format=kind, dpi=110, metadata=metadata)


def draw(runs, figures, titles=None):
    """Yield (name, figure or None) of {name: function}. A figure is closed when the next is asked for.

    titles: {name: what follows from the figure}; others get a title that says what they show.
    """
    import style  # pylint: disable=import-outside-toplevel # matplotlib takes a second
    for name, function in figures.items():
        figure = function(runs, (titles or {}).get(name, ""))
        yield name, figure
        if figure:
            style.pyplot.close(figure)


def chosen_figures(names):
    import figures  # pylint: disable=import-outside-toplevel # matplotlib takes a second
    return {name: figures.FIGURES[name] for name in names or NAMES}


def write_figures(args, runs):
    """The paths of the figures that are drawn, by name."""
    paths = {}
    for name, figure in draw(runs, chosen_figures(args.figure)):
        if figure:
            paths[name] = os.path.join(args.output, f"{name}.{args.format}")
        if figure and not args.check:
            file = io.BytesIO()
            save(figure, file, args.format, "")
            write_file(paths[name], file.getvalue())
    return paths


# --- the page -------------------------------------------------------------------------------------

def inline_svg(name, figure):
    """The figure as an element of a page: text as text, and no id that another figure has too."""
    import style  # pylint: disable=import-outside-toplevel # matplotlib takes a second
    file = io.StringIO()
    with style.pyplot.rc_context({"svg.fonttype": "none", "svg.hashsalt": f"uffdretry {name}"}):
        save(figure, file, "svg", "")
    text = file.getvalue()
    text = re.sub(r"<metadata>.*?</metadata>", "", text[text.index("<svg"):], flags=re.DOTALL)
    return re.sub(r'<g id="[^"]*">', "<g>", text).replace("<svg ", f'<svg role="img" aria-label="figure {name}" ', 1)


def reporter():
    """The tool: of the same tree or installation, else from PATH; None without one."""
    beside = [os.path.join(HERE, place, "uffdretry") for place in ("..", "../../sbin")]
    beside += [shutil.which("uffdretry", path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin")]
    return next((path for path in beside if path and os.path.isfile(path) and os.access(path, os.X_OK)), None)


def report_of(path):
    """What `uffdretry report` prints of the file; "" when it cannot."""
    tool = reporter()
    if not tool or path == "-":
        return ""
    try:
        done = subprocess.run([tool, "report", os.path.abspath(path)], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.decode("utf-8", "replace")[:REPORT_LIMIT].strip("\n") if done.returncode == 0 else ""


def write_page(args, recording):
    import webpage  # pylint: disable=import-outside-toplevel # matplotlib takes a second
    if recording.summaries > 1 or any(run.load for run in recording.runs):
        raise records.BadInput(f"{recording.path}: more than one run: --html takes the record of one")
    if not recording.counts:
        raise records.BadInput(f"{recording.path}: no summary and no interval, which --html needs")
    drawn = draw(recording.runs, chosen_figures(args.figure))
    drawings = [inline_svg(name, figure) for name, figure in drawn if figure]
    text = webpage.page(recording, drawings, report_of(recording.path))
    if args.check:
        return
    if args.html != "-":
        write_file(args.html, text.encode())
        return
    with open(1, "w", encoding="utf-8", closefd=False) as file:
        file.write(text)


# --- the command line -----------------------------------------------------------------------------

def run(args):
    recordings = [records.read_file(path) for path in args.files]
    for recording in recordings:
        if recording.skipped:
            say(f"{recording.path}: lines skipped that are no record: {recording.skipped}")
        if recording.cut:
            say(f"{recording.cut}: truncated: the file ends in the middle of a record; what came before is used")
    if args.html:
        write_page(args, recordings[0])
        if args.html != "-":
            print(args.html)
        return
    paths = write_figures(args, [one for recording in recordings for one in recording.runs])
    for name in args.figure or ():
        if name not in paths:
            raise records.BadInput(f"nothing in the data for --figure {name}")
    print("".join(f"{path}\n" for path in paths.values()), end="")
    if not paths:
        say("nothing to draw: no call of UFFDIO_COPY, and no window")


def main():
    catch_signals()
    args = parse_arguments()
    if args.html and args.html != "-" and not args.html.endswith((".html", ".htm")):
        fail(f"--html {args.html}: the name must end in .html, so that no record is overwritten", 64)
    if args.html and len(args.files) > 1:
        fail("--html takes one FILE (see --help)", 64)
    try:
        run(args)
    except records.BadInput as err:
        fail(err)
    except ImportError as err:
        fail(f"{err}: install python3-matplotlib")
    except OSError as err:
        fail(f"{err.filename if isinstance(err.filename, str) else 'stdout'}: {err.strerror}")


if __name__ == "__main__":
    main()
