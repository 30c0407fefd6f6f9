"""Bounds against published numbers, and their coverage."""

import numpy as np
import pytest

from checks.bounds import clean_sample, interval, lower, upper


def test_bounds_are_the_numbers_that_auditors_know() -> None:
    assert upper(0, 300) == pytest.approx(0.00994, abs=1e-5)  # the rule of three, exactly
    assert lower(297, 300) == pytest.approx(0.9744, abs=1e-4)
    assert lower(300, 300) == pytest.approx(0.9901, abs=1e-4)
    assert upper(8, 300) < 0.05 < upper(9, 300)
    assert upper(21, 300) < 0.1 < upper(22, 300)
    assert (upper(0, 0), lower(0, 0)) == (1.0, 0.0)


def test_the_sample_asked_for_is_the_smallest_that_keeps_the_bound() -> None:
    for limit, found in ((0.01, 0), (0.001, 0), (0.05, 3), (0.1, 20)):
        n = clean_sample(limit, found)
        assert upper(found, n) <= limit < upper(found, n - 1)


@pytest.mark.parametrize("rate", [0.005, 0.01, 0.02, 0.05, 0.1])
def test_the_upper_bound_covers_planted_leaks_and_defects_in_95_of_100_audits(rate: float) -> None:
    found = np.random.default_rng(1).binomial(300, rate, 2_000)
    covered = np.mean([upper(int(k), 300) >= rate for k in found])

    assert covered >= 0.95 - 2 * 0.005  # two standard errors of 2,000 audits


def test_an_interval_holds_its_share() -> None:
    low, high = interval(3, 100)

    assert 0 < low < 0.03 < high < 0.1
