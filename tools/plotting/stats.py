# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Shares, of runs or with their intervals, quantiles of histograms, and rows of failures."""
import math

Z = 1.959963984540054  # 97.5 % quantile of the normal distribution
ENOUGH = 3000  # windows behind a zero: none of these bounds the share by 0.1 %
FEW = 100  # windows of a run: fewer give no share


def interval(k, n):
    """The 95 % interval of a share of k in n, as in the tool: Wilson's; of none in n, 0 ... 3/n.

    Of more than n as of n: an interval may end between the counting of a window and of its verdict.
    """
    if not n:
        return 0.0, 1.0
    if not k:
        return 0.0, min(3 / n, 1.0)
    p, zz = min(k / n, 1.0), Z * Z / n
    centre = (p + zz / 2) / (1 + zz)
    spread = Z / (1 + zz) * math.sqrt(p * (1 - p) / n + zz / (4 * n))
    return max(centre - spread, 0.0), min(centre + spread, 1.0)


# --- text -----------------------------------------------------------------------------------------

def percent(p):
    return f"{p * 100:.2g}%" if p < 0.0995 else f"{p * 100:.3g}%"


def between(found, form="{}"):
    """4 to 20, or 4 when all are alike."""
    low, high = form.format(min(found)), form.format(max(found))
    return low if low == high else f"{low} to {high}"


def spread(runs):
    """12% to 14%: the least and the most share of runs, [(k, n)]. They are the error, so none is pooled.

    0 (< 0.1%) when all are 0, or 3 of 40 when a run has fewer than FEW windows. None when there is no
    window, or a k is None: this kernel cannot tell.
    """
    runs = [(k, n) for k, n in runs if n]
    if not runs or None in (k for k, _ in runs):
        return None
    k, n = map(sum, zip(*runs))
    if not k and n >= ENOUGH:
        return f"0 (< {percent(interval(0, n)[1])})"
    if not k or min(n for _, n in runs) < FEW:
        return f"{k} of {n}"
    low, high = (percent(f(k / n for k, n in runs)) for f in (min, max))
    return low if low == high else f"{low} to {high}"


# --- histograms, [(min, max, count)] --------------------------------------------------------------

def middle(low, high):
    return (low + high) / 2


def merge(histograms):
    """One histogram of several with the same buckets."""
    found = {}
    for histogram in histograms:
        for low, high, n in histogram:
            found[(low, high)] = found.get((low, high), 0) + n
    return [(low, high, n) for (low, high), n in sorted(found.items())]


def sums(counts):
    """The members of several {name: count} added up."""
    found = {}
    for one in counts:
        for name, n in one.items():
            found[name] = found.get(name, 0) + n
    return found


def total(histogram):
    return sum(n for _, _, n in histogram)


def quantile(histogram, q):
    """The middle of the bucket that holds it; None of an empty one."""
    wanted, seen = q * total(histogram), 0
    for low, high, n in histogram:
        seen += n
        if n and seen >= wanted:
            return middle(low, high)
    return None


# --- failures in a row ----------------------------------------------------------------------------

def geometric(p, k):
    """The share of runs of at least k failures, when each try fails with probability p."""
    return p ** (k - 1) if k else 1.0


def failing_again(chains):
    """The share of the tries after a failure that failed too, from the lengths of the chains."""
    tries = sum(middle(a, b) * c for a, b, c in chains)
    return 1 - total(chains) / tries if tries else 0.0


def longest_of(n, p):
    """The longest of n chains when tries fail independently with p; None without failures."""
    return 1 + math.log(n) / -math.log(p) if n and 0 < p < 1 else None
