"""Bounds on shares: what a sample of n can say, and how large it must be.

Source: Clopper and Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial", 1934.
"""

import math
from typing import Final

CONFIDENCE: Final = 0.95
"""One-sided."""


def upper(found: int, n: int, confidence: float = CONFIDENCE) -> float:
    """The share that is exceeded with probability 1 - `confidence` at most, `found` of `n` having been seen; 1 for n = 0."""
    from scipy.special import betaincinv  # noqa: PLC0415  # 0.3 s, and the help page needs none of it

    return 1.0 if found >= n else float(betaincinv(found + 1, n - found, confidence))


def lower(found: int, n: int, confidence: float = CONFIDENCE) -> float:
    """The share that is fallen short of with probability 1 - `confidence` at most; 0 for n = 0."""
    return 1 - upper(n - found, n, confidence)


def interval(found: int, n: int) -> tuple[float, float]:
    """Two-sided 95 % interval of a share."""
    return lower(found, n, 0.975), upper(found, n, 0.975)


def clean_sample(limit: float, found: int = 0, confidence: float = CONFIDENCE) -> int:
    """The smallest n at which `found` of n keeps the upper bound at or below `limit`.

    >>> clean_sample(0.01), clean_sample(0.001), clean_sample(0.05, found=8)
    (299, 2995, 286)
    """
    if not 0 < limit < 1:
        return 0 if limit >= 1 else 10**9
    if found == 0:
        return math.ceil(math.log(1 - confidence) / math.log1p(-limit))
    low, high = found, max(2 * found, 16)
    while upper(found, high, confidence) > limit:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if upper(found, middle, confidence) <= limit else (middle, high)
    return high
