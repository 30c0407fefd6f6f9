"""A look-up finds what is in the set and nothing else."""

from typing import Any

import numpy as np
import pytest

from pipeline.similarity import hash_set
from pipeline.similarity.hash_set import HashSet


@pytest.mark.parametrize("compiled", [True, False])
@pytest.mark.parametrize("kind", [np.uint32, np.uint64])
@pytest.mark.parametrize("size", [0, 1, 1000, 100_000])
def test_just_the_members_are_found(monkeypatch: pytest.MonkeyPatch, compiled: bool, kind: Any, size: int) -> None:
    if not compiled:
        monkeypatch.setattr(hash_set, "kernel", lambda: None)
    rng = np.random.default_rng(1)
    members = rng.integers(0, np.iinfo(kind).max, size, kind, endpoint=True)
    asked = np.concatenate([members[:10], members[:10] ^ kind(1), rng.integers(0, np.iinfo(kind).max, 10_000, kind)])

    found = HashSet(members).within(asked)

    known = set(members.tolist())
    assert found.tolist() == [value in known for value in asked.tolist()]


def test_the_ends_of_the_range_are_found() -> None:
    ends = np.array([0, 2**64 - 1], np.uint64)

    assert HashSet(ends).within(ends).tolist() == [True, True]
