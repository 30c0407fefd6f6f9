"""Damaged deliveries end in a table that accounts for every row, or in one clear error; benchmarks/mutations.py tries 10,000."""

import pytest

from benchmarks.mutations import MUTATIONS, damaged, fate
from tests.pipeline.sources.vendors import VENDORS


@pytest.mark.parametrize("vendor", VENDORS)
def test_no_damage_ends_in_a_traceback_or_loses_a_row(vendor: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    scratch = tmp_path_factory.mktemp("damaged")
    fates = {seed: fate(vendor, damaged(vendor, seed)[0], scratch) for seed in range(20_000, 20_000 + 2 * len(MUTATIONS))}

    assert {seed: found for seed, found in fates.items() if found not in {"read", "refused"}} == {}
    assert "read" in fates.values()
