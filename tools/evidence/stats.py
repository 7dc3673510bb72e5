# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Shares with their intervals, quantiles of histograms, and models of independent events."""
import math

Z = 1.959963984540054  # 97.5 % quantile of the normal distribution
ENOUGH = 3000  # windows behind a share: none of these bounds it by 0.1 %


def interval(k, n):
    """The 95 % interval of a share of k in n, as in the tool: Wilson's; of none in n, 0 ... 3/n."""
    if not n:
        return 0.0, 1.0
    if not k:
        return 0.0, min(3 / n, 1.0)
    p, zz = k / n, Z * Z / n
    centre = (p + zz / 2) / (1 + zz)
    spread = Z / (1 + zz) * math.sqrt(p * (1 - p) / n + zz / (4 * n))
    return max(centre - spread, 0.0), min(centre + spread, 1.0)


# --- text -----------------------------------------------------------------------------------------

def percent(p):
    return f"{p * 100:.2g}%" if p < 0.0995 else f"{p * 100:.3g}%"


def at_least(p):
    """percent(), rounded down, so that "more than" is true; near 100 % with more digits."""
    steps = 10000 if p > 0.99 else 1000
    return f"{math.floor(p * steps) * 100 / steps:g}%"


def share(k, n):
    """12% (11.6% ... 12.4%), 0 (< 0.1%), all (> 99.9%), or 3 of 40 when n is below ENOUGH.

    None when there is no window, or k is None: this kernel cannot tell.
    """
    if k is None or not n:
        return None
    low, high = interval(k, n)
    if n < ENOUGH:
        return f"{k} of {n}"
    if not k:
        return f"0 (< {percent(high)})"
    if k == n:
        return f"all (> {at_least(low)})"
    return f"{percent(k / n)} ({percent(low)} ... {percent(high)})"


def short_share(k, n):
    """The same without its interval, for a narrow table."""
    if k is None or not n or n < ENOUGH:
        return None
    return percent(k / n) if k else f"<{percent(interval(0, n)[1])}"


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


# --- models ---------------------------------------------------------------------------------------

def model(histogram, rate):
    """How many of these windows (ns) meet one of independent writes, at this rate a second."""
    return sum(n * -math.expm1(-rate * middle(low, high) / 1e9) for low, high, n in histogram)


def geometric(p, k):
    """The share of runs of at least k failures, when each try fails with probability p."""
    return p ** (k - 1) if k else 1.0


def failing_again(chains):
    """The share of the tries after a failure that failed too, from the lengths of the chains."""
    return 1 - total(chains) / sum(middle(a, b) * c for a, b, c in chains)


def longest_of(n, p):
    """The longest of n chains when tries fail independently with p; None without failures."""
    return 1 + math.log(n) / -math.log(p) if n and 0 < p < 1 else None
