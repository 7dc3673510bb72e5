# SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
# Copyright (C) 2026 the uffdretry authors
"""Shares with their intervals, quantiles of histograms, and the model of independent writers. Pure functions."""
import math

Z = 1.959963984540054  # 97.5 % quantile of the normal distribution


def interval(k, n):
    """The 95 % interval of a share of k in n, as the tool has it: Wilson's; of none in n, 0 ... 3/n."""
    if not n:
        return 0.0, 1.0
    if not k:
        return 0.0, min(3 / n, 1.0)
    p, zz = k / n, Z * Z / n
    centre = (p + zz / 2) / (1 + zz)
    spread = Z / (1 + zz) * math.sqrt(p * (1 - p) / n + zz / (4 * n))
    return max(centre - spread, 0.0), min(centre + spread, 1.0)


def middle(low, high):
    return (low + high) / 2


def merge(histograms):
    """One histogram of several with the same buckets."""
    found = {}
    for histogram in histograms:
        for low, high, n in histogram:
            found[(low, high)] = found.get((low, high), 0) + n
    return [(low, high, n) for (low, high), n in sorted(found.items())]


def quantile(histogram, q):
    """The middle of the bucket that holds it; None of an empty one."""
    total, seen = sum(n for _, _, n in histogram), 0
    for low, high, n in histogram:
        seen += n
        if n and seen >= q * total:
            return middle(low, high)
    return None


def model(histogram, rate):
    """How many of these windows a writer falls into, when writes come independently at this rate a second."""
    return sum(n * -math.expm1(-rate * middle(low, high) / 1e9) for low, high, n in histogram)


def geometric(p, k):
    """The share of runs of at least k failures, when each try fails with probability p."""
    return p ** (k - 1) if k else 1.0
