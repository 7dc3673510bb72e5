#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Draw figures from JSON lines of uffdretry (-j, also with INTERVAL or -e) or tools/evidence/sweep.

Several files are drawn as one. Without --figure: all that the data allows. No display is needed.
Exit status: 0 done, 1 an input or output is not what it should be (one line on stderr), 64 usage.
"""
import argparse
import os
import sys

sys.dont_write_bytecode = True
sys.path.append(os.path.join(os.path.dirname(os.path.realpath(__file__)), "plotting"))

import records  # noqa: E402 pylint: disable=wrong-import-position


def fail(text, status=1):
    print(f"plot: {text}", file=sys.stderr)
    sys.exit(status)


class Parser(argparse.ArgumentParser):
    def error(self, message):
        fail(f"{message} (see --help)", 64)


def parse_arguments(names):
    parser = Parser(prog="plot.py", description=__doc__,
                    formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE", help="JSON lines; *.gz too; - is stdin")
    parser.add_argument("--figure", action="append", choices=names,
                        help="only this one; may be given again")
    parser.add_argument("--format", choices=("png", "svg"), default="png")
    parser.add_argument("-o", "--output", metavar="DIR", default=".",
                        help="where the figures go, as NAME.FORMAT (default: here)")
    parser.add_argument("--check", action="store_true",
                        help="read and draw, but write nothing: say what would be written")
    return parser.parse_args()


def save(figure, path, kind, source):
    """Without dates: the same data gives the same file. source names the data."""
    metadata = {"Date": None, "Description": source} if kind == "svg" else {"Description": source}
    figure.savefig(path, format=kind, dpi=110, metadata=metadata)


def draw(runs, wanted, directory, kind, source="", check=False, titles=None):
    """Draw the figures. Yields (name, path) of each; path is None if the data has nothing for it.

    titles: {name: what follows from the figure}; others get a title that says what they show.
    """
    # pylint: disable=import-outside-toplevel # takes a second
    import figures
    import style
    for name in wanted:
        figure = figures.FIGURES[name](runs, (titles or {}).get(name, ""))
        path = os.path.join(directory, f"{name}.{kind}") if figure else None
        if figure and not check:
            save(figure, path, kind, source)
        if figure:
            style.pyplot.close(figure)
        yield name, path


NAMES = ("rate", "windows", "writers", "chains", "time")


def main():
    args = parse_arguments(NAMES)
    try:
        runs = records.read_runs(args.files)
        drawn = list(draw(runs, args.figure or NAMES, args.output, args.format, check=args.check))
    except records.BadInput as err:
        fail(err)
    except ImportError as err:
        fail(f"{err}: run tools/deps plot")
    except OSError as err:
        fail(f"{err.filename}: {err.strerror}")
    for name, path in drawn:
        if path:
            print(path)
        elif args.figure:
            fail(f"nothing in the data for --figure {name}")
    if not any(path for _, path in drawn):
        fail("nothing to draw in the data: no windows")


if __name__ == "__main__":
    main()
